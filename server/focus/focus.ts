import { randomBytes } from 'node:crypto';
import type { LegStatistics, MixerEvent } from '../../mixer/protocol.ts';
import type { VideoMixerEvent, VideoStreamName } from '../../mixer/video-protocol.ts';
import { hidePins } from '../diagnosis/redact.ts';
import type { Room } from '../rooms/room.ts';
import type { ParticipantView } from '../rooms/views.ts';
import type { Call, CallEnd, IncomingCall, Referral } from '../sip/dialog/call.ts';
import type { PeerContact } from '../sip/dialog/ways.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { createUri, writeUri } from '../sip/message/uri.ts';
import type { Flow } from '../sip/transport/flow.ts';
import { mayEnter, mayLoad, overloaded, type Refusal } from './admission.ts';
import { arrivalOf, roleIn } from './arrival.ts';
import { CallCounts } from './call-counts.ts';
import { type Caller, callerOf, describeForwarding } from './caller.ts';
import type { Callee, FocusOptions } from './focus-options.ts';
import { FrontDoor, type Place } from './front-door.ts';
import { ParticipantCall } from './participant-call.ts';
import type { ParticipantOwner } from './participant-options.ts';
import type { KeyMeans } from './pressed-keys.ts';
import { isBye, ReferredByes } from './referred-bye.ts';
import { callReferred } from './referred-call.ts';

/** A participant, for what is sent outside of the call. */
export interface Member {
  readonly id: string;
  readonly uri: string;
  readonly displayName: string | null;
  readonly contact: PeerContact;
}

/** What is particular to a call that we make. */
interface CallOut {
  report?: ((status: number, reason: string) => void) | null;
  offers?: readonly VideoStreamName[];
  id?: string | undefined;
}

/** The conference focus (RFC 4353 §3): each INVITE becomes a participant of the room that it names. */
export class Focus implements ParticipantOwner {
  readonly counts = new CallCounts();
  private readonly options: FocusOptions;
  private readonly door: FrontDoor;
  private readonly byes: ReferredByes;
  private readonly participants = new Map<string, ParticipantCall>();
  private readonly byCall = new Map<Call, ParticipantCall>();
  private stopping = false;
  private idle: (() => void) | null = null;

  constructor(options: FocusOptions) {
    const { rooms, adhocRooms, identify, isTrusted, pins } = options;
    this.options = options;
    this.door = new FrontDoor({
      ...{ rooms, adhocRooms, identify, isTrusted, pins },
      mayCall: () => this.mayCall(),
      mayLoad: (room) => this.mayLoad(room),
      participantOf: (call) => this.participantOf(call),
    });
    this.byes = new ReferredByes({
      ...{ identify, rooms },
      in: (room) => this.in(room),
      remove: (participant) => options.host.remove(participant),
    });
    rooms.subscribe((room, { change }) => {
      if (change !== 'room-changed') return;
      // What comes of a change is done after all were told of it.
      queueMicrotask(() => {
        for (const participant of this.in(room)) participant.roomChanged();
      });
    });
  }

  get calls(): number {
    return this.participants.size;
  }

  invited(call: IncomingCall): void {
    this.counts.started++;
    const place = this.door.placeFor(call);
    if ('status' in place) return this.refuse(call, place);
    const { log, isTrusted } = this.options;
    const forwarding = describeForwarding(call.request);
    if (Object.keys(forwarding).length > 0) log.info({ call: call.id, ...forwarding }, 'call was forwarded');
    const who = callerOf(call.request, isTrusted(call.flow.remoteAddress));
    const participant = this.newParticipant(place, who);
    this.byCall.set(call, participant);
    this.options.observer.began(participant, call.request);
    void participant.admit(call);
  }

  /**
   * Calls somebody into a room. `report` gets the responses, the final one too.
   * Throws nothing: what goes wrong is how the participant leaves.
   */
  dialOut(
    room: Room,
    {
      uri,
      displayName,
      role,
      recorded = true,
      video = null,
      slides = false,
      confirm = false,
      id,
      headers = [],
    }: Callee,
    report: ((status: number, reason: string) => void) | null = null,
  ): ParticipantView {
    this.counts.started++;
    // What a URI may say for a request that it stands in is not for the Request-URI (RFC 3261 §19.1.1).
    const parameters = new Map([...uri.parameters].filter(([name]) => name !== 'method'));
    const bare = createUri({ ...uri, parameters, headers: new Map() });
    const who = { uri: writeUri(bare), displayName };
    const arrival = { role: roleIn(room, role), confirm, calledByUs: true };
    const sees = video ?? room.participants.some((other) => other.video !== null);
    const offers: VideoStreamName[] = slides ? ['main', 'slides'] : sees ? ['main'] : [];
    const participant = this.newParticipant({ room, replaces: null, arrival }, who, { report, offers, id });
    participant.controls.recorded = recorded;
    const us = createUri({ user: room.name, host: this.options.domain });
    const from = { displayName: null, uriText: writeUri(us), uri: us, parameters: new Map() };
    this.options.observer.began(participant, null);
    void participant.dial(uri.host, (offer, handler) => {
      const call = this.options.call({ target: bare, from, contactUser: room.name, offer, headers }, handler);
      this.byCall.set(call, participant);
      return call;
    });
    return room.participant(participant.id)!;
  }

  /** Whether one more call may be made. */
  get full(): boolean {
    return this.stopping || this.participants.size >= this.options.maxCalls;
  }

  /** The mixer of the room has no time for one more. */
  isBusy(room: Room): boolean {
    return this.mayLoad(room.name) !== null;
  }

  /**
   * A REFER to a room, by a participant or from outside of any call: somebody is to be called into it (RFC 4579 §5.5), or
   * to be put out (§5.11).
   */
  referred(referral: Referral, participant: ParticipantCall | null = null): void {
    const { identify, rooms, log } = this.options;
    const refusal = isBye(referral)
      ? this.byes.referred(referral, participant)
      : callReferred(referral, participant?.room ?? null, {
          ...{ identify, rooms },
          mayCall: (room) => this.mayCall() ?? mayEnter(room) ?? this.mayLoad(room.name),
          call: (room, callee, report) => void this.dialOut(room, callee, report),
        });
    if (refusal === null) return;
    const { status, reason, headers } = refusal;
    const { referTo, flow } = referral;
    log.info({ referTo: hidePins(referTo.uriText), source: flow.remoteAddress, status, reason }, 'referral refused');
    referral.reject(status, { reason, ...(headers ? { headers } : {}) });
  }

  established(participant: ParticipantCall): void {
    this.options.observer.established(participant);
    this.options.host.established(participant);
  }

  keyTold(participant: ParticipantCall, means: KeyMeans): void {
    this.options.observer.keyTold(participant, means);
  }

  keyPressed(participant: ParticipantCall, key: string): void {
    // Not which: it may be one of a PIN.
    this.options.log.debug({ participant: participant.id }, 'key');
    this.options.host.keyPressed(participant, key);
  }

  /** What an INVITE like this OPTIONS would find (RFC 3261 §11.2). */
  availability(options: SipRequest, flow: Flow): 'available' | 'unknown' | 'busy' {
    return this.door.availability(options, flow);
  }

  participant(room: Room, id: string): ParticipantCall | undefined {
    const participant = this.participants.get(id);
    return participant?.room === room ? participant : undefined;
  }

  /** In whichever room. */
  call(id: string): ParticipantCall | undefined {
    return this.participants.get(id);
  }

  participantOf(call: Call): ParticipantCall | undefined {
    return this.byCall.get(call);
  }

  /** Whose calls are over are not among them, though their media may not be closed yet. */
  in(room: Room): ParticipantCall[] {
    return room.participants.flatMap(({ id }) => this.participants.get(id) ?? []);
  }

  /** Those who have entered the room, and where they can be sent something outside of the call. */
  members(room: Room): Member[] {
    return this.in(room).flatMap((participant) => {
      const state = room.participant(participant.id)?.state;
      const hasEntered = state === 'connected' || state === 'on-hold';
      return hasEntered ? (this.member(participant) ?? []) : [];
    });
  }

  /** Also of one who waits to be let in; null: the call does not stand. */
  member({ id, room, call }: ParticipantCall): Member | null {
    const view = room.participant(id);
    const contact = call?.contact ?? null;
    if (view === undefined || contact === null || view.state === 'connecting') return null;
    return { id, uri: view.uri, displayName: view.displayName, contact };
  }

  happened(event: MixerEvent): void {
    if (!('leg' in event)) return;
    const participant = this.participants.get(event.leg);
    if (!participant) return;
    switch (event.event) {
      case 'legSilent':
        return participant.silent(event.silentMs);
      case 'legLevel':
        return participant.room.measured(event.leg, event.levelDb);
      case 'legTalking':
        participant.room.measured(event.leg, event.levelDb);
        return void participant.room.change(event.leg, { talking: event.talking });
      case 'legKey':
        return participant.pressed(event.key, 'media', event.durationMs);
      case 'legSound':
        return this.options.video.soundDelay(event.leg, event.delayMs, event.senderNtpMs);
      case 'legLatched':
        participant.slides.mediaComesFrom(event.address);
        return this.options.log.debug({ participant: event.leg, ...event }, 'media');
      case 'legActive':
        return this.options.log.debug({ participant: event.leg, ...event }, 'media');
    }
  }

  videoHappened(event: VideoMixerEvent): void {
    if (!('leg' in event)) return;
    const participant = this.participants.get(event.leg);
    if (!participant) return;
    switch (event.event) {
      case 'streamPicture':
        return participant.video.pictureTold(event.stream, event.size);
      case 'keyFrameWanted':
        return participant.askKeyFrame();
      case 'soundTooEarly':
        return participant.holdSound(event.delayMs);
      // A phone may well send no picture: whether it is there still, its sound tells.
      case 'streamSilent':
      case 'streamActive':
      case 'streamLatched':
        return this.options.log.debug({ participant: event.leg, ...event }, 'video');
    }
  }

  /** Takes no more calls, says BYE to everybody; settled when all are gone. */
  stop(): Promise<void> {
    this.stopping = true;
    for (const participant of this.participants.values()) participant.hangUp('the server is stopping');
    if (this.participants.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.idle = resolve;
    });
  }

  private newParticipant(
    { room, replaces, arrival: parts }: Place,
    who: Caller,
    { report = null, offers = ['main'], id = randomBytes(6).toString('hex') }: CallOut = {},
  ): ParticipantCall {
    const { mixers, video, timers, log, createSession, epochMs } = this.options;
    const floorControl = this.options.floorControl?.() ?? null;
    const surroundings = { owner: this, mixers, video, floorControl, timers, log, epochMs, createSession, offers };
    const { role } = parts;
    const arrival = arrivalOf(room, parts, epochMs());
    const participant = new ParticipantCall({ id, who, role, arrival, room, replaces, report, ...surroundings });
    this.participants.set(id, participant);
    return participant;
  }

  /** Whether the server takes one call more. Null: yes. */
  private mayCall(): Refusal | null {
    if (this.stopping) return { status: 503, reason: 'Server is stopping' };
    return this.full ? overloaded('Server is full') : null;
  }

  /** Whether the mixer of the room has time for one more. Null: yes. */
  private mayLoad(room: string): Refusal | null {
    return mayLoad(this.options.mixers.loadFor(room), this.options.maxMixerLoad);
  }

  private refuse(call: IncomingCall, refusal: Refusal): void {
    const { status, reason, headers } = refusal;
    const { remoteAddress, remotePort } = call.flow;
    this.options.log.info(
      {
        call: call.id,
        to: hidePins(call.request.requestUri),
        source: `${remoteAddress}:${remotePort}`,
        status,
        reason,
      },
      'call refused',
    );
    call.reject(status, { reason, ...(headers ? { headers } : {}) });
    this.options.observer.refused(call, refusal);
    this.counts.countEnd('rejected');
  }

  gone(participant: ParticipantCall, end: CallEnd, statistics: LegStatistics | null): void {
    this.counts.countEnd(end.cause, statistics?.quality?.received.mos);
    this.options.observer.ended(participant, end, statistics);
    this.participants.delete(participant.id);
    if (participant.call !== null) this.byCall.delete(participant.call);
    this.options.host.left(participant);
    this.byes.gone(participant);
    this.vacated(participant.room);
    if (this.participants.size === 0) this.idle?.();
  }

  isOpen(room: Room): boolean {
    return this.options.rooms.get(room.name) === room;
  }

  /** Somebody has left, or never came: what was there only for those who were in it ends with the last. */
  vacated(room: Room): void {
    const { rooms, emptied } = this.options;
    if (room.size > 0 || !this.isOpen(room)) return;
    emptied(room);
    // Those who are in its breakout rooms come back.
    if (room.origin !== 'adhoc' || rooms.breakoutsOf(room).length > 0) return;
    rooms.close(room);
    const parent = rooms.get(room.breakoutOf ?? '');
    if (parent !== undefined) this.vacated(parent);
  }
}
