import {
  FEEDBACK_HEADER_LENGTH,
  type FeedbackHandler,
  writeBitrateEstimate,
  writeBitrateLimit,
  writeIntraRequest,
  writeLimitNotification,
  writeNack,
  writePictureLoss,
} from '../rtp/rtcp-feedback.ts';
import type { RtcpSession } from '../rtp/rtcp-session.ts';
import type { VideoFeedback } from '../video-protocol.ts';

/** A NACK names no more at a time; who lost more needs a key frame. */
const MOST_NACKS = 100;
/** How often a sender is told what to send at most. */
const LIMIT_EVERY_MS = 2000;
/** What a picture of a place's size needs at most, for each pixel; at 25 frames a second, and of a lively one. */
const BITS_PER_PIXEL_SECOND = 4;
const LEAST_LIMIT_BPS = 128_000;
const MOST_LIMIT_BPS = 4_000_000;
/** IP, UDP and RTP, as TMMBR counts them. */
const PACKET_OVERHEAD = 40;

export interface StreamFeedbackOptions {
  session: RtcpSession;
  /** Called by what was read. */
  handler: FeedbackHandler;
  /** What was written, to be sent at once. */
  send(out: Uint8Array, length: number): void;
  buffer(): Uint8Array;
  nacks(nowMs: number, out: Uint16Array): number;
}

/** What is said to the sender of a stream about it, in RTCP: what was lost, that a key frame is needed, and how much to send. */
export class StreamFeedback {
  nacksSent = 0;
  private readonly session: RtcpSession;
  private readonly options: StreamFeedbackOptions;
  private readonly lost = new Uint16Array(MOST_NACKS);
  private feedback: VideoFeedback | null = null;
  /** What the sender was told last, when, and of which stream; and whether they have confirmed it. */
  private limitMs = 0;
  private limitBps = 0;
  private limited: number | null = null;
  private limitKept = false;

  constructor(options: StreamFeedbackOptions) {
    this.options = options;
    this.session = options.session;
    options.session.feedback = options.handler;
  }

  /** Of the format that they send. */
  negotiated(feedback: VideoFeedback): void {
    this.feedback = feedback;
    this.limited = null;
  }

  /** Whether a key frame can be asked for in RTCP. */
  get canAskForKeyFrame(): boolean {
    return this.feedback !== null && (this.feedback.pli || this.feedback.fir);
  }

  askForLost(nowMs: number): void {
    const media = this.source();
    if (media === null || !this.feedback?.nack) return;
    const count = this.options.nacks(nowMs, this.lost);
    if (count === 0) return;
    this.nacksSent += count;
    const out = this.options.buffer();
    this.options.send(out, writeNack(out, this.begin(out, nowMs), this.session.ssrc, media, this.lost, count));
  }

  /** @param command see `KeyFrameWish`. */
  askForKeyFrame(command: number, nowMs: number): void {
    const media = this.source();
    if (media === null || this.feedback === null) return;
    const out = this.options.buffer();
    const begin = this.begin(out, nowMs);
    if (this.feedback.pli) return this.options.send(out, writePictureLoss(out, begin, this.session.ssrc, media));
    this.options.send(out, writeIntraRequest(out, begin, this.session.ssrc, media, command));
  }

  /**
   * Of a picture that is shown in so many pixels no more is needed than that. TMMBR is said until it is confirmed (RFC 5104
   * §4.2.2), REMB again and again.
   *
   * @param pixels 0: it is not shown, and little is asked for; not by REMB, after which most rise but slowly again
   */
  limitSender(pixels: number, nowMs: number): void {
    const media = this.source();
    const { remb = false, tmmbr = false } = this.feedback ?? {};
    if (media === null || (remb ? pixels === 0 : !tmmbr)) return;
    const wanted = Math.min(MOST_LIMIT_BPS, Math.max(LEAST_LIMIT_BPS, pixels * BITS_PER_PIXEL_SECOND));
    const same = wanted === this.limitBps && media === this.limited;
    if (same && (this.limitKept || nowMs - this.limitMs < LIMIT_EVERY_MS)) return;
    this.limitBps = wanted;
    this.limitMs = nowMs;
    this.limited = media;
    this.limitKept = false;
    const out = this.options.buffer();
    const begin = this.begin(out, nowMs);
    const { ssrc } = this.session;
    const end = remb
      ? writeBitrateEstimate(out, begin, ssrc, media, wanted)
      : writeBitrateLimit(out, begin, ssrc, media, wanted, PACKET_OVERHEAD);
    this.options.send(out, end);
  }

  /** They say whose limit they keep to (TMMBN). What was written is rounded down to 17 bits. */
  limitNotified(owner: number, bitrateBps: number): void {
    const isLast = bitrateBps <= this.limitBps && bitrateBps >= this.limitBps * (1 - 2 ** -16);
    if (owner === this.session.ssrc && isLast) this.limitKept = true;
  }

  /** Says that a limit of theirs is kept (RFC 5104 §4.2.2). */
  confirmLimit(owner: number, bitrateBps: number, overhead: number, nowMs: number): void {
    const out = this.options.buffer();
    const begin = this.begin(out, nowMs);
    this.options.send(out, writeLimitNotification(out, begin, this.session.ssrc, owner, bitrateBps, overhead));
  }

  /** Whose stream it is about; null before one came. */
  private source(): number | null {
    return this.session.reception?.ssrc ?? null;
  }

  private begin(out: Uint8Array, nowMs: number): number {
    return this.session.beginFeedback(out, nowMs);
  }
}

/** The longest that is written after the beginning of the compound packet. */
export const LONGEST_FEEDBACK = FEEDBACK_HEADER_LENGTH + 4 * MOST_NACKS;
