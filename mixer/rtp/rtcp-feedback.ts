/**
 * Feedback messages of RTCP: generic NACK and PLI (RFC 4585), FIR, TMMBR and TMMBN (RFC 5104), and the receiver's estimate
 * of what can be sent (REMB, draft-alvestrand-rmcat-remb-03).
 */

import { readUint16, readUint32, writeUint16, writeUint32 } from './rtp-packet.ts';

export const RTCP_TRANSPORT_FEEDBACK = 205;
export const RTCP_PAYLOAD_FEEDBACK = 206;

/** Header, sender and media source (RFC 4585 §6.1). */
export const FEEDBACK_HEADER_LENGTH = 12;

const GENERIC_NACK = 1;
const TMMBR = 3;
const TMMBN = 4;

const PICTURE_LOSS = 1;
const FULL_INTRA = 4;
const APPLICATION_LAYER = 15;

const NACK_ITEM_LENGTH = 4;
const INTRA_ITEM_LENGTH = 8;
const BITRATE_ITEM_LENGTH = 8;
/** A NACK item names a packet and any of the 16 that follow (RFC 4585 §6.2.1). */
const NACK_SPAN = 16;

/** "REMB" in ASCII. */
const REMB_MARK = 0x52454d42;
/** Mark, count of sources with the bitrate, one source. */
const REMB_LENGTH = FEEDBACK_HEADER_LENGTH + 12;

/** Mantissa and exponent of a bitrate: 17 and 6 bits in TMMBR (RFC 5104 §4.2.1.1), 18 and 6 in REMB. */
const TMMBR_MANTISSA_BITS = 17;
const REMB_MANTISSA_BITS = 18;

/** Of octets that each packet has besides the payload, 9 bits. */
const MAX_OVERHEAD = 511;

/**
 * Takes what the other side says of what we send. Numbers are checked for nothing but their form. Requests are told once
 * for each message.
 */
export interface FeedbackHandler {
  /** A packet of ours was lost. Called for each; one message may name some thousands. */
  packetLost(sequenceNumber: number): void;
  /** A key frame is needed (PLI). */
  pictureLost(): void;
  /** A key frame is asked for (FIR). The same `command` number again is the same request (RFC 5104 §4.3.1.2). */
  intraRequested(sender: number, command: number): void;
  /**
   * We shall send at most so much (TMMBR), lower layers included: `overhead` octets with each packet. To be answered with
   * TMMBN. 0: nothing.
   */
  bitrateLimited(sender: number, bitrateBps: number, overhead: number): void;
  /** The answer to a TMMBR of ours: `owner` limits what they send. Not called where there is no limit. */
  limitNotified(owner: number, bitrateBps: number, overhead: number): void;
  /** What the other side believes that it can receive of all our streams (REMB). */
  bitrateEstimated(bitrateBps: number): void;
}

/**
 * Reads a feedback message that begins at `offset` and ends before `end`, and tells `handler` what is in it for source
 * `ssrc`, ours. Forms that are not known are passed over, and so is what is cut short.
 *
 * Messages about source 0 are taken too: there is but one source in a session of two.
 */
export function readFeedback(
  buffer: Uint8Array,
  offset: number,
  end: number,
  ssrc: number,
  handler: FeedbackHandler,
): void {
  if (end - offset < FEEDBACK_HEADER_LENGTH) return;
  const format = buffer[offset]! & 0x1f;
  const transport = buffer[offset + 1] === RTCP_TRANSPORT_FEEDBACK;
  const media = readUint32(buffer, offset + 8);
  const isOurs = media === ssrc || media === 0;
  const sender = readUint32(buffer, offset + 4);
  const from = offset + FEEDBACK_HEADER_LENGTH;
  if (transport) {
    if (format === GENERIC_NACK && isOurs) readNack(buffer, from, end, handler);
    else if (format === TMMBR) readLimits(buffer, from, end, ssrc, sender, handler);
    else if (format === TMMBN) readNotified(buffer, from, end, handler);
  } else if (format === PICTURE_LOSS) {
    if (isOurs) handler.pictureLost();
  } else if (format === FULL_INTRA) readIntra(buffer, from, end, ssrc, sender, handler);
  else if (format === APPLICATION_LAYER) readEstimate(buffer, from, end, ssrc, handler);
}

/**
 * Writes a generic NACK for the first `count` of `lost`, in the order of the stream, and returns where it ends: at most
 * `FEEDBACK_HEADER_LENGTH` + 4 octets for each.
 */
export function writeNack(
  out: Uint8Array,
  offset: number,
  sender: number,
  media: number,
  lost: Uint16Array,
  count: number,
): number {
  let end = offset + FEEDBACK_HEADER_LENGTH;
  for (let index = 0; index < count; ) {
    const first = lost[index++]!;
    let following = 0;
    for (; index < count; index++) {
      const distance = (lost[index]! - first) & 0xffff;
      if (distance === 0 || distance > NACK_SPAN) break;
      following |= 1 << (distance - 1);
    }
    writeUint16(out, end, first);
    writeUint16(out, end + 2, following);
    end += NACK_ITEM_LENGTH;
  }
  writeHeader(out, offset, end, RTCP_TRANSPORT_FEEDBACK, GENERIC_NACK, sender, media);
  return end;
}

/** Writes a picture loss indication and returns where it ends. */
export function writePictureLoss(out: Uint8Array, offset: number, sender: number, media: number): number {
  const end = offset + FEEDBACK_HEADER_LENGTH;
  writeHeader(out, offset, end, RTCP_PAYLOAD_FEEDBACK, PICTURE_LOSS, sender, media);
  return end;
}

/** Writes a full intra request, `command` 0–255 being one more for each new one, and returns where it ends. */
export function writeIntraRequest(
  out: Uint8Array,
  offset: number,
  sender: number,
  media: number,
  command: number,
): number {
  const from = offset + FEEDBACK_HEADER_LENGTH;
  writeUint32(out, from, media);
  writeUint32(out, from + 4, 0);
  out[from + 4] = command;
  // The media source of the header is 0: each item has its own (RFC 5104 §4.3.1.2).
  writeHeader(out, offset, from + INTRA_ITEM_LENGTH, RTCP_PAYLOAD_FEEDBACK, FULL_INTRA, sender, 0);
  return from + INTRA_ITEM_LENGTH;
}

/** Writes a TMMBR: `media` shall send at most so much, with `overhead` octets (0–511) in each packet. */
export function writeBitrateLimit(
  out: Uint8Array,
  offset: number,
  sender: number,
  media: number,
  bitrateBps: number,
  overhead: number,
): number {
  return writeBitrateItem(out, offset, TMMBR, sender, media, bitrateBps, overhead);
}

/** Writes a TMMBN: what `sender` sends is limited by `owner`, who asked for it. */
export function writeLimitNotification(
  out: Uint8Array,
  offset: number,
  sender: number,
  owner: number,
  bitrateBps: number,
  overhead: number,
): number {
  return writeBitrateItem(out, offset, TMMBN, sender, owner, bitrateBps, overhead);
}

/** Writes a REMB: of `media`, no more than so much can be received. */
export function writeBitrateEstimate(
  out: Uint8Array,
  offset: number,
  sender: number,
  media: number,
  bitrateBps: number,
): number {
  const from = offset + FEEDBACK_HEADER_LENGTH;
  writeUint32(out, from, REMB_MARK);
  const exponent = exponentOf(bitrateBps, REMB_MANTISSA_BITS);
  const mantissa = mantissaOf(bitrateBps, exponent, REMB_MANTISSA_BITS);
  // One octet says of how many sources, six bits the exponent, 18 the mantissa.
  writeUint32(out, from + 4, 2 ** 24 + exponent * 2 ** REMB_MANTISSA_BITS + mantissa);
  writeUint32(out, from + 8, media);
  writeHeader(out, offset, offset + REMB_LENGTH, RTCP_PAYLOAD_FEEDBACK, APPLICATION_LAYER, sender, 0);
  return offset + REMB_LENGTH;
}

function readNack(buffer: Uint8Array, from: number, end: number, handler: FeedbackHandler): void {
  for (let at = from; at + NACK_ITEM_LENGTH <= end; at += NACK_ITEM_LENGTH) {
    const first = readUint16(buffer, at);
    handler.packetLost(first);
    let following = readUint16(buffer, at + 2);
    for (let next = first + 1; following !== 0; next++, following >>= 1) {
      if (following & 1) handler.packetLost(next & 0xffff);
    }
  }
}

function readIntra(
  buffer: Uint8Array,
  from: number,
  end: number,
  ssrc: number,
  sender: number,
  handler: FeedbackHandler,
): void {
  for (let at = from; at + INTRA_ITEM_LENGTH <= end; at += INTRA_ITEM_LENGTH) {
    if (readUint32(buffer, at) === ssrc) return handler.intraRequested(sender, buffer[at + 4]!);
  }
}

function readLimits(
  buffer: Uint8Array,
  from: number,
  end: number,
  ssrc: number,
  sender: number,
  handler: FeedbackHandler,
): void {
  for (let at = from; at + BITRATE_ITEM_LENGTH <= end; at += BITRATE_ITEM_LENGTH) {
    if (readUint32(buffer, at) !== ssrc) continue;
    return handler.bitrateLimited(sender, bitrateAt(buffer, at), overheadAt(buffer, at));
  }
}

function readNotified(buffer: Uint8Array, from: number, end: number, handler: FeedbackHandler): void {
  for (let at = from; at + BITRATE_ITEM_LENGTH <= end; at += BITRATE_ITEM_LENGTH) {
    handler.limitNotified(readUint32(buffer, at), bitrateAt(buffer, at), overheadAt(buffer, at));
  }
}

function readEstimate(buffer: Uint8Array, from: number, end: number, ssrc: number, handler: FeedbackHandler): void {
  if (from + 8 > end || readUint32(buffer, from) !== REMB_MARK) return;
  const sources = buffer[from + 4]!;
  if (from + 8 + 4 * sources > end) return;
  const packed = readUint32(buffer, from + 4) & 0xffffff;
  const bitrateBps = (packed & 0x3ffff) * 2 ** (packed >> REMB_MANTISSA_BITS);
  for (let index = 0; index < sources; index++) {
    if (readUint32(buffer, from + 8 + 4 * index) === ssrc) return handler.bitrateEstimated(bitrateBps);
  }
}

/** Six bits exponent, 17 bits mantissa, nine bits overhead (RFC 5104 §4.2.1.1). */
function bitrateAt(buffer: Uint8Array, at: number): number {
  const packed = readUint32(buffer, at + 4);
  return ((packed >>> 9) & 0x1ffff) * 2 ** (packed >>> 26);
}

function overheadAt(buffer: Uint8Array, at: number): number {
  return readUint16(buffer, at + 6) & MAX_OVERHEAD;
}

function writeBitrateItem(
  out: Uint8Array,
  offset: number,
  format: number,
  sender: number,
  about: number,
  bitrateBps: number,
  overhead: number,
): number {
  const from = offset + FEEDBACK_HEADER_LENGTH;
  const exponent = exponentOf(bitrateBps, TMMBR_MANTISSA_BITS);
  const mantissa = mantissaOf(bitrateBps, exponent, TMMBR_MANTISSA_BITS);
  writeUint32(out, from, about);
  writeUint32(out, from + 4, exponent * 2 ** 26 + mantissa * 2 ** 9 + Math.min(MAX_OVERHEAD, overhead));
  // As with FIR, the media source of the header is 0 (RFC 5104 §4.2.1.2).
  writeHeader(out, offset, from + BITRATE_ITEM_LENGTH, RTCP_TRANSPORT_FEEDBACK, format, sender, 0);
  return from + BITRATE_ITEM_LENGTH;
}

/** The least exponent with which the mantissa has room. */
function exponentOf(bitrateBps: number, mantissaBits: number): number {
  let exponent = 0;
  while (exponent < 63 && bitrateBps >= 2 ** (mantissaBits + exponent)) exponent++;
  return exponent;
}

/** Rounded down: a limit is never written higher than it is. */
function mantissaOf(bitrateBps: number, exponent: number, mantissaBits: number): number {
  return Math.min(2 ** mantissaBits - 1, Math.floor(bitrateBps / 2 ** exponent));
}

function writeHeader(
  out: Uint8Array,
  offset: number,
  end: number,
  packetType: number,
  format: number,
  sender: number,
  media: number,
): void {
  out[offset] = 0x80 | format;
  out[offset + 1] = packetType;
  writeUint16(out, offset + 2, (end - offset) / 4 - 1);
  writeUint32(out, offset + 4, sender);
  writeUint32(out, offset + 8, media);
}
