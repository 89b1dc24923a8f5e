import { randomBytes } from 'node:crypto';
import type { LegStatistics, MediaPorts, MixerEvent } from '../../mixer/protocol.ts';
import type { Log } from '../log.ts';
import type { Mixers } from '../mixers/mixers.ts';
import type { Room } from '../rooms/room.ts';
import { roomName } from '../rooms/room-name.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { ParticipantView, Role } from '../rooms/views.ts';
import type { MediaSession } from '../sdp/media-session.ts';
import type { Call, CallEnd, CallHandler, IncomingCall, Referral } from '../sip/dialog/call.ts';
import type { Invitee } from '../sip/dialog/outgoing-invites.ts';
import type { PeerContact } from '../sip/dialog/ways.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { createUri, type SipUri, writeUri } from '../sip/message/uri.ts';
import type { Flow } from '../sip/transport/flow.ts';
import type { Timers } from '../timers.ts';
import { type AdhocRooms, type Identify, mayEnter, mayLoad, mayOpenRoom, type Refusal } from './admission.ts';
import { type Caller, callerOf, describeForwarding } from './caller.ts';
import { mayName } from './named-call.ts';
import { ParticipantCall, type ParticipantOwner } from './participant-call.ts';

export interface FocusOptions {
  rooms: Rooms;
  mixers: Mixers;
  timers: Timers;
  log: Log;
  adhocRooms: AdhocRooms;
  /** Asked only where it matters who calls. */
  identify: Identify;
  /** Whether to believe what a peer at this address says of who calls (RFC 3325). */
  isTrusted: (address: string) => boolean;
  /** Sends an INVITE; the handler is told what comes of it, never before this returns. */
  call: (invitee: Invitee, handler: CallHandler) => Call;
  /** What we call as. */
  domain: string;
  maxCalls: number;
  /** No call is taken to a mixer that is busier than this, 0–1: those that are up shall stay clean. */
  maxMixerLoad: number;
  /** `peer` is the address that the call comes from, or the host that is called: ours must be of its family. */
  createSession(ports: MediaPorts, peer: string): MediaSession;
  /** The last one has left; what still goes on there should end. */
  emptied(room: Room): void;
}

/** Whom to call into a room. */
export interface Callee {
  readonly uri: SipUri;
  readonly displayName: string | null;
  readonly role: Role;
  /** Further fields of the INVITE. */
  readonly headers?: ReadonlyArray<readonly [string, string]>;
}

/** A participant, for what is sent outside of the call. */
export interface Member {
  readonly id: string;
  readonly uri: string;
  readonly displayName: string | null;
  readonly contact: PeerContact;
}

/** Where one who enters takes part, and in whose place. */
interface Place {
  readonly room: Room;
  readonly replaces: ParticipantCall | null;
  /** With the role of the one who was replaced. */
  readonly role?: Role;
}

/** The conference focus (RFC 4353 §3): each INVITE becomes a participant of the room that it names. */
export class Focus implements ParticipantOwner {
  /** Calls in both directions, and how they ended; for metrics. */
  readonly counts: { started: number; ended: Record<string, number>; scores: Record<string, number> } = {
    started: 0,
    ended: {},
    scores: {},
  };
  private readonly options: FocusOptions;
  private readonly participants = new Map<string, ParticipantCall>();
  private stopping = false;
  private idle: (() => void) | null = null;

  constructor(options: FocusOptions) {
    this.options = options;
  }

  get calls(): number {
    return this.participants.size;
  }

  invited(call: IncomingCall): void {
    this.counts.started++;
    const place = this.placeFor(call);
    if ('status' in place) return this.refuse(call, place);
    const { log, isTrusted } = this.options;
    const forwarding = describeForwarding(call.request);
    if (Object.keys(forwarding).length > 0) log.info({ call: call.id, ...forwarding }, 'call was forwarded');
    const who = callerOf(call.request, isTrusted(call.flow.remoteAddress));
    void this.newParticipant(place, who, place.role ?? 'participant', null).admit(call);
  }

  /**
   * Calls somebody into a room. `report` gets the responses, the final one too.
   * Throws nothing: what goes wrong is how the participant leaves.
   */
  dialOut(
    room: Room,
    { uri, displayName, role, headers = [] }: Callee,
    report: ((status: number, reason: string) => void) | null = null,
  ): ParticipantView {
    this.counts.started++;
    // What a URI may say for a request that it stands in is not for the Request-URI (RFC 3261 §19.1.1).
    const parameters = new Map([...uri.parameters].filter(([name]) => name !== 'method'));
    const bare = createUri({ ...uri, parameters, headers: new Map() });
    const who = { uri: writeUri(bare), displayName };
    const participant = this.newParticipant({ room, replaces: null }, who, role, report);
    const us = createUri({ user: room.name, host: this.options.domain });
    const from = { displayName: null, uriText: writeUri(us), uri: us, parameters: new Map() };
    void participant.dial(uri.host, (offer, handler) =>
      this.options.call({ target: bare, from, contactUser: room.name, offer, headers }, handler),
    );
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

  /** A REFER to a room, by a participant or from outside of any call: somebody is to be called into it (RFC 4579 §5.5). */
  referred(referral: Referral, participant: ParticipantCall | null = null): void {
    const refusal = this.refer(referral, participant);
    if (refusal === null) return;
    const { status, reason, headers } = refusal;
    this.options.log.info(
      { referTo: referral.referTo.uriText, source: referral.flow.remoteAddress, status, reason },
      'referral refused',
    );
    referral.reject(status, { reason, ...(headers ? { headers } : {}) });
  }

  keyPressed(participant: ParticipantCall, key: string): void {
    this.options.log.debug({ participant: participant.id, key }, 'key');
  }

  /** What an INVITE like this OPTIONS would find (RFC 3261 §11.2). */
  availability(options: SipRequest, flow: Flow): 'available' | 'unknown' | 'busy' {
    const found = this.find(options, flow);
    if (found === null) return 'available';
    if ('status' in found) return 'unknown';
    return mayEnter(found) === null ? 'available' : 'busy';
  }

  participant(room: Room, id: string): ParticipantCall | undefined {
    const participant = this.participants.get(id);
    return participant?.room === room ? participant : undefined;
  }

  in(room: Room): ParticipantCall[] {
    return [...this.participants.values()].filter((participant) => participant.room === room);
  }

  /** Those in the room whose call stands, and where else they can be sent something. */
  members(room: Room): Member[] {
    return this.in(room).flatMap(({ id, call }) => {
      const view = room.participant(id);
      const contact = call?.contact ?? null;
      const stands = view?.state === 'connected' || view?.state === 'on-hold';
      return stands && contact !== null ? [{ id, uri: view.uri, displayName: view.displayName, contact }] : [];
    });
  }

  happened(event: MixerEvent): void {
    if (!('leg' in event)) return;
    const participant = this.participants.get(event.leg);
    if (!participant) return;
    switch (event.event) {
      case 'legSilent':
        return participant.silent(event.silentMs);
      case 'legTalking':
        participant.room.measured(event.leg, event.levelDb);
        return void participant.room.change(event.leg, { talking: event.talking });
      case 'legKey':
        return participant.pressed(event.key, 'media', event.durationMs);
      case 'legActive':
      case 'legLatched':
        return this.options.log.debug({ participant: event.leg, ...event }, 'media');
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
    { room, replaces }: Place,
    who: Caller,
    role: Role,
    report: ((status: number, reason: string) => void) | null,
  ): ParticipantCall {
    const { mixers, timers, log, createSession } = this.options;
    const id = randomBytes(6).toString('hex');
    const surroundings = { owner: this, mixers, timers, log, createSession };
    const participant = new ParticipantCall({ id, who, role, room, replaces, report, ...surroundings });
    this.participants.set(id, participant);
    return participant;
  }

  /** Calls the one that a REFER names; only for those who are signed in, as it may cost money. Null: it is being done. */
  private refer(referral: Referral, participant: ParticipantCall | null): Refusal | null {
    const { identify, rooms } = this.options;
    const { request, flow, referTo, referredBy } = referral;
    const room = participant?.room ?? rooms.get(roomName(request.uri?.user ?? null) ?? '');
    if (room === undefined) return { status: 404, reason: 'No such room' };
    const identity = identify(request, flow);
    if (identity === null) return { status: 403, reason: 'Only signed-in users may have others called' };
    if ('status' in identity) return identity;
    if (referTo.uri === null) return { status: 416, reason: 'Only SIP addresses can be called' };
    const method = referTo.uri.parameters.get('method') ?? 'INVITE';
    if (method !== 'INVITE') return { status: 403, reason: 'Only INVITE can be sent for others' };
    if (this.full) return { status: 503, reason: 'Server is full', headers: [['Retry-After', '10']] };
    const refusal = mayEnter(room) ?? this.mayLoad(room.name);
    if (refusal !== null) return refusal;
    const progress = referral.accept();
    // A transfer with consultation: the one whom we call connects us with whom the referrer talks to (RFC 5589 §7).
    const replaces = referTo.uri.headers.get('replaces');
    const headers = [
      ...(replaces === undefined ? [] : [['Replaces', replaces] as const]),
      ...(referredBy === null ? [] : [['Referred-By', request.headers.get('referred-by') ?? ''] as const]),
    ];
    const callee: Callee = { uri: referTo.uri, displayName: referTo.displayName, role: 'participant', headers };
    this.dialOut(room, callee, (status, reason) => progress.report(status, reason));
    return null;
  }

  private placeFor(call: IncomingCall): Place | Refusal {
    const { rooms } = this.options;
    if (this.stopping) return { status: 503, reason: 'Server is stopping' };
    if (this.full) return { status: 503, reason: 'Server is full', headers: [['Retry-After', '10']] };
    const named = call.replaces ?? call.joins;
    if (named !== null) {
      const known = [...this.participants.values()].find((participant) => participant.call === named);
      if (known === undefined) return { status: 481, reason: 'No such call' };
      const by = mayName(call, named, this.options);
      if (typeof by !== 'string') return by;
      // Who takes the place of another needs no room of its own; who is not known does not moderate for it.
      const role = (by === 'known' && known.room.participant(known.id)?.role) || 'participant';
      if (call.replaces !== null) return { room: known.room, replaces: known, role };
      return mayEnter(known.room) ?? this.mayLoad(known.room.name) ?? { room: known.room, replaces: null };
    }
    const found = this.find(call.request, call.flow);
    if (found !== null && 'status' in found) return found;
    const name = found?.name ?? roomName(call.request.uri?.user ?? null)!;
    const busy = this.mayLoad(name);
    if (busy !== null) return busy;
    const room = found ?? rooms.open(name, 'adhoc');
    return mayEnter(room) ?? { room, replaces: null };
  }

  /** Whether the mixer of the room has time for one more. Null: yes. */
  private mayLoad(room: string): Refusal | null {
    return mayLoad(this.options.mixers.loadFor(room), this.options.maxMixerLoad);
  }

  /** The room, null when there is none yet but may be, or why not. */
  private find(request: SipRequest, flow: Flow): Room | Refusal | null {
    const { rooms, adhocRooms, identify } = this.options;
    const name = roomName(request.uri?.user ?? null);
    if (name === null) return { status: 404, reason: 'No such room' };
    const room = rooms.get(name);
    if (room !== undefined) return room;
    const refusal = mayOpenRoom(adhocRooms, flow.remoteAddress, false);
    if (refusal?.status !== 403) return refusal;
    // It would help to be signed in.
    const identity = identify(request, flow);
    if (identity === null) return refusal;
    return 'user' in identity ? mayOpenRoom(adhocRooms, flow.remoteAddress, true) : identity;
  }

  private refuse(call: IncomingCall, refusal: Refusal): void {
    const { status, reason, headers } = refusal;
    const { remoteAddress, remotePort } = call.flow;
    this.options.log.info(
      { call: call.id, to: call.request.requestUri, source: `${remoteAddress}:${remotePort}`, status, reason },
      'call refused',
    );
    call.reject(status, { reason, ...(headers ? { headers } : {}) });
    this.countEnd('rejected');
  }

  private countEnd(cause: CallEnd['cause']): void {
    this.counts.ended[cause] = (this.counts.ended[cause] ?? 0) + 1;
  }

  /** By whole scores: people say "it was a two". */
  private countQuality(mos: number): void {
    const score = String(Math.floor(mos));
    this.counts.scores[score] = (this.counts.scores[score] ?? 0) + 1;
  }

  gone(participant: ParticipantCall, end: CallEnd, statistics: LegStatistics | null): void {
    this.countEnd(end.cause);
    if (statistics?.quality) this.countQuality(statistics.quality.received.mos);
    this.participants.delete(participant.id);
    const { room } = participant;
    if (room.size === 0) {
      this.options.emptied(room);
      if (room.origin === 'adhoc') this.options.rooms.close(room);
    }
    if (this.participants.size === 0) this.idle?.();
  }
}
