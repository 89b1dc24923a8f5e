/** Who spoke when, and what was marked, as WebVTT (W3C Candidate Recommendation, 4 April 2019). */
import { nameIn } from './finishing/timeline-lines.ts';
import type { TimelineLine } from './timeline.ts';

/** Pauses up to that are breath. */
const MERGED_PAUSE_MS = 1_000;
/** Shorter is a cough, and nobody can read it. */
const SHORTEST_CUE_MS = 300;
/** A mark is a moment, and has to be read. */
const MARK_MS = 4_000;

interface Cue {
  startMs: number;
  endMs: number;
  text: string;
}

interface Turn {
  startMs: number;
  endMs: number;
  participant: string;
}

/** The whole file. `durationMs`: of the recording; who speaks at its end speaks until then. */
export async function captions(lines: AsyncIterable<TimelineLine>, durationMs: number): Promise<string> {
  const names = new Map<string, string>();
  const turns = new Turns();
  const marks: Cue[] = [];
  for await (const line of lines) {
    if (line.type === 'mark') {
      marks.push({ startMs: line.t, endMs: line.t + MARK_MS, text: `<c.mark>${escaped(line.text)}</c>` });
    }
    if (!('participant' in line)) continue;
    const { participant } = line;
    const name = nameIn(line);
    if (name !== null) names.set(participant, name);
    if (line.type === 'talking' && line.on) turns.begin(participant, line.t);
    else if (line.type === 'talking' || line.type === 'left' || line.type === 'recording-off') {
      turns.end(participant, line.t);
    }
  }
  const spoken = turns.close(durationMs).map(({ participant, ...times }) => {
    const name = escaped(names.get(participant) ?? participant);
    return { ...times, text: `<v ${name}>${name}</v>` };
  });
  const cues = [...spoken, ...marks];
  cues.sort((one, other) => one.startMs - other.startMs);
  return ['WEBVTT\n', ...cues.map(cueText)].join('\n');
}

class Turns {
  readonly #speaking = new Map<string, Turn>();
  /** Each one's last turn, which may go on. */
  readonly #last = new Map<string, Turn>();
  readonly #turns: Turn[] = [];

  begin(participant: string, startMs: number): void {
    if (this.#speaking.has(participant)) return;
    const last = this.#last.get(participant);
    if (last !== undefined && startMs - last.endMs <= MERGED_PAUSE_MS) {
      this.#speaking.set(participant, last);
      return;
    }
    const turn = { startMs, endMs: startMs, participant };
    this.#turns.push(turn);
    this.#speaking.set(participant, turn);
    this.#last.set(participant, turn);
  }

  end(participant: string, endMs: number): void {
    const turn = this.#speaking.get(participant);
    if (turn === undefined) return;
    turn.endMs = Math.max(turn.startMs, endMs);
    this.#speaking.delete(participant);
  }

  close(durationMs: number): Turn[] {
    for (const participant of [...this.#speaking.keys()]) this.end(participant, durationMs);
    return this.#turns
      .map((turn) => ({ ...turn, endMs: Math.min(turn.endMs, durationMs) }))
      .filter(({ startMs, endMs }) => endMs - startMs >= SHORTEST_CUE_MS);
  }
}

function cueText({ startMs, endMs, text }: Cue): string {
  return `${timestamp(startMs)} --> ${timestamp(endMs)}\n${text}\n`;
}

/** For cue text and annotations alike: neither may hold a line end, and `>` would end a tag (WebVTT §3.1). */
function escaped(text: string): string {
  const oneLine = text.replace(/[\p{Cc}\u2028\u2029\s]+/gu, ' ').trim();
  return (oneLine === '' ? '?' : oneLine).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

function timestamp(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  const pad = (value: number, digits: number) => String(Math.floor(value)).padStart(digits, '0');
  const minutes = whole / 60_000;
  return `${pad(minutes / 60, 2)}:${pad(minutes % 60, 2)}:${pad((whole / 1_000) % 60, 2)}.${pad(whole % 1_000, 3)}`;
}
