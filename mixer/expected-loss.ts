/**
 * How much loss an encoder should be ready for with FEC, by what a receiver reports (RFC 3550 §6.4.1). In few steps, since
 * all listeners on a step share an encoder. libopus sends no FEC for 5% and less at the bit rates of speech, so that the
 * lowest step is above that; and up to some 5% of loss CELT without FEC sounds no worse (docs/sound-under-loss.md).
 */
const STEPS: readonly { fromFraction: number; percent: number }[] = [
  { fromFraction: 0.12, percent: 20 },
  { fromFraction: 0.04, percent: 10 },
];

/** A step is left again after so many reports, some 5 s apart, of less. */
const REPORTS_BEFORE_LESS = 4;

/** The step for a share of packets lost, 0 to 1. */
export function expectedLossPercentFor(fractionLost: number): number {
  return STEPS.find(({ fromFraction }) => fractionLost >= fromFraction)?.percent ?? 0;
}

/** Follows a receiver's reports: more at once, less only when it lasts. */
export class ExpectedLoss {
  percent = 0;
  private calmReports = 0;

  /** True when `percent` changed. */
  reported(fractionLost: number): boolean {
    const step = expectedLossPercentFor(fractionLost);
    if (step >= this.percent) this.calmReports = 0;
    else if (++this.calmReports < REPORTS_BEFORE_LESS) return false;
    if (step === this.percent) return false;
    this.percent = step;
    this.calmReports = 0;
    return true;
  }
}
