/** Reading and writing compound RTCP packets (RFC 3550 §6). */

import type { ExtendedReport } from './rtcp-extended-report.ts';
import { EXTENDED_REPORT_MAX_LENGTH, RTCP_EXTENDED_REPORT, readExtendedReport } from './rtcp-extended-report.ts';
import {
  FEEDBACK_HEADER_LENGTH,
  type FeedbackHandler,
  RTCP_PAYLOAD_FEEDBACK,
  RTCP_TRANSPORT_FEEDBACK,
  readFeedback,
} from './rtcp-feedback.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from './rtp-packet.ts';

const RTCP_SENDER_REPORT = 200;
const RTCP_RECEIVER_REPORT = 201;
const RTCP_SOURCE_DESCRIPTION = 202;
const RTCP_BYE = 203;
const RTCP_APPLICATION = 204;
const SDES_CNAME = 1;

const HEADER_LENGTH = 4;
const REPORT_BLOCK_LENGTH = 24;
const SENDER_INFO_LENGTH = 20;
const SDES_MAX_LENGTH = 268;
const BYE_LENGTH = 8;

/** Room for every compound packet that is written: SR with a block, SDES with the longest CNAME, XR and BYE. */
export const RTCP_MAX_WRITTEN_LENGTH =
  8 + SENDER_INFO_LENGTH + REPORT_BLOCK_LENGTH + SDES_MAX_LENGTH + EXTENDED_REPORT_MAX_LENGTH + BYE_LENGTH;

export type RtcpKind =
  | 'senderReport'
  | 'receiverReport'
  | 'sourceDescription'
  | 'bye'
  | 'application'
  | 'extendedReport'
  | 'feedback'
  | 'other';

/** RFC 3550 §6.4.1, in the units of the wire. */
export interface ReportBlock {
  ssrc: number;
  /** Of 256, since the report before. */
  fractionLost: number;
  /** Signed, 24 bits. */
  cumulativeLost: number;
  extendedHighestSequence: number;
  /** Ticks of the RTP clock. */
  jitter: number;
  /** Middle 32 bits of the NTP time of the last sender report; 0 when there was none. */
  lastSenderReport: number;
  /** In units of 1/65536 s. */
  delaySinceLastSenderReport: number;
}

export interface SenderInfo {
  ntpSeconds: number;
  ntpFraction: number;
  rtpTimestamp: number;
  packetCount: number;
  octetCount: number;
}

export function emptyReportBlock(): ReportBlock {
  return {
    ssrc: 0,
    fractionLost: 0,
    cumulativeLost: 0,
    extendedHighestSequence: 0,
    jitter: 0,
    lastSenderReport: 0,
    delaySinceLastSenderReport: 0,
  };
}

/** A reusable reader that walks over the packets of one compound packet; see `next`. */
export class RtcpCompound {
  kind: RtcpKind = 'other';
  packetType = 0;
  /** The five bits of the header: report blocks, chunks, sources or a subtype. */
  count = 0;
  /** Of the sender of this packet, for an SDES and a BYE the first source; 0 when there is none. */
  ssrc = 0;
  /** Filled for a sender report. */
  readonly senderInfo: SenderInfo = { ntpSeconds: 0, ntpFraction: 0, rtpTimestamp: 0, packetCount: 0, octetCount: 0 };
  /** Filled by `readReportBlock`. */
  readonly reportBlock: ReportBlock = emptyReportBlock();

  #buffer: Uint8Array = new Uint8Array(0);
  /** Of the present packet, and its end without padding. */
  #offset = 0;
  #end = 0;
  #next = 0;
  #length = 0;

  /**
   * Checks the first `length` octets of `buffer` as RFC 3550 A.2 says and stands before the first packet.
   *
   * Reduced-size packets, which begin with something else than a report, pass (RFC 5506). False when the whole must be
   * dropped: then nothing may be read. The buffer is kept, not copied.
   */
  parse(buffer: Uint8Array, length: number): boolean {
    this.#buffer = buffer;
    this.#length = 0;
    this.#next = 0;
    if (length < HEADER_LENGTH || length > buffer.length) return false;
    let offset = 0;
    while (offset < length) {
      if (offset + HEADER_LENGTH > length) return false;
      const first = buffer[offset]!;
      const type = buffer[offset + 1]!;
      if (first >> 6 !== 2 || type < 192 || type > 223) return false;
      const end = offset + packetLength(buffer, offset);
      if (end > length) return false;
      if ((first & 0x20) !== 0 && !validPadding(buffer, offset, end, length)) return false;
      if (end - offset - paddingOf(buffer, offset, end) < minimalLength(type, first & 0x1f)) return false;
      offset = end;
    }
    this.#length = length;
    return true;
  }

  /** Moves on to the next packet and fills the fields; false after the last. */
  next(): boolean {
    if (this.#next >= this.#length) return false;
    const buffer = this.#buffer;
    const offset = this.#next;
    const end = offset + packetLength(buffer, offset);
    this.#offset = offset;
    this.#next = end;
    this.#end = end - paddingOf(buffer, offset, end);
    this.packetType = buffer[offset + 1]!;
    this.kind = kindOf(this.packetType);
    this.count = buffer[offset]! & 0x1f;
    this.ssrc = this.#end - offset >= 8 ? readUint32(buffer, offset + 4) : 0;
    if (this.kind === 'senderReport') this.#readSenderInfo(offset + 8);
    return true;
  }

  /** Fills `reportBlock` from block `index` of a sender or receiver report; false when there are fewer. */
  readReportBlock(index: number): boolean {
    if (index < 0 || index >= this.count) return false;
    let offset = this.#offset + 8 + index * REPORT_BLOCK_LENGTH;
    if (this.kind === 'senderReport') offset += SENDER_INFO_LENGTH;
    else if (this.kind !== 'receiverReport') return false;
    const buffer = this.#buffer;
    const block = this.reportBlock;
    block.ssrc = readUint32(buffer, offset);
    block.fractionLost = buffer[offset + 4]!;
    block.cumulativeLost = (readUint32(buffer, offset + 4) << 8) >> 8;
    block.extendedHighestSequence = readUint32(buffer, offset + 8);
    block.jitter = readUint32(buffer, offset + 12);
    block.lastSenderReport = readUint32(buffer, offset + 16);
    block.delaySinceLastSenderReport = readUint32(buffer, offset + 20);
    return true;
  }

  /** Fills `report` from an extended report, with the metrics on `ssrc` only. */
  readExtendedReport(ssrc: number, report: ExtendedReport): void {
    readExtendedReport(this.#buffer, this.#offset, this.#end, ssrc, report);
  }

  /** Tells `handler` what a feedback message says of `ssrc`. */
  readFeedback(ssrc: number, handler: FeedbackHandler): void {
    readFeedback(this.#buffer, this.#offset, this.#end, ssrc, handler);
  }

  #readSenderInfo(offset: number): void {
    const buffer = this.#buffer;
    const info = this.senderInfo;
    info.ntpSeconds = readUint32(buffer, offset);
    info.ntpFraction = readUint32(buffer, offset + 4);
    info.rtpTimestamp = readUint32(buffer, offset + 8);
    info.packetCount = readUint32(buffer, offset + 12);
    info.octetCount = readUint32(buffer, offset + 16);
  }
}

/** Writes a sender report at `offset`, with a block or without, and returns where it ends. */
export function writeSenderReport(
  out: Uint8Array,
  offset: number,
  ssrc: number,
  info: SenderInfo,
  block: ReportBlock | null,
): number {
  const end = offset + 8 + SENDER_INFO_LENGTH + (block === null ? 0 : REPORT_BLOCK_LENGTH);
  writeHeader(out, offset, end, block === null ? 0 : 1, RTCP_SENDER_REPORT);
  writeUint32(out, offset + 4, ssrc);
  writeUint32(out, offset + 8, info.ntpSeconds);
  writeUint32(out, offset + 12, info.ntpFraction);
  writeUint32(out, offset + 16, info.rtpTimestamp);
  writeUint32(out, offset + 20, info.packetCount);
  writeUint32(out, offset + 24, info.octetCount);
  if (block !== null) writeReportBlock(out, offset + 28, block);
  return end;
}

/** Writes a receiver report at `offset`, with a block or without, and returns where it ends. */
export function writeReceiverReport(out: Uint8Array, offset: number, ssrc: number, block: ReportBlock | null): number {
  const end = offset + 8 + (block === null ? 0 : REPORT_BLOCK_LENGTH);
  writeHeader(out, offset, end, block === null ? 0 : 1, RTCP_RECEIVER_REPORT);
  writeUint32(out, offset + 4, ssrc);
  if (block !== null) writeReportBlock(out, offset + 8, block);
  return end;
}

/** Writes an SDES with only a CNAME (UTF-8, at most 255 octets; RFC 3550 §6.5.1) and returns where it ends. */
export function writeSourceDescription(out: Uint8Array, offset: number, ssrc: number, cname: Uint8Array): number {
  const textEnd = offset + 10 + cname.length;
  // At least one zero octet ends the items, then zeros up to a multiple of four.
  const end = textEnd + 4 - ((textEnd - offset) & 3);
  writeHeader(out, offset, end, 1, RTCP_SOURCE_DESCRIPTION);
  writeUint32(out, offset + 4, ssrc);
  out[offset + 8] = SDES_CNAME;
  out[offset + 9] = cname.length;
  out.set(cname, offset + 10);
  out.fill(0, textEnd, end);
  return end;
}

/** Writes a BYE for one source, without a reason, and returns where it ends. */
export function writeBye(out: Uint8Array, offset: number, ssrc: number): number {
  writeHeader(out, offset, offset + 8, 1, RTCP_BYE);
  writeUint32(out, offset + 4, ssrc);
  return offset + 8;
}

function writeReportBlock(out: Uint8Array, offset: number, block: ReportBlock): void {
  writeUint32(out, offset, block.ssrc);
  writeUint32(out, offset + 4, block.cumulativeLost);
  out[offset + 4] = block.fractionLost;
  writeUint32(out, offset + 8, block.extendedHighestSequence);
  writeUint32(out, offset + 12, block.jitter);
  writeUint32(out, offset + 16, block.lastSenderReport);
  writeUint32(out, offset + 20, block.delaySinceLastSenderReport);
}

function writeHeader(out: Uint8Array, offset: number, end: number, count: number, packetType: number): void {
  out[offset] = 0x80 | count;
  out[offset + 1] = packetType;
  writeUint16(out, offset + 2, (end - offset) / 4 - 1);
}

function packetLength(buffer: Uint8Array, offset: number): number {
  return 4 * (readUint16(buffer, offset + 2) + 1);
}

/** Padding is allowed only on the last packet, in multiples of four (RFC 3550 §6.4.1). */
function validPadding(buffer: Uint8Array, offset: number, end: number, length: number): boolean {
  const padding = buffer[end - 1]!;
  return end === length && padding > 0 && padding % 4 === 0 && padding <= end - offset - HEADER_LENGTH;
}

function paddingOf(buffer: Uint8Array, offset: number, end: number): number {
  return (buffer[offset]! & 0x20) === 0 ? 0 : buffer[end - 1]!;
}

function minimalLength(packetType: number, count: number): number {
  switch (packetType) {
    case RTCP_SENDER_REPORT:
      return 8 + SENDER_INFO_LENGTH + count * REPORT_BLOCK_LENGTH;
    case RTCP_RECEIVER_REPORT:
      return 8 + count * REPORT_BLOCK_LENGTH;
    case RTCP_SOURCE_DESCRIPTION:
      return HEADER_LENGTH + 8 * count;
    case RTCP_BYE:
      return HEADER_LENGTH + 4 * count;
    case RTCP_APPLICATION:
      return 12;
    case RTCP_EXTENDED_REPORT:
      return 8;
    case RTCP_TRANSPORT_FEEDBACK:
    case RTCP_PAYLOAD_FEEDBACK:
      return FEEDBACK_HEADER_LENGTH;
    default:
      return HEADER_LENGTH;
  }
}

function kindOf(packetType: number): RtcpKind {
  switch (packetType) {
    case RTCP_SENDER_REPORT:
      return 'senderReport';
    case RTCP_RECEIVER_REPORT:
      return 'receiverReport';
    case RTCP_SOURCE_DESCRIPTION:
      return 'sourceDescription';
    case RTCP_BYE:
      return 'bye';
    case RTCP_APPLICATION:
      return 'application';
    case RTCP_EXTENDED_REPORT:
      return 'extendedReport';
    case RTCP_TRANSPORT_FEEDBACK:
    case RTCP_PAYLOAD_FEEDBACK:
      return 'feedback';
    default:
      return 'other';
  }
}
