import type { Refusal } from '../focus/admission.ts';
import { dialled } from '../focus/arrival.ts';
import type { Caller } from '../focus/caller.ts';
import type { IncomingCall } from '../sip/dialog/call.ts';
import type { CallRecord } from './call-record.ts';
import { describeCallEnd, type WatchedCall, type WatchedEnd } from './watched-call.ts';

/** Longer ones are somebody's idea of a joke. */
const MAX_TEXT = 256;

const iso = (ms: number): string => new Date(ms).toISOString();
const rounded = (value: number | null | undefined): number | null =>
  value == null ? null : Math.round(value * 10) / 10;
const short = (text: string | null): string | null => text?.slice(0, MAX_TEXT) ?? null;

/** The record of a call that is over. `userAgent` is what the other side called itself. */
export function recordOf(call: WatchedCall, ended: WatchedEnd, userAgent: string | null): CallRecord {
  const { participant, direction, view, rooms, startedMs, answeredMs } = call;
  const { statistics } = ended;
  const media = participant.media.media;
  const flow = participant.call?.flow ?? null;
  const received = statistics?.quality?.received;
  const sent = statistics?.quality?.sent;
  return {
    conference: call.conference,
    room: rooms[0] ?? participant.room.name,
    rooms: [...rooms],
    participant: participant.id,
    direction,
    uri: short(view?.uri ?? '')!,
    displayName: short(view?.displayName ?? null),
    role: view?.role ?? null,
    transport: flow?.protocol ?? null,
    sourceAddress: flow?.remoteAddress ?? null,
    sourcePort: flow?.remotePort ?? null,
    userAgent: short(userAgent),
    callId: short(participant.call?.callId ?? '')!,
    startedAt: iso(startedMs),
    answeredAt: answeredMs === null ? null : iso(answeredMs),
    endedAt: iso(ended.atMs),
    ringingMs: Math.max(0, (answeredMs ?? ended.atMs) - startedMs),
    connectedMs: answeredMs === null ? 0 : Math.max(0, ended.atMs - answeredMs),
    codecSent: media?.send.codec ?? null,
    codecReceived: statistics?.receivingCodec ?? null,
    srtp: media?.crypto?.suite ?? null,
    mosReceived: rounded(received?.mos),
    mosSent: rounded(sent?.mos),
    lossReceivedPercent: rounded(received?.lossPercent),
    lossSentPercent: rounded(sent?.lossPercent),
    jitterReceivedMs: rounded(received?.jitterMs),
    jitterSentMs: rounded(sent?.jitterMs),
    roundTripMs: rounded(statistics?.roundTripMs),
    packetsReceived: statistics?.packetsReceived ?? null,
    packetsSent: statistics?.packetsSent ?? null,
    ...describeCallEnd(ended.end, participant.endReason, direction),
  };
}

/** Of a call that was refused at the door. */
export function recordOfRefused(
  call: IncomingCall,
  { status, reason }: Refusal,
  who: Caller,
  atMs: number,
): CallRecord {
  const { protocol, remoteAddress, remotePort } = call.flow;
  return {
    ...{ conference: null, rooms: [], participant: null, role: null, direction: 'in' },
    room: short(dialled(call.request.uri).user ?? '')!,
    uri: short(who.uri)!,
    displayName: short(who.displayName),
    ...{ transport: protocol, sourceAddress: remoteAddress, sourcePort: remotePort },
    userAgent: short(call.request.headers.get('user-agent') ?? null),
    callId: short(call.callId)!,
    ...{ startedAt: iso(atMs), answeredAt: null, endedAt: iso(atMs), ringingMs: 0, connectedMs: 0 },
    ...{ codecSent: null, codecReceived: null, srtp: null, mosReceived: null, mosSent: null },
    ...{ lossReceivedPercent: null, lossSentPercent: null, jitterReceivedMs: null, jitterSentMs: null },
    ...{ roundTripMs: null, packetsReceived: null, packetsSent: null },
    ...{ cause: 'rejected', status, reason: reason ?? null, endedBy: 'server' },
  };
}
