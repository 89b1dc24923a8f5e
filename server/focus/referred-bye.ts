import type { Room } from '../rooms/room.ts';
import { roomName } from '../rooms/room-name.ts';
import type { Referral, ReferralProgress } from '../sip/dialog/call.ts';
import type { NameAddress } from '../sip/message/name-address.ts';
import type { Identify, Refusal } from './admission.ts';
import { dialled } from './arrival.ts';
import { sameAddress } from './member-who-sends.ts';
import type { ParticipantCall } from './participant-call.ts';

export interface ByePolicy {
  readonly identify: Identify;
  readonly rooms: { get(name: string): Room | undefined };
  in(room: Room): ParticipantCall[];
  /** `gone` follows for each, now or later. */
  remove(participant: ParticipantCall): void;
}

/** Whether somebody is to be put out rather than called. */
export function isBye({ referTo }: Referral): boolean {
  return referTo.uri?.parameters.get('method')?.toUpperCase() === 'BYE';
}

/** A REFER to a room with `method=BYE`: participants are put out (RFC 4579 §5.11). */
export class ReferredByes {
  private readonly policy: ByePolicy;
  private readonly waiting = new Map<string, Set<() => void>>();

  constructor(policy: ByePolicy) {
    this.policy = policy;
  }

  /**
   * For moderators, within their call, and for users who are signed in.
   * @param sender the participant in whose call it came; null when it came from outside of any, and names the room
   * @returns null when it is being done
   */
  referred(referral: Referral, sender: ParticipantCall | null): Refusal | null {
    const { rooms, remove } = this.policy;
    const { request, referTo } = referral;
    const room = sender?.room ?? rooms.get(roomName(dialled(request.uri).user) ?? '');
    if (room === undefined) return { status: 404, reason: 'No such room' };
    const refusal = this.refusalOf(referral, room, sender);
    if (refusal !== null) return refusal;
    const named = this.policy.in(room).filter((participant) => isNamed(room, participant.id, referTo));
    if (named.length === 0) return { status: 404, reason: 'No such participant' };
    this.tellWhenGone(named, referral.accept());
    for (const participant of named) remove(participant);
    return null;
  }

  gone({ id }: ParticipantCall): void {
    const told = this.waiting.get(id);
    this.waiting.delete(id);
    for (const tell of told ?? []) tell();
  }

  private refusalOf({ request, flow }: Referral, room: Room, sender: ParticipantCall | null): Refusal | null {
    if (room.present.some(({ id, role }) => id === sender?.id && role === 'moderator')) return null;
    const identity = this.policy.identify(request, flow);
    if (identity === null) return { status: 403, reason: 'Only moderators and signed-in users may put others out' };
    return 'status' in identity ? identity : null;
  }

  private tellWhenGone(named: readonly ParticipantCall[], progress: ReferralProgress): void {
    let left = named.length;
    const tell = (): void => {
      left--;
      if (left === 0) progress.report(200, 'OK');
    };
    for (const { id } of named) this.waiting.set(id, (this.waiting.get(id) ?? new Set()).add(tell));
  }
}

/** By the entity of their endpoint in the conference's state, or by their address, which several may have. */
function isNamed(room: Room, id: string, { uri, uriText }: NameAddress): boolean {
  const named = uri?.parameters.get('participant');
  if (named !== undefined) return named === id;
  const address = room.participant(id)?.uri;
  return address !== undefined && sameAddress(address, uriText);
}
