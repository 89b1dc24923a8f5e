import { type CaptureBlock, CaptureReader } from './capture-reader.ts';
import { parameterSets } from './h264-units.ts';
import type { VideoHeader } from './matroska-stream.ts';
import type { CaptureFile, OpenFile } from './source.ts';

/** More than any frame; what says it is longer is damage. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

export interface VideoFrame {
  /** In the recording; each is later than the one before. */
  ms: number;
  key: boolean;
}

/** What there is of a picture, in all its parts. */
export interface VideoIndex {
  files: readonly CaptureFile[];
  /** In order. */
  frames: readonly VideoFrame[];
  /** How the first part is to be decoded; as large as the largest part. */
  header: VideoHeader;
  /** All have the same parameter sets, and so can be put behind one another as they are. */
  uniform: boolean;
}

/**
 * Looks through all of it; null when there is no picture before `endMs`. Rejects when it cannot be read.
 * A part that begins in the middle of something counts from its first key frame on.
 */
export async function videoIndex(
  files: readonly CaptureFile[],
  open: OpenFile,
  endMs: number,
): Promise<VideoIndex | null> {
  const frames: VideoFrame[] = [];
  let header: VideoHeader | null = null;
  let sets: Buffer | null = null;
  let uniform = true;
  for await (const { ms, block, reader } of placedBlocks(files, open)) {
    if (ms >= endMs) break;
    frames.push({ ms, key: block.key });
    if (!block.key) continue;
    const { codecPrivate } = reader.header;
    const { width, height } = reader;
    const own = parameterSets(block.packet);
    header ??= { codecPrivate: Buffer.from(codecPrivate), width, height };
    sets ??= own;
    uniform &&= own.equals(sets);
    header.width = Math.max(header.width, width);
    header.height = Math.max(header.height, height);
  }
  return header === null ? null : { files, frames, header, uniform };
}

/** All frames with their place in the recording, in order. */
export async function* placedBlocks(
  files: readonly CaptureFile[],
  open: OpenFile,
): AsyncGenerator<{ ms: number; block: CaptureBlock; reader: CaptureReader }> {
  let lastMs = -1;
  for (const { path, startMs } of files) {
    const reader = new CaptureReader(open(path), MAX_FRAME_BYTES);
    let begun = false;
    for await (const blocks of reader.blocks()) {
      for (const block of blocks) {
        begun ||= block.key;
        if (!begun) continue;
        lastMs = Math.max(lastMs + 1, Math.round(startMs + block.ms));
        yield { ms: lastMs, block, reader };
      }
    }
  }
}
