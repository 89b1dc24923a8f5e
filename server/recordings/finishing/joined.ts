import { Readable } from 'node:stream';
import { CaptureReader } from './capture-reader.ts';
import { MatroskaStream } from './matroska-stream.ts';
import type { Run } from './runs.ts';
import type { OpenFile } from './source.ts';

/**
 * ffmpeg's resampler makes gaps silent by itself, but holds all of that silence in memory until the next packet, some
 * 200 kB a second. So in a long gap there is a packet of silence now and then; a short one, as not every codec has a code
 * for exactly nothing.
 */
const LONG_GAP_MS = 10_000;
const SHORT_SILENCE_MS = 2.5;
/** Right behind the last sound, so that a decoder which was cut off in loud sound is at rest for those. */
const RELEASE_MS = 60;
const SILENCE_MS = 20;
/** Packets that overlap by more than rounding, as when a time line was set back, are not for copying. */
const OVERLAP_MS = 10;

/** How ffmpeg is to read it: with its time stamps as they are, also where the first one is not 0. */
export const JOINED_OPTIONS: readonly string[] = ['-copyts', '-f', 'matroska'];

export interface Joining {
  runs: readonly Run[];
  open: OpenFile;
  endMs: number;
  /** Whether the packets are to be copied: then each gap is filled with packets. */
  gapless: boolean;
}

/**
 * All of a track, or of the mix, as one Matroska stream from position 0: what parts and gaps there were shows in the
 * time stamps. A Matroska track for each run.
 */
export function joined(joining: Joining): Readable {
  return Readable.from(pieces(joining), { objectMode: false });
}

async function* pieces({ runs, open, endMs, gapless }: Joining): AsyncGenerator<Buffer> {
  const output = new MatroskaStream(runs.map(({ header }) => header));
  // A packet of each track, as ffmpeg puts off its work until it has seen all tracks.
  for (let track = 1; track < runs.length; track++) silentAt(output, track, 0, runs[track]!);
  for (const [track, run] of runs.entries()) {
    const next = runs[track + 1];
    const filler = new GapFiller(output, track, run, gapless);
    for (const [index, file] of run.files.entries()) {
      const untilMs = Math.min(run.files[index + 1]?.firstMs ?? next?.startMs ?? endMs, endMs);
      for await (const blocks of new CaptureReader(open(file.path)).blocks()) {
        for (const { ms, packet } of blocks) {
          const atMs = file.startMs + ms;
          if (atMs >= untilMs) continue;
          for (const _ of filler.fillUpTo(atMs)) yield output.take();
          filler.packet(atMs, packet);
        }
        yield output.take();
      }
    }
    for (const _ of filler.fillUpTo(next?.startMs ?? endMs)) yield output.take();
    // Shows that this run has come to its end, before the sound of the next one.
    if (next !== undefined) silentAt(output, track, next.startMs, run);
  }
  yield output.take();
}

function silentAt(output: MatroskaStream, track: number, ms: number, run: Run): void {
  output.block(track, ms, run.codec.silence(SILENCE_MS)!.packet);
}

class GapFiller {
  #atMs: number;
  readonly #output: MatroskaStream;
  readonly #track: number;
  readonly #run: Run;
  readonly #gapless: boolean;

  constructor(output: MatroskaStream, track: number, run: Run, gapless: boolean) {
    this.#output = output;
    this.#track = track;
    this.#run = run;
    this.#gapless = gapless;
    this.#atMs = run.startMs;
  }

  /** The gap before it has been filled. */
  packet(ms: number, packet: Buffer): void {
    if (this.#gapless && ms < this.#atMs - OVERLAP_MS) return;
    this.#output.block(this.#track, this.#gapless ? Math.max(ms, this.#atMs) : ms, packet);
    this.#atMs = ms + this.#run.codec.packetMs(packet);
  }

  /** Stops now and then, so that a gap of hours is no hours in memory. */
  *fillUpTo(ms: number): Generator<void> {
    if (this.#gapless) yield* this.#fill(ms);
    if (this.#gapless || ms - this.#atMs <= LONG_GAP_MS) return;
    yield* this.#fill(this.#atMs + RELEASE_MS);
    const { packet } = this.#run.codec.silence(SHORT_SILENCE_MS)!;
    for (let at = this.#atMs + LONG_GAP_MS; at < ms - LONG_GAP_MS; at += LONG_GAP_MS) {
      this.#output.block(this.#track, at, packet);
    }
  }

  /** With packets, one behind the other. */
  *#fill(ms: number): Generator<void> {
    for (let packets = 1; ; packets++) {
      const silent = this.#run.codec.silence(Math.min(SILENCE_MS, ms - this.#atMs));
      if (silent === null) return;
      this.#output.block(this.#track, this.#atMs, silent.packet);
      this.#atMs += silent.ms;
      if (packets % 1_000 === 0) yield;
    }
  }
}
