import type { SoundFigures, VideoFigures, VideoResult } from './measure-video.ts';

/** Goals: CPU with one viewer by ffmpeg's, 50 viewers by one, and the added delay. */
const MOST_TIMES_FFMPEG = 1.2;
const MOST_TIMES_ONE_VIEWER = 1.3;
const MOST_DELAY_MS = 80;
const MOST_MORE_DELAY_MS = 5;

export function describeVideo({ figures, ffmpeg, sound, own }: VideoResult): string {
  const head =
    '| senders | viewers | CPU ms a frame | × ffmpeg, paced / not | × one viewer | frames/s (skipped) | delay, ms: median / p99 | ffmpeg, ms a frame |';
  const rows = figures.map((row) => {
    const { senders, viewers, cpuMsPerFrame, ffmpegMsPerFrame, framesPerSecond, framesSkipped, delayMs } = row;
    const { unpacedMs } = ffmpeg.find((entry) => entry.senders === senders)!;
    const one = figures.find((entry) => entry.senders === senders && entry.viewers === 1);
    const cells = [
      ...[senders, viewers, cpuMsPerFrame.toFixed(2)],
      `${timesFfmpeg(row).toFixed(2)} / ${(cpuMsPerFrame / unpacedMs).toFixed(2)}`,
      (one === undefined ? Number.NaN : timesFfmpeg(row) / timesFfmpeg(one)).toFixed(2),
      `${framesPerSecond.toFixed(1)} (${framesSkipped})`,
      `${delayMs.median.toFixed(1)} / ${delayMs.p99.toFixed(1)}`,
      ffmpegMsPerFrame.toFixed(2),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const alone = ffmpeg.map(
    ({ senders, unpacedMs, preset }) => `${senders} senders (${preset}): ${unpacedMs.toFixed(2)} ms a frame`,
  );
  const heard = ({ median, p99, tickP999 }: SoundFigures): string =>
    `delay ${median.toFixed(1)} / ${p99.toFixed(1)} ms (median / p99), tick p99.9 ${tickP999.toFixed(1)} ms`;
  return [
    'Senders of H.264 640x360 at 25 frames a second in a grid of 1280x720, encoded as H.264 at 1.5 Mbit/s, over loopback:',
    [head, '|---|---|---|---|---|---|---|---|', ...rows].join('\n'),
    "The `ffmpeg` command decodes, scales, composes (xstack) and encodes the same, with x264's preset that the mixer has, at the same time and at the pace of the cameras; what something takes × one viewer is told by that, too, as the machine is not always equally fast.",
    `As fast as it goes, alone: ${alone.join(', ')}`,
    `Sound of 20 callers (PCMU, 3 talk) alone: ${heard(sound.alone)}; beside ${sound.rooms} rooms of the most senders, for which the video mixer takes ${sound.videoCores.toFixed(2)} cores: ${heard(sound.beside)}`,
    `${own.senders} senders who see each other: ${percent(own.shared.load)} of a core with one picture for all (encoders: ${own.shared.encoders}), ${percent(own.apart.load)} where nobody sees themselves (${own.apart.encoders})`,
    goalTable(figures, sound),
  ].join('\n\n');
}

function timesFfmpeg({ cpuMsPerFrame, ffmpegMsPerFrame }: VideoFigures): number {
  return cpuMsPerFrame / ffmpegMsPerFrame;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function goalTable(figures: readonly VideoFigures[], { alone, beside }: VideoResult['sound']): string {
  const ofOne = (senders: number) => figures.find((row) => row.senders === senders && row.viewers === 1);
  const rows = figures.flatMap((row) => {
    const { senders, viewers, delayMs } = row;
    const one = ofOne(senders);
    const of = `${senders} senders, ${viewers} viewers`;
    return [
      ...(viewers === 1 ? [goal(`CPU, ${of}`, MOST_TIMES_FFMPEG, timesFfmpeg(row), '× ffmpeg')] : []),
      ...(viewers > 1 && one
        ? [goal(`CPU, ${of}`, MOST_TIMES_ONE_VIEWER, timesFfmpeg(row) / timesFfmpeg(one), '× one viewer')]
        : []),
      goal(`delay, median, ${of}`, MOST_DELAY_MS, delayMs.median, 'ms'),
    ];
  });
  rows.push(goal('sound’s added delay, p99, more than alone', MOST_MORE_DELAY_MS, beside.p99 - alone.p99, 'ms'));
  return ['| figure | goal | measured | met |', '|---|---|---|---|', ...rows].join('\n');
}

function goal(what: string, most: number, measured: number, unit: string): string {
  return `| ${what} | ${most} ${unit} | ${measured.toFixed(2)} ${unit} | ${measured <= most ? 'yes' : 'no'} |`;
}
