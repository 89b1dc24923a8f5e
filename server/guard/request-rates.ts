/** How much of its share a sender has left. */
interface Share {
  tokens: number;
  refilledMs: number;
  /** Requests that were refused with an answer since there last was a token. */
  refused: number;
}

export type RateVerdict =
  | 'pass'
  /** Too much; to be told so. */
  | 'refuse'
  /** So much too much that answers would be a part of the flood. */
  | 'drop';

/** A share is good for this much at once. Half of it is for requests within dialogs alone, so that calls can end. */
const BURST_S = 2;
const MAX_SENDERS = 65_536;

/** Lets each sender have so many requests a second. */
export class RequestRates {
  private readonly maxSenders: number;
  private readonly shares = new Map<string, Share>();

  constructor(maxSenders = MAX_SENDERS) {
    this.maxSenders = maxSenders;
  }

  get senders(): number {
    return this.shares.size;
  }

  /** Takes note of a request. `perSecond` is what its sender may send. */
  take(sender: string, perSecond: number, inDialog: boolean, nowMs: number): RateVerdict {
    const share = this.shareOf(sender, perSecond, nowMs);
    const capacity = perSecond * BURST_S;
    share.tokens = Math.min(capacity, share.tokens + ((nowMs - share.refilledMs) * perSecond) / 1000);
    share.refilledMs = nowMs;
    const reserve = inDialog ? 0 : capacity / 2;
    if (share.tokens >= reserve + 1) {
      share.tokens--;
      share.refused = 0;
      return 'pass';
    }
    return ++share.refused > perSecond ? 'drop' : 'refuse';
  }

  /** Whose share has been left alone for the longest is forgotten for a new one. */
  private shareOf(sender: string, perSecond: number, nowMs: number): Share {
    const known = this.shares.get(sender);
    if (known !== undefined) {
      this.shares.delete(sender);
      this.shares.set(sender, known);
      return known;
    }
    if (this.shares.size >= this.maxSenders) this.shares.delete(this.shares.keys().next().value!);
    const share = { tokens: perSecond * BURST_S, refilledMs: nowMs, refused: 0 };
    this.shares.set(sender, share);
    return share;
  }
}
