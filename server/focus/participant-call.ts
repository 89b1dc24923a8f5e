import type { AudioMedia, LegStatistics } from '../../mixer/protocol.ts';
import type { VideoStreamName } from '../../mixer/video-protocol.ts';
import type { EntryStage } from '../ivr/entry.ts';
import type { Log } from '../log.ts';
import type { Room } from '../rooms/room.ts';
import type { ParticipantView, PictureQuality, Role } from '../rooms/views.ts';
import type { Agreement, MediaSession } from '../sdp/media-session.ts';
import type { Call, CallEnd, CallHandler, IncomingCall, Referral, ReofferReply, SdpText } from '../sip/dialog/call.ts';
import { mediaRefusal, mixerRefusal, type Refusal } from './admission.ts';
import type { Arrival } from './arrival.ts';
import { describeEnd, describeMedia, describeStart, statusOf } from './call-report.ts';
import { CallSlides } from './call-slides.ts';
import { newcomer } from './caller.ts';
import { ControlledLeg } from './controlled-leg.ts';
import { type Decision, ParticipantControls } from './participant-controls.ts';
import { ParticipantMedia } from './participant-media.ts';
import type { ParticipantCallOptions, PlaceCall } from './participant-options.ts';
import { ParticipantVideo } from './participant-video.ts';
import { type KeyMeans, PressedKeys } from './pressed-keys.ts';
import { largestPicture } from './room-scene.ts';

/** One in a room who called, or was called: the call, its sound, and what is decided about it. */
export class ParticipantCall implements CallHandler {
  readonly id: string;
  readonly arrival: Arrival;
  readonly controls: ParticipantControls;
  readonly media: ParticipantMedia;
  readonly video: ParticipantVideo;
  readonly slides: CallSlides;
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
  private readonly leg: ControlledLeg;
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
    this.leg = new ControlledLeg({
      ...{ leg: this.id, mixers, controls: this.controls },
      isOpen: () => this.media.isOpen && !this.over,
      maySpeak: () => this.room.maySpeak(this.id),
      show: () => void this.room.change(this.id, this.controls.view),
    });
    this.video = new ParticipantVideo({
      ...{ leg: this.id, mixers: options.video, timers: options.timers },
      roomTakes: () => largestPicture(this.room.policy),
      changed: () => this.showVideo(),
      failed: (what) => this.log.warn(what, 'no video'),
    });
    this.slides = new CallSlides(this.id, options.floorControl ?? null, {
      signalling: () => this.call?.flow?.remoteAddress ?? null,
      described: () => this.media.media?.remote?.address ?? null,
    });
    this.media = new ParticipantMedia({
      ...{ leg: this.id, mixers, video: this.video, slides: this.slides, createSession: options.createSession },
      control: () => this.leg.forMixer(),
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
    this.join();
    call.handle(this);
    try {
      const session = this.media.begin(call.flow.remoteAddress);
      const foreseen = call.offer === null ? null : this.media.foresee(session, call.offer);
      if (foreseen !== null && !foreseen.ok) return this.refuse(mediaRefusal(foreseen));
      if (!(await this.openLeg(session, foreseen ?? ['main']))) return;
      call.accept(call.offer === null ? this.media.makeOffer() : this.media.answerForeseen(session, call.offer));
    } catch (error) {
      this.refuse(mixerRefusal(error));
    }
  }

  /** Opens the leg and calls somebody; `peer` is the host that is called. */
  async dial(peer: string, place: PlaceCall): Promise<void> {
    this.rings = true;
    this.join();
    try {
      const session = this.media.begin(peer);
      if (!(await this.openLeg(session, this.options.offers))) return;
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
    if (this.rings) this.options.report?.(200, 'OK');
    this.rings = false;
    if (this.view?.state !== 'connecting') return;
    this.logStart();
    this.options.owner.established(this);
    this.roomChanged();
    const { replaces } = this.options;
    if (replaces === null) return;
    const { floor } = this.room;
    if (floor.includes(replaces.id)) this.room.giveFloor(floor.map((id) => (id === replaces.id ? this.id : id)));
    replaces.hangUp('another call took its place');
  }

  reoffered(offer: SdpText | null, reply: ReofferReply): void {
    this.media.reoffered(offer, this.room.name, reply).catch((error: unknown) => {
      // Who hangs up meanwhile has no leg any more, and nothing to be changed.
      if (!this.over) this.log.error({ reason: String(error) }, 'media could not be changed');
    });
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

  /** The call has ended, though its leg may be there still. */
  get isOver(): boolean {
    return this.over;
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

  /** Decides about them, and puts it into effect. Rejects with a `MixerError`; then all is as it was before. */
  decide(decision: Decision): Promise<void> {
    return this.leg.decide(decision);
  }

  /** Puts what changed in `controls` or in who has the floor into effect; rejects with a `MixerError`. */
  controlsChanged(): Promise<void> {
    return this.leg.changed();
  }

  /** To another room, whose mixer may be another. Rejects with a `MixerError`. */
  async moveTo(room: Room): Promise<void> {
    if (room === this.room) return;
    const { mixers, owner } = this.options;
    const elsewhere = (await mixers.moveLeg(this.id, room.name)) === 'elsewhere';
    // Asked for twice, the other one was quicker.
    if (this.over || room === this.room) return;
    if (!owner.isOpen(room)) return this.hangUp(`room ${room.name} was closed`);
    const from = this.room;
    const view = from.leave(this.id);
    this.roomNow = room;
    this.ownLog = null;
    // Whom they spoke to alone is not there.
    this.controls.speaksTo = null;
    if (view !== undefined) room.join({ ...view, speaksTo: null, talking: false });
    owner.vacated(from);
    this.log.info({ from: from.name }, 'participant moved');
    await this.media.moved(room.name, elsewhere, this.call, () => this.over);
    await this.controlsChanged();
  }

  /** What the room says of video may have changed. */
  roomChanged(): void {
    // What is being set up is looked at when it stands.
    if (this.over || this.view?.state === 'connecting') return;
    this.media.videoPolicyChanged(this.room.name, this.call).catch((error: unknown) => {
      this.log.error({ reason: String(error) }, 'video could not be changed');
    });
  }

  /** A key frame of ours is needed (RFC 5168). */
  keyFrameWanted(): void {
    this.video.sendKeyFrame();
  }

  /** One of theirs is needed, and their phone takes no RTCP feedback (RFC 5168). */
  askKeyFrame(): void {
    if (!this.over && this.video.mayAskKeyFrame()) this.call?.askKeyFrame();
  }

  /** Their pictures come later than their sound, which is to wait for them; see `soundTooEarly` of the protocol. */
  holdSound(minDelayMs: number): void {
    if (this.over || !this.controls.tellsSound || this.controls.minDelayMs === minDelayMs) return;
    this.controls.minDelayMs = minDelayMs;
    this.keepStep();
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

  /** How their pictures fare; after the call, how they did. */
  pictures(): Promise<PictureQuality[]> {
    return this.video.quality();
  }

  private get log(): Log {
    const call = this.call === null ? {} : { call: this.call.id };
    this.ownLog ??= this.options.log.child({ room: this.room.name, participant: this.id, ...call });
    return this.ownLog;
  }

  /** False when the call is over meanwhile. */
  private async openLeg(session: MediaSession, known: Agreement | readonly VideoStreamName[]): Promise<boolean> {
    if (!(await this.media.open(this.room.name, session, () => this.over, known))) return false;
    // Something may have been decided while it was being opened.
    this.controlsChanged().catch((error: unknown) => this.hangUp(String(error)));
    return true;
  }

  private join(): void {
    const { who, epochMs } = this.options;
    this.room.join(newcomer(this.id, who, this.controls.view, epochMs()));
  }

  private takes(call: Call): void {
    this.call = call;
    this.ownLog = null;
  }

  private logStart(): void {
    const direction = this.calledByUs ? 'to' : 'from';
    this.log.info(describeStart({ direction, uri: this.options.who.uri }, this.call, this.media.media), 'call started');
  }

  private show({ send, direction }: AudioMedia): void {
    const audio = { codec: send.codec, clockRateHz: send.clockRateHz, direction };
    const state = this.view?.state;
    const fixed = state === 'connecting' || state === 'disconnecting';
    this.room.change(this.id, { audio, ...(fixed ? {} : { state: this.mediaState() }) });
  }

  private showVideo(): void {
    this.room.change(this.id, { video: this.video.view });
    // The mixer of the sound says how late it is, for those with pictures alone.
    if (this.controls.tellsSound === this.video.isOpen) return;
    this.controls.tellsSound = this.video.isOpen;
    this.controls.minDelayMs = 0;
    this.keepStep();
  }

  private keepStep(): void {
    this.controlsChanged().catch((error: unknown) => this.log.warn({ reason: String(error) }, 'no lip sync'));
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
}
