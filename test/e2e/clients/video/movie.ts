import { spawnSync } from 'node:child_process';
import { offStepMs, type SeenFrame, seenIn } from '../../../recording/movies.ts';
import { type Spread, spreadOf } from './lip-sync.ts';
import { inShares, LOOK_HEIGHT, LOOK_WIDTH } from './look.ts';
import { PATTERN_MS, type PatternVoice, patternStarts } from './tone-stream.ts';

const SAMPLE_RATE_HZ = 8_000;

/** A file with coded pictures and patterns of tones, as a player has it: both by the file's times. */
export interface Movie {
  frames: SeenFrame[];
  /** 8 kHz, from the beginning of the file. */
  sound: Float32Array;
}

export function readMovie(path: string): Movie {
  const frames = seenIn(path, LOOK_WIDTH, LOOK_HEIGHT).map(({ ms, codes }) => ({ ms, codes: inShares(codes) }));
  return { frames, sound: soundIn(path) };
}

/** What is left out in the file is silent, so that each sample is where its time is. */
function soundIn(path: string): Float32Array {
  const toItsTime = ['-af', 'aresample=async=1:first_pts=0', '-ac', '1', '-ar', String(SAMPLE_RATE_HZ)];
  const options = ['-v', 'error', '-i', path, '-vn', ...toItsTime, '-f', 'f32le', '-'];
  const { stdout, stderr, status } = spawnSync('ffmpeg', options, { maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(String(stderr));
  return new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.byteLength));
}

/** When a voice began a turn of its pattern. */
export function startsMs(sound: Float32Array, voice: PatternVoice): number[] {
  return patternStarts(sound, voice).map((at) => (1_000 * at) / SAMPLE_RATE_HZ);
}

export function counterOf({ codes }: SeenFrame, who: number): number {
  return codes.find(({ sender }) => sender === who)?.counter ?? Number.NaN;
}

/** How much later each new picture of a sender is seen than the tone is heard that was sent with it, in milliseconds. */
export function seenLaterMs({ frames, sound }: Movie, who: { voice: PatternVoice; sender: number }): Spread {
  const [first] = startsMs(sound, who.voice);
  if (first === undefined) throw new Error(`the pattern of ${who.voice.name} is not in the file`);
  const fresh = frames.filter(
    (frame, at) => at > 0 && counterOf(frame, who.sender) !== counterOf(frames[at - 1]!, who.sender),
  );
  const late = offStepMs(fresh, who.sender).map((ms) => {
    const from = ms - first;
    return from - PATTERN_MS * Math.round(from / PATTERN_MS);
  });
  return spreadOf(late);
}
