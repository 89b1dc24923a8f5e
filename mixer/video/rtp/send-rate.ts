/** What the network or the other side has to be able to take; below it there is no picture worth sending. */
const LEAST_BPS = 64_000;
/** Of a limit that must be kept: the least tier needs no more. */
const LEAST_REQUESTED_BPS = 50_000;
/** Where they did not say how much they take, and what is tried first. */
const USUAL_LIMIT_BPS = 4_000_000;
const FIRST_BPS = 1_500_000;

/** Shares lost, as in the loss part of congestion control for WebRTC (draft-ietf-rmcat-gcc-02 §6). */
const MUCH_LOSS = 0.1;
const LITTLE_LOSS = 0.02;
/** Of the loss, this part is taken off the rate. */
const DECREASE = 0.5;
const INCREASE_PER_SECOND = 1.08;
/** After a change, loss that is not much is believed to come of it so many times: then less than what arrives is sent. */
const TRIALS = 2;
const BELOW_WHAT_ARRIVES = 0.97;
/** One lost of a few packets says nothing. */
const LEAST_PACKETS = 20;
/** Reports that are rarer than this raise the rate as if they came so often. */
const MOST_INCREASE_S = 2;
/** After a rise that brought loss, the next one waits; twice as long each time, and less again when all is well. */
const FIRST_PATIENCE_MS = 5000;
const MOST_PATIENCE_MS = 40_000;

/** Of a packet as it is sent: what it carries of us, for the overhead that TMMBR counts in. */
const MEAN_PACKET_OCTETS = 1100;

/** A limit by TMMBR, as it is to be confirmed by TMMBN. */
export interface RequestedLimit {
  owner: number;
  bitrateBps: number;
  overhead: number;
}

/**
 * How much one viewer may be sent, RTP and all: by what they said that they take, what they believe that they receive
 * (REMB), what they ask for (TMMBR), and what gets lost.
 *
 * Loss above 10 % lowers it, below 2 % raises it slowly. In between it stays as it is, but a rise just before is taken
 * back, and so is what a fall has left too much: so it settles below what the line carries, and tries again later.
 */
export class SendRate {
  /** The last TMMBR; null: none. */
  requested: RequestedLimit | null = null;
  private maxBps = USUAL_LIMIT_BPS;
  /** By loss. */
  private lossBps = FIRST_BPS;
  /** The highest rate at which little was lost; what a rise is taken back to. */
  private goodBps = FIRST_BPS;
  private estimateBps = Number.POSITIVE_INFINITY;
  private lostPackets = 0;
  private packets = 0;
  private sentBefore = 0;
  private lastMs: number;
  /** Of `TRIALS`, those that are left. */
  private trials = 0;
  /** The rate to come back to when they do not help. */
  private beforeBps = 0;
  private patienceMs = FIRST_PATIENCE_MS;
  private calmUntilMs = Number.NEGATIVE_INFINITY;

  /** @param startMs when sending may begin; the first report looks back to it. */
  constructor(startMs: number) {
    this.lastMs = startMs;
  }

  /**
   * Bits a second of RTP packets, without IP and UDP. 0: a TMMBR asks for silence (RFC 5104 §4.2.1.2), or for less than any
   * picture needs.
   */
  get bitrateBps(): number {
    const { requestedBps } = this;
    if (requestedBps < LEAST_REQUESTED_BPS) return 0;
    return Math.min(requestedBps, Math.max(LEAST_BPS, Math.min(this.maxBps, this.lossBps, this.estimateBps)));
  }

  /** Negotiated; null: they did not say. */
  limit(maxBps: number | null): void {
    this.maxBps = Math.max(LEAST_BPS, maxBps ?? USUAL_LIMIT_BPS);
    this.lossBps = Math.min(this.lossBps, this.maxBps);
    this.goodBps = Math.min(this.goodBps, this.maxBps);
  }

  /** REMB. */
  estimated(bitrateBps: number): void {
    this.estimateBps = bitrateBps;
  }

  /** TMMBR; `requested` is then to be sent in a TMMBN. */
  limitRequested(owner: number, bitrateBps: number, overhead: number): void {
    this.requested = { owner, bitrateBps, overhead };
  }

  /**
   * A receiver report came.
   *
   * @param fractionLost since the report before, 0 to 1
   * @param packetsSent to this viewer, ever
   * @param sendingBps what they are sent; it is that which was lost of, however much more was thought to be possible
   */
  reported(fractionLost: number, packetsSent: number, sendingBps: number, nowMs: number): void {
    const sent = packetsSent - this.sentBefore;
    this.sentBefore = packetsSent;
    this.packets += sent;
    this.lostPackets += fractionLost * sent;
    if (this.packets < LEAST_PACKETS) return;
    const loss = this.lostPackets / this.packets;
    const passedMs = nowMs - this.lastMs;
    this.packets = 0;
    this.lostPackets = 0;
    this.lastMs = nowMs;
    if (loss < LITTLE_LOSS) this.rise(passedMs, nowMs);
    else this.lossCame(loss, sendingBps, nowMs);
  }

  private get requestedBps(): number {
    if (this.requested === null) return Number.POSITIVE_INFINITY;
    const { bitrateBps, overhead } = this.requested;
    return (bitrateBps * MEAN_PACKET_OCTETS) / (MEAN_PACKET_OCTETS + overhead);
  }

  private rise(passedMs: number, nowMs: number): void {
    this.goodBps = this.lossBps;
    this.trials = 0;
    this.beforeBps = 0;
    if (nowMs < this.calmUntilMs) return;
    // Where something else limits, nothing is learned by a rise of this.
    if (this.lossBps > this.bitrateBps) return;
    const seconds = Math.min(MOST_INCREASE_S, passedMs / 1000);
    this.lossBps = Math.min(this.maxBps, this.lossBps * INCREASE_PER_SECOND ** seconds);
    this.patienceMs = Math.max(FIRST_PATIENCE_MS, this.patienceMs - passedMs / 4);
  }

  private lossCame(loss: number, sendingBps: number, nowMs: number): void {
    const rose = this.lossBps > this.goodBps;
    if (rose) this.patienceMs = Math.min(MOST_PATIENCE_MS, 2 * this.patienceMs);
    if (loss > MUCH_LOSS) {
      const carriedBps = sendingBps > 0 ? Math.min(this.lossBps, sendingBps) : this.lossBps;
      this.lower(carriedBps * (1 - DECREASE * loss), nowMs);
      this.begin(this.lossBps);
      return;
    }
    if (rose) this.begin(this.goodBps);
    if (this.trials > 0) {
      this.trials--;
      this.lower(this.lossBps * (1 - loss) * BELOW_WHAT_ARRIVES, nowMs);
    } else if (this.beforeBps > this.lossBps) {
      // Less did not help: the loss is not of our making.
      this.lossBps = this.beforeBps;
      this.goodBps = this.beforeBps;
    }
  }

  private begin(beforeBps: number): void {
    this.trials = TRIALS;
    this.beforeBps = beforeBps;
  }

  private lower(bitrateBps: number, nowMs: number): void {
    this.lossBps = Math.max(LEAST_BPS, Math.min(bitrateBps, this.goodBps));
    this.goodBps = this.lossBps;
    this.calmUntilMs = nowMs + this.patienceMs;
  }
}
