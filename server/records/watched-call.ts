import type { LegStatistics } from '../../mixer/protocol.ts';
import { statusOf } from '../focus/call-report.ts';
import type { ParticipantCall } from '../focus/participant-call.ts';
import type { KeyMeans } from '../focus/pressed-keys.ts';
import type { ParticipantView } from '../rooms/views.ts';
import type { CallEnd } from '../sip/dialog/call.ts';
import type { EndedBy } from './call-record.ts';

/** Something that was decided about a participant, or that the phone did. */
export interface CallEvent {
  atMs: number;
  what: 'muted' | 'unmuted' | 'deafened' | 'undeafened' | 'held' | 'resumed' | 'moved';
  /** Who did it; null where it is plain. */
  by: 'moderator' | 'self' | null;
}

export interface KeysTold {
  count: number;
  lastMs: number;
}

/** How a call ended. */
export interface WatchedEnd {
  atMs: number;
  end: CallEnd;
  statistics: LegStatistics | null;
}

/** What is known of a call while it goes on, and for a while afterwards. Times are milliseconds since 1970. */
export interface WatchedCall {
  readonly participant: ParticipantCall;
  readonly direction: 'in' | 'out';
  readonly userAgent: string | null;
  readonly startedMs: number;
  answeredMs: number | null;
  /** In the order in which they were in them. */
  readonly rooms: string[];
  conference: string | null;
  /** As it was shown last; null before it was in a room. */
  view: ParticipantView | null;
  readonly events: CallEvent[];
  readonly keys: Partial<Record<KeyMeans, KeysTold>>;
  ended: WatchedEnd | null;
}

/** The latest of them. */
const MOST_EVENTS = 50;
const MOST_ROOMS = 20;

/** Notes what is new in how the participant is shown. */
export function noteView(call: WatchedCall, view: ParticipantView, room: string, atMs: number): void {
  const before = call.view;
  call.view = view;
  if (call.rooms.at(-1) !== room) {
    if (call.rooms.length > 0) note(call, { atMs, what: 'moved', by: null });
    call.rooms.push(room);
    if (call.rooms.length > MOST_ROOMS) call.rooms.splice(1, 1);
  }
  if (view.muted?.by !== before?.muted?.by) {
    // Who unmutes is who had muted: each has a mute of their own.
    if (view.muted !== null) note(call, { atMs, what: 'muted', by: view.muted.by });
    else if (before?.muted) note(call, { atMs, what: 'unmuted', by: before.muted.by });
  }
  if (view.deaf !== (before?.deaf ?? false)) {
    note(call, { atMs, what: view.deaf ? 'deafened' : 'undeafened', by: 'moderator' });
  }
  const held = view.state === 'on-hold';
  if (held !== (before?.state === 'on-hold')) note(call, { atMs, what: held ? 'held' : 'resumed', by: 'self' });
}

function note({ events }: WatchedCall, event: CallEvent): void {
  events.push(event);
  if (events.length > MOST_EVENTS) events.shift();
}

/** Who ended it, and why, in the words of the log. */
export function describeCallEnd(
  end: CallEnd,
  ourReason: string | null,
  direction: 'in' | 'out',
): { cause: string; status: number | null; reason: string | null; endedBy: EndedBy } {
  const { cause } = end;
  const theirs = 'reason' in end ? (end.reason ?? null) : 'message' in end ? end.message : null;
  const status = 'status' in end ? end.status : cause === 'no-answer' ? statusOf(end).status : null;
  return { cause, status, reason: ourReason ?? theirs, endedBy: endedBy(cause, direction, ourReason !== null) };
}

/** @param ours we have a reason for it, such as that no mixer is up */
function endedBy(cause: CallEnd['cause'], direction: 'in' | 'out', ours: boolean): EndedBy {
  switch (cause) {
    case 'remote-bye':
      return 'participant';
    case 'local-bye':
    case 'no-answer':
      return 'server';
    case 'rejected':
      return direction === 'in' || ours ? 'server' : 'participant';
    case 'cancelled':
      return direction === 'in' ? 'participant' : 'server';
    case 'ack-timeout':
    case 'dialog-gone':
    case 'session-expired':
    case 'transport':
      return 'network';
  }
}
