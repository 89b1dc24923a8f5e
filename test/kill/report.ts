import type { CheckedRecording } from './check-recording.ts';
import type { Kill } from './kill-run.ts';
import type { Loss } from './losses.ts';

export function describeKills(kills: readonly Kill[]): string {
  const count = (victim: Kill['victim']): number => kills.filter((kill) => kill.victim === victim).length;
  return `${kills.length} kills: ${count('mixer')} of mixers, ${count('server')} of servers, ${count('ffmpeg')} of ffmpeg`;
}

const HEAD = [
  ...[
    'recording',
    'seconds',
    'parts',
    'lost: begin',
    'at mixer kills',
    'at the end',
    'otherwise',
    'silent after a kill',
  ],
  ...['track–mix', 'track–track', 'said, part–part', 'heard, part–part', 'parts heard', 'in order'],
];

/** Each figure is the worst of its kind, in milliseconds. */
export function table(recordings: readonly CheckedRecording[]): string {
  const rows = recordings.map((recording) => [
    recording.id,
    (recording.durationMs / 1_000).toFixed(1),
    String(recording.parts),
    ...figures([recording]),
    recording.faults.length === 0 ? 'yes' : 'NO',
  ]);
  const seconds = recordings.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1_000;
  const parts = recordings.reduce((sum, recording) => sum + recording.parts, 0);
  const wrong = recordings.filter(({ faults }) => faults.length > 0).length;
  const last = [
    'all, the worst',
    seconds.toFixed(1),
    String(parts),
    ...figures(recordings),
    wrong === 0 ? 'yes' : 'NO',
  ];
  const lines = [HEAD, HEAD.map(() => '---'), ...rows, last];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function figures(recordings: readonly CheckedRecording[]): string[] {
  const losses = recordings.flatMap((recording) => recording.losses);
  const most = (cause: Loss['cause']): string =>
    ms(Math.max(0, ...losses.filter((loss) => loss.cause === cause).map(({ lostMs }) => lostMs)));
  const worst = (value: (recording: CheckedRecording) => number): string =>
    Math.max(0, ...recordings.map(value)).toFixed(1);
  return [
    ...[most('begin'), most('mixer'), most('end'), most('none')],
    ms(Math.max(0, ...losses.map(({ awayMs }) => awayMs))),
    worst(({ trackToMixMs }) => trackToMixMs),
    worst(({ trackToTrackMs }) => trackToTrackMs),
    worst(({ partToPartMs }) => partToPartMs),
    worst(({ partsOffMs }) => partsOffMs),
    String(recordings.reduce((sum, { partsHeard }) => sum + partsHeard, 0)),
  ];
}

const ms = (value: number): string => value.toFixed(0);
