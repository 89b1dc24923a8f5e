import { ReceptionStatistics, type SequenceCheck } from './reception-statistics.ts';
import {
  emptyExtendedReport,
  emptyVoipMetrics,
  type ReceiverReference,
  type VoipMetrics,
  writeExtendedReport,
} from './rtcp-extended-report.ts';
import type { FeedbackHandler } from './rtcp-feedback.ts';
import {
  emptyReportBlock,
  type ReportBlock,
  type RtcpCompound,
  type SenderInfo,
  writeBye,
  writeReceiverReport,
  writeSenderReport,
  writeSourceDescription,
} from './rtcp-packet.ts';
import type { RtpPacket } from './rtp-packet.ts';

/** Seconds from the NTP epoch, 1900, to that of UNIX, 1970 (RFC 3550 §4). */
const NTP_TO_UNIX_SECONDS = 2_208_988_800;

/** The minimum, which for two parties at 5 % of an audio stream is also what bandwidth would allow (RFC 3550 §6.2). */
const REPORT_INTERVAL_MS = 5000;

/** What a report is made of, or was read into: for all sessions, as reports are written and read one after the other. */
const ownBlock = emptyReportBlock();
const ownInfo: SenderInfo = { ntpSeconds: 0, ntpFraction: 0, rtpTimestamp: 0, packetCount: 0, octetCount: 0 };
const ownMetrics = emptyVoipMetrics();
const extended = emptyExtendedReport();

export interface RtcpSessionOptions {
  ssrc: number;
  cname: string;
  /** Of what we send; see `sendClockRateHz`. */
  clockRateHz: number;
  /** UNIX time less the clock of all `nowMs`, milliseconds. */
  wallClockOffsetMs: number;
  startMs: number;
  /** 0 to 1, as `Math.random`. */
  random: () => number;
  /** Mean time between reports; 5000 when left out. */
  intervalMs?: number;
}

/**
 * `probation`, `invalid`: drop it. `newSource`: the first valid packet of another SSRC: reset the jitter buffer, then
 * play it. `restart`: the sender counts anew.
 */
export type ReceivedCheck = SequenceCheck | 'newSource';

/**
 * RTCP of one media stream between two parties: counts, says when a report is due, builds it and takes those received.
 *
 * Deviation: RFC 3550 §6.3 scales the interval with the members and reconsiders it as they come and go; here there are
 * always two, so the interval is the minimum, randomised, and needs no reconsideration.
 */
export class RtcpSession {
  readonly ssrc: number;
  /** To be set when the format that we send changes its clock. */
  sendClockRateHz: number;
  packetsSent = 0;
  octetsSent = 0;
  /** The source that is received; null before its first packet. */
  reception: ReceptionStatistics | null = null;
  /** What the other side's last report said of us; null before the first. 0 to 1. */
  remoteFractionLost: number | null = null;
  /** How many such reports came. */
  remoteReports = 0;
  remoteJitterMs: number | null = null;
  roundTripMs: number | null = null;
  /** What the other side's last VoIP metrics said of what we send (RFC 3611 §4.7); null before the first. */
  remoteMetrics: VoipMetrics | null = null;
  /** Fills in our own metrics, when the other side asked for them (RFC 3611 §5.1); called for each report. */
  fillMetrics: ((metrics: VoipMetrics) => void) | null = null;
  /** Is told what the other side's feedback says of what we send; null: it is passed over. */
  feedback: FeedbackHandler | null = null;
  /**
   * Where the other side's time stamps stand on its clock, by its last report: milliseconds since 1970, and the RTP time
   * stamp of that moment. Null before the first.
   */
  senderReference: { ntpMs: number; rtpTimestamp: number } | null = null;
  /** When the next regular report is due. */
  nextReportMs: number;

  readonly #cname: Uint8Array;
  readonly #wallClockOffsetMs: number;
  readonly #random: () => number;
  readonly #intervalMs: number;
  /** The other side's reference time, still to be answered. */
  readonly #reference: ReceiverReference = { ssrc: 0, lastReport: 0, delay: 0 };
  #referenceMs = Number.NaN;
  #candidate: ReceptionStatistics | null = null;
  #lastTimestamp = 0;
  #lastSentMs = 0;
  /** The other side can play this stream in step with our others from its first packet. */
  #toldAsSender = false;
  /** Reports since we sent media; a sender is one who did so within two intervals (RFC 3550 §6.3.8). */
  #reportsSinceSent = 2;
  #lastSenderReport = 0;
  #lastSenderReportMs = 0;

  constructor(options: RtcpSessionOptions) {
    this.ssrc = options.ssrc;
    this.sendClockRateHz = options.clockRateHz;
    this.#cname = cnameOctets(options.cname);
    this.#wallClockOffsetMs = options.wallClockOffsetMs;
    this.#random = options.random;
    this.#intervalMs = options.intervalMs ?? REPORT_INTERVAL_MS;
    // RFC 3550 §6.2: half the interval before the first report.
    this.nextReportMs = options.startMs + this.#randomInterval() / 2;
  }

  /** Counts a media packet that was sent. */
  sent(timestamp: number, payloadLength: number, nowMs: number): void {
    this.packetsSent++;
    this.octetsSent += payloadLength;
    this.#lastTimestamp = timestamp;
    this.#lastSentMs = nowMs;
    this.#reportsSinceSent = 0;
  }

  /** Counts a media packet that was received, `clockRateHz` being that of its payload type. */
  received(packet: RtpPacket, clockRateHz: number, arrivalMs: number): ReceivedCheck {
    const known = this.reception;
    if (known !== null && known.ssrc === packet.ssrc && known.clockRateHz === clockRateHz) {
      this.#candidate = null;
      return known.received(packet.sequenceNumber, packet.timestamp, packet.payloadLength, arrivalMs);
    }
    // A new source is on probation before it takes the place of the old one (RFC 3550 A.1), so strays do no harm.
    let candidate = this.#candidate;
    if (candidate === null || candidate.ssrc !== packet.ssrc || candidate.clockRateHz !== clockRateHz) {
      candidate = new ReceptionStatistics(packet.ssrc, clockRateHz, packet.sequenceNumber);
      this.#candidate = candidate;
    }
    const check = candidate.received(packet.sequenceNumber, packet.timestamp, packet.payloadLength, arrivalMs);
    if (check !== 'valid') return check;
    this.#candidate = null;
    this.reception = candidate;
    this.#lastSenderReport = 0;
    this.senderReference = null;
    return 'newSource';
  }

  /**
   * A regular report is due, or the one that goes with the first media packet (RFC 3550 §6.2, RFC 6051 §2.1: in unicast
   * sessions without delay).
   */
  reportDue(nowMs: number): boolean {
    return nowMs >= this.nextReportMs || (this.packetsSent > 0 && !this.#toldAsSender);
  }

  /** Writes SR or RR with SDES into `out` (`RTCP_MAX_WRITTEN_LENGTH`), sets the next time and returns the length. */
  writeReport(out: Uint8Array, nowMs: number): number {
    if (nowMs >= this.nextReportMs) this.nextReportMs = nowMs + this.#randomInterval();
    this.#toldAsSender = this.packetsSent > 0;
    return this.#writeReportAndCname(out, nowMs);
  }

  /**
   * Begins a compound packet for feedback that goes at once (RFC 4585 §3.1): SR or RR and SDES, after which messages are
   * to be written from the offset that is returned.
   *
   * Without report blocks, so that the losses of an interval are told once, in the next regular report, and not in
   * slices of a few packets each.
   */
  beginFeedback(out: Uint8Array, nowMs: number): number {
    return writeSourceDescription(out, this.#writeReport(out, nowMs, null), this.ssrc, this.#cname);
  }

  /** The last compound packet (RFC 3550 §6.3.7; with fewer than 50 members it may be sent at once). */
  writeBye(out: Uint8Array, nowMs: number): number {
    return writeBye(out, this.#writeReportAndCname(out, nowMs), this.ssrc);
  }

  /** Takes a compound packet that was just parsed. */
  receivedReport(compound: RtcpCompound, nowMs: number): void {
    while (compound.next()) {
      switch (compound.kind) {
        case 'senderReport':
          this.#noteSenderReport(compound, nowMs);
          this.#readBlocks(compound, nowMs);
          break;
        case 'receiverReport':
          this.#readBlocks(compound, nowMs);
          break;
        case 'extendedReport':
          this.#readExtended(compound, nowMs);
          break;
        case 'feedback':
          if (this.feedback !== null) compound.readFeedback(this.ssrc, this.feedback);
          break;
        case 'sourceDescription':
        // Signalling says when a call is over.
        case 'bye':
        case 'application':
        case 'other':
          break;
      }
    }
  }

  #randomInterval(): number {
    return this.#intervalMs * (0.5 + this.#random());
  }

  #writeReportAndCname(out: Uint8Array, nowMs: number): number {
    let block = null;
    if (this.reception !== null) {
      block = ownBlock;
      this.reception.report(block);
      const heard = this.#lastSenderReport !== 0;
      block.lastSenderReport = this.#lastSenderReport;
      block.delaySinceLastSenderReport = heard
        ? Math.min(0xffffffff, Math.round(((nowMs - this.#lastSenderReportMs) * 65536) / 1000))
        : 0;
    }
    const end = this.#writeReport(out, nowMs, block);
    this.#reportsSinceSent++;
    return this.#writeExtended(out, writeSourceDescription(out, end, this.ssrc, this.#cname), nowMs);
  }

  #writeReport(out: Uint8Array, nowMs: number, block: ReportBlock | null): number {
    if (this.#reportsSinceSent >= 2) return writeReceiverReport(out, 0, this.ssrc, block);
    this.#fillSenderInfo(nowMs);
    return writeSenderReport(out, 0, this.ssrc, ownInfo, block);
  }

  #writeExtended(out: Uint8Array, offset: number, nowMs: number): number {
    let metrics: VoipMetrics | null = null;
    if (this.fillMetrics !== null && this.reception !== null) {
      metrics = ownMetrics;
      metrics.ssrc = this.reception.ssrc;
      this.fillMetrics(metrics);
    }
    let reference: ReceiverReference | null = null;
    if (!Number.isNaN(this.#referenceMs)) {
      reference = this.#reference;
      reference.delay = Math.min(0xffffffff, Math.round(((nowMs - this.#referenceMs) * 65536) / 1000));
      this.#referenceMs = Number.NaN;
    }
    if (metrics === null && reference === null) return offset;
    return writeExtendedReport(out, offset, this.ssrc, metrics, reference);
  }

  #fillSenderInfo(nowMs: number): void {
    const info = ownInfo;
    const unixMs = nowMs + this.#wallClockOffsetMs;
    const seconds = Math.floor(unixMs / 1000);
    info.ntpSeconds = (seconds + NTP_TO_UNIX_SECONDS) % 2 ** 32;
    info.ntpFraction = Math.floor(((unixMs - seconds * 1000) / 1000) * 2 ** 32);
    // The same instant as the NTP time, not that of the last packet (RFC 3550 §6.4.1).
    const elapsedTicks = Math.round(((nowMs - this.#lastSentMs) * this.sendClockRateHz) / 1000);
    info.rtpTimestamp = (this.#lastTimestamp + elapsedTicks) >>> 0;
    info.packetCount = this.packetsSent % 2 ** 32;
    info.octetCount = this.octetsSent % 2 ** 32;
  }

  #noteSenderReport(compound: RtcpCompound, nowMs: number): void {
    if (this.reception === null || compound.ssrc !== this.reception.ssrc) return;
    const { ntpSeconds, ntpFraction, rtpTimestamp } = compound.senderInfo;
    this.#lastSenderReport = middleOfNtp(ntpSeconds, ntpFraction);
    this.#lastSenderReportMs = nowMs;
    const ntpMs = (ntpSeconds - NTP_TO_UNIX_SECONDS + ntpFraction / 2 ** 32) * 1000;
    this.senderReference = { ntpMs, rtpTimestamp };
  }

  #readBlocks(compound: RtcpCompound, nowMs: number): void {
    for (let i = 0; compound.readReportBlock(i); i++) {
      const block = compound.reportBlock;
      if (block.ssrc !== this.ssrc) continue;
      this.remoteReports++;
      this.remoteFractionLost = block.fractionLost / 256;
      this.remoteJitterMs = (block.jitter * 1000) / this.sendClockRateHz;
      if (block.lastSenderReport === 0) continue;
      this.#fillSenderInfo(nowMs);
      const arrival = middleOfNtp(ownInfo.ntpSeconds, ownInfo.ntpFraction);
      const roundTrip = (arrival - block.lastSenderReport - block.delaySinceLastSenderReport) | 0;
      // A little below zero is rounding or the other side's clock; far below is a report on somebody else's time.
      if (roundTrip > -65536) this.roundTripMs = Math.max(0, (roundTrip * 1000) / 65536);
    }
  }

  #readExtended(compound: RtcpCompound, nowMs: number): void {
    const report = extended;
    compound.readExtendedReport(this.ssrc, report);
    if (report.hasMetrics) this.remoteMetrics = { ...report.metrics };
    if (report.referenceTime === null) return;
    this.#reference.ssrc = compound.ssrc;
    this.#reference.lastReport = report.referenceTime;
    this.#referenceMs = nowMs;
  }
}

function middleOfNtp(seconds: number, fraction: number): number {
  return (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
}

/** At most 255 octets, as the length field has one (RFC 3550 §6.5). */
function cnameOctets(cname: string): Uint8Array {
  const octets = new TextEncoder().encode(cname);
  return octets.length > 255 ? octets.subarray(0, 255) : octets;
}
