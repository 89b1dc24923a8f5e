import type { TimelineLine } from '../../server/recordings/timeline.ts';
import type { RecordingToCheck } from './check-recording.ts';
import type { CodedVoice } from './coded-sound.ts';
import type { FoundSpeech } from './found-speech.ts';

/** A time line may be so far from what can be heard: it is told of joins and deaths over SIP and between processes. */
const WITHIN_MS = 1_000;
/** The two clocks in its lines against each other. They are read one after the other. */
const CLOCKS_WITHIN_MS = 20;

/** What a time line says that did not happen, or leaves out. */
export function timelineFaults(
  lines: readonly TimelineLine[],
  { view, round }: RecordingToCheck,
  parts: readonly { number: number; startMs: number }[],
  mixes: ReadonlyMap<CodedVoice, FoundSpeech>,
): string[] {
  const faults: string[] = [];
  const fault = (isSo: boolean, text: string): void => void (isSo && faults.push(`time line: ${text}`));
  const mayBeLost = round.endedBy === 'server' && (view.durationMs ?? 0) < WITHIN_MS;
  fault(lines[0]?.type !== 'started' && !(lines.length === 0 && mayBeLost), `begins with ${JSON.stringify(lines[0])}`);
  fault(
    lines.some(({ t }, index) => t < (lines[index - 1]?.t ?? 0)),
    'goes back',
  );
  const zeros = lines.map(({ t, at }) => Date.parse(at) - t);
  const clocksApart = Math.max(...zeros) - Math.min(...zeros);
  fault(clocksApart > CLOCKS_WITHIN_MS, `its clocks come ${clocksApart} ms apart`);
  fault((lines.at(-1)?.t ?? 0) > (view.durationMs ?? 0) + WITHIN_MS, 'goes on after the end');
  const told = lines.flatMap((line) => (line.type === 'part' ? [line] : []));
  const startMs = new Map(parts.map((part) => [part.number, part.startMs]));
  for (const { part, t } of told) {
    fault(!(Math.abs((startMs.get(part) ?? Number.NaN) - t) <= WITHIN_MS), `part ${part} at ${t}`);
  }
  // Of a part whose mixer died before it had answered nothing is told.
  const deaths = round.mixerKillsMs.length;
  fault(told.length > parts.length - 1, `tells of ${told.length + 1} parts of ${parts.length}`);
  fault(parts.length - 1 > deaths, `${parts.length} parts after ${deaths} deaths of mixers`);
  for (const { voice, fromMs, toMs } of round.callers) {
    const first = mixes.get(voice)!.boundaries[0];
    if (first === undefined || toMs - fromMs < 2 * WITHIN_MS) continue;
    const joinedMs = fromMs - first.number * 250 + first.atMs;
    const joined = lines.find((line) => line.type === 'joined' && line.name === voice.name);
    fault(joined === undefined, `${voice.name} does not join`);
    fault(
      joined !== undefined && Math.abs(joined.t - Math.max(0, joinedMs)) > WITHIN_MS,
      `${voice.name} joins at ${joined?.t}`,
    );
    const id = joined?.type === 'joined' ? joined.participant : null;
    const talks = lines.some((line) => line.type === 'talking' && line.participant === id && line.on);
    fault(!talks, `${voice.name} does not talk`);
    fault(!view.participants.includes(voice.name), `${voice.name} is not among the participants of the entry`);
  }
  const stopped = lines.flatMap((line) => (line.type === 'stopped' ? [line] : []));
  if (round.endedBy === 'callers') {
    fault(stopped.length !== 1 || lines.at(-1)?.type !== 'stopped', 'does not stop');
    fault(stopped[0]?.reason !== null, `stops because ${stopped[0]?.reason}`);
    const left = lines.filter(({ type }) => type === 'left').length;
    fault(left !== round.callers.length, `${left} of ${round.callers.length} leave`);
  } else {
    fault(stopped.length > 0, 'stops, though the server was killed');
  }
  return faults;
}
