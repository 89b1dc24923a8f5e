import { FPS } from './coded-source.ts';
import { PATTERN_MS, type PatternVoice, type ToneStream } from './tone-stream.ts';
import type { VideoReceiver } from './video-receiver.ts';

/** To −1000…1000, as the pattern of the sound comes round each two seconds. */
function wrapped(ms: number): number {
  return ms - PATTERN_MS * Math.round(ms / PATTERN_MS);
}

/**
 * How much later somebody's picture is shown than their sound of the same moment is heard, in milliseconds, by the
 * clock of whom we receive from (RTP timestamps and sender reports): once for each picture that was seen for the first
 * time since then. Negative: the picture is earlier. Needs a change of the tone heard within those times.
 */
export function pictureLateMs(
  sound: ToneStream,
  pictures: VideoReceiver,
  who: { voice: PatternVoice; sender: number },
  sinceMs = 0,
): number[] {
  const starts = sound.patternStarts(who.voice);
  if (starts.length === 0) throw new Error(`the pattern of ${who.voice.name} was not heard`);
  const late: number[] = [];
  let before: number | null = null;
  for (const { arrivedMs, rtpTimestamp, codes } of pictures.pictures) {
    const code = codes.find(({ sender }) => sender === who.sender);
    if (!code || code.counter === before) continue;
    before = code.counter;
    if (arrivedMs < sinceMs) continue;
    const wallMs = pictures.wallMs(rtpTimestamp);
    const nearest = starts.reduce((best, start) => (Math.abs(start - wallMs) < Math.abs(best - wallMs) ? start : best));
    late.push(wrapped(wallMs - (code.counter * 1_000) / FPS - nearest));
  }
  return late;
}

export interface Spread {
  least: number;
  median: number;
  most: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return { least: at(0), median: at(0.5), most: at(1) };
}
