/** Extended reports of RTCP (RFC 3611): VoIP metrics both ways, and the round trip of those who only receive. */

import { readUint16, readUint32, writeUint16, writeUint32 } from './rtp-packet.ts';

export const RTCP_EXTENDED_REPORT = 207;
const RECEIVER_REFERENCE_TIME = 4;
const DELAY_SINCE_LAST_RECEIVER_REPORT = 5;
const VOIP_METRICS = 7;

const HEADER_LENGTH = 8;
const BLOCK_HEADER_LENGTH = 4;
const VOIP_METRICS_LENGTH = 36;
const DELAY_LENGTH = 16;

/** Room for both blocks that are written here. */
export const EXTENDED_REPORT_MAX_LENGTH = HEADER_LENGTH + VOIP_METRICS_LENGTH + DELAY_LENGTH;

/** §4.7.6: packet loss is concealed by better means than silence or repetition; the jitter buffer is adaptive. */
const RECEIVER_CONFIGURATION = 0b10_11_0000;
/** Signal, noise and echo levels, R factors and scores that are not known. */
const UNAVAILABLE = 127;

/** VoIP metrics of one source (RFC 3611 §4.7), in natural units; null for what is not known. */
export interface VoipMetrics {
  ssrc: number;
  /** Shares, 0–1. */
  lossShare: number;
  discardShare: number;
  burstDensity: number;
  gapDensity: number;
  burstMs: number;
  gapMs: number;
  roundTripMs: number;
  endSystemMs: number;
  gmin: number;
  /** 0–100. */
  rFactor: number | null;
  /** 1–5: for listening, and for a conversation, where delay counts. */
  listeningScore: number | null;
  conversationalScore: number | null;
  bufferMs: number;
  bufferMostMs: number;
}

export function emptyVoipMetrics(): VoipMetrics {
  return {
    ...{ ssrc: 0, lossShare: 0, discardShare: 0, burstDensity: 0, gapDensity: 0, burstMs: 0, gapMs: 0 },
    ...{ roundTripMs: 0, endSystemMs: 0, gmin: 16, rFactor: null, listeningScore: null, conversationalScore: null },
    ...{ bufferMs: 0, bufferMostMs: 0 },
  };
}

/** An answer to somebody's receiver reference time (RFC 3611 §4.5). */
export interface ReceiverReference {
  ssrc: number;
  /** Middle 32 bits of its NTP time. */
  lastReport: number;
  /** In units of 1/65536 s. */
  delay: number;
}

/** Writes an extended report with what is not null, at least one, and returns where it ends. */
export function writeExtendedReport(
  out: Uint8Array,
  offset: number,
  ssrc: number,
  metrics: VoipMetrics | null,
  reference: ReceiverReference | null,
): number {
  let end = offset + HEADER_LENGTH;
  if (reference !== null) end = writeDelay(out, end, reference);
  if (metrics !== null) end = writeVoipMetrics(out, end, metrics);
  out[offset] = 0x80;
  out[offset + 1] = RTCP_EXTENDED_REPORT;
  writeUint16(out, offset + 2, (end - offset) / 4 - 1);
  writeUint32(out, offset + 4, ssrc);
  return end;
}

function writeDelay(out: Uint8Array, offset: number, { ssrc, lastReport, delay }: ReceiverReference): number {
  writeBlockHeader(out, offset, DELAY_SINCE_LAST_RECEIVER_REPORT, DELAY_LENGTH);
  writeUint32(out, offset + 4, ssrc);
  writeUint32(out, offset + 8, lastReport);
  writeUint32(out, offset + 12, delay);
  return offset + DELAY_LENGTH;
}

function writeVoipMetrics(out: Uint8Array, offset: number, metrics: VoipMetrics): number {
  writeBlockHeader(out, offset, VOIP_METRICS, VOIP_METRICS_LENGTH);
  writeUint32(out, offset + 4, metrics.ssrc);
  out[offset + 8] = share(metrics.lossShare);
  out[offset + 9] = share(metrics.discardShare);
  out[offset + 10] = share(metrics.burstDensity);
  out[offset + 11] = share(metrics.gapDensity);
  writeUint16(out, offset + 12, milliseconds(metrics.burstMs));
  writeUint16(out, offset + 14, milliseconds(metrics.gapMs));
  writeUint16(out, offset + 16, milliseconds(metrics.roundTripMs));
  writeUint16(out, offset + 18, milliseconds(metrics.endSystemMs));
  out.fill(UNAVAILABLE, offset + 20, offset + 23);
  out[offset + 23] = metrics.gmin;
  out[offset + 24] = metrics.rFactor === null ? UNAVAILABLE : Math.round(metrics.rFactor);
  out[offset + 25] = UNAVAILABLE;
  out[offset + 26] = score(metrics.listeningScore);
  out[offset + 27] = score(metrics.conversationalScore);
  out[offset + 28] = RECEIVER_CONFIGURATION;
  out[offset + 29] = 0;
  writeUint16(out, offset + 30, milliseconds(metrics.bufferMs));
  writeUint16(out, offset + 32, milliseconds(metrics.bufferMostMs));
  writeUint16(out, offset + 34, milliseconds(metrics.bufferMostMs));
  return offset + VOIP_METRICS_LENGTH;
}

function writeBlockHeader(out: Uint8Array, offset: number, type: number, length: number): void {
  out[offset] = type;
  out[offset + 1] = 0;
  writeUint16(out, offset + 2, length / 4 - 1);
}

/** What of an extended report is of use to us; filled by `readExtendedReport`. */
export interface ExtendedReport {
  /** Whether it holds metrics on the source that was asked for, in `metrics`. */
  hasMetrics: boolean;
  metrics: VoipMetrics;
  /** Middle 32 bits of the sender's NTP time, to be answered; null when it did not say. */
  referenceTime: number | null;
}

export function emptyExtendedReport(): ExtendedReport {
  return { hasMetrics: false, metrics: emptyVoipMetrics(), referenceTime: null };
}

/** Reads the blocks from `offset` (that of the RTCP packet) to `end`; what is damaged or not known is passed over. */
export function readExtendedReport(
  buffer: Uint8Array,
  offset: number,
  end: number,
  ssrc: number,
  report: ExtendedReport,
): void {
  report.hasMetrics = false;
  report.referenceTime = null;
  let block = offset + HEADER_LENGTH;
  while (block + BLOCK_HEADER_LENGTH <= end) {
    const length = 4 * (readUint16(buffer, block + 2) + 1);
    if (block + length > end) return;
    const type = buffer[block]!;
    if (type === VOIP_METRICS && length === VOIP_METRICS_LENGTH && readUint32(buffer, block + 4) === ssrc) {
      readVoipMetrics(buffer, block, report.metrics);
      report.hasMetrics = true;
    } else if (type === RECEIVER_REFERENCE_TIME && length === 12) {
      report.referenceTime = ((readUint16(buffer, block + 6) << 16) | readUint16(buffer, block + 8)) >>> 0;
    }
    block += length;
  }
}

function readVoipMetrics(buffer: Uint8Array, offset: number, metrics: VoipMetrics): void {
  metrics.ssrc = readUint32(buffer, offset + 4);
  metrics.lossShare = buffer[offset + 8]! / 256;
  metrics.discardShare = buffer[offset + 9]! / 256;
  metrics.burstDensity = buffer[offset + 10]! / 256;
  metrics.gapDensity = buffer[offset + 11]! / 256;
  metrics.burstMs = readUint16(buffer, offset + 12);
  metrics.gapMs = readUint16(buffer, offset + 14);
  metrics.roundTripMs = readUint16(buffer, offset + 16);
  metrics.endSystemMs = readUint16(buffer, offset + 18);
  metrics.gmin = buffer[offset + 23]!;
  metrics.rFactor = buffer[offset + 24]! <= 100 ? buffer[offset + 24]! : null;
  metrics.listeningScore = readScore(buffer[offset + 26]!);
  metrics.conversationalScore = readScore(buffer[offset + 27]!);
  metrics.bufferMs = readUint16(buffer, offset + 30);
  metrics.bufferMostMs = readUint16(buffer, offset + 32);
}

/** A share as a fraction of 256, rounded down, which for all of them is 255 (§4.7.1). */
function share(value: number): number {
  return Math.min(255, Math.max(0, Math.floor(value * 256)));
}

function milliseconds(value: number): number {
  return Math.min(0xffff, Math.max(0, Math.round(value)));
}

/** Tenths, from 10 to 50 (§4.7.5). */
function score(value: number | null): number {
  return value === null ? UNAVAILABLE : Math.min(50, Math.max(10, Math.round(value * 10)));
}

function readScore(octet: number): number | null {
  return octet >= 10 && octet <= 50 ? octet / 10 : null;
}
