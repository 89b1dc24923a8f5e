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

  constructor(tracks: readonly CaptureHeader[]) {
    const documentType = [element('4282', 'matroska'), element('4287', unsigned(4)), element('4285', unsigned(2))];
    this.#pieces.push(
      element('1a45dfa3', ...documentType),
      Buffer.from('18538067', 'hex'),
      UNKNOWN_SIZE,
      element('1549a966', element('2ad7b1', unsigned(1_000_000)), element('4d80', 'parley'), element('5741', 'parley')),
      element('1654ae6b', ...tracks.map((header, index) => trackEntry(header, index + 1))),
    );
  }

  /** Times never go back by more than half a minute. */
  block(track: number, ms: number, packet: Uint8Array): void {
    const wholeMs = Math.max(0, Math.round(ms));
    if (wholeMs >= this.#clusterMs + CLUSTER_MS || wholeMs < this.#clusterMs) this.#cluster(wholeMs);
    const head = Buffer.alloc(14);
    head[0] = 0xa3;
    head.writeBigUInt64BE(BigInt(packet.length + 5) | (1n << 56n), 1);
    head.writeUInt16BE(0x4000 | (track + 1), 9); // in two octets, as there may be more than 126
    head.writeInt16BE(wholeMs - this.#clusterMs, 11);
    head[13] = KEY_FRAME;
    this.#pieces.push(head, packet);
  }

  take(): Buffer {
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    return bytes;
  }

  #cluster(ms: number): void {
    this.#clusterMs = ms;
    this.#pieces.push(CLUSTER, UNKNOWN_SIZE, element('e7', unsigned(ms)));
  }
}
