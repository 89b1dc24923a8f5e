import type { CallEnd } from '../sip/dialog/call.ts';

/** Calls in both directions, and how they ended; for metrics. */
export class CallCounts {
  started = 0;
  readonly ended: Record<string, number> = {};
  /** By whole scores (MOS): people say "it was a two". */
  readonly scores: Record<string, number> = {};

  /** @param mos how it sounded, where that is known; 1 to 5 */
  countEnd(cause: CallEnd['cause'], mos: number | null = null): void {
    this.ended[cause] = (this.ended[cause] ?? 0) + 1;
    if (mos === null) return;
    const score = String(Math.floor(mos));
    this.scores[score] = (this.scores[score] ?? 0) + 1;
  }
}
