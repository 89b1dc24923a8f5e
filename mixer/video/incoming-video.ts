import { type RtpPacket, timestampDistance } from '../rtp/rtp-packet.ts';
import type { StreamKey, VideoCodecName, VideoMedia, VideoMixerEvent } from '../video-protocol.ts';
import { ArrivalRate } from './arrival-rate.ts';
import type { Engine } from './engine/engine.ts';
import type { Picture } from './engine/picture.ts';
import { KeyFrameRequests } from './rtp/key-frame-requests.ts';
import { VideoReceiver } from './rtp/video-receiver.ts';
import type { StreamFeedback } from './stream-feedback.ts';
import { StreamPictures } from './stream-pictures.ts';
import type { VideoCounts } from './video-counts.ts';

const TICKS_IN_MS = 90;
/** After so long without a picture a card is shown. */
const STALE_MS = 5000;
/** Who has sent nothing for so long is not asked for a key frame: they have turned their camera off, or have none. */
const SENDING_MS = 2000;
/** Who was just seen may be seen again soon, as when a speaker changes or somebody goes to another room. */
const KEPT_MS = 3000;

export interface IncomingVideoOptions {
  key: StreamKey;
  engine: Engine;
  counts: VideoCounts;
  feedback: StreamFeedback;
  startMs: number;
  wallClockOffsetMs: number;
  /** From the sender's last report; null before it. */
  senderReference(): { ntpMs: number; rtpTimestamp: number } | null;
  event(event: VideoMixerEvent): void;
}

/** What one sender shows: from packets to pictures, what is asked of them, and whether there is anything to see. */
export class IncomingVideo {
  readonly receiver = new VideoReceiver();
  readonly rate: ArrivalRate;
  /** Of what came last; null: nothing yet. */
  codec: VideoCodecName | null = null;
  private readonly options: IncomingVideoOptions;
  private readonly pictures: StreamPictures;
  private readonly requests = new KeyFrameRequests();
  /** They may send, as far as was agreed. */
  private taken = false;
  /** Until it is known otherwise: a key frame comes at the beginning. */
  private wanted = true;
  private wantedMs = Number.NEGATIVE_INFINITY;
  private nowMs: number;
  private lastPacketMs = Number.NEGATIVE_INFINITY;
  /**
   * When there was a picture last, or, as long as nobody wants one, what one could be made of. One is expected at first:
   * so all have the same places after a restart, whoever's picture comes first.
   */
  private lastPictureMs: number;
  /** When something was given to be decoded last. */
  private triedMs = Number.NEGATIVE_INFINITY;
  /** No picture could be made of what comes: that something comes is then no reason to give them a place. */
  private useless = false;
  private toldSize: { width: number; height: number } | null = null;

  constructor(options: IncomingVideoOptions) {
    const { engine, counts, wallClockOffsetMs, startMs } = options;
    this.options = options;
    this.rate = new ArrivalRate(startMs);
    this.nowMs = startMs;
    this.lastPictureMs = startMs;
    this.pictures = new StreamPictures({
      ...{ engine, counts, wallClockOffsetMs, clock: this },
      now: () => this.nowMs,
      decoded: () => this.pictureCame(),
      damaged: () => this.receiver.wishKeyFrame(),
      lost: () => this.receiver.requireKeyFrame(),
    });
  }

  get keyFramesAsked(): number {
    return this.requests.asked;
  }

  get framesDecoded(): number {
    return this.pictures.framesDecoded;
  }

  get framesBroken(): number {
    return this.pictures.framesBroken;
  }

  /** @param taken whether they may send */
  update({ receive }: VideoMedia, taken: boolean): void {
    this.taken = taken;
    this.useless = false;
    this.receiver.configure(receive);
    if (!taken) this.pictures.reset();
  }

  /** Whether pictures of theirs come. */
  get isSeen(): boolean {
    return this.taken && this.nowMs - this.lastPictureMs < STALE_MS;
  }

  /** Null: not known, or there is nothing to see. */
  get size(): { width: number; height: number } | null {
    return this.isSeen ? this.toldSize : null;
  }

  /** What is to be seen now; lent until the next call. Null: nothing. */
  pictureAt(nowMs: number): Picture | null {
    return this.isSeen ? this.pictures.at(nowMs) : null;
  }

  /** For `HeldPictures`. */
  ntpMsOf(rtpTimestamp: number): number | null {
    const reference = this.options.senderReference();
    if (reference === null) return null;
    return reference.ntpMs + timestampDistance(reference.rtpTimestamp, rtpTimestamp) / TICKS_IN_MS;
  }

  /** @param pixels of the largest place in which they are seen. */
  setWanted(wanted: boolean, pixels: number, nowMs: number): void {
    const { feedback } = this.options;
    if (wanted) {
      this.wantedMs = nowMs;
      if (!this.wanted) this.receiver.requireKeyFrame();
      this.wanted = true;
    } else if (this.wanted && nowMs - this.wantedMs >= KEPT_MS) {
      this.wanted = false;
      this.pictures.reset();
    }
    if (this.taken && wanted === this.wanted) feedback.limitSender(wanted ? pixels : 0, nowMs);
  }

  soundIsLate(delayMs: number, senderNtpMs: number | null): void {
    this.pictures.soundIsLate(delayMs, senderNtpMs);
  }

  put(packet: RtpPacket, payload: Uint8Array, nowMs: number): void {
    const { receiver } = this;
    const before = receiver.feedback;
    this.lastPacketMs = nowMs;
    receiver.put(packet, payload, nowMs);
    // Of several formats that they may send, each may have its own.
    if (receiver.feedback !== null && receiver.feedback !== before) this.options.feedback.negotiated(receiver.feedback);
  }

  /** Decodes what has come. */
  receive(nowMs: number): void {
    this.nowMs = nowMs;
    for (let unit = this.receiver.next(nowMs); unit !== null; unit = this.receiver.next(nowMs)) {
      this.codec = unit.codec;
      this.rate.unitCame();
      if (this.wanted) {
        this.triedMs = nowMs;
        this.pictures.put(unit);
      } else if (!this.useless) this.lastPictureMs = nowMs;
    }
    if (this.wanted && this.taken) this.options.feedback.askForLost(nowMs);
  }

  /** Some times a second: asks for what is needed, and tells what there is to see. */
  control(nowMs: number): void {
    this.rate.update(nowMs);
    if (this.wanted && this.taken) this.askThem(nowMs);
    const tries = this.wanted && this.taken && nowMs - this.triedMs < SENDING_MS;
    if (tries && !this.isSeen) this.useless = true;
    this.tellSize(nowMs);
    this.tellSoundDelay();
  }

  close(): void {
    this.pictures.close();
  }

  private pictureCame(): void {
    this.lastPictureMs = this.nowMs;
    this.useless = false;
  }

  private askThem(nowMs: number): void {
    const { feedback, event, key } = this.options;
    const needed = this.receiver.keyFrameNeeded && nowMs - this.lastPacketMs < SENDING_MS;
    if (!this.requests.due(needed, nowMs)) return;
    if (feedback.canAskForKeyFrame) feedback.askForKeyFrame(this.requests.command, nowMs);
    else event({ event: 'keyFrameWanted', ...key });
  }

  private tellSoundDelay(): void {
    const { key, event } = this.options;
    const delayMs = key.stream === 'main' ? this.pictures.soundDelayWanted(this.isSeen) : null;
    if (delayMs !== null) event({ event: 'soundTooEarly', leg: key.leg, delayMs });
  }

  private tellSize(nowMs: number): void {
    const picture = this.wanted ? this.pictureAt(nowMs) : null;
    if (picture !== null) {
      const { width, height } = picture;
      if (this.toldSize?.width === width && this.toldSize.height === height) return;
      this.toldSize = { width, height };
    } else if (this.toldSize !== null && !this.isSeen) this.toldSize = null;
    else return;
    this.options.event({ event: 'streamPicture', ...this.options.key, size: this.toldSize });
  }
}
