import { type FileHandle, open } from 'node:fs/promises';

/** Element IDs of RFC 9559 §5, as they stand in a file. */
const SEGMENT = 0x18538067;
const CLUSTER = 0x1f43b675;
const CLUSTER_TIMESTAMP = 0xe7;
const SIMPLE_BLOCK = 0xa3;

const CHUNK_BYTES = 256 * 1024;

/** Opus frame lengths by TOC configuration, in units of 2.5 ms (RFC 6716 §3.1 table 2). */
const FRAME_UNITS = [
  4, 8, 16, 24, 4, 8, 16, 24, 4, 8, 16, 24, 4, 8, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8,
];

/** Length of an Opus packet by its first bytes (RFC 6716 §3.1), milliseconds. */
function opusPacketMs(toc: number, second: number): number {
  const frameMs = FRAME_UNITS[toc >> 3]! * 2.5;
  const code = toc & 3;
  if (code === 0) return frameMs;
  return code === 3 ? frameMs * (second & 0x3f) : frameMs * 2;
}

/** Reads forward through a file. */
class ForwardReader {
  position = 0;
  #chunk = new Uint8Array(CHUNK_BYTES);
  #chunkStart = 0;
  #chunkEnd = 0;
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Makes `length` bytes from `position` on readable with `byte`; false when the file ends before. */
  async has(length: number): Promise<boolean> {
    if (this.position >= this.#chunkStart && this.position + length <= this.#chunkEnd) return true;
    const { bytesRead } = await this.#file.read(this.#chunk, 0, CHUNK_BYTES, this.position);
    this.#chunkStart = this.position;
    this.#chunkEnd = this.position + bytesRead;
    return length <= bytesRead;
  }

  byte(offset: number): number {
    return this.#chunk[this.position - this.#chunkStart + offset]!;
  }

  /** A variable-size integer (RFC 8794 §4) that begins here; null where it does not fit. */
  async variableSize(): Promise<{ value: number; unknown: boolean } | null> {
    if (!(await this.has(1))) return null;
    const length = Math.clz32(this.byte(0)) - 23;
    if (length > 8 || !(await this.has(length))) return null;
    let value = this.byte(0) & (0xff >> length);
    let unknown = value === 0xff >> length;
    for (let i = 1; i < length; i++) {
      value = value * 256 + this.byte(i);
      unknown &&= this.byte(i) === 0xff;
    }
    this.position += length;
    return { value, unknown };
  }

  async elementId(): Promise<number | null> {
    if (!(await this.has(1))) return null;
    const length = Math.clz32(this.byte(0)) - 23;
    if (length > 4 || !(await this.has(length))) return null;
    let id = 0;
    for (let i = 0; i < length; i++) id = id * 256 + this.byte(i);
    this.position += length;
    return id;
  }
}

/**
 * Measures a capture by walking its blocks; what a crash tore off at the end does not count.
 *
 * Milliseconds; 0 when there is no whole block. Rejects when the file cannot be read. Only for what mixer/recording
 * writes: one Opus track in simple blocks without lacing, time stamps in milliseconds.
 */
export async function captureDurationMs(path: string): Promise<number> {
  const file = await open(path, 'r');
  try {
    return await walkBlocks(new ForwardReader(file), (await file.stat()).size);
  } finally {
    await file.close();
  }
}

async function walkBlocks(reader: ForwardReader, fileBytes: number): Promise<number> {
  let clusterMs = 0;
  let endMs = 0;
  for (;;) {
    const id = await reader.elementId();
    const size = id === null ? null : await reader.variableSize();
    if (size === null) return endMs;
    if (id === SEGMENT || id === CLUSTER) continue; // their children follow
    if (size.unknown || reader.position + size.value > fileBytes) return endMs;
    const next = reader.position + size.value;
    if (id === CLUSTER_TIMESTAMP) {
      if (!(await reader.has(size.value))) return endMs;
      clusterMs = 0;
      for (let i = 0; i < size.value; i++) clusterMs = clusterMs * 256 + reader.byte(i);
    } else if (id === SIMPLE_BLOCK && size.value >= 5 && (await reader.has(Math.min(size.value, 6)))) {
      // Track number (one byte), time stamp relative to the cluster (16 bits, signed), flags, the packet.
      const relativeMs = ((reader.byte(1) << 24) >> 16) | reader.byte(2);
      const packetMs = opusPacketMs(reader.byte(4), size.value >= 6 ? reader.byte(5) : 0);
      endMs = Math.max(endMs, clusterMs + relativeMs + packetMs);
    }
    reader.position = next;
  }
}
