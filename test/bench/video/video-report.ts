import { PRESET } from './ffmpeg-command.ts';
import type { SoundFigures, VideoResult } from './measure-video.ts';

/** Goals: CPU with one viewer by ffmpeg's, 50 viewers by one, and the added delay. */
const MOST_TIMES_FFMPEG = 1.2;
const MOST_TIMES_ONE_VIEWER = 1.3;
const MOST_DELAY_MS = 80;
const MOST_MORE_DELAY_MS = 5;

export function describeVideo({ figures, ffmpeg, sound }: VideoResult): string {
  const head =
    '| senders | viewers | CPU ms a frame | × ffmpeg, paced / not | × one viewer | frames/s (skipped) | delay, ms: median / p99 |';
  const rows = figures.map((row) => {
    const { senders, viewers, cpuMsPerFrame, framesPerSecond, framesSkipped, delayMs } = row;
    const { pacedMs, unpacedMs } = ffmpeg.find((entry) => entry.senders === senders)!;
    const times = `${(cpuMsPerFrame / pacedMs).toFixed(2)} / ${(cpuMsPerFrame / unpacedMs).toFixed(2)}`;
    const one = figures.find((entry) => entry.senders === senders && entry.viewers === 1)?.cpuMsPerFrame ?? Number.NaN;
    const cells = [
      ...[senders, viewers, cpuMsPerFrame.toFixed(2), times],
      ...[(cpuMsPerFrame / one).toFixed(2), `${framesPerSecond.toFixed(1)} (${framesSkipped})`],
      `${delayMs.median.toFixed(1)} / ${delayMs.p99.toFixed(1)}`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const floor = ffmpeg.map(
    ({ senders, pacedMs, unpacedMs }) =>
      `${senders} senders: ${pacedMs.toFixed(2)} / ${unpacedMs.toFixed(2)} ms a frame`,
  );
  const heard = ({ median, p99, tickP999 }: SoundFigures): string =>
    `delay ${median.toFixed(1)} / ${p99.toFixed(1)} ms (median / p99), tick p99.9 ${tickP999} ms`;
  return [
    'Senders of H.264 640x360 at 25 frames a second in a grid of 1280x720, encoded as H.264 at 1.5 Mbit/s, over loopback:',
    [head, '|---|---|---|---|---|---|---|', ...rows].join('\n'),
    `The \`ffmpeg\` command, decoding, scaling, composing (xstack) and encoding the same, x264 ${PRESET} like the mixer, at the pace of the cameras / as fast as it goes: ${floor.join(', ')}`,
    `Sound of 20 callers (PCMU, 3 talk) alone: ${heard(sound.alone)}; beside the largest of these loads: ${heard(sound.beside)}`,
    `Goals: at most ${MOST_TIMES_FFMPEG} × ffmpeg with one viewer, 50 viewers at most ${MOST_TIMES_ONE_VIEWER} × one, added delay at most ${MOST_DELAY_MS} ms (median), p99 of sound at most ${MOST_MORE_DELAY_MS} ms more`,
  ].join('\n\n');
}
