/** Weight of one packet in the share of those that are missing: some two seconds of 20 ms packets. */
const WEIGHT = 1 / 100;
/** From this share on, copies are worth waiting for; below the other, no more. */
const WORTH_SHARE = 0.02;
const CALM_SHARE = 0.005;
/** Copies are sent with speech only; after so many packets without one, the sender is taken to have none. */
const PACKETS_WITHOUT_COPY = 500;

/**
 * Decides whether playout should wait until the packet after the one due is there too. A missing packet can be repaired from
 * the copy in the next (Opus FEC, RFC 6716 §2.1.7), if that is there in time: on a way with little jitter it is not. With
 * 5% of the packets lost, 20 ms of delay are a small price for hearing them.
 */
export class RepairDelay {
  private missingShare = 0;
  private packetsSinceCopy = PACKETS_WITHOUT_COPY;
  private waits = false;

  /** The sender sends copies. */
  get hasCopies(): boolean {
    return this.packetsSinceCopy < PACKETS_WITHOUT_COPY;
  }

  /** A packet's turn has come; returns how far to look ahead, milliseconds. */
  received(hasCopy: boolean, packetMs: number): number {
    this.missingShare -= this.missingShare * WEIGHT;
    this.packetsSinceCopy = hasCopy ? 0 : this.packetsSinceCopy + 1;
    this.waits = this.hasCopies && this.missingShare > (this.waits ? CALM_SHARE : WORTH_SHARE);
    return this.waits ? packetMs : 0;
  }

  /** A packet was not there when its turn came. */
  missing(): void {
    this.missingShare += (1 - this.missingShare) * WEIGHT;
  }
}
