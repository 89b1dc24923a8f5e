import type { Room } from '../rooms/room.ts';
import { roomName } from '../rooms/room-name.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { Call, IncomingCall } from '../sip/dialog/call.ts';
import type { SipRequest } from '../sip/message/message.ts';
import type { Flow } from '../sip/transport/flow.ts';
import { type AdhocRooms, type Identify, mayEnter, mayOpenRoom, type Refusal } from './admission.ts';
import { type ArrivalParts, dialled, pinOf, roleIn } from './arrival.ts';
import { mayName } from './named-call.ts';
import type { ParticipantCall } from './participant-call.ts';
import type { PinGuard, PinSource } from './pin-guard.ts';

/** Where one who enters takes part, and in whose place. */
export interface Place {
  readonly room: Room;
  readonly replaces: ParticipantCall | null;
  readonly arrival: ArrivalParts;
}

export interface FrontDoorOptions {
  readonly rooms: Rooms;
  readonly adhocRooms: AdhocRooms;
  /** Asked only where it matters who calls. */
  readonly identify: Identify;
  readonly isTrusted: (address: string) => boolean;
  readonly pins: PinGuard;
  /** Whether the server takes one call more. Null: yes. */
  mayCall(): Refusal | null;
  /** Whether the mixer of the room has time for one more. Null: yes. */
  mayLoad(room: string): Refusal | null;
  participantOf(call: Call): ParticipantCall | undefined;
}

/** Decides where a call belongs, and whether it may come in. */
export class FrontDoor {
  private readonly options: FrontDoorOptions;

  constructor(options: FrontDoorOptions) {
    this.options = options;
  }

  placeFor(call: IncomingCall): Place | Refusal {
    const { rooms, mayCall, mayLoad, participantOf } = this.options;
    const refusal = mayCall();
    if (refusal !== null) return refusal;
    const named = call.replaces ?? call.joins;
    if (named !== null) {
      const known = participantOf(named);
      if (known === undefined) return { status: 481, reason: 'No such call' };
      const by = mayName(call, named, this.options);
      if (typeof by !== 'string') return by;
      // Who takes the place of another needs no room of its own; who is not known does not moderate for it.
      const { room } = known;
      const role = (by === 'known' && room.participant(known.id)?.role) || roleIn(room, 'participant');
      // The place of one who waits is a place where one waits.
      const admitted = room.present.some(({ id }) => id === known.id);
      if (call.replaces !== null) {
        return { room, replaces: known, arrival: { role, admitted, pinSource: this.pinSource(room, call) } };
      }
      return mayEnter(room) ?? mayLoad(room.name) ?? this.asCaller(room, call);
    }
    const found = this.find(call.request, call.flow);
    if (found !== null && 'status' in found) return found;
    const name = found?.name ?? roomName(dialled(call.request.uri).user)!;
    const busy = mayLoad(name);
    if (busy !== null) return busy;
    const room = found ?? rooms.open(name, 'adhoc');
    return mayEnter(room) ?? this.asCaller(room, call);
  }

  /** What an INVITE like this OPTIONS would find (RFC 3261 §11.2). */
  availability(options: SipRequest, flow: Flow): 'available' | 'unknown' | 'busy' {
    const found = this.find(options, flow);
    if (found === null) return 'available';
    if ('status' in found) return 'unknown';
    return mayEnter(found) === null ? 'available' : 'busy';
  }

  /** The room, null when there is none yet but may be, or why not. */
  private find(request: SipRequest, flow: Flow): Room | Refusal | null {
    const { rooms, adhocRooms, identify } = this.options;
    const name = roomName(dialled(request.uri).user);
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

  /** One who dials the room. A PIN that comes with the call is looked at when the call stands: an INVITE can be forged. */
  private asCaller(room: Room, call: IncomingCall): Place | Refusal {
    const { pins } = this.options;
    const pin = pinOf(call.request);
    const pinSource = this.pinSource(room, call);
    if (pin !== null && asksPin(room) && !pins.takes(room.name, pinSource)) {
      pins.refused(room.name, pinSource);
      return { status: 403, reason: 'Too many wrong PINs' };
    }
    return { room, replaces: null, arrival: { role: roleIn(room, 'participant'), pin, pinSource } };
  }

  private pinSource(room: Room, call: IncomingCall): PinSource {
    return this.options.pins.sourceOf(call, asksPin(room));
  }
}

const asksPin = ({ policy }: Room): boolean => policy.pin !== null || policy.moderatorPin !== null;
