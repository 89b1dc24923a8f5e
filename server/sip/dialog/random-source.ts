import { randomFillSync } from 'node:crypto';

/** Where tags, branches and random delays come from, so that a simulation can be repeated. */
export interface RandomSource {
  /** Sixteen characters that nobody can guess (RFC 3261 §19.3 wants at least 32 random bits in a tag). */
  token(): string;
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
}

const POOL_BYTES = 4096;
const TOKEN_BYTES = 8;

/** From the system's generator, many tokens' worth at a time. */
export class SystemRandom implements RandomSource {
  private readonly pool = Buffer.alloc(POOL_BYTES);
  private used = POOL_BYTES;

  token(): string {
    if (this.used + TOKEN_BYTES > POOL_BYTES) {
      randomFillSync(this.pool);
      this.used = 0;
    }
    this.used += TOKEN_BYTES;
    return this.pool.toString('hex', this.used - TOKEN_BYTES, this.used);
  }

  below(limit: number): number {
    return Math.floor(Math.random() * limit);
  }
}
