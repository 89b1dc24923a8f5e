import { MixerError } from '../mixers/mixer-channel.ts';
import type { Room } from '../rooms/room.ts';
import type { NegotiationFailure } from '../sdp/negotiation-failure.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { isPrivateAddress } from '../sip/transport/addresses.ts';
import type { Flow } from '../sip/transport/flow.ts';

export type AdhocRooms = 'anyone' | 'private' | 'users' | 'nobody';

/** A SIP final response and its reason, as a log line and the caller's display show it. */
export interface Refusal {
  status: number;
  reason: string;
  headers?: ReadonlyArray<readonly [string, string]>;
}

/** Who sent a request: a user, nobody who could be asked (null), or the answer that asks for a password. */
export type Identify = (request: SipRequest, flow: Flow) => { readonly user: string } | Refusal | null;

/** Whether a caller from `address` may open a room by dialling its name. Null: yes. */
export function mayOpenRoom(adhocRooms: AdhocRooms, address: string, signedIn: boolean): Refusal | null {
  switch (adhocRooms) {
    case 'anyone':
      return null;
    case 'private':
      if (signedIn || isPrivateAddress(address)) return null;
      return { status: 403, reason: 'Rooms are opened from inside only' };
    case 'users':
      return signedIn ? null : { status: 403, reason: 'Rooms are opened by signed-in users only' };
    case 'nobody':
      return { status: 404, reason: 'No such room' };
  }
}

/** Seconds after which a refused caller may try again: the load may have gone down by then. */
const RETRY_AFTER_S = 10;

/** Whether the mixer that would take the call has room in its time; `load` is its busy share, 0–1. Null: yes. */
export function mayLoad(load: number, maxLoad: number): Refusal | null {
  if (load <= maxLoad) return null;
  return overloaded('Mixer is busy');
}

/** For what may be over soon. */
export function overloaded(reason: string): Refusal {
  return { status: 503, reason, headers: [['Retry-After', String(RETRY_AFTER_S)]] };
}

/** Whether one more may come in. Null: yes. */
export function mayEnter(room: Room): Refusal | null {
  if (room.policy.locked) return { status: 403, reason: 'Room is locked' };
  if (room.full) return { status: 486, reason: 'Room is full' };
  return null;
}

/** For an offer or answer that cannot be used. */
export function mediaRefusal({ status, warning }: NegotiationFailure): Refusal {
  const reason = status === 400 ? 'Bad SDP' : 'Not Acceptable Here';
  return { status, reason, headers: [['Warning', warning]] };
}

/** For what a mixer could not do. */
export function mixerRefusal(error: unknown): Refusal {
  const code = error instanceof MixerError ? error.code : 'internal';
  const retry = { headers: [['Retry-After', '5']] as const };
  if (code === 'no-ports') return { status: 503, reason: 'No media ports free', ...retry };
  if (code === 'mixer-gone' || code === 'deadline') return { status: 503, reason: 'Mixer not available', ...retry };
  return { status: 500, reason: 'Server internal error' };
}
