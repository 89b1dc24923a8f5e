import type { LegStatistics } from '../../mixer/protocol.ts';
import type { CallWatch } from '../records/call-watch.ts';
import { describeCallEnd, type WatchedCall } from '../records/watched-call.ts';
import { roomName } from '../rooms/room-name.ts';
import { writeHost } from '../sip/message/host.ts';
import { isPrivateAddress } from '../sip/transport/addresses.ts';
import type { DiagnosisControl } from './diagnosis-control.ts';
import type { DiagnosisView, TraceView } from './diagnosis-view.ts';
import { type CallFacts, findingsOf, sentenceOf } from './findings.ts';
import { pcapOf } from './pcap.ts';
import { redact } from './redact.ts';
import type { CallTrace, SipTraces, TracedMessage } from './sip-traces.ts';

export interface DiagnosesOptions {
  readonly watch: CallWatch;
  readonly traces: SipTraces;
  readonly epochMs: () => number;
  /** The address of ours that a peer sees, where a socket is bound to all. */
  readonly ownAddress: (peer: string) => string;
}

const iso = (ms: number | null | undefined): string | null => (ms == null ? null : new Date(ms).toISOString());
const place = (address: string, port: number): string => `${writeHost(address)}:${port}`;

/** Answers why somebody cannot be heard, and what was said about it by SIP. */
export class Diagnoses implements DiagnosisControl {
  private readonly options: DiagnosesOptions;

  constructor(options: DiagnosesOptions) {
    this.options = options;
  }

  async diagnosis(room: string, participant: string): Promise<DiagnosisView | null> {
    const call = this.find(room, participant);
    if (call === undefined) return null;
    const counted = call.ended === null ? call.participant.statistics() : call.ended.statistics;
    const [statistics, pictures] = await Promise.all([counted, call.participant.pictures()]);
    const facts = factsOf(call, statistics, this.options.epochMs());
    const findings = findingsOf(facts);
    return { sentence: sentenceOf(findings), findings, ...viewOf(call, facts, statistics), pictures };
  }

  trace(room: string, participant: string): TraceView | null {
    const found = this.traceOf(room, participant);
    if (found === null) return null;
    const { callId, trace } = found;
    const steps = trace.messages.map((message) => {
      const text = Buffer.from(redact(message.text), 'latin1').toString('utf8');
      const { protocol, localPort, remoteAddress, remotePort } = message.way;
      return {
        at: iso(message.atMs)!,
        direction: message.received ? ('received' as const) : ('sent' as const),
        transport: protocol,
        local: place(this.localAddress(message), localPort),
        remote: place(remoteAddress, remotePort),
        firstLine: text.slice(0, Math.max(0, text.indexOf('\r\n'))),
        message: text,
      };
    });
    return { participant, room: roomName(room) ?? room, callId, steps, dropped: trace.dropped };
  }

  pcap(room: string, participant: string): Buffer | null {
    const found = this.traceOf(room, participant);
    if (found === null) return null;
    return pcapOf(
      found.trace.messages.map((message) => {
        const { localPort, remoteAddress, remotePort } = message.way;
        const local = { address: this.localAddress(message), port: localPort };
        const remote = { address: remoteAddress, port: remotePort };
        const [source, destination] = message.received ? [remote, local] : [local, remote];
        return {
          atMs: message.atMs,
          sourceAddress: source.address,
          sourcePort: source.port,
          destinationAddress: destination.address,
          destinationPort: destination.port,
          payload: Buffer.from(redact(message.text), 'latin1'),
        };
      }),
    );
  }

  private find(room: string, participant: string): WatchedCall | undefined {
    return this.options.watch.find(roomName(room) ?? '', participant);
  }

  private traceOf(room: string, participant: string): { callId: string; trace: CallTrace } | null {
    const callId = this.find(room, participant)?.participant.call?.callId;
    const trace = callId === undefined ? undefined : this.options.traces.find(callId);
    return trace === undefined ? null : { callId: callId!, trace };
  }

  private localAddress({ way }: TracedMessage): string {
    const { localAddress, remoteAddress } = way;
    return localAddress === '0.0.0.0' || localAddress === '::' ? this.options.ownAddress(remoteAddress) : localAddress;
  }
}

function factsOf(call: WatchedCall, statistics: LegStatistics | null, nowMs: number): CallFacts {
  const { participant, view, ended } = call;
  const { media, onHold } = participant.media;
  const remote = media?.remote ?? null;
  const quality = statistics?.quality;
  const described = ended && describeCallEnd(ended.end, participant.endReason, call.direction);
  const { room, id: own } = participant;
  const voices = room.present.filter(({ id, muted }) => id !== own && muted === null && room.maySpeak(id)).length;
  return {
    nowMs: ended?.atMs ?? nowMs,
    state: view?.state ?? 'connecting',
    ended: described && (described.reason ?? described.cause),
    answeredMs: call.answeredMs,
    muted: view?.muted?.by ?? null,
    listener: view?.role === 'listener',
    deaf: view?.deaf ?? false,
    withoutFloor: ended === null && !room.maySpeak(own),
    speaksTo: view?.speaksTo?.length ?? null,
    gainDb: view?.gainDb ?? 0,
    volumeDb: view?.volumeDb ?? 0,
    direction: media?.direction ?? null,
    onHold,
    srtp: media?.crypto?.suite ?? null,
    srtpRefused: statistics?.srtpRefused ?? 0,
    foreignPackets: statistics?.foreignPackets ?? 0,
    packetsReceived: statistics?.packetsReceived ?? 0,
    packetsSent: statistics?.packetsSent ?? 0,
    lastReceivedMs: statistics?.lastReceivedMs ?? null,
    signalled: remote && place(remote.address, remote.rtpPort),
    signalledIsPrivate: remote !== null && isBehindNat(remote.address, participant.call?.flow?.remoteAddress),
    latched: statistics?.latchedAddress ? place(statistics.latchedAddress, statistics.latchedPort ?? 0) : null,
    receivedLevelDb: statistics?.receivedLevelDb ?? null,
    lossReceivedPercent: quality?.received.lossPercent ?? null,
    lossSentPercent: quality?.sent?.lossPercent ?? null,
    jitterReceivedMs: quality?.received.jitterMs ?? null,
    jitterSentMs: quality?.sent?.jitterMs ?? null,
    roundTripMs: statistics?.roundTripMs ?? null,
    otherVoices: ended === null ? voices : null,
    measured: statistics !== null,
  };
}

/** A private address of one whose signalling does not come from it: it lies beyond a NAT. */
function isBehindNat(address: string, source: string | undefined): boolean {
  return isPrivateAddress(address) && address !== source;
}

function viewOf(
  call: WatchedCall,
  facts: CallFacts,
  statistics: LegStatistics | null,
): Omit<DiagnosisView, 'sentence' | 'findings' | 'pictures'> {
  const { participant, view, ended } = call;
  const { media } = participant.media;
  const flow = participant.call?.flow ?? null;
  const { signalled, signalledIsPrivate, latched, srtp, muted, deaf, gainDb, volumeDb } = facts;
  return {
    participant: participant.id,
    room: participant.room.name,
    state: ended === null ? facts.state : 'ended',
    role: view?.role ?? null,
    startedAt: iso(call.startedMs)!,
    answeredAt: iso(call.answeredMs),
    ended: ended && endView(call),
    signalling: {
      callId: participant.call?.callId ?? null,
      transport: flow?.protocol ?? null,
      source: flow && place(flow.remoteAddress, flow.remotePort),
      userAgent: call.userAgent,
    },
    codec: {
      sent: media?.send.codec ?? null,
      received: statistics?.receivingCodec ?? null,
      srtp,
      direction: media?.direction ?? null,
      negotiation: participant.media.explain(),
    },
    addresses: { signalled, signalledIsPrivate, latched, foreignPackets: statistics?.foreignPackets ?? null },
    received: {
      packets: statistics?.packetsReceived ?? null,
      firstAt: iso(statistics?.firstReceivedMs),
      lastAt: iso(statistics?.lastReceivedMs),
      lossPercent: facts.lossReceivedPercent,
      jitterMs: facts.jitterReceivedMs,
      levelDb: facts.receivedLevelDb,
      srtpRefused: statistics?.srtpRefused ?? null,
    },
    sent: {
      packets: statistics?.packetsSent ?? null,
      firstAt: iso(statistics?.firstSentMs),
      lossPercent: facts.lossSentPercent,
      jitterMs: facts.jitterSentMs,
      levelDb: statistics?.sentLevelDb ?? null,
    },
    roundTripMs: facts.roundTripMs,
    quality: statistics?.quality ?? null,
    controls: { muted, deaf, gainDb, volumeDb, speaksTo: view?.speaksTo ?? null },
    history: call.events.map(({ atMs, what, by }) => ({ at: iso(atMs)!, what, by })),
    keys: keysOf(call),
  };
}

function endView({ participant, direction, ended }: WatchedCall): DiagnosisView['ended'] {
  const { endedBy: by, ...why } = describeCallEnd(ended!.end, participant.endReason, direction);
  return { at: iso(ended!.atMs)!, ...why, by };
}

function keysOf({ keys, participant }: WatchedCall): DiagnosisView['keys'] {
  // Tones are listened for only where telephone events were not agreed upon.
  const inMedia = participant.media.media?.receiveTelephoneEvent ? 'telephone-event' : 'tone';
  return (['media', 'info'] as const).flatMap((means) => {
    const told = keys[means];
    return told === undefined
      ? []
      : [{ means: means === 'info' ? means : inMedia, count: told.count, lastAt: iso(told.lastMs)! }];
  });
}
