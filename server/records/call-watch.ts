import type { LegStatistics } from '../../mixer/protocol.ts';
import type { Refusal } from '../focus/admission.ts';
import type { CallObserver } from '../focus/call-observer.ts';
import { callerOf } from '../focus/caller.ts';
import type { ParticipantCall } from '../focus/participant-call.ts';
import type { KeyMeans } from '../focus/pressed-keys.ts';
import type { Room, RoomChange } from '../rooms/room.ts';
import type { CallEnd, IncomingCall } from '../sip/dialog/call.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { ConferenceWatch } from './conference-watch.ts';
import { recordOf, recordOfRefused } from './make-record.ts';
import type { WaitingRecord } from './record-writer.ts';
import { noteView, type WatchedCall } from './watched-call.ts';

export interface CallWatchOptions {
  readonly epochMs: () => number;
  /** Whether to believe what a peer at this address says of who calls. */
  readonly isTrusted: (address: string) => boolean;
  record(record: WaitingRecord): void;
  /** The messages of calls, which are to be kept as long as the call is known here. */
  readonly traces: { hold(callId: string): void; release(callId: string): void };
  /** What the other side of a call that we made calls itself. */
  userAgentOf(callId: string): string | null;
}

/** Calls that are over are known for so long, so that one can ask why; and so many of them at most. */
const KEEP_MS = 600_000;
const MOST_ENDED = 1000;

/** Follows all calls from beginning to end: for their records, and for who wants to know what is wrong with one. */
export class CallWatch implements CallObserver {
  private readonly options: CallWatchOptions;
  private readonly live = new Map<string, WatchedCall>();
  /** Oldest first. */
  private readonly over = new Map<string, WatchedCall>();
  private readonly conferences: ConferenceWatch;

  constructor(options: CallWatchOptions) {
    this.options = options;
    this.conferences = new ConferenceWatch((record, endedMs) =>
      options.record({ kind: 'conference', endedMs, record }),
    );
  }

  /** Of a participant who is in this room, or was in it last. */
  find(room: string, participant: string): WatchedCall | undefined {
    const call = this.live.get(participant) ?? this.over.get(participant);
    return call !== undefined && (call.rooms.at(-1) ?? call.participant.room.name) === room ? call : undefined;
  }

  /** For `Rooms.subscribe`. */
  readonly changed = (room: Room, change: RoomChange): void => {
    const atMs = this.options.epochMs();
    this.conferences.changed(room, change, atMs);
    if (change.change !== 'participant-joined' && change.change !== 'participant-changed') return;
    const call = this.live.get(change.participant.id);
    if (call === undefined) return;
    noteView(call, change.participant, room.name, atMs);
    const { state } = change.participant;
    if (state === 'connected' || state === 'on-hold') call.conference ??= this.conferences.idOf(room);
  };

  began(participant: ParticipantCall, invite: SipRequest | null): void {
    if (invite !== null) this.options.traces.hold(invite.callId);
    this.over.delete(participant.id);
    this.live.set(participant.id, {
      participant,
      direction: invite === null ? 'out' : 'in',
      userAgent: invite?.headers.get('user-agent') ?? null,
      startedMs: this.options.epochMs(),
      ...{ answeredMs: null, conference: null, view: null, ended: null },
      ...{ rooms: [], events: [], keys: {} },
    });
  }

  established(participant: ParticipantCall): void {
    const call = this.live.get(participant.id);
    if (call === undefined) return;
    call.answeredMs = this.options.epochMs();
    // Ours has a Call-ID only once it was placed.
    if (call.direction === 'out' && participant.call !== null) this.options.traces.hold(participant.call.callId);
  }

  keyTold(participant: ParticipantCall, means: KeyMeans): void {
    const keys = this.live.get(participant.id)?.keys;
    if (keys === undefined) return;
    const lastMs = this.options.epochMs();
    keys[means] = { count: (keys[means]?.count ?? 0) + 1, lastMs };
  }

  ended(participant: ParticipantCall, end: CallEnd, statistics: LegStatistics | null): void {
    const call = this.live.get(participant.id);
    if (call === undefined) return;
    const { epochMs, record, userAgentOf, traces } = this.options;
    call.ended = { atMs: epochMs(), end, statistics };
    this.live.delete(participant.id);
    this.over.set(participant.id, call);
    const callId = participant.call?.callId;
    const userAgent = call.userAgent ?? (callId === undefined ? null : userAgentOf(callId));
    record({ kind: 'call', endedMs: call.ended.atMs, record: recordOf(call, call.ended, userAgent) });
    if (callId !== undefined) traces.release(callId);
    this.forgetOld(call.ended.atMs - KEEP_MS);
  }

  refused(call: IncomingCall, refusal: Refusal): void {
    const { epochMs, isTrusted, record } = this.options;
    const endedMs = epochMs();
    const who = callerOf(call.request, isTrusted(call.flow.remoteAddress));
    record({ kind: 'call', endedMs, record: recordOfRefused(call, refusal, who, endedMs) });
  }

  private forgetOld(beforeMs: number): void {
    for (const [id, { ended }] of this.over) {
      if (this.over.size <= MOST_ENDED && ended!.atMs > beforeMs) return;
      this.over.delete(id);
    }
  }
}
