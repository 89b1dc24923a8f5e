import { Entry, type EntryRules, type NewArrival } from '../ivr/entry.ts';
import type { Room } from '../rooms/room.ts';
import type { Role } from '../rooms/views.ts';
import type { SipRequest } from '../sip/message/message.ts';
import type { SipUri } from '../sip/message/uri.ts';
import type { PinSource } from './pin-guard.ts';

/** How somebody comes to a room. */
export interface Arrival extends NewArrival {
  /** Takes the place of one who is in: enters at once. */
  readonly admitted: boolean;
  /** Is to press 1 first: whom we call may be a mailbox. */
  readonly confirm: boolean;
  /** The prompt that is all they hear: the room is not open yet, or not any more. */
  readonly notNow: 'too-early' | 'too-late' | null;
  /** Not in the room from the beginning. */
  readonly apart: boolean;
  /** Whose PINs theirs count among; null for whom we call, who is asked for none. */
  readonly pinSource: PinSource | null;
}

/** The rules of the room, for somebody who enters now. */
export function entryRules({ policy }: Room): EntryRules {
  const { pin, moderatorPin, lobby, waitForModerator, announce } = policy;
  return { pin, moderatorPin, lobby, waitForModerator, names: announce === 'names' };
}

/** @param nowMs since 1970 */
export function arrivalOf(
  room: Room,
  { role, pin = null, admitted = false, confirm = false, calledByUs = false, pinSource = null }: ArrivalParts,
  nowMs: number,
): Arrival {
  const notNow = calledByUs || admitted ? null : notOpen(room, nowMs);
  const newcomer: NewArrival = { moderator: role === 'moderator', pin, invited: calledByUs };
  const asked = !admitted && Entry.isNeeded(entryRules(room), newcomer);
  const apart = calledByUs || confirm || notNow !== null || asked;
  return { ...newcomer, admitted, confirm, notNow, apart, pinSource };
}

export interface ArrivalParts {
  role: Role;
  pin?: string | null;
  pinSource?: PinSource | null;
  admitted?: boolean;
  confirm?: boolean;
  /** Neither hears nor is heard before answering. */
  calledByUs?: boolean;
}

/** The role of one who enters as a participant: in a room of listeners nobody else is heard than moderators. */
export function roleIn(room: Room, role: Role): Role {
  return role === 'participant' && room.policy.listenersOnly ? 'listener' : role;
}

function notOpen({ policy }: Room, nowMs: number): Arrival['notNow'] {
  if (policy.notBefore !== null && nowMs < Date.parse(policy.notBefore)) return 'too-early';
  if (policy.notAfter !== null && nowMs >= Date.parse(policy.notAfter)) return 'too-late';
  return null;
}

/** What a URI names: `sip:room;pin=1234@host`, `sip:room@host;pin=1234` or `sip:room@host`. */
export interface Dialled {
  /** As it was dialled, not checked. */
  readonly user: string | null;
  readonly pin: string | null;
}

/** Of our own: for those who cannot put it into the URI, such as a gateway that calls the room for somebody. */
export const PIN_FIELD = 'Parley-Pin';

/**
 * The PIN that comes with a call: one alone, so that no call is more than one try. That of the URI counts before that of
 * the header field, of which the first counts; an empty field is none.
 */
export function pinOf({ uri, headers }: SipRequest): string | null {
  return dialled(uri).pin ?? (headers.get(PIN_FIELD)?.trim() || null);
}

/** Parameters of the user part are not of RFC 3261, but phones and gateways carry them where they drop those of the URI. */
export function dialled(uri: SipUri | null): Dialled {
  if (uri === null) return { user: null, pin: null };
  const [user = null, ...parameters] = uri.user?.split(';') ?? [];
  const inUser = parameters.find((parameter) => parameter.toLowerCase().startsWith('pin='))?.slice('pin='.length);
  return { user, pin: inUser ?? uri.parameters.get('pin') ?? null };
}
