import type { AudioMedia, LegQuality, LegStatistics } from '../../mixer/protocol.ts';
import { hidePins } from '../diagnosis/redact.ts';
import type { Call, CallEnd } from '../sip/dialog/call.ts';

/** A call that stands, as its first log line says it. */
export function describeStart(
  peer: { direction: 'from' | 'to'; uri: string },
  call: Call | null,
  media: AudioMedia | null,
): Record<string, unknown> {
  return {
    [peer.direction]: hidePins(peer.uri),
    source: call?.flow?.remoteAddress,
    codec: media?.send.codec,
    srtp: media?.crypto?.suite ?? null,
    sessionId: call?.sessionId,
  };
}

/** Why a call ended, as its log line says it. */
export function describeEnd(end: CallEnd, ourReason: string | null): Record<string, unknown> {
  switch (end.cause) {
    case 'remote-bye':
      return { cause: end.cause, reason: end.reason };
    case 'rejected':
      return { cause: end.cause, status: end.status, reason: ourReason ?? end.reason };
    case 'dialog-gone':
      return { cause: end.cause, status: end.status, reason: ourReason };
    case 'transport':
      return { cause: end.cause, reason: end.message };
    case 'cancelled':
      return { cause: end.cause, reason: ourReason ?? end.reason };
    case 'local-bye':
    case 'no-answer':
    case 'session-expired':
    case 'ack-timeout':
      return { cause: end.cause, reason: ourReason };
  }
}

/** What went over the wire, as the call's last log line says it. */
export function describeMedia(statistics: LegStatistics | null): Record<string, unknown> {
  if (!statistics) return {};
  const { packetsReceived, packetsSent, packetsLost, receivingCodec: codec, srtpRefused } = statistics;
  const jitterMs = Math.round(statistics.jitterMs * 10) / 10;
  return {
    ...{ packetsReceived, packetsSent, packetsLost, jitterMs, codec },
    ...(srtpRefused > 0 ? { srtpRefused } : {}),
    ...(statistics.quality ? describeQuality(statistics.quality) : {}),
  };
}

/** The SIP status that a call of ours came to, for whoever asked for it. */
export function statusOf(end: CallEnd): { status: number; reason: string } {
  switch (end.cause) {
    case 'rejected':
      return { status: end.status, reason: end.reason ?? '' };
    case 'no-answer':
      return { status: 408, reason: 'No answer' };
    case 'cancelled':
      return { status: 487, reason: '' };
    default:
      return { status: 503, reason: '' };
  }
}

function describeQuality({ received, sent, roundTripMs }: LegQuality): Record<string, number> {
  const figures: Record<string, number> = { mos: received.mos, concealedPercent: received.concealedPercent };
  if (sent !== null) {
    figures['mosSent'] = sent.mos;
    figures['lossSentPercent'] = sent.lossPercent;
  }
  if (roundTripMs !== null) figures['roundTripMs'] = roundTripMs;
  for (const [name, figure] of Object.entries(figures)) figures[name] = Math.round(figure * 10) / 10;
  return figures;
}
