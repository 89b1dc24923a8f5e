import { LossBursts } from './quality/loss-bursts.ts';
import { RepairDelay } from './repair-delay.ts';

/** What a leg learns from packets that are missing when their turn comes. */
export class LegLosses {
  /** As they were heard: lost on the way, or too late. */
  readonly bursts = new LossBursts();
  private readonly repairDelay = new RepairDelay();
  /** Concealed last; should the sender turn out to pause, nothing was missing. */
  private pending = 0;
  private pauses = 0;

  /** The sender's packets hold copies of those before them. */
  get receivesFec(): boolean {
    return this.repairDelay.hasCopies;
  }

  /**
   * A packet is played; returns how far the jitter buffer should look ahead, milliseconds.
   *
   * @param pauses how often the sender was seen to pause until now.
   */
  received(hasCopy: boolean, packetMs: number, pauses: number): number {
    const missing = pauses === this.pauses ? this.pending : 0;
    this.pauses = pauses;
    this.pending = 0;
    for (let index = 0; index < missing; index++) {
      this.bursts.missing();
      this.repairDelay.missing();
    }
    this.bursts.received();
    return this.repairDelay.received(hasCopy, packetMs);
  }

  /** A packet was not there when its turn came. */
  missing(): void {
    this.pending++;
  }
}
