import { randomBytes } from 'node:crypto';
import type { MediaPorts, MixerEvent } from '../../mixer/protocol.ts';
import type { Log } from '../log.ts';
import type { Mixers } from '../mixers/mixers.ts';
import type { Room } from '../rooms/room.ts';
import { roomName } from '../rooms/room-name.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { MediaSession } from '../sdp/media-session.ts';
import type { CallEnd, IncomingCall } from '../sip/dialog/call.ts';
import type { Timers } from '../timers.ts';
import { type AdhocRooms, mayEnter, mayOpenRoom, type Refusal } from './admission.ts';
import { ParticipantCall } from './participant-call.ts';

export interface FocusOptions {
  rooms: Rooms;
  mixers: Mixers;
  timers: Timers;
  log: Log;
  adhocRooms: AdhocRooms;
  maxCalls: number;
  createSession(ports: MediaPorts): MediaSession;
  /** The last one has left; what still goes on there should end. */
  emptied(room: Room): void;
}

/** The conference focus (RFC 4353 §3): each INVITE becomes a participant of the room that it names. */
export class Focus {
  /** Calls that came in, and how they ended; for metrics. */
  readonly counts: { started: number; ended: Record<string, number> } = { started: 0, ended: {} };
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
    const room = this.roomFor(call);
    if ('status' in room) return this.refuse(call, room);
    const participant = new ParticipantCall({
      id: randomBytes(6).toString('hex'),
      call,
      room,
      mixers: this.options.mixers,
      timers: this.options.timers,
      log: this.options.log,
      createSession: this.options.createSession,
      gone: (gone, end) => this.gone(gone, end),
    });
    this.participants.set(participant.id, participant);
    void participant.admit();
  }

  /** What an INVITE to this user part would find (RFC 3261 §11.2). */
  availability(user: string | null, sourceAddress: string): 'available' | 'unknown' | 'busy' {
    const found = this.find(user, sourceAddress);
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
        return this.options.log.debug({ participant: event.leg, key: event.key }, 'key');
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

  private roomFor(call: IncomingCall): Room | Refusal {
    const { maxCalls, rooms } = this.options;
    if (this.stopping) return { status: 503, reason: 'Server is stopping' };
    if (this.participants.size >= maxCalls) {
      return { status: 503, reason: 'Server is full', headers: [['Retry-After', '10']] };
    }
    const user = call.request.uri?.user ?? null;
    const found = this.find(user, call.flow.remoteAddress);
    if (found !== null && 'status' in found) return found;
    const room = found ?? rooms.open(roomName(user)!, 'adhoc');
    return mayEnter(room) ?? room;
  }

  /** The room, null when there is none yet but may be, or why not. */
  private find(user: string | null, sourceAddress: string): Room | Refusal | null {
    const name = roomName(user);
    if (name === null) return { status: 404, reason: 'No such room' };
    return this.options.rooms.get(name) ?? mayOpenRoom(this.options.adhocRooms, sourceAddress);
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

  private gone(participant: ParticipantCall, end: CallEnd): void {
    this.countEnd(end.cause);
    this.participants.delete(participant.id);
    const { room } = participant;
    if (room.size === 0) {
      this.options.emptied(room);
      if (room.origin === 'adhoc') this.options.rooms.close(room);
    }
    if (this.participants.size === 0) this.idle?.();
  }
}
