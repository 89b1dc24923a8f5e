import type { ParticipantView } from '../server/rooms/views.ts';
import type { Api } from './api.ts';

/** The mixer measures as often. */
const OFTEN_MS = 500;
const MANY = 50;
const SELDOM_MS = 2000;
/** What is quieter shows nothing; 0 dB is the most that there can be. */
const QUIET_DB = -50;

type Show = (share: number) => void;

/**
 * How loud those are who talk. Levels are no events: they are asked for while the page is seen, and drawn without anything
 * else being made anew.
 */
export class Levels {
  private readonly api: Api;
  private readonly meters = new Map<string, Show>();
  private watching: AbortController | null = null;

  constructor(api: Api) {
    this.api = api;
  }

  /** @param show is told values from 0 to 1. Gives what ends it. */
  meter(id: string, show: Show): () => void {
    this.meters.set(id, show);
    return () => {
      if (this.meters.get(id) === show) this.meters.delete(id);
    };
  }

  /** Follows the room until told otherwise. */
  watch(room: string | null): void {
    this.watching?.abort();
    this.watching = null;
    if (room === null) return;
    this.watching = new AbortController();
    void this.follow(room, this.watching.signal);
  }

  private async follow(room: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let waitMs = OFTEN_MS;
      if (!document.hidden) {
        const all = await this.api.participants(room, signal).catch(() => []);
        if (signal.aborted) return;
        for (const view of all) this.meters.get(view.id)?.(shareOf(view));
        if (all.length === 0 || all.length > MANY) waitMs = SELDOM_MS;
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

export function shareOf({ talking, muted, levelDb }: ParticipantView): number {
  if (!talking || muted !== null || levelDb === null) return 0;
  return Math.min(1, Math.max(0.04, 1 - levelDb / QUIET_DB));
}
