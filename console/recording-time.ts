import type { EventData } from '../server/events/room-event.ts';
import type { RecordingView, RoomView } from '../server/rooms/views.ts';

/** How far a recording is that runs. All by the server's clock, milliseconds since 1970. */
interface Run {
  /** What had been recorded by then. */
  beforeMs: number;
  /** Since when more is recorded; null: it is paused. */
  sinceMs: number | null;
}

/**
 * How long each recording has run that runs, by what events said of it. Of pauses before the first event nothing is known: what
 * was found running counts from its start.
 */
export class RecordingTimes {
  private readonly runs = new Map<string, Run>();
  private readonly now: () => number;
  /** How far the server's clock is ahead of ours. */
  private aheadMs: number | null = null;

  /** @param now the wall clock, milliseconds since 1970 */
  constructor(now: () => number = Date.now) {
    this.now = now;
  }

  /** The whole, in place of all that was known. */
  state(rooms: readonly RoomView[]): void {
    const running = rooms.flatMap(({ recordings }) => recordings).filter(isRunning);
    const ids = new Set(running.map(({ id }) => id));
    for (const id of [...this.runs.keys()]) if (!ids.has(id)) this.runs.delete(id);
    for (const recording of running) this.seen(recording, this.now() + (this.aheadMs ?? 0));
  }

  event({ at, recording }: EventData): void {
    const atMs = Date.parse(at);
    // What comes late, as after a break, would have the server's clock behind.
    this.aheadMs = Math.max(this.aheadMs ?? Number.NEGATIVE_INFINITY, atMs - this.now());
    if (recording) this.seen(recording, atMs);
  }

  /** Milliseconds that were recorded of it so far; null when that is not known. */
  of(id: string): number | null {
    const run = this.runs.get(id);
    if (run === undefined) return null;
    if (run.sinceMs === null) return run.beforeMs;
    return Math.max(0, run.beforeMs + this.now() + (this.aheadMs ?? 0) - run.sinceMs);
  }

  private seen(recording: RecordingView, atMs: number): void {
    const { id, state, startedAt } = recording;
    if (!isRunning(recording)) {
      this.runs.delete(id);
      return;
    }
    const { beforeMs, sinceMs } = this.runs.get(id) ?? { beforeMs: 0, sinceMs: Date.parse(startedAt) };
    if (state === 'recording') this.runs.set(id, { beforeMs, sinceMs: sinceMs ?? atMs });
    else if (sinceMs === null) this.runs.set(id, { beforeMs, sinceMs });
    else this.runs.set(id, { beforeMs: Math.max(0, beforeMs + atMs - sinceMs), sinceMs: null });
  }
}

export const isRunning = ({ state }: RecordingView): boolean => state === 'recording' || state === 'paused';
