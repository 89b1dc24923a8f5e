/** RFC 3611 §4.7.2: so many packets in a row that were there end a burst of losses. */
export const GMIN = 16;

/**
 * Tells bursts of losses from the gaps between them, packet by packet (RFC 3611 §4.7.2 and A.2).
 *
 * A burst begins and ends with a loss and has fewer than `GMIN` good packets in a row; single losses far apart lie in gaps.
 */
export class LossBursts {
  lost = 0;
  packets = 0;
  /** Losses without a good packet between them count as one run. */
  private runs = 0;
  private goodInARow = 0;
  private lostInBurst = 0;
  /** Counts of A.2: transitions between 1 (gap), 2 and 3 (received and lost in a burst), 4 (lost in a gap). */
  private c11 = 0;
  private c13 = 0;
  private c14 = 0;
  private c22 = 0;
  private c23 = 0;
  private c33 = 0;

  received(): void {
    this.packets++;
    this.goodInARow++;
  }

  missing(): void {
    this.packets++;
    this.lost++;
    const good = this.goodInARow;
    this.goodInARow = 0;
    if (good > 0 || this.runs === 0) this.runs++;
    if (good >= GMIN) {
      if (this.lostInBurst === 1) this.c14++;
      else if (this.lostInBurst > 1) this.c13++;
      this.lostInBurst = 1;
      this.c11 += good;
      return;
    }
    this.lostInBurst++;
    if (good === 0) {
      this.c33++;
      return;
    }
    this.c23++;
    this.c22 += good - 1;
  }

  /** 0–1. */
  get lossShare(): number {
    return this.packets === 0 ? 0 : this.lost / this.packets;
  }

  /** Share of packets lost within bursts, 0–1. */
  get burstDensity(): number {
    const fromLost = this.bursts + this.c23 + this.c33;
    if (this.bursts === 0 || fromLost === 0) return 0;
    const p32 = this.c23 / fromLost;
    const p23 = this.c22 + this.c23 < 1 ? 1 : 1 - this.c22 / (this.c22 + this.c23);
    return p23 / (p23 + p32);
  }

  /** Share of packets lost between bursts, 0–1. */
  get gapDensity(): number {
    const inGaps = this.c11 + this.isolated + this.goodInARow;
    return inGaps === 0 ? 0 : this.isolated / inGaps;
  }

  /** Mean length, in packets; 0 when there was none. */
  get burstPackets(): number {
    return this.bursts === 0 ? 0 : (this.c22 + 2 * this.c23 + this.c33 + this.bursts) / this.bursts;
  }

  /** Mean length, in packets. */
  get gapPackets(): number {
    return (this.c11 + this.isolated + this.goodInARow) / (this.bursts + 1);
  }

  /**
   * How much longer runs of losses are than if packets were lost independently: the BurstR of ITU-T G.107; 1 for random
   * loss, and where there is too little to tell.
   */
  get burstRatio(): number {
    if (this.runs < 2 || this.lost === this.packets) return 1;
    return Math.max(1, (this.lost / this.runs) * (1 - this.lossShare));
  }

  /** Those that are over, also when no loss came since. */
  private get bursts(): number {
    return this.c13 + (this.goodInARow >= GMIN && this.lostInBurst > 1 ? 1 : 0);
  }

  private get isolated(): number {
    return this.c14 + (this.goodInARow >= GMIN && this.lostInBurst === 1 ? 1 : 0);
  }
}
