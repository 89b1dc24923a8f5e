import type { Picture } from './engine/picture.ts';
import { PictureLateness } from './picture-lateness.ts';
import type { AccessUnit } from './rtp/access-unit.ts';

/** Pictures that wait for their sound: of half a second, with the quickest camera. */
const MOST_HELD = 32;
/** Sound is never so late that a picture should wait longer. */
const MOST_DELAY_MS = 500;
/**
 * A picture is seen from the composition after it is due on. So it may be seen by half the time between two compositions
 * sooner (at 25 a second): then it is neither before nor after its sound on average.
 */
const SOONER_MS = 20;

/** Where a sender's RTP time stamps stand on its wall clock: from its sender reports. */
export interface SenderClock {
  /** Of the sender's NTP clock, milliseconds since 1970; null before a report. */
  ntpMsOf(rtpTimestamp: number): number | null;
}

interface Held {
  picture: Picture;
  dueMs: number;
}

/** The pictures of a stream that wait until the sound that belongs to them is heard, and the one that is seen. */
export class HeldPictures {
  private readonly clock: SenderClock;
  private readonly wallClockOffsetMs: number;
  private readonly held: Held[] = [];
  private readonly lateness = new PictureLateness();
  private shown: Picture | null = null;
  private soundDelayMs = 0;
  /** Our wall clock less the sender's, of what is heard at the moment; null: not known. */
  private senderNtpMs: number | null = null;

  /** @param wallClockOffsetMs milliseconds since 1970 less those of our own clock */
  constructor(clock: SenderClock, wallClockOffsetMs: number) {
    this.clock = clock;
    this.wallClockOffsetMs = wallClockOffsetMs;
  }

  /** See `soundDelay` of the protocol. */
  soundIsLate(delayMs: number, senderNtpMs: number | null): void {
    this.soundDelayMs = Math.min(MOST_DELAY_MS, Math.max(0, delayMs));
    this.senderNtpMs = senderNtpMs;
  }

  /** See `soundTooEarly` of the protocol; null: there is nothing new to tell. @param come whether pictures do */
  soundDelayWanted(come: boolean): number | null {
    if (!come) return this.lateness.noneCome();
    return this.senderNtpMs === null ? null : this.lateness.due(this.soundDelayMs);
  }

  /** Takes a picture over: it is released here. */
  add(picture: Picture, unit: AccessUnit, nowMs: number): void {
    // Pictures are shown in their order.
    this.held.push({ picture, dueMs: Math.max(this.dueMs(unit, nowMs), this.held.at(-1)?.dueMs ?? 0) });
    if (this.held.length > MOST_HELD) this.show(this.held.shift()!);
  }

  /** What is to be seen at `nowMs`; lent until the next call. Null: nothing yet. */
  at(nowMs: number): Picture | null {
    while (this.held.length > 0 && this.held[0]!.dueMs <= nowMs + SOONER_MS) this.show(this.held.shift()!);
    return this.shown;
  }

  clear(): void {
    for (const { picture } of this.held) picture.release();
    this.held.length = 0;
    this.lateness.reset();
    this.shown?.release();
    this.shown = null;
  }

  private show({ picture }: Held): void {
    this.shown?.release();
    this.shown = picture;
  }

  /** By the sender's reports; where they say nothing that can be, as late as its sound is here. */
  private dueMs({ rtpTimestamp, arrivedMs }: AccessUnit, nowMs: number): number {
    const ntpMs = this.senderNtpMs === null ? null : this.clock.ntpMsOf(rtpTimestamp);
    if (ntpMs !== null) {
      const dueMs = ntpMs + this.senderNtpMs! - this.wallClockOffsetMs;
      if (Math.abs(dueMs - nowMs) <= MOST_DELAY_MS) {
        this.lateness.note(nowMs + SOONER_MS - dueMs, this.soundDelayMs);
        return dueMs;
      }
    }
    return Math.min(nowMs + MOST_DELAY_MS, arrivedMs + this.soundDelayMs);
  }
}
