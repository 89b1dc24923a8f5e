import {
  VIDEO_STREAM_NAMES,
  type VideoMedia,
  type VideoStreamName,
  type VideoStreamStatistics,
} from '../../mixer/video-protocol.ts';
import type { VideoMixers } from '../mixers/video-mixers.ts';
import type { PictureQuality, VideoView } from '../rooms/views.ts';
import type { MediaSession } from '../sdp/media-session.ts';
import type { AgreedVideo, LargestPicture } from '../sdp/video-options.ts';
import type { Timer, Timers } from '../timers.ts';
import { pictureQuality } from './picture-quality.ts';

/** As much of the video mixers as one call has to do with. */
export type VideoStreams = Pick<
  VideoMixers,
  | ('available' | 'isUp')
  | ('openStream' | 'updateStream' | 'moveStream' | 'closeStream' | 'streamStatistics')
  | ('sendKeyFrame' | 'soundDelay')
>;

export interface ParticipantVideoOptions {
  readonly leg: string;
  readonly mixers: VideoStreams;
  readonly timers: Timers;
  /** The largest picture of theirs that is of use in the room that they are in; null: it has no video. */
  roomTakes(): LargestPicture | null;
  /** Something of `view` is other than before, or video has come or gone. */
  changed(): void;
  /** The call goes on without it. */
  failed(what: { stream: VideoStreamName; reason: string }): void;
}

/** A mixer that takes longer to open a stream is not waited for: the call is more important. */
const PATIENCE_MS = 1500;
/** RFC 5168 has no limit; a picture that is asked for so often does not come any sooner. */
const FAST_UPDATE_EVERY_MS = 2000;

/** The pictures of one call: its streams in a video mixer, as offers and answers settle them. What fails costs video alone. */
export class ParticipantVideo {
  private readonly options: ParticipantVideoOptions;
  /** With what the mixer was told last; null before anything was agreed. */
  private readonly open = new Map<VideoStreamName, VideoMedia | null>();
  private readonly opening = new Map<VideoStreamName, Promise<void>>();
  private closed = false;
  /** The phone had some, and would have it still, were it in a room with video. */
  private takenAway = false;
  private size: { width: number; height: number } | null = null;
  private showsSlides = false;
  private lastAskedMs = Number.NEGATIVE_INFINITY;
  /** Of the streams that there were when the call ended. */
  private last: Promise<PictureQuality | null>[] = [];

  constructor(options: ParticipantVideoOptions) {
    this.options = options;
  }

  get isOpen(): boolean {
    return this.open.size > 0;
  }

  /** Whether it is taken when it is offered. A mixer that is being started again keeps the streams that it had. */
  get isWanted(): boolean {
    const { mixers, roomTakes } = this.options;
    return !this.closed && roomTakes() !== null && mixers.available && (mixers.isUp || this.isOpen);
  }

  /** What of it is; null: nothing. */
  get wanted(): LargestPicture | null {
    return this.isWanted ? this.options.roomTakes() : null;
  }

  /** Was taken from the phone, and can be given back. */
  get isMissed(): boolean {
    return this.takenAway && this.isWanted;
  }

  get view(): VideoView | null {
    const media = this.open.get('main') ?? this.open.get('slides') ?? null;
    if (media === null) return null;
    const { width = null, height = null } = this.size ?? {};
    return { codec: media.send.codec, direction: media.direction, width, height, slides: this.showsSlides };
  }

  /** How the streams fare; after the call, how those fared that it ended with. Never rejects. */
  async quality(): Promise<PictureQuality[]> {
    const { leg, mixers } = this.options;
    const asked = [...this.open.keys()].map((stream) => qualityOf(stream, mixers.streamStatistics({ leg, stream })));
    return (await Promise.all(this.closed ? this.last : asked)).filter((one) => one !== null);
  }

  /** Opens what an answer of ours is going to agree to; settled when the session knows the ports. Never rejects. */
  async prepareAnswer(session: MediaSession, room: string, foreseen: AgreedVideo): Promise<void> {
    const wanted = VIDEO_STREAM_NAMES.flatMap((stream) => {
      const media = mediaOf(foreseen, stream);
      return media === null || this.open.has(stream) ? [] : [this.openStream(session, room, stream, media)];
    });
    await Promise.all(wanted);
  }

  /** Opens what an offer of ours is to have. Never rejects. */
  async prepareOffer(
    session: MediaSession,
    room: string,
    streams: readonly VideoStreamName[] = ['main'],
  ): Promise<void> {
    if (!this.isWanted) return;
    const missing = streams.filter((stream) => !this.open.has(stream));
    await Promise.all(missing.map((stream) => this.openStream(session, room, stream, null)));
  }

  /**
   * What was agreed upon. What is not part of it any more is closed.
   * @param onHold the phone has put the call on hold: its picture is for others, or none
   */
  agreed(agreed: AgreedVideo, onHold: boolean): void {
    for (const [stream, told] of this.open) {
      const media = mediaOf(agreed, stream);
      if (media === null) void this.closeStream(stream);
      else this.tell(stream, told, onHold ? { ...media, direction: 'inactive' } : media);
    }
    this.options.changed();
  }

  /**
   * The participant is in that room now. True when the phone must be told: its streams have other ports, or there is no
   * video any more. Never rejects.
   */
  async moveTo(session: MediaSession, room: string): Promise<boolean> {
    await Promise.all(this.opening.values());
    if (this.options.roomTakes() === null) return this.drop(session);
    if (this.isMissed) {
      await this.prepareOffer(session, room);
      return this.isOpen;
    }
    const streams = [...this.open];
    const moved = await Promise.all(streams.map(([stream, media]) => this.moveStream(session, room, stream, media)));
    return moved.includes('renegotiate');
  }

  /** There is to be none any more. True when there was some, which the phone must be told. */
  drop(session: MediaSession): boolean {
    const streams = [...this.open.keys()];
    for (const stream of streams) {
      session.bindVideo(stream, null);
      void this.closeStream(stream);
    }
    if (streams.length === 0) return false;
    this.takenAway = true;
    this.options.changed();
    return true;
  }

  /** Pictures of this size come; null: none any more. */
  pictureTold(stream: VideoStreamName, size: { width: number; height: number } | null): void {
    if (!this.open.has(stream)) return;
    if (stream === 'main') this.size = size;
    else this.showsSlides = size !== null;
    this.options.changed();
  }

  /** They have asked for a key frame in signalling. */
  sendKeyFrame(): void {
    for (const stream of this.open.keys()) this.options.mixers.sendKeyFrame({ leg: this.options.leg, stream });
  }

  /** Whether they may be asked for a key frame in signalling now; then it counts as done. */
  mayAskKeyFrame(): boolean {
    const nowMs = this.options.timers.now();
    if (nowMs - this.lastAskedMs < FAST_UPDATE_EVERY_MS) return false;
    this.lastAskedMs = nowMs;
    return true;
  }

  close(): void {
    this.closed = true;
    this.last = [...this.open.keys()].map((stream) => qualityOf(stream, this.closeStream(stream)));
  }

  /** Asked for twice, it is opened once. */
  private openStream(
    session: MediaSession,
    room: string,
    stream: VideoStreamName,
    media: VideoMedia | null,
  ): Promise<void> {
    const there = this.opening.get(stream);
    if (there !== undefined) return there;
    const opening = this.openNew(session, room, stream, media).finally(() => this.opening.delete(stream));
    this.opening.set(stream, opening);
    return opening;
  }

  private async openNew(
    session: MediaSession,
    room: string,
    stream: VideoStreamName,
    media: VideoMedia | null,
  ): Promise<void> {
    const { leg, mixers } = this.options;
    const opening = mixers.openStream(room, { leg, stream }, { cname: leg, ...(media ? { media } : {}) });
    let patience: Timer | null = null;
    const late = new Promise<never>((_, reject) => {
      patience = this.options.timers.set(PATIENCE_MS, () => reject(new Error('the video mixer takes too long')));
    });
    try {
      const ports = await Promise.race([opening, late]);
      if (this.closed) return void mixers.closeStream({ leg, stream });
      this.open.set(stream, media);
      this.takenAway = false;
      session.bindVideo(stream, ports);
    } catch (error) {
      session.bindVideo(stream, null);
      this.options.failed({ stream, reason: String(error) });
      // When it opens after all, nobody wants it any more.
      opening.then(
        () => mixers.closeStream({ leg, stream }),
        () => undefined,
      );
    } finally {
      (patience as Timer | null)?.clear();
    }
  }

  private async moveStream(
    session: MediaSession,
    room: string,
    stream: VideoStreamName,
    media: VideoMedia | null,
  ): Promise<'done' | 'renegotiate'> {
    const key = { leg: this.options.leg, stream };
    try {
      if ((await this.options.mixers.moveStream(key, room)) === 'moved') return 'done';
    } catch (error) {
      this.options.failed({ stream, reason: String(error) });
    }
    // To a room of another mixer, or of one that could not take it along.
    void this.closeStream(stream);
    await this.openStream(session, room, stream, media);
    return 'renegotiate';
  }

  private tell(stream: VideoStreamName, told: VideoMedia | null, media: VideoMedia): void {
    if (JSON.stringify(told) === JSON.stringify(media)) return;
    this.open.set(stream, media);
    const { leg, mixers, failed } = this.options;
    mixers.updateStream({ leg, stream }, media).catch((error: unknown) => failed({ stream, reason: String(error) }));
  }

  private closeStream(stream: VideoStreamName): Promise<VideoStreamStatistics | null> {
    this.open.delete(stream);
    if (stream === 'main') this.size = null;
    else this.showsSlides = false;
    return this.options.mixers.closeStream({ leg: this.options.leg, stream });
  }
}

function mediaOf({ video, slides }: AgreedVideo, stream: VideoStreamName): VideoMedia | null {
  return stream === 'main' ? video : slides;
}

async function qualityOf(
  stream: VideoStreamName,
  counted: Promise<VideoStreamStatistics | null>,
): Promise<PictureQuality | null> {
  const statistics = await counted;
  return statistics && pictureQuality(stream, statistics);
}
