import type { AudioMedia, LegControl, LegStatistics, MediaPorts } from '../../mixer/protocol.ts';
import type { Log } from '../log.ts';
import { MixerError } from '../mixers/mixer-channel.ts';
import type { Mixers } from '../mixers/mixers.ts';
import type { Room } from '../rooms/room.ts';
import type { ParticipantView, Role } from '../rooms/views.ts';
import type { MediaSession } from '../sdp/media-session.ts';
import type { NegotiationFailure } from '../sdp/negotiation-failure.ts';
import type { Call, CallEnd, CallHandler, IncomingCall, Referral, ReofferReply, SdpText } from '../sip/dialog/call.ts';
import type { Timers } from '../timers.ts';
import type { Refusal } from './admission.ts';
import { describeEnd, describeMedia, statusOf } from './call-report.ts';
import type { Caller } from './caller.ts';
import { type KeyMeans, PressedKeys } from './pressed-keys.ts';

/** Whom a participant's doings concern beyond the room. */
export interface ParticipantOwner {
  /** The participant asks us to call somebody. */
  referred(referral: Referral, participant: ParticipantCall): void;
  keyPressed(participant: ParticipantCall, key: string): void;
  /** Exactly once, when call and leg are gone. */
  gone(participant: ParticipantCall, end: CallEnd, statistics: LegStatistics | null): void;
}

export interface ParticipantCallOptions {
  id: string;
  who: Caller;
  role: Role;
  room: Room;
  /** The participant whose place this one takes, once the call stands (RFC 3891). */
  replaces: ParticipantCall | null;
  /** What comes of a call of ours, as SIP responses: for the one who asked for it. */
  report: ((status: number, reason: string) => void) | null;
  owner: ParticipantOwner;
  mixers: Mixers;
  timers: Timers;
  log: Log;
  createSession(ports: MediaPorts, peer: string): MediaSession;
}

/** Places our call: sends the INVITE with this offer, and tells the handler what comes of it. */
export type PlaceCall = (offer: SdpText, handler: CallHandler) => Call;

/** One in a room who called, or was called: the call, what was negotiated for it, and its leg in the mixer. */
export class ParticipantCall implements CallHandler {
  readonly id: string;
  readonly room: Room;
  /** Null before ours was placed. */
  call: Call | null = null;
  private incoming: IncomingCall | null = null;
  private readonly options: ParticipantCallOptions;
  /** Made when there is something to log. */
  private ownLog: Log | null = null;
  private readonly keys = new PressedKeys();
  private session: MediaSession | null = null;
  private control: LegControl = { muted: false, deaf: false, gainDb: 0 };
  private media: AudioMedia | null = null;
  private awaitsAnswer = false;
  /** Whom we call hears nobody, and is not heard, before answering: what there is of early media is not for a conference. */
  private rings = false;
  /** Told us once that it takes media: what stops doing so is on hold, what never did is a source that only sends. */
  private hasListened = false;
  private onHold = false;
  private readonly startedMs: number;
  private over = false;
  private endReason: string | null = null;

  constructor(options: ParticipantCallOptions) {
    this.options = options;
    this.id = options.id;
    this.room = options.room;
    this.startedMs = options.timers.now();
    this.control.muted = options.replaces?.control.muted ?? options.room.policy.muteOnEntry;
  }

  /** Opens the leg, negotiates, and answers the INVITE one way or the other. */
  async admit(call: IncomingCall): Promise<void> {
    this.takes(call);
    this.incoming = call;
    this.room.join(this.firstView());
    call.handle(this);
    try {
      const session = this.options.createSession(NO_PORTS, call.flow.remoteAddress);
      const foreseen = call.offer === null ? null : session.foresee(call.offer);
      if (foreseen !== null && !foreseen.ok) return this.refuse(refusalOf(foreseen));
      if (!(await this.openLeg(session, foreseen?.media))) return;
      call.accept(call.offer === null ? this.makeOffer(session) : this.answerForeseen(session, call.offer));
    } catch (error) {
      this.refuse(mixerRefusal(error));
    }
  }

  /** Opens the leg and calls somebody; `peer` is the host that is called. */
  async dial(peer: string, place: PlaceCall): Promise<void> {
    this.rings = true;
    this.room.join(this.firstView());
    try {
      const session = this.options.createSession(NO_PORTS, peer);
      if (!(await this.openLeg(session))) return;
      this.takes(place(this.makeOffer(session), this));
    } catch (error) {
      this.refuse(mixerRefusal(error));
    }
  }

  progressed(status: number, reason: string): void {
    this.options.report?.(status, reason);
  }

  answered(answer: SdpText): void {
    this.takeAnswer(answer);
  }

  confirmed(answer: SdpText | null): void {
    if (answer === null && this.awaitsAnswer) return this.hangUp('no answer to our offer came');
    if (answer !== null && !this.takeAnswer(answer)) return;
    if (this.rings) this.pickedUp();
    const before = this.view?.state;
    if (before !== 'connecting') return;
    this.room.change(this.id, { state: this.mediaState() });
    this.log.info(
      {
        [this.incoming === null ? 'to' : 'from']: this.view?.uri,
        source: this.call?.flow?.remoteAddress,
        codec: this.media?.send.codec,
        srtp: this.media?.crypto?.suite ?? null,
        sessionId: this.call?.sessionId,
      },
      'call started',
    );
    this.options.replaces?.hangUp('another call took its place');
  }

  reoffered(offer: SdpText | null, reply: ReofferReply): void {
    if (!this.session) return reply.reject(488);
    this.negotiate(this.session, offer).then(
      (local) => {
        if (typeof local === 'string') return reply.accept(local);
        const { status, ...options } = refusalOf(local);
        reply.reject(status, options);
      },
      (error: unknown) => {
        this.log.error({ reason: String(error) }, 'media could not be changed');
        reply.reject(500);
      },
    );
  }

  key(key: string, durationMs: number): void {
    this.pressed(key, 'info', durationMs);
  }

  /** A key was told, by INFO or in the media; or by both. */
  pressed(key: string, means: KeyMeans, durationMs: number): void {
    const { owner, timers } = this.options;
    if (this.keys.isNew(key, means, durationMs, timers.now())) owner.keyPressed(this, key);
  }

  referred(referral: Referral): void {
    this.options.owner.referred(referral, this);
  }

  ended(end: CallEnd): void {
    if (this.over) return;
    this.over = true;
    const { status, reason } = statusOf(end);
    if (this.rings) this.options.report?.(status, reason);
    this.room.leave(this.id);
    this.close(end).catch((error: unknown) => this.log.error({ reason: String(error) }, 'leg could not be closed'));
  }

  /** @param by who decided it. */
  async setMuted(muted: boolean, by: 'moderator' | 'self'): Promise<void> {
    await this.setControl({ muted });
    this.room.change(this.id, { muted: muted ? { by } : null });
  }

  async setControl(patch: Partial<LegControl>): Promise<void> {
    this.control = { ...this.control, ...patch };
    await this.options.mixers.controlLeg(this.id, this.legControl);
    const { deaf, gainDb } = this.control;
    this.room.change(this.id, { deaf, gainDb });
  }

  /** Nothing came for a while. Who is on hold or muted may well send nothing: there the phone itself is asked. */
  silent(silentMs: number): void {
    if (this.over) return;
    const mayBeSilent = this.view?.state !== 'connected' || this.control.muted;
    if (!mayBeSilent) return this.hangUp(`no media for ${Math.round(silentMs / 1000)} s`);
    void this.call?.probe().then((alive) => {
      if (!alive) this.hangUp('the phone does not know the call any more');
    });
  }

  hangUp(reason: string): void {
    if (this.over) return;
    this.endReason ??= reason;
    this.room.change(this.id, { state: 'disconnecting' });
    if (this.call === null) this.ended({ cause: 'cancelled' });
    else this.call.hangUp(reason);
  }

  private get log(): Log {
    const call = this.call === null ? {} : { call: this.call.id };
    this.ownLog ??= this.options.log.child({ room: this.room.name, participant: this.id, ...call });
    return this.ownLog;
  }

  /** What the mixer is told. */
  private get legControl(): LegControl {
    return this.rings ? { ...this.control, muted: true, deaf: true } : this.control;
  }

  private takes(call: Call): void {
    this.call = call;
    this.ownLog = null;
  }

  /** False when the call is over meanwhile. What is known of the media goes along: one request to the mixer less. */
  private async openLeg(session: MediaSession, media?: AudioMedia): Promise<boolean> {
    const { mixers } = this.options;
    const known = media === undefined ? {} : { media: this.mediaFor(media) };
    const ports = await mixers.openLeg(this.room.name, this.id, { cname: this.id, control: this.legControl, ...known });
    if (this.over) {
      await mixers.closeLeg(this.id);
      return false;
    }
    session.bind(ports);
    this.session = session;
    return true;
  }

  private pickedUp(): void {
    this.rings = false;
    this.options.report?.(200, 'OK');
    this.setControl({}).catch((error: unknown) => this.hangUp(String(error)));
  }

  /** False when it is of no use, and the call ends. */
  private takeAnswer(answer: SdpText): boolean {
    if (this.session === null) return false;
    // Another answer to the same offer: it is said again, to ourselves.
    if (!this.awaitsAnswer) this.session.offer();
    this.awaitsAnswer = false;
    const result = this.session.acceptAnswer(answer);
    if (result.ok) this.apply(result.media).catch((error: unknown) => this.hangUp(String(error)));
    else this.hangUp(`no usable answer to our offer: ${result.warning}`);
    return result.ok;
  }

  /** Our answer to their offer, or our offer when they made none. */
  private async negotiate(session: MediaSession, offer: SdpText | null): Promise<SdpText | NegotiationFailure> {
    if (offer === null) return this.makeOffer(session);
    this.awaitsAnswer = false;
    const result = session.answer(offer);
    if (!result.ok) return result;
    await this.apply(result.media);
    return result.sdp;
  }

  private makeOffer(session: MediaSession): SdpText {
    this.awaitsAnswer = true;
    return session.offer();
  }

  /** The answer to the offer by which the leg was opened. */
  private answerForeseen(session: MediaSession, offer: SdpText): SdpText {
    const result = session.answer(offer);
    if (!result.ok) throw new Error('what was foreseen did not come');
    this.show(result.media);
    return result.sdp;
  }

  private async apply(media: AudioMedia): Promise<void> {
    await this.options.mixers.updateLeg(this.id, this.mediaFor(media));
    this.show(media);
  }

  /** Takes note of what was agreed, and gives what the mixer is to do. */
  private mediaFor(media: AudioMedia): AudioMedia {
    const { direction } = media;
    const listens = direction === 'sendrecv' || direction === 'sendonly';
    this.hasListened ||= listens;
    this.onHold = direction === 'inactive' || (this.hasListened && !listens);
    this.media = media;
    // A phone that holds by `sendonly` sends its music, which is not for the conference.
    return this.onHold ? { ...media, direction: 'inactive' } : media;
  }

  private show({ send, direction }: AudioMedia): void {
    const audio = { codec: send.codec, clockRateHz: send.clockRateHz, direction };
    const state = this.view?.state === 'connecting' ? 'connecting' : this.mediaState();
    this.room.change(this.id, { audio, state });
  }

  private mediaState(): ParticipantView['state'] {
    return this.onHold ? 'on-hold' : 'connected';
  }

  private refuse(refusal: Refusal): void {
    const { status, reason, headers } = refusal;
    this.endReason ??= reason;
    if (this.incoming === null) this.ended({ cause: 'rejected', status });
    else this.incoming.reject(status, { reason, ...(headers ? { headers } : {}) });
  }

  /** What its leg has counted until now; null when the mixer cannot say. */
  statistics(): Promise<LegStatistics | null> {
    return this.options.mixers.legStatistics(this.id).catch(() => null);
  }

  private async close(end: CallEnd): Promise<void> {
    const statistics = await this.options.mixers.closeLeg(this.id);
    const durationMs = Math.round(this.options.timers.now() - this.startedMs);
    this.log.info({ durationMs, ...describeEnd(end, this.endReason), ...describeMedia(statistics) }, 'call ended');
    this.options.owner.gone(this, end, statistics);
  }

  private get view(): ParticipantView | undefined {
    return this.room.participant(this.id);
  }

  private firstView(): ParticipantView {
    const { who, role } = this.options;
    return {
      id: this.id,
      uri: who.uri,
      displayName: who.displayName,
      role,
      state: 'connecting',
      muted: this.control.muted ? { by: 'moderator' } : null,
      deaf: false,
      gainDb: 0,
      talking: false,
      levelDb: null,
      hand: false,
      audio: null,
      video: null,
      joinedAt: new Date().toISOString(),
    };
  }
}

/** Until the mixer has opened some. */
const NO_PORTS: MediaPorts = { rtpPort: 0, rtcpPort: 0 };

function refusalOf({ status, warning }: NegotiationFailure): Refusal {
  const reason = status === 400 ? 'Bad SDP' : 'Not Acceptable Here';
  return { status, reason, headers: [['Warning', warning]] };
}

function mixerRefusal(error: unknown): Refusal {
  const code = error instanceof MixerError ? error.code : 'internal';
  const retry = { headers: [['Retry-After', '5']] as const };
  if (code === 'no-ports') return { status: 503, reason: 'No media ports free', ...retry };
  if (code === 'mixer-gone' || code === 'deadline') return { status: 503, reason: 'Mixer not available', ...retry };
  return { status: 500, reason: 'Server internal error' };
}
