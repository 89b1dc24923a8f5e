/** A final response that is no success, or what stands for one. */
export interface Refusal {
  readonly status: number;
  /** The phrase that came with it; empty where there was none. */
  readonly reason: string;
}

/** They say what the caller could change, so they are worth more than others of their class (RFC 3261 §16.7 step 6). */
const TELLING = new Set([401, 407, 415, 420, 484]);
/** They say least: nobody was reached. */
const SILENT = new Set([404, 408, 480]);

/** Of the final responses of all who were asked, the one to tell (RFC 3261 §16.7 step 6): of equals the latest. */
export class FinalResponses {
  private best: Refusal | null = null;

  /** 404 when nobody was asked. */
  get told(): Refusal {
    return this.best ?? { status: 404, reason: '' };
  }

  add(status: number, reason: string): void {
    if (this.best === null || rank(status) <= rank(this.best.status)) this.best = { status, reason };
  }
}

/** The lower, the better: 6xx, then by class, and within it by what is said. */
function rank(status: number): number {
  if (status >= 600) return 0;
  const within = TELLING.has(status) ? 0 : SILENT.has(status) ? 2 : 1;
  return Math.floor(status / 100) * 10 + within;
}
