import type { ReceivedPackets } from './received-packets.ts';
import { RING_PACKETS } from './received-packets.ts';

const SLOT_MASK = RING_PACKETS - 1;

/** Packets overtake each other by a little: a gap is a loss when as many came after it, or after so long. */
const REORDERED_PACKETS = 2;
const REORDERED_MS = 10;
/** Added to a round trip before it is asked again, as answers do not come at once. */
const ANSWER_MS = 8;
const MOST_TRIES = 10;
/** As long as none is known. */
const USUAL_ROUND_TRIP_MS = 100;
const SMOOTHING = 1 / 8;
/** Who lost more has no use for them: a key frame is there sooner. */
const MOST_MISSING = 256;
/** So many are asked for without any answer before it is believed that none will come. */
const UNANSWERED = 24;
/** Without retransmission a gap may still be filled by a packet that was overtaken. */
const WAIT_FOR_OVERTAKEN_MS = 40;

/** Which packets have not come, since when, and when they are asked for again. */
export class MissingPackets {
  /** Asked for, each time counted; those that came after that. */
  nacked = 0;
  recovered = 0;
  /** From RTCP, where known. */
  reportedRoundTripMs: number | null = null;
  /** Whether they may be asked for. */
  nack = false;
  private readonly packets: ReceivedPackets;
  private readonly since = new Float64Array(RING_PACKETS);
  private readonly askedMs = new Float64Array(RING_PACKETS);
  private readonly tries = new Uint8Array(RING_PACKETS);
  private count = 0;
  private measuredMs = Number.NaN;
  private unanswered = 0;

  constructor(packets: ReceivedPackets) {
    this.packets = packets;
  }

  /** From asking to the answer, as far as known. */
  get roundTripMs(): number {
    if (!Number.isNaN(this.measuredMs)) return this.measuredMs;
    return this.reportedRoundTripMs ?? USUAL_ROUND_TRIP_MS;
  }

  /** After so long a gap is passed over when a whole key frame stands behind it. */
  get overtakenMs(): number {
    return this.asks ? Math.min(200, Math.max(WAIT_FOR_OVERTAKEN_MS, 1.5 * this.roundTripMs)) : WAIT_FOR_OVERTAKEN_MS;
  }

  /** After so long a key frame is asked for, as the gap may stay: three tries or more have failed by then. */
  get doubtMs(): number {
    return this.asks ? Math.min(400, Math.max(150, 4 * (this.roundTripMs + ANSWER_MS))) : WAIT_FOR_OVERTAKEN_MS;
  }

  /** After so long what is missing is given up; meanwhile it may come all the same, or the key frame. */
  get giveUpMs(): number {
    return this.asks ? this.doubtMs + 100 : WAIT_FOR_OVERTAKEN_MS;
  }

  clear(): void {
    this.count = 0;
    this.unanswered = 0;
    this.measuredMs = Number.NaN;
  }

  /** Those from `from` to before `to` are missing. */
  note(from: number, to: number, nowMs: number): void {
    for (let number = from; number < to; number++) {
      const slot = number & SLOT_MASK;
      this.since[slot] = nowMs;
      this.tries[slot] = 0;
      this.count++;
    }
  }

  /** A missing one is there. */
  came(extended: number, nowMs: number): void {
    const slot = extended & SLOT_MASK;
    this.count--;
    const tries = this.tries[slot]!;
    if (tries === 0) return;
    this.recovered++;
    this.unanswered = 0;
    // Of two it is not known which was answered.
    if (tries > 1) return;
    const tookMs = nowMs - this.askedMs[slot]!;
    if (Number.isNaN(this.measuredMs)) this.measuredMs = tookMs;
    else this.measuredMs += (tookMs - this.measuredMs) * SMOOTHING;
  }

  /** Those before `to` that are missing are given up; returns how many. */
  giveUp(to: number): number {
    let lost = 0;
    for (let number = this.packets.head; number < to; number++) if (!this.packets.seen(number)) lost++;
    this.count -= lost;
    return lost;
  }

  waitedMs(extended: number, nowMs: number): number {
    return nowMs - this.since[extended & SLOT_MASK]!;
  }

  /** Fills in whom to ask for now, in their order; returns how many. */
  due(nowMs: number, out: Uint16Array): number {
    if (this.count === 0 || this.count > MOST_MISSING || !this.nack) return 0;
    const { packets } = this;
    const againMs = this.roundTripMs + ANSWER_MS;
    let due = 0;
    for (let number = packets.head; number < packets.end && due < out.length; number++) {
      if (packets.seen(number) || !this.isDue(number, nowMs, againMs)) continue;
      const slot = number & SLOT_MASK;
      this.tries[slot]!++;
      this.askedMs[slot] = nowMs;
      out[due++] = number & 0xffff;
    }
    this.nacked += due;
    this.unanswered += due;
    return due;
  }

  /** They are asked for, and answers come; some promise to send again, and do not. */
  private get asks(): boolean {
    return this.nack && this.unanswered < UNANSWERED && this.count <= MOST_MISSING;
  }

  private isDue(extended: number, nowMs: number, againMs: number): boolean {
    const slot = extended & SLOT_MASK;
    const tries = this.tries[slot]!;
    if (tries > 0) return tries < MOST_TRIES && nowMs - this.askedMs[slot]! >= againMs;
    return this.packets.end - 1 - extended >= REORDERED_PACKETS || nowMs - this.since[slot]! >= REORDERED_MS;
  }
}
