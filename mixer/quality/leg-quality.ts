import type { AudioCodecName, LegQuality } from '../protocol.ts';
import type { VoipMetrics } from '../rtp/rtcp-extended-report.ts';
import { type Impairments, meanOpinionScore, rFactor } from './e-model.ts';
import { GMIN, type LossBursts } from './loss-bursts.ts';

/** Filling a packet, and waiting for the room's tick, at either end of our part of the way. */
const PACKET_AND_TICK_MS = 40;
/** What a phone's jitter buffer adds, where it does not say: about twice the jitter, and a packet. */
const PHONE_JITTER_FACTOR = 2;
const PHONE_BUFFER_MS = 20;

/** What is known of both directions of a leg. */
export interface QualityInputs {
  receivingCodec: AudioCodecName | null;
  sendingCodec: AudioCodecName | null;
  /** Of what is received: losses as they were heard. */
  bursts: LossBursts;
  receivesFec: boolean;
  sendsFec: boolean;
  packetMs: number;
  /** Lost on the way, 0–1. */
  lossShare: number;
  jitterMs: number;
  bufferDelayMs: number;
  bufferMostMs: number;
  roundTripMs: number | null;
  remoteFractionLost: number | null;
  remoteJitterMs: number | null;
  remoteMetrics: VoipMetrics | null;
}

/** Null before any packet. */
export function legQuality(inputs: QualityInputs): LegQuality | null {
  const { bursts, packetMs } = inputs;
  if (bursts.packets === 0) return null;
  return {
    received: {
      mos: meanOpinionScore(rFactor(receivedImpairments(inputs))),
      lossPercent: 100 * inputs.lossShare,
      jitterMs: inputs.jitterMs,
      concealedPercent: 100 * bursts.lossShare,
      burstLossPercent: 100 * bursts.burstDensity,
      burstMs: bursts.burstPackets * packetMs,
      gapLossPercent: 100 * bursts.gapDensity,
      gapMs: bursts.gapPackets * packetMs,
    },
    sent: sentQuality(inputs),
    roundTripMs: inputs.roundTripMs,
    bufferDelayMs: inputs.bufferDelayMs,
  };
}

function sentQuality(inputs: QualityInputs): LegQuality['sent'] {
  const { remoteFractionLost, remoteMetrics } = inputs;
  if (remoteFractionLost === null) return null;
  const estimate = meanOpinionScore(rFactor(sentImpairments(inputs, remoteFractionLost)));
  return {
    // The other side knows best how it hears us.
    mos: remoteMetrics?.conversationalScore ?? estimate,
    lossPercent: 100 * remoteFractionLost,
    jitterMs: inputs.remoteJitterMs,
    discardedPercent: remoteMetrics === null ? null : 100 * remoteMetrics.discardShare,
    burstLossPercent: remoteMetrics === null ? null : 100 * remoteMetrics.burstDensity,
  };
}

function receivedImpairments(inputs: QualityInputs): Impairments {
  const { receivingCodec: codec, bursts, receivesFec: repairs, bufferDelayMs, roundTripMs } = inputs;
  const delayMs = (roundTripMs ?? 0) / 2 + bufferDelayMs + PACKET_AND_TICK_MS;
  return { codec, lossShare: bursts.lossShare, burstRatio: bursts.burstRatio, repairs, delayMs };
}

function sentImpairments(inputs: QualityInputs, lossShare: number): Impairments {
  const { sendingCodec: codec, sendsFec: repairs, remoteJitterMs, remoteMetrics, roundTripMs } = inputs;
  const bufferMs = remoteMetrics?.bufferMs || PHONE_JITTER_FACTOR * (remoteJitterMs ?? 0) + PHONE_BUFFER_MS;
  return { codec, lossShare, burstRatio: 1, repairs, delayMs: (roundTripMs ?? 0) / 2 + bufferMs + PACKET_AND_TICK_MS };
}

/** Our own metrics for the other side (RFC 3611 §4.7); `metrics.ssrc` stays. */
export function fillVoipMetrics(metrics: VoipMetrics, inputs: QualityInputs): void {
  const { bursts, packetMs, lossShare, bufferDelayMs, bufferMostMs, roundTripMs } = inputs;
  const received = receivedImpairments(inputs);
  const conversational = rFactor(received);
  metrics.lossShare = lossShare;
  metrics.discardShare = Math.max(0, bursts.lossShare - lossShare);
  metrics.burstDensity = bursts.burstDensity;
  metrics.gapDensity = bursts.gapDensity;
  metrics.burstMs = bursts.burstPackets * packetMs;
  metrics.gapMs = bursts.gapPackets * packetMs;
  metrics.roundTripMs = roundTripMs ?? 0;
  metrics.endSystemMs = bufferDelayMs + PACKET_AND_TICK_MS;
  metrics.gmin = GMIN;
  metrics.rFactor = conversational;
  metrics.conversationalScore = meanOpinionScore(conversational);
  metrics.listeningScore = meanOpinionScore(rFactor({ ...received, delayMs: 0 }));
  metrics.bufferMs = bufferDelayMs;
  metrics.bufferMostMs = bufferMostMs;
}
