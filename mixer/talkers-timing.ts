import { phaseOf, TICK_MS } from './room-clock.ts';

/** What is older counts less and less: some ten seconds in which somebody speaks are remembered. */
const FADE_EVERY_MS = 1000;
const KEPT_AT_A_FADE = 0.9;
/** With about a second of sound there is something to go by. */
const LEAST_NOTES = 40;
/**
 * A tick comes so long after what it needs, and by a share of the jitter: what is just in time soon is too late. It is more
 * than a jitter buffer leaves (`DelayAdjustment`), which else would not get rid of a delay that it once needed.
 */
const MARGIN_MS = 2.5;
const MARGIN_OF_JITTER = 1 / 4;
/** Of the margin, so much may be used up before another time is better. */
const USED_MARGIN_MS = 1;

/**
 * When in the 20 ms of a tick the sound of those who speak is there: what comes right after a tick waits for the next
 * one. Kept as a histogram with a bin for each millisecond, in which all who spoke lately have their share.
 */
export class TalkersTiming {
  private readonly bins = new Float64Array(TICK_MS);
  private notes = 0;
  private fadesAtMs = Number.NEGATIVE_INFINITY;

  /**
   * One who is heard in the tick of `plannedMs`, and would have been as well `spareMs` before it, at a jitter that asks
   * for `targetMs` of delay.
   */
  note(plannedMs: number, spareMs: number, targetMs: number): void {
    if (plannedMs >= this.fadesAtMs) this.fade(plannedMs);
    const readyMs = plannedMs - spareMs + MARGIN_MS + targetMs * MARGIN_OF_JITTER;
    this.bins[Math.floor(phaseOf(readyMs))]! += 1;
    this.notes++;
  }

  get known(): boolean {
    return this.notes >= LEAST_NOTES;
  }

  /** How long sound waits when the room ticks at this phase, 0–19 whole milliseconds: the root of the mean square, ms. */
  waitMs(phaseMs: number): number {
    return this.wait(phaseMs, 0);
  }

  /** The same at the phase at which it ticks by now. */
  presentWaitMs(phaseMs: number): number {
    return this.wait(phaseMs, USED_MARGIN_MS);
  }

  private wait(phaseMs: number, usedMs: number): number {
    const { bins } = this;
    let sum = 0;
    for (let bin = 0; bin < TICK_MS; bin++) {
      const waitMs = Math.max(0, phaseOf(phaseMs - (bin + 0.5) + usedMs) - usedMs);
      sum += bins[bin]! * waitMs * waitMs;
    }
    return this.notes === 0 ? 0 : Math.sqrt(sum / this.notes);
  }

  private fade(nowMs: number): void {
    this.fadesAtMs = nowMs + FADE_EVERY_MS;
    for (let bin = 0; bin < TICK_MS; bin++) this.bins[bin]! *= KEPT_AT_A_FADE;
    this.notes *= KEPT_AT_A_FADE;
  }
}
