import type { AudioMedia, LegControl, LegStatistics, MediaPorts } from '../../mixer/protocol.ts';
import type { VideoStreamName } from '../../mixer/video-protocol.ts';
import type { Mixers } from '../mixers/mixers.ts';
import type { Agreement, MediaSession } from '../sdp/media-session.ts';
import type { NegotiationExplanation } from '../sdp/negotiation-explanation.ts';
import type { NegotiationFailure } from '../sdp/negotiation-failure.ts';
import type { Call, ReofferReply, SdpText } from '../sip/dialog/call.ts';
import { mediaRefusal } from './admission.ts';
import type { CallSlides } from './call-slides.ts';
import type { ParticipantVideo } from './participant-video.ts';

export interface ParticipantMediaOptions {
  readonly leg: string;
  readonly mixers: Mixers;
  readonly video: ParticipantVideo;
  readonly slides: CallSlides;
  createSession(ports: MediaPorts, peer: string): MediaSession;
  control(): LegControl;
  /** Something was agreed. */
  agreed(media: AudioMedia): void;
  failed(reason: string): void;
}

/** Until the mixer has opened some. */
const NO_PORTS: MediaPorts = { rtpPort: 0, rtcpPort: 0 };

/** The media of one call: what was negotiated, and its leg in the mixer; its pictures are in `ParticipantVideo`. */
export class ParticipantMedia {
  /** What the mixer was told last; null before anything was agreed. */
  media: AudioMedia | null = null;
  onHold = false;
  /** An offer of ours is out. */
  awaitsAnswer = false;
  private session: MediaSession | null = null;
  private readonly options: ParticipantMediaOptions;
  /** To another mixer. */
  private moving: Promise<void> | null = null;
  /** Told us once that it takes media: what stops doing so is on hold, what never did is a source that only sends. */
  private hasListened = false;

  constructor(options: ParticipantMediaOptions) {
    this.options = options;
  }

  /** A leg is open. */
  get isOpen(): boolean {
    return this.session !== null;
  }

  /** A session that nothing was said in yet. */
  begin(peer: string): MediaSession {
    return this.options.createSession(NO_PORTS, peer);
  }

  /**
   * What is known of the media goes along: one request to the mixer less. False when the call is over meanwhile.
   * @param known what an answer will agree to; or the streams of video that an offer of ours is to have
   */
  async open(
    room: string,
    session: MediaSession,
    isOver: () => boolean,
    known: Agreement | readonly VideoStreamName[],
  ): Promise<boolean> {
    const { mixers, leg } = this.options;
    const media = 'media' in known ? { media: this.mediaFor(known.media) } : {};
    const [ports] = await Promise.all([
      mixers.openLeg(room, leg, { cname: leg, control: this.options.control(), ...media }),
      this.openVideo(room, session, known),
    ]);
    if (isOver()) {
      await this.close();
      return false;
    }
    session.bind(ports);
    this.session = session;
    return true;
  }

  private openVideo(room: string, session: MediaSession, known: Agreement | readonly VideoStreamName[]): Promise<void> {
    const { video } = this.options;
    return 'media' in known ? video.prepareAnswer(session, room, known) : video.prepareOffer(session, room, known);
  }

  /**
   * The participant is in that room now.
   * @param elsewhere it is on another mixer: other ports, which the phone learns by a re-INVITE
   */
  async moved(room: string, elsewhere: boolean, call: Call | null, isOver: () => boolean): Promise<void> {
    const { failed, video } = this.options;
    if (elsewhere) {
      try {
        this.moving = this.openElsewhere(room).finally(() => {
          this.moving = null;
        });
        await this.moving;
      } catch (error) {
        failed(`could not be moved: ${String(error)}`);
        throw error;
      }
    }
    const otherVideo = this.session !== null && (await video.moveTo(this.session, room));
    if (isOver()) return void (await this.close());
    if (elsewhere) this.reoffer(call, (status) => failed(`could not be moved: re-INVITE answered ${status}`));
    else if (otherVideo) this.reoffer(call);
  }

  /** What the room says of video has changed. */
  async videoPolicyChanged(room: string, call: Call | null): Promise<void> {
    const { video } = this.options;
    const { session } = this;
    if (session === null || call === null) return;
    if (!video.isWanted) {
      if (video.drop(session)) this.reoffer(call);
    } else if (video.isMissed) {
      await video.prepareOffer(session, room);
      this.reoffer(call);
    }
  }

  makeOffer(session: MediaSession | null = this.session): SdpText {
    if (session === null) throw new Error('there is no media session');
    this.awaitsAnswer = true;
    this.sayWhatIsWanted(session);
    return session.offer();
  }

  /** False when it is of no use, and the call must end. */
  takeAnswer(answer: SdpText): boolean {
    if (this.session === null) return false;
    // Another answer to the same offer: it is said again, to ourselves.
    if (!this.awaitsAnswer) this.session.offer();
    this.awaitsAnswer = false;
    const result = this.session.acceptAnswer(answer);
    if (result.ok) this.apply(result).catch((error: unknown) => this.options.failed(String(error)));
    else this.options.failed(`no usable answer to our offer: ${result.warning}`);
    return result.ok;
  }

  /** They change the session, or want an offer of ours. Rejects with a `MixerError`, and the reply is told so. */
  async reoffered(offer: SdpText | null, room: string, reply: ReofferReply): Promise<void> {
    if (this.session === null) return reply.reject(488);
    try {
      const local = await this.negotiate(this.session, room, offer);
      if (typeof local === 'string') return reply.accept(local);
      const { status, ...options } = mediaRefusal(local);
      reply.reject(status, options);
    } catch (error) {
      reply.reject(500);
      throw error;
    }
  }

  /** Our answer to their offer, or our offer when they made none. */
  private async negotiate(
    session: MediaSession,
    room: string,
    offer: SdpText | null,
  ): Promise<SdpText | NegotiationFailure> {
    const { video } = this.options;
    if (offer === null) {
      await video.prepareOffer(session, room);
      return this.makeOffer();
    }
    this.awaitsAnswer = false;
    this.sayWhatIsWanted(session);
    const foreseen = session.foresee(offer);
    if (!foreseen.ok) return foreseen;
    await video.prepareAnswer(session, room, foreseen);
    // Our ports are other ones then.
    await this.arrived();
    const result = session.answer(offer);
    if (!result.ok) return result;
    await this.apply(result);
    return result.sdp;
  }

  /** What an answer would agree to, of which the leg is opened. */
  foresee(session: MediaSession, offer: SdpText): ReturnType<MediaSession['foresee']> {
    this.sayWhatIsWanted(session);
    return session.foresee(offer);
  }

  /** The answer to the offer by which the leg was opened. */
  answerForeseen(session: MediaSession, offer: SdpText): SdpText {
    const result = session.answer(offer);
    if (!result.ok) throw new Error('what was foreseen did not come');
    this.options.agreed(result.media);
    this.options.video.agreed(result, this.onHold);
    this.options.slides.agreed(result.floorControl);
    return result.sdp;
  }

  /** Why this was agreed; null before the other side said anything. */
  explain(): NegotiationExplanation | null {
    return this.session?.explain() ?? null;
  }

  /** What its leg has counted until now; null when the mixer cannot say. */
  statistics(): Promise<LegStatistics | null> {
    return this.options.mixers.legStatistics(this.options.leg).catch(() => null);
  }

  close(): Promise<LegStatistics | null> {
    this.options.video.close();
    this.options.slides.close();
    return this.options.mixers.closeLeg(this.options.leg);
  }

  /** Slides, and the floor control for them, are part of video. */
  private sayWhatIsWanted(session: MediaSession): void {
    const { video, slides } = this.options;
    session.wantVideo(video.wanted);
    slides.bind(session, video.isWanted);
  }

  private async openElsewhere(room: string): Promise<void> {
    const { mixers, leg } = this.options;
    await mixers.closeLeg(leg);
    const media = this.media === null ? {} : { media: this.media };
    const ports = await mixers.openLeg(room, leg, { cname: leg, control: this.options.control(), ...media });
    this.session?.rebind(ports);
  }

  private async apply({ media, floorControl, ...agreed }: Agreement): Promise<void> {
    const leg = this.mediaFor(media);
    this.options.video.agreed(agreed, this.onHold);
    this.options.slides.agreed(floorControl);
    await this.arrived();
    await this.options.mixers.updateLeg(this.options.leg, leg);
    this.options.agreed(media);
  }

  /** Between two mixers there is no leg. Never rejects: what failed is for who moves them. */
  private async arrived(): Promise<void> {
    await this.moving?.catch(() => undefined);
  }

  /** @param refused told the status; what was agreed before stays, where it is absent */
  private reoffer(call: Call | null, refused: (status: number) => void = () => {}): void {
    call?.reoffer(
      () => this.makeOffer(),
      (result) => {
        if ('status' in result) refused(result.status);
        else if (result.answer !== null) this.takeAnswer(result.answer);
      },
    );
  }

  /** Takes note of what was agreed, and gives what the mixer is to do. */
  private mediaFor(media: AudioMedia): AudioMedia {
    const { direction } = media;
    const listens = direction === 'sendrecv' || direction === 'sendonly';
    this.hasListened ||= listens;
    this.onHold = direction === 'inactive' || (this.hasListened && !listens);
    // A phone that holds by `sendonly` sends its music, which is not for the conference.
    this.media = this.onHold ? { ...media, direction: 'inactive' } : media;
    return this.media;
  }
}
