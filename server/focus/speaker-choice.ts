/** A cough is no turn. */
const TURN_MS = 600;
/** Who has just become it stays it for so long, whoever else talks. */
const HOLD_MS = 2000;
/** Longer than the pauses within a sentence: then another who talks takes over. */
const PAUSE_MS = 1000;
/** Longer than those between sentences: then nobody speaks. */
const SILENCE_MS = 3000;
/** A line that is never quiet gives way to who is clearly louder for a while. */
const CLEARLY_LOUDER_DB = 6;
const LOUDER_MS = 2000;
/** Share of a new measurement, of which there are two a second, in a talker's level. */
const NEW_SHARE = 0.4;

interface Talker {
  readonly sinceMs: number;
  levelDb: number;
  /** Clearly louder than who is the speaker, since then; null: is not. */
  louderSinceMs: number | null;
}

/**
 * Who of those who talk is the speaker. Talking comes and goes with each pause for breath, and several do it at a time; the
 * speaker changes as people take turns. Times are milliseconds of any clock.
 */
export class SpeakerChoice {
  /** Null: nobody speaks. */
  speaker: string | null = null;
  private changedMs = 0;
  /** Since when the speaker has not talked; null: talks. */
  private quietSinceMs: number | null = null;
  private readonly talkers = new Map<string, Talker>();

  /** False when that was known. */
  talks(id: string, levelDb: number, nowMs: number): boolean {
    if (this.talkers.has(id)) return false;
    this.talkers.set(id, { sinceMs: nowMs, levelDb, louderSinceMs: null });
    if (id === this.speaker) this.quietSinceMs = null;
    return true;
  }

  /** Talks no more, for now. False when that was known. */
  pauses(id: string, nowMs: number): boolean {
    if (!this.talkers.delete(id)) return false;
    if (id === this.speaker) this.quietSinceMs = nowMs;
    return true;
  }

  left(id: string): boolean {
    const talked = this.talkers.delete(id);
    if (id !== this.speaker) return talked;
    this.speaker = null;
    // Otherwise the end of their pause would be waited for, again and again.
    this.quietSinceMs = null;
    return true;
  }

  /** How loud somebody is who talks. */
  measured(id: string, levelDb: number, nowMs: number): void {
    const talker = this.talkers.get(id);
    if (talker === undefined) return;
    talker.levelDb += NEW_SHARE * (levelDb - talker.levelDb);
    const speaker = this.talkers.get(this.speaker ?? '');
    for (const one of this.talkers.values()) {
      const louder = speaker !== undefined && one.levelDb >= speaker.levelDb + CLEARLY_LOUDER_DB;
      one.louderSinceMs = louder ? (one.louderSinceMs ?? nowMs) : null;
    }
  }

  /** Decides who it is now. Gives when to ask again, if nothing happens before; null: not until then. */
  decide(nowMs: number): number | null {
    const next = this.nextTurn();
    const silentMs = this.quietSinceMs === null ? Number.POSITIVE_INFINITY : this.quietSinceMs + SILENCE_MS;
    if (next !== null && next.atMs <= nowMs) {
      this.become(next.id, nowMs);
      return this.decide(nowMs);
    }
    if (this.speaker !== null && silentMs <= nowMs) {
      this.become(null, nowMs);
      return this.decide(nowMs);
    }
    const askMs = Math.min(next?.atMs ?? Number.POSITIVE_INFINITY, silentMs);
    return Number.isFinite(askMs) ? askMs : null;
  }

  private become(id: string | null, nowMs: number): void {
    this.speaker = id;
    this.changedMs = nowMs;
    this.quietSinceMs = null;
    for (const talker of this.talkers.values()) talker.louderSinceMs = null;
  }

  /** Who would be the next, and when; the louder one where several would be at once. */
  private nextTurn(): { id: string; atMs: number } | null {
    let next: { id: string; atMs: number; levelDb: number } | null = null;
    for (const [id, talker] of this.talkers) {
      if (id === this.speaker) continue;
      const atMs = this.turnOf(talker);
      if (!Number.isFinite(atMs)) continue;
      const sooner = next === null || atMs < next.atMs || (atMs === next.atMs && talker.levelDb > next.levelDb);
      if (sooner) next = { id, atMs, levelDb: talker.levelDb };
    }
    return next;
  }

  private turnOf({ sinceMs, louderSinceMs }: Talker): number {
    const readyMs = sinceMs + TURN_MS;
    if (this.speaker === null) return readyMs;
    const yieldsMs =
      this.quietSinceMs !== null
        ? this.quietSinceMs + PAUSE_MS
        : louderSinceMs !== null
          ? louderSinceMs + LOUDER_MS
          : Number.POSITIVE_INFINITY;
    return Math.max(readyMs, yieldsMs, this.changedMs + HOLD_MS);
  }
}
