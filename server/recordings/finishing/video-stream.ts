import { Readable } from 'node:stream';
import { withoutParameterSets } from './h264-units.ts';
import { MatroskaStream } from './matroska-stream.ts';
import type { OpenFile } from './source.ts';
import { placedBlocks, type VideoIndex } from './video-index.ts';

/**
 * All of a picture as one Matroska stream for ffmpeg, which shows something at each moment from 0 to `endMs`: before it
 * began, its first frame; in gaps, the last one before.
 *
 * @param bare without the parameter sets in front of each key frame; for what is not decoded here.
 */
export function wholeVideo(index: VideoIndex, open: OpenFile, endMs: number, bare: boolean): Readable {
  const last = index.frames.length - 1;
  return Readable.from(
    pieces(index, open, (output, packet, ms, at) => {
      const { key } = index.frames[at]!;
      const content = bare ? withoutParameterSets(packet) : packet;
      if (at === last) output.lastBlock(0, at === 0 ? 0 : ms, content, key, endMs - (at === 0 ? 0 : ms));
      else output.block(0, at === 0 ? 0 : ms, content, key);
    }),
    { objectMode: false },
  );
}

/** Of these frames, and of what must be decoded before them, at their own times. Indexes into `frames`, in order. */
export function someFrames(index: VideoIndex, open: OpenFile, wanted: readonly number[]): Readable {
  const needed = new Uint8Array(index.frames.length);
  for (const frame of wanted) {
    for (let at = frame; at >= 0 && needed[at] === 0; at--) {
      needed[at] = 1;
      if (index.frames[at]!.key) break;
    }
  }
  const end = (wanted.at(-1) ?? -1) + 1;
  return Readable.from(
    pieces(
      index,
      open,
      (output, packet, ms, at) => {
        if (needed[at] === 1) output.block(0, ms, packet, index.frames[at]!.key);
      },
      end,
    ),
    { objectMode: false },
  );
}

type PutFrame = (output: MatroskaStream, packet: Buffer, ms: number, at: number) => void;

async function* pieces(
  index: VideoIndex,
  open: OpenFile,
  put: PutFrame,
  count = index.frames.length,
): AsyncGenerator<Buffer> {
  const output = new MatroskaStream([index.header]);
  let at = 0;
  for await (const { ms, block } of placedBlocks(index.files, open)) {
    if (at === count) break;
    put(output, block.packet, ms, at++);
    const bytes = output.take();
    if (bytes.length > 0) yield bytes;
  }
}
