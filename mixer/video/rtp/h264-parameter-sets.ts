import { NAL_FORBIDDEN_BIT, NAL_PPS, NAL_SPS, NAL_TYPE_MASK, START_CODE_LENGTH } from './h264-nal.ts';

/** H.264 §7.4.2.1.1 and §7.4.2.2; of picture parameter sets there may be 256, of which nobody uses so many. */
const MOST_SPS = 32;
const MOST_PPS = 64;
/** They are some tens of octets long. */
const MOST_OCTETS = 1024;
/** Node passes over what is none. */
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** Profile, constraints and level stand before the number of a sequence parameter set. */
const SPS_ID_AT = 4;
const PPS_ID_AT = 1;

/**
 * The parameter sets of a stream: without them nothing can be decoded, and many send them only in signalling
 * (`sprop-parameter-sets`), or once.
 */
export class H264ParameterSets {
  private readonly sps = new Map<number, Uint8Array>();
  private readonly pps = new Map<number, Uint8Array>();
  /** All of them as a byte stream; null: to be made. */
  private stream: Uint8Array | null = null;

  get complete(): boolean {
    return this.sps.size > 0 && this.pps.size > 0;
  }

  clear(): void {
    this.sps.clear();
    this.pps.clear();
    this.stream = null;
  }

  /** Takes `sprop-parameter-sets` (RFC 6184 §8.1); what is no parameter set is passed over. */
  addSignalled(text: string): void {
    for (const part of text.split(',')) {
      const base64 = part.trim();
      if (BASE64.test(base64)) this.add(Buffer.from(base64, 'base64'));
    }
  }

  /** Keeps a copy of a NAL unit if it is a parameter set, in the place of the one with the same number. */
  add(nal: Uint8Array): void {
    if (nal.length < 2 || nal.length > MOST_OCTETS || (nal[0]! & NAL_FORBIDDEN_BIT) !== 0) return;
    const type = nal[0]! & NAL_TYPE_MASK;
    if (type === NAL_SPS) this.keep(this.sps, MOST_SPS, exponentialGolomb(nal, SPS_ID_AT), nal);
    else if (type === NAL_PPS) this.keep(this.pps, MOST_PPS, exponentialGolomb(nal, PPS_ID_AT), nal);
  }

  /** As a byte stream, sequence parameter sets first. Not to be changed. */
  bytes(): Uint8Array {
    if (this.stream !== null) return this.stream;
    const sets = [...this.sps.values(), ...this.pps.values()];
    this.stream = new Uint8Array(sets.reduce((length, set) => length + START_CODE_LENGTH + set.length, 0));
    let at = 0;
    for (const set of sets) {
      this.stream[at + START_CODE_LENGTH - 1] = 1;
      this.stream.set(set, at + START_CODE_LENGTH);
      at += START_CODE_LENGTH + set.length;
    }
    return this.stream;
  }

  private keep(sets: Map<number, Uint8Array>, most: number, id: number, nal: Uint8Array): void {
    if (id < 0 || id >= most) return;
    const known = sets.get(id);
    if (known !== undefined && Buffer.compare(known, nal) === 0) return;
    sets.set(id, Uint8Array.from(nal));
    this.stream = null;
  }
}

/** The unsigned number that begins with octet `at` (H.264 §9.1); -1 when there is none below 2¹⁶. */
function exponentialGolomb(bytes: Uint8Array, at: number): number {
  let bit = 8 * at;
  const end = 8 * bytes.length;
  let zeros = 0;
  while (bit < end && bitAt(bytes, bit) === 0) {
    zeros++;
    bit++;
  }
  if (zeros > 15 || bit + zeros >= end) return -1;
  let value = 0;
  for (let index = 0; index <= zeros; index++) value = 2 * value + bitAt(bytes, bit + index);
  return value - 1;
}

function bitAt(bytes: Uint8Array, bit: number): number {
  return (bytes[bit >> 3]! >> (7 - (bit & 7))) & 1;
}
