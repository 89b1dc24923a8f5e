import type { CaptureHeader } from './capture-codec.ts';

/** Element IDs of RFC 9559 §5, as they stand in a file. */
const SEGMENT = 0x18538067;
const INFO = 0x1549a966;
const TIMESTAMP_SCALE = 0x2ad7b1;
const TRACKS = 0x1654ae6b;
const TRACK_ENTRY = 0xae;
const CODEC_ID = 0x86;
const CODEC_PRIVATE = 0x63a2;
const VIDEO = 0xe0;
const PIXEL_WIDTH = 0xb0;
const PIXEL_HEIGHT = 0xba;
const AUDIO = 0xe1;
const SAMPLING_FREQUENCY = 0xb5;
const CHANNELS = 0x9f;
const BIT_DEPTH = 0x6264;
const CLUSTER = 0x1f43b675;
const CLUSTER_TIMESTAMP = 0xe7;
const BLOCK_GROUP = 0xa0;
const BLOCK = 0xa1;
const SIMPLE_BLOCK = 0xa3;

/** Their children are read as if they stood beside them. */
const OPENED = new Set([SEGMENT, INFO, TRACKS, TRACK_ENTRY, VIDEO, AUDIO, CLUSTER, BLOCK_GROUP]);
const READ = new Set([
  ...[TIMESTAMP_SCALE, CODEC_ID, CODEC_PRIVATE, SAMPLING_FREQUENCY, CHANNELS, BIT_DEPTH],
  ...[PIXEL_WIDTH, PIXEL_HEIGHT, CLUSTER_TIMESTAMP, BLOCK, SIMPLE_BLOCK],
]);
/** More than any packet of sound. */
const MAX_READ_BYTES = 256 * 1024;
const MAX_HEAD_BYTES = 12;
/** Of a SimpleBlock's flags. */
const KEY_FRAME = 0x80;

export interface CaptureBlock {
  /** Position in the capture's part. */
  ms: number;
  packet: Buffer;
  /** Decoding can begin here. */
  key: boolean;
}

/**
 * Reads a capture: its header, then block by block. Ends at what a crash tore off, or left as noise.
 *
 * Only for what mixer/recording writes: one track, blocks without lacing.
 */
export class CaptureReader {
  readonly header: CaptureHeader = {
    codecId: '',
    codecPrivate: Buffer.alloc(0),
    sampleRateHz: 8_000,
    channels: 1,
    bitDepth: 16,
  };
  #waiting: Buffer = Buffer.alloc(0);
  #skip = 0;
  #clusterUnits = 0;
  #msPerUnit = 1;
  #damaged = false;
  /** Of a picture, pixels; 0 where there is none. */
  width = 0;
  height = 0;
  readonly #bytes: AsyncIterable<Uint8Array>;
  readonly #maxReadBytes: number;

  /** @param maxReadBytes more than any packet; what says it is longer is damage. */
  constructor(bytes: AsyncIterable<Uint8Array>, maxReadBytes = MAX_READ_BYTES) {
    this.#bytes = bytes;
    this.#maxReadBytes = maxReadBytes;
  }

  /** The header is known from the first block on. */
  async *blocks(): AsyncGenerator<CaptureBlock[]> {
    for await (const chunk of this.#bytes) {
      this.#take(chunk);
      const blocks = this.#parse();
      if (blocks.length > 0) yield blocks;
      if (this.#damaged) return;
    }
  }

  #take(chunk: Uint8Array): void {
    const skipped = Math.min(this.#skip, chunk.length);
    this.#skip -= skipped;
    const rest = chunk.subarray(skipped);
    this.#waiting = this.#waiting.length === 0 ? Buffer.from(rest) : Buffer.concat([this.#waiting, rest]);
  }

  #parse(): CaptureBlock[] {
    const blocks: CaptureBlock[] = [];
    const bytes = this.#waiting;
    let at = 0;
    while (!this.#damaged) {
      const head = elementHead(bytes, at);
      if (head === null) {
        this.#damaged = bytes.length - at >= MAX_HEAD_BYTES;
        break;
      }
      const start = at + head.headBytes;
      if (OPENED.has(head.id)) {
        at = start;
        continue;
      }
      if (!READ.has(head.id)) {
        if (head.size > bytes.length - start) this.#skip = head.size - (bytes.length - start);
        at = Math.min(bytes.length, start + head.size);
        continue;
      }
      this.#damaged = head.size > this.#maxReadBytes;
      if (this.#damaged || start + head.size > bytes.length) break;
      const block = this.#element(head.id, bytes.subarray(start, start + head.size));
      if (block !== null) blocks.push(block);
      at = start + head.size;
    }
    this.#waiting = bytes.subarray(at);
    return blocks;
  }

  #element(id: number, data: Buffer): CaptureBlock | null {
    const { header } = this;
    if (id === SIMPLE_BLOCK || id === BLOCK) return this.#block(data);
    if (id === CLUSTER_TIMESTAMP) this.#clusterUnits = unsigned(data);
    else if (id === TIMESTAMP_SCALE) this.#msPerUnit = unsigned(data) / 1e6;
    else if (id === CODEC_ID) header.codecId = data.toString('latin1').replace(/\0+$/, '');
    else if (id === CODEC_PRIVATE) header.codecPrivate = Buffer.from(data);
    else if (id === SAMPLING_FREQUENCY)
      header.sampleRateHz = data.length === 4 ? data.readFloatBE() : data.readDoubleBE();
    else if (id === PIXEL_WIDTH) this.width = unsigned(data);
    else if (id === PIXEL_HEIGHT) this.height = unsigned(data);
    else if (id === CHANNELS) header.channels = unsigned(data);
    else if (id === BIT_DEPTH) header.bitDepth = unsigned(data);
    return null;
  }

  /** Track number (one byte), time stamp relative to the cluster (16 bits, signed), flags, the packet. */
  #block(data: Buffer): CaptureBlock | null {
    if (data.length < 5) return null;
    const ms = (this.#clusterUnits + data.readInt16BE(1)) * this.#msPerUnit;
    return { ms, packet: data.subarray(4), key: (data[3]! & KEY_FRAME) !== 0 };
  }
}

/** Null when it is not all there, or no element begins here. */
function elementHead(bytes: Buffer, at: number): { id: number; size: number; headBytes: number } | null {
  if (at >= bytes.length) return null;
  const idBytes = Math.clz32(bytes[at]!) - 23;
  if (idBytes > 4 || at + idBytes >= bytes.length) return null;
  const id = bytes.readUIntBE(at, idBytes);
  const sizeAt = at + idBytes;
  const sizeBytes = Math.clz32(bytes[sizeAt]!) - 23;
  if (sizeBytes > 8 || sizeAt + sizeBytes > bytes.length) return null;
  let size = bytes[sizeAt]! & (0xff >> sizeBytes);
  for (let i = 1; i < sizeBytes; i++) size = size * 256 + bytes[sizeAt + i]!;
  return { id, size, headBytes: idBytes + sizeBytes };
}

function unsigned(data: Buffer): number {
  let value = 0;
  for (const byte of data) value = value * 256 + byte;
  return value;
}
