import type { AudioMedia, LegStatistics } from '../../mixer/protocol.ts';
import type { EntryStage } from '../ivr/entry.ts';
import type { Log } from '../log.ts';
import type { Room } from '../rooms/room.ts';
import type { ParticipantView, Role } from '../rooms/views.ts';
import type { MediaSession } from '../sdp/media-session.ts';
import type { Call, CallEnd, CallHandler, IncomingCall, Referral, ReofferReply, SdpText } from '../sip/dialog/call.ts';
import { mediaRefusal, mixerRefusal, type Refusal } from './admission.ts';
import type { Arrival } from './arrival.ts';
import { describeEnd, describeMedia, statusOf } from './call-report.ts';
import { ParticipantControls } from './participant-controls.ts';
import { ParticipantMedia } from './participant-media.ts';
import type { ParticipantCallOptions } from './participant-options.ts';
import { type KeyMeans, PressedKeys } from './pressed-keys.ts';

/** Places our call: sends the INVITE with this offer, and tells the handler what comes of it. */
export type PlaceCall = (offer: SdpText, handler: CallHandler) => Call;

/** One in a room who called, or was called: the call, its sound, and what is decided about it. */
export class ParticipantCall implements CallHandler {
  readonly id: string;
  readonly arrival: Arrival;
  readonly controls: ParticipantControls;
  readonly media: ParticipantMedia;
  /** Null before ours was placed. */
  call: Call | null = null;
  /** Why we ended it; null when we did not. */
  endReason: string | null = null;
  private roomNow: Room;
  private incoming: IncomingCall | null = null;
  private readonly options: ParticipantCallOptions;
  /** Made when there is something to log. */
  private ownLog: Log | null = null;
  private readonly keys = new PressedKeys();
  /** Whom we call hears nobody, and is not heard, before answering: what there is of early media is not for a conference. */
  private rings = false;
  private stage: EntryStage | null = null;
  /** What the mixer was told last. */
  private told = '';
  private readonly startedMs: number;
  private over = false;

  constructor(options: ParticipantCallOptions) {
    const { room, role, replaces, mixers } = options;
    this.options = options;
    this.id = options.id;
    this.arrival = options.arrival;
    this.roomNow = room;
    this.startedMs = options.timers.now();
    this.controls = new ParticipantControls(role, options.arrival.apart);
    if (replaces !== null) this.controls.takeOver(replaces.controls);
    else this.controls.mutedByModerator = room.policy.muteOnEntry && role !== 'moderator';
    this.media = new ParticipantMedia({
      ...{ leg: this.id, mixers, createSession: options.createSession },
      control: () => this.controlForMixer(),
      agreed: (media) => this.show(media),
      failed: (reason) => this.hangUp(reason),
    });
  }

  get room(): Room {
    return this.roomNow;
  }

  /** Opens the leg, negotiates, and answers the INVITE one way or the other. */
  async admit(call: IncomingCall): Promise<void> {
    this.takes(call);
    this.incoming = call;
    this.room.join(this.firstView());
    call.handle(this);
    try {
      const session = this.media.begin(call.flow.remoteAddress);
      const foreseen = call.offer === null ? null : session.foresee(call.offer);
      if (foreseen !== null && !foreseen.ok) return this.refuse(mediaRefusal(foreseen));
      if (!(await this.openLeg(session, foreseen?.media))) return;
      call.accept(call.offer === null ? this.media.makeOffer() : this.media.answerForeseen(session, call.offer));
    } catch (error) {
      this.refuse(mixerRefusal(error));
    }
  }

  /** Opens the leg and calls somebody; `peer` is the host that is called. */
  async dial(peer: string, place: PlaceCall): Promise<void> {
    this.rings = true;
    this.room.join(this.firstView());
    try {
      const session = this.media.begin(peer);
      if (!(await this.openLeg(session))) return;
      this.takes(place(this.media.makeOffer(), this));
    } catch (error) {
      this.refuse(mixerRefusal(error));
    }
  }

  progressed(status: number, reason: string): void {
    this.options.report?.(status, reason);
  }

  answered(answer: SdpText): void {
    this.media.takeAnswer(answer);
  }

  confirmed(answer: SdpText | null): void {
    if (answer === null && this.media.awaitsAnswer) return this.hangUp('no answer to our offer came');
    if (answer !== null && !this.media.takeAnswer(answer)) return;
    if (this.rings) this.pickedUp();
    if (this.view?.state !== 'connecting') return;
    this.logStart();
    this.options.owner.established(this);
    this.options.replaces?.hangUp('another call took its place');
  }

  reoffered(offer: SdpText | null, reply: ReofferReply): void {
    if (!this.media.isOpen) return reply.reject(488);
    this.media.negotiate(offer).then(
      (local) => {
        if (typeof local === 'string') return reply.accept(local);
        const { status, ...options } = mediaRefusal(local);
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
    owner.keyTold(this, means);
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

  /** Did not dial in. */
  get calledByUs(): boolean {
    return this.incoming === null;
  }

  /** Is not in the room yet. */
  get isEntering(): boolean {
    return this.stage !== null;
  }

  /** Asked for something, or waits, before entering. */
  setStage(stage: EntryStage): void {
    if (this.over) return;
    this.stage = stage;
    this.room.change(this.id, { state: this.mediaState() });
  }

  /** Is part of the room from now on: heard, and hears. */
  enter(role: Role): void {
    if (this.over) return;
    this.stage = null;
    this.controls.apart = false;
    // As it would have been, had the role been known from the beginning.
    if (role === 'moderator' && this.controls.role !== 'moderator') this.controls.mutedByModerator = false;
    this.controls.role = role;
    this.room.change(this.id, { ...this.controls.view, state: this.mediaState() });
    this.controlsChanged().catch((error: unknown) => this.hangUp(String(error)));
  }

  /** Puts what changed in `controls` into effect; rejects with a `MixerError`. */
  async controlsChanged(): Promise<void> {
    // What is decided before the leg is open is told when it is.
    if (this.media.isOpen) await this.tellMixer();
    this.room.change(this.id, this.controls.view);
  }

  /** To another room, whose mixer may be another. Rejects with a `MixerError`. */
  async moveTo(room: Room): Promise<void> {
    if (room === this.room) return;
    const { mixers, owner } = this.options;
    // Whom they spoke to alone is not there.
    this.controls.speaksTo = null;
    const elsewhere = (await mixers.moveLeg(this.id, room.name)) === 'elsewhere';
    if (this.over) return;
    const from = this.room;
    const view = from.leave(this.id);
    this.roomNow = room;
    this.ownLog = null;
    if (view !== undefined) room.join({ ...view, speaksTo: null, talking: false });
    owner.moved(this, from);
    this.log.info({ from: from.name }, 'participant moved');
    if (elsewhere) await this.reconnect(room);
    await this.controlsChanged();
  }

  /** Nothing came for a while. Who is on hold or muted may well send nothing: there the phone itself is asked. */
  silent(silentMs: number): void {
    if (this.over) return;
    const mayBeSilent = this.view?.state !== 'connected' || this.controls.muted !== null;
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

  /** What its leg has counted until now; null when the mixer cannot say. */
  statistics(): Promise<LegStatistics | null> {
    return this.media.statistics();
  }

  private get log(): Log {
    const call = this.call === null ? {} : { call: this.call.id };
    this.ownLog ??= this.options.log.child({ room: this.room.name, participant: this.id, ...call });
    return this.ownLog;
  }

  private controlForMixer() {
    const control = this.controls.forMixer;
    this.told = JSON.stringify(control);
    return control;
  }

  private async tellMixer(): Promise<void> {
    const before = this.told;
    const control = this.controlForMixer();
    if (this.told === before) return;
    try {
      await this.options.mixers.controlLeg(this.id, control);
    } catch (error) {
      this.told = '';
      throw error;
    }
  }

  /** False when the call is over meanwhile. */
  private async openLeg(session: MediaSession, known?: AudioMedia): Promise<boolean> {
    if (!(await this.media.open(this.room.name, session, () => this.over, known))) return false;
    // Something may have been decided while it was being opened.
    this.controlsChanged().catch((error: unknown) => this.hangUp(String(error)));
    return true;
  }

  private takes(call: Call): void {
    this.call = call;
    this.ownLog = null;
  }

  private pickedUp(): void {
    this.rings = false;
    this.options.report?.(200, 'OK');
  }

  /** The media goes to another mixer: new ports, which the phone learns by a re-INVITE. */
  private async reconnect(room: Room): Promise<void> {
    try {
      await this.media.openElsewhere(room.name);
    } catch (error) {
      this.hangUp(`could not be moved: ${String(error)}`);
      throw error;
    }
    if (this.over) return void (await this.media.close());
    this.call?.reoffer(
      () => this.media.makeOffer(),
      (result) => {
        if ('status' in result) this.hangUp(`could not be moved: re-INVITE answered ${result.status}`);
        else if (result.answer !== null) this.media.takeAnswer(result.answer);
      },
    );
  }

  private logStart(): void {
    const media = this.media.media;
    this.log.info(
      {
        [this.incoming === null ? 'to' : 'from']: this.view?.uri,
        source: this.call?.flow?.remoteAddress,
        codec: media?.send.codec,
        srtp: media?.crypto?.suite ?? null,
        sessionId: this.call?.sessionId,
      },
      'call started',
    );
  }

  private show({ send, direction }: AudioMedia): void {
    const audio = { codec: send.codec, clockRateHz: send.clockRateHz, direction };
    const state = this.view?.state;
    const fixed = state === 'connecting' || state === 'disconnecting';
    this.room.change(this.id, { audio, ...(fixed ? {} : { state: this.mediaState() }) });
  }

  private mediaState(): ParticipantView['state'] {
    return this.stage ?? (this.media.onHold ? 'on-hold' : 'connected');
  }

  private refuse(refusal: Refusal): void {
    const { status, reason, headers } = refusal;
    this.endReason ??= reason;
    if (this.incoming === null) this.ended({ cause: 'rejected', status });
    else this.incoming.reject(status, { reason, ...(headers ? { headers } : {}) });
  }

  private async close(end: CallEnd): Promise<void> {
    const statistics = await this.media.close();
    const durationMs = Math.round(this.options.timers.now() - this.startedMs);
    this.log.info({ durationMs, ...describeEnd(end, this.endReason), ...describeMedia(statistics) }, 'call ended');
    this.options.owner.gone(this, end, statistics);
  }

  private get view(): ParticipantView | undefined {
    return this.room.participant(this.id);
  }

  private firstView(): ParticipantView {
    const { who } = this.options;
    return {
      id: this.id,
      uri: who.uri,
      displayName: who.displayName,
      state: 'connecting',
      ...this.controls.view,
      talking: false,
      levelDb: null,
      hand: false,
      handRaisedAt: null,
      audio: null,
      video: null,
      joinedAt: new Date().toISOString(),
    };
  }
}
