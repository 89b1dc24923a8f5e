import { captureCodec } from './finishing/capture-codec.ts';
import { CaptureReader } from './finishing/capture-reader.ts';
import { type FinishedSource, mixFiles, type OpenFile } from './finishing/source.ts';

/**
 * Measures a capture by walking its blocks; what a crash tore off at the end does not count. Milliseconds; 0 when there is
 * no whole block. Rejects when it cannot be read.
 */
export async function captureDurationMs(bytes: AsyncIterable<Uint8Array>): Promise<number> {
  const reader = new CaptureReader(bytes);
  let endMs = 0;
  for await (const blocks of reader.blocks()) {
    const codec = captureCodec(reader.header);
    for (const { ms, packet } of blocks) endMs = Math.max(endMs, ms + (codec?.packetMs(packet) ?? 0));
  }
  return endMs;
}

/** How long the time line of a recording is by what is on the disk, all its parts. Rejects when one cannot be read. */
export async function recordedDurationMs(source: FinishedSource, open: OpenFile): Promise<number> {
  let endMs = 0;
  for (const { path, startMs } of await mixFiles(source)) {
    // One that begins here lasts to here, though a crash may have left nothing of what it recorded.
    endMs = Math.max(endMs, startMs + (await captureDurationMs(open(path))));
  }
  return Math.round(endMs);
}
