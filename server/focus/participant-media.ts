import type { AudioMedia, LegControl, LegStatistics, MediaPorts } from '../../mixer/protocol.ts';
import type { Mixers } from '../mixers/mixers.ts';
import type { MediaSession } from '../sdp/media-session.ts';
import type { NegotiationExplanation } from '../sdp/negotiation-explanation.ts';
import type { NegotiationFailure } from '../sdp/negotiation-failure.ts';
import type { Call, ReofferReply, SdpText } from '../sip/dialog/call.ts';
import { mediaRefusal } from './admission.ts';

export interface ParticipantMediaOptions {
  readonly leg: string;
  readonly mixers: Mixers;
  createSession(ports: MediaPorts, peer: string): MediaSession;
  control(): LegControl;
  /** Something was agreed. */
  agreed(media: AudioMedia): void;
  failed(reason: string): void;
}

/** Until the mixer has opened some. */
const NO_PORTS: MediaPorts = { rtpPort: 0, rtcpPort: 0 };

/** The sound of one call: what was negotiated for it, and its leg in the mixer. */
export class ParticipantMedia {
  /** What the mixer was told last; null before anything was agreed. */
  media: AudioMedia | null = null;
  onHold = false;
  /** An offer of ours is out. */
  awaitsAnswer = false;
  private session: MediaSession | null = null;
  private readonly options: ParticipantMediaOptions;
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

  /** What is known of the media goes along: one request to the mixer less. False when the call is over meanwhile. */
  async open(room: string, session: MediaSession, isOver: () => boolean, known?: AudioMedia): Promise<boolean> {
    const { mixers, leg } = this.options;
    const media = known === undefined ? {} : { media: this.mediaFor(known) };
    const ports = await mixers.openLeg(room, leg, { cname: leg, control: this.options.control(), ...media });
    if (isOver()) {
      await mixers.closeLeg(leg);
      return false;
    }
    session.bind(ports);
    this.session = session;
    return true;
  }

  /** To a room of another mixer: other ports, which the phone learns by a re-INVITE. */
  async reconnect(room: string, call: Call | null, isOver: () => boolean): Promise<void> {
    const { failed } = this.options;
    try {
      await this.openElsewhere(room);
    } catch (error) {
      failed(`could not be moved: ${String(error)}`);
      throw error;
    }
    if (isOver()) return void (await this.close());
    call?.reoffer(
      () => this.makeOffer(),
      (result) => {
        if ('status' in result) failed(`could not be moved: re-INVITE answered ${result.status}`);
        else if (result.answer !== null) this.takeAnswer(result.answer);
      },
    );
  }

  makeOffer(session: MediaSession | null = this.session): SdpText {
    if (session === null) throw new Error('there is no media session');
    this.awaitsAnswer = true;
    return session.offer();
  }

  /** False when it is of no use, and the call must end. */
  takeAnswer(answer: SdpText): boolean {
    if (this.session === null) return false;
    // Another answer to the same offer: it is said again, to ourselves.
    if (!this.awaitsAnswer) this.session.offer();
    this.awaitsAnswer = false;
    const result = this.session.acceptAnswer(answer);
    if (result.ok) this.apply(result.media).catch((error: unknown) => this.options.failed(String(error)));
    else this.options.failed(`no usable answer to our offer: ${result.warning}`);
    return result.ok;
  }

  /** They change the session, or want an offer of ours. Rejects with a `MixerError`, and the reply is told so. */
  async reoffered(offer: SdpText | null, reply: ReofferReply): Promise<void> {
    if (!this.isOpen) return reply.reject(488);
    try {
      const local = await this.negotiate(offer);
      if (typeof local === 'string') return reply.accept(local);
      const { status, ...options } = mediaRefusal(local);
      reply.reject(status, options);
    } catch (error) {
      reply.reject(500);
      throw error;
    }
  }

  /** Our answer to their offer, or our offer when they made none. */
  private async negotiate(offer: SdpText | null): Promise<SdpText | NegotiationFailure> {
    if (offer === null || this.session === null) return this.makeOffer();
    this.awaitsAnswer = false;
    const result = this.session.answer(offer);
    if (!result.ok) return result;
    await this.apply(result.media);
    return result.sdp;
  }

  /** The answer to the offer by which the leg was opened. */
  answerForeseen(session: MediaSession, offer: SdpText): SdpText {
    const result = session.answer(offer);
    if (!result.ok) throw new Error('what was foreseen did not come');
    this.options.agreed(result.media);
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
    return this.options.mixers.closeLeg(this.options.leg);
  }

  private async openElsewhere(room: string): Promise<void> {
    const { mixers, leg } = this.options;
    await mixers.closeLeg(leg);
    const media = this.media === null ? {} : { media: this.media };
    const ports = await mixers.openLeg(room, leg, { cname: leg, control: this.options.control(), ...media });
    this.session?.rebind(ports);
  }

  private async apply(media: AudioMedia): Promise<void> {
    await this.options.mixers.updateLeg(this.options.leg, this.mediaFor(media));
    this.options.agreed(media);
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
