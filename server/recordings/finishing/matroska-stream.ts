import type { CaptureHeader } from './capture-codec.ts';

/** RFC 8794 §6.1, RFC 9559 §5.1.3: whoever reads it goes on until something comes that cannot be a child. */
const UNKNOWN_SIZE = Buffer.from('01ffffffffffffff', 'hex');
const CLUSTER = Buffer.from('1f43b675', 'hex');
/** Time stamps of blocks are relative to their cluster's, and have 16 bits. */
const CLUSTER_MS = 5_000;
const KEY_FRAME = 0x80;

function element(id: string, ...content: (Buffer | string)[]): Buffer {
  const data = Buffer.concat(content.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(data.length) | (1n << 56n));
  return Buffer.concat([Buffer.from(id, 'hex'), size, data]);
}

function unsigned(value: number): Buffer {
  const data = Buffer.alloc(8);
  data.writeBigUInt64BE(BigInt(value));
  return data;
}

function float(value: number): Buffer {
  const data = Buffer.alloc(8);
  data.writeDoubleBE(value);
  return data;
}

/** A picture of H.264. */
export interface VideoHeader {
  codecPrivate: Buffer;
  width: number;
  height: number;
}

function videoEntry({ codecPrivate, width, height }: VideoHeader, number: number): Buffer {
  return element(
    'ae',
    element('d7', unsigned(number)),
    element('73c5', unsigned(number)), // TrackUID
    element('83', unsigned(1)), // video
    element('9c', unsigned(0)), // no lacing
    element('86', 'V_MPEG4/ISO/AVC'),
    element('63a2', codecPrivate),
    element('e0', element('b0', unsigned(width)), element('ba', unsigned(height))),
  );
}

function trackEntry(header: CaptureHeader, number: number): Buffer {
  return element(
    'ae',
    element('d7', unsigned(number)),
    element('73c5', unsigned(number)), // TrackUID
    element('83', unsigned(2)), // audio
    element('9c', unsigned(0)), // no lacing
    element('86', header.codecId),
    header.codecPrivate.length === 0 ? '' : element('63a2', header.codecPrivate),
    element(
      'e1',
      element('b5', float(header.sampleRateHz)),
      element('9f', unsigned(header.channels)),
      element('6264', unsigned(header.bitDepth)),
    ),
  );
}

/** Writes a Matroska stream (RFC 9559) that ffmpeg reads as it comes; `take` gives the bytes since the last time. */
export class MatroskaStream {
  #pieces: Uint8Array[] = [];
  #clusterMs = Number.NEGATIVE_INFINITY;

  constructor(tracks: readonly (CaptureHeader | VideoHeader)[]) {
    const documentType = [element('4282', 'matroska'), element('4287', unsigned(4)), element('4285', unsigned(2))];
    this.#pieces.push(
      element('1a45dfa3', ...documentType),
      Buffer.from('18538067', 'hex'),
      UNKNOWN_SIZE,
      element('1549a966', element('2ad7b1', unsigned(1_000_000)), element('4d80', 'parley'), element('5741', 'parley')),
      element('1654ae6b', ...tracks.map(entryOf)),
    );
  }

  /** Times never go back by more than half a minute. */
  block(track: number, ms: number, packet: Uint8Array, key = true): void {
    const wholeMs = this.#clusterFor(ms);
    this.#pieces.push(blockHead('a3', track, wholeMs - this.#clusterMs, packet.length, key), packet);
  }

  /** The last one of a track, which says how long it is shown. */
  lastBlock(track: number, ms: number, packet: Uint8Array, key: boolean, durationMs: number): void {
    const wholeMs = this.#clusterFor(ms);
    const block = Buffer.concat([blockHead('a1', track, wholeMs - this.#clusterMs, packet.length, false), packet]);
    // RFC 9559 §5.1.3.5.5: what refers to nothing is a key frame.
    const reference = key ? '' : element('fb', Buffer.of(0xff));
    this.#pieces.push(element('a0', block, element('9b', unsigned(Math.max(1, Math.round(durationMs)))), reference));
  }

  take(): Buffer {
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    return bytes;
  }

  /** Begins one if need be. */
  #clusterFor(ms: number): number {
    const wholeMs = Math.max(0, Math.round(ms));
    if (wholeMs < this.#clusterMs + CLUSTER_MS && wholeMs >= this.#clusterMs) return wholeMs;
    this.#clusterMs = wholeMs;
    this.#pieces.push(CLUSTER, UNKNOWN_SIZE, element('e7', unsigned(wholeMs)));
    return wholeMs;
  }
}

function entryOf(header: CaptureHeader | VideoHeader, index: number): Buffer {
  return 'width' in header ? videoEntry(header, index + 1) : trackEntry(header, index + 1);
}

/** Of a SimpleBlock (`a3`), or of a Block in a group (`a1`), which has no flag for key frames. */
function blockHead(id: 'a3' | 'a1', track: number, relativeMs: number, length: number, key: boolean): Buffer {
  const head = Buffer.alloc(14);
  head.write(id, 'hex');
  head.writeBigUInt64BE(BigInt(length + 5) | (1n << 56n), 1);
  head.writeUInt16BE(0x4000 | (track + 1), 9); // in two octets, as there may be more than 126
  head.writeInt16BE(relativeMs, 11);
  head[13] = key ? KEY_FRAME : 0;
  return head;
}
