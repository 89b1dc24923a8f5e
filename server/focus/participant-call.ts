import type { AudioMedia, LegControl, LegStatistics, MediaPorts } from '../../mixer/protocol.ts';
import type { Log } from '../log.ts';
import { MixerError } from '../mixers/mixer-channel.ts';
import type { Mixers } from '../mixers/mixers.ts';
import type { Room } from '../rooms/room.ts';
import type { ParticipantView } from '../rooms/views.ts';
import type { MediaSession } from '../sdp/media-session.ts';
import type { NegotiationFailure } from '../sdp/negotiation-failure.ts';
import type { CallEnd, CallHandler, IncomingCall, ReofferReply, SdpText } from '../sip/dialog/call.ts';
import type { Timers } from '../timers.ts';
import type { Refusal } from './admission.ts';

export interface ParticipantCallOptions {
  id: string;
  call: IncomingCall;
  room: Room;
  mixers: Mixers;
  timers: Timers;
  log: Log;
  createSession(ports: MediaPorts): MediaSession;
  /** Exactly once, when call and leg are gone. */
  gone(participant: ParticipantCall, end: CallEnd): void;
}

/** One caller in a room: the call, what was negotiated for it, and its leg in the mixer. */
export class ParticipantCall implements CallHandler {
  readonly id: string;
  readonly room: Room;
  readonly call: IncomingCall;
  private readonly options: ParticipantCallOptions;
  private readonly log: Log;
  private session: MediaSession | null = null;
  private control: LegControl = { muted: false, deaf: false, gainDb: 0 };
  private media: AudioMedia | null = null;
  private awaitsAnswer = false;
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
    this.call = options.call;
    this.startedMs = options.timers.now();
    this.log = options.log.child({ call: options.call.id, room: options.room.name, participant: options.id });
    if (options.room.policy.muteOnEntry) this.control.muted = true;
  }

  /** Opens the leg, negotiates, and answers the INVITE one way or the other. */
  async admit(): Promise<void> {
    const { call, mixers, room } = this.options;
    room.join(this.firstView());
    call.handle(this);
    try {
      const ports = await mixers.openLeg(room.name, this.id, { cname: this.id, control: this.control });
      if (this.over) return void (await mixers.closeLeg(this.id));
      this.session = this.options.createSession(ports);
      const local = await this.negotiate(this.session, call.offer);
      if (typeof local === 'string') call.accept(local);
      else this.refuse(refusalOf(local));
    } catch (error) {
      this.refuse(mixerRefusal(error));
    }
  }

  confirmed(answer: SdpText | null): void {
    if (this.awaitsAnswer && this.session) {
      this.awaitsAnswer = false;
      const result = answer === null ? null : this.session.acceptAnswer(answer);
      if (!result?.ok) return this.hangUp(`no usable answer to our offer: ${result ? result.warning : 'none came'}`);
      this.apply(result.media).catch((error: unknown) => this.hangUp(String(error)));
    }
    const before = this.view?.state;
    if (before !== 'connecting') return;
    this.room.change(this.id, { state: this.mediaState() });
    this.log.info(
      { from: this.view?.uri, source: this.call.flow.remoteAddress, codec: this.media?.send.codec },
      'call started',
    );
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

  ended(end: CallEnd): void {
    if (this.over) return;
    this.over = true;
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
    await this.options.mixers.controlLeg(this.id, this.control);
    const { deaf, gainDb } = this.control;
    this.room.change(this.id, { deaf, gainDb });
  }

  /** Nothing came for a while. Who is on hold or muted may well send nothing: there the phone itself is asked. */
  silent(silentMs: number): void {
    if (this.over) return;
    const mayBeSilent = this.view?.state !== 'connected' || this.control.muted;
    if (!mayBeSilent) return this.hangUp(`no media for ${Math.round(silentMs / 1000)} s`);
    void this.call.probe().then((alive) => {
      if (!alive) this.hangUp('the phone does not know the call any more');
    });
  }

  hangUp(reason: string): void {
    if (this.over) return;
    this.endReason ??= reason;
    this.room.change(this.id, { state: 'disconnecting' });
    this.call.hangUp(reason);
  }

  /** Our answer to their offer, or our offer when they made none. */
  private async negotiate(session: MediaSession, offer: SdpText | null): Promise<SdpText | NegotiationFailure> {
    this.awaitsAnswer = offer === null;
    if (offer === null) return session.offer();
    const result = session.answer(offer);
    if (!result.ok) return result;
    await this.apply(result.media);
    return result.sdp;
  }

  private async apply(media: AudioMedia): Promise<void> {
    const { send, direction } = media;
    const listens = direction === 'sendrecv' || direction === 'sendonly';
    this.hasListened ||= listens;
    this.onHold = direction === 'inactive' || (this.hasListened && !listens);
    this.media = media;
    // A phone that holds by `sendonly` sends its music, which is not for the conference.
    await this.options.mixers.updateLeg(this.id, this.onHold ? { ...media, direction: 'inactive' } : media);
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
    this.call.reject(status, { reason, ...(headers ? { headers } : {}) });
  }

  private async close(end: CallEnd): Promise<void> {
    const statistics = await this.options.mixers.closeLeg(this.id);
    const durationMs = Math.round(this.options.timers.now() - this.startedMs);
    this.log.info({ durationMs, ...describeEnd(end, this.endReason), ...describeMedia(statistics) }, 'call ended');
    this.options.gone(this, end);
  }

  private get view(): ParticipantView | undefined {
    return this.room.participant(this.id);
  }

  private firstView(): ParticipantView {
    const { from } = this.call.request;
    return {
      id: this.id,
      uri: from.uriText,
      displayName: from.displayName,
      role: 'participant',
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

function describeEnd(end: CallEnd, ourReason: string | null): Record<string, unknown> {
  switch (end.cause) {
    case 'remote-bye':
      return { cause: end.cause, reason: end.reason };
    case 'rejected':
    case 'dialog-gone':
      return { cause: end.cause, status: end.status, reason: ourReason };
    case 'transport':
      return { cause: end.cause, reason: end.message };
    case 'local-bye':
    case 'cancelled':
    case 'ack-timeout':
      return { cause: end.cause, reason: ourReason };
  }
}

function describeMedia(statistics: LegStatistics | null): Record<string, unknown> {
  if (!statistics) return {};
  const { packetsReceived, packetsSent, packetsLost, jitterMs, receivingCodec } = statistics;
  return { packetsReceived, packetsSent, packetsLost, jitterMs: Math.round(jitterMs * 10) / 10, codec: receivingCodec };
}
