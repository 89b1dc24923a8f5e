import type { Room } from '../rooms/room.ts';
import { roomName } from '../rooms/room-name.ts';
import type { Referral } from '../sip/dialog/call.ts';
import type { SipUri } from '../sip/message/uri.ts';
import type { Identify, Refusal } from './admission.ts';
import { dialled, PIN_FIELD } from './arrival.ts';
import type { Callee } from './focus-options.ts';

export interface ReferralPolicy {
  readonly identify: Identify;
  readonly rooms: { get(name: string): Room | undefined };
  mayCall(room: Room): Refusal | null;
  call(room: Room, callee: Callee, report: (status: number, reason: string) => void): void;
}

/**
 * Calls the one that a REFER names (RFC 4579 §5.5); only for those who are signed in, as it may cost money.
 *
 * @param room that of the participant who sent it; null when it came from outside of any call, and names the room
 * @returns null when it is being done
 */
export function callReferred(referral: Referral, room: Room | null, policy: ReferralPolicy): Refusal | null {
  const { request, flow, referTo, referredBy } = referral;
  const target = room ?? policy.rooms.get(roomName(dialled(request.uri).user) ?? '');
  if (target === undefined) return { status: 404, reason: 'No such room' };
  const identity = policy.identify(request, flow);
  if (identity === null) return { status: 403, reason: 'Only signed-in users may have others called' };
  if ('status' in identity) return identity;
  if (referTo.uri === null) return { status: 416, reason: 'Only SIP addresses can be called' };
  const method = referTo.uri.parameters.get('method') ?? 'INVITE';
  if (method !== 'INVITE') return { status: 403, reason: 'Only INVITE can be sent for others' };
  const fields = fieldsFor(referTo.uri);
  if (fields === null) return { status: 400, reason: 'Bad Refer-To' };
  const refusal = policy.mayCall(target);
  if (refusal !== null) return refusal;
  const progress = referral.accept();
  const headers = [
    ...fields,
    ...(referredBy === null ? [] : [['Referred-By', request.headers.get('referred-by') ?? ''] as const]),
  ];
  const callee: Callee = { uri: referTo.uri, displayName: referTo.displayName, role: 'participant', headers };
  policy.call(target, callee, (status, reason) => progress.report(status, reason));
  return null;
}

/**
 * What the URI says for the INVITE (RFC 3261 §19.1.1) and we heed: a transfer with consultation, where the one whom we call
 * connects us with whom the referrer talks to (RFC 5589 §7), and the PIN of another room. Null: a value cannot be sent,
 * as what was escaped may be a line end, and then another field.
 */
function fieldsFor({ headers }: SipUri): Array<readonly [string, string]> | null {
  const fields: Array<readonly [string, string]> = [];
  for (const name of ['Replaces', PIN_FIELD]) {
    const value = headers.get(name.toLowerCase());
    if (value === undefined) continue;
    if (!/^[ -~]*$/.test(value)) return null;
    fields.push([name, value]);
  }
  return fields;
}
