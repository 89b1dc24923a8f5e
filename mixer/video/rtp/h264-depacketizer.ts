/** H.264 payloads: single NAL units, STAP-A and FU-A (RFC 6184 §5.6–§5.8), in either mode that has no interleaving. */

import {
  isSlice,
  NAL_DELIMITER,
  NAL_FORBIDDEN_BIT,
  NAL_FU_A,
  NAL_IDR_SLICE,
  NAL_LAST_TYPE,
  NAL_PPS,
  NAL_SEI,
  NAL_SPS,
  NAL_STAP_A,
  NAL_TYPE_MASK,
  START_CODE_LENGTH,
} from './h264-nal.ts';
import type { H264ParameterSets } from './h264-parameter-sets.ts';
import { PACKET_KEY, PACKET_MALFORMED, PACKET_PARAMETERS, PACKET_STARTS } from './received-packets.ts';
import type { UnitWriter } from './unit-writer.ts';

const FU_HEADER_LENGTH = 2;
const FU_START = 0x80;
const FU_END = 0x40;
const STAP_SIZE_LENGTH = 2;

/** In the first octet of a slice: `first_mb_in_slice` is 0 (H.264 §7.3.3), so no slice is before it. */
const FIRST_SLICE = 0x80;
/** Type of an SEI message: from here on the picture is whole after a while, without an IDR (H.264 §D.2.8). */
const SEI_RECOVERY_POINT = 6;

/**
 * What a payload is, of `PACKET_…`. The modes are not told apart: who may send single NAL units only, and sends others, is
 * understood. Types of the interleaved mode (STAP-B, MTAP, FU-B) are malformed here, as it is never negotiated.
 */
export function inspectH264(bytes: Uint8Array, length: number): number {
  if (length < 1 || (bytes[0]! & NAL_FORBIDDEN_BIT) !== 0) return PACKET_MALFORMED;
  const type = bytes[0]! & NAL_TYPE_MASK;
  if (type === NAL_FU_A) return inspectFragment(bytes, length);
  if (type === NAL_STAP_A) return inspectAggregate(bytes, length);
  if (type === 0 || type > NAL_LAST_TYPE) return PACKET_MALFORMED;
  return startsUnit(type, bytes[1] ?? 0, length > 1) | kindOf(type);
}

/** Puts the NAL units of one access unit together. */
export class H264Depacketizer {
  /** Slices that are there, in part at least. */
  slices = 0;
  hasSps = false;
  hasPps = false;
  /** A picture from which decoding can begin. */
  isKeyFrame = false;
  hasIdr = false;
  /** Fragments that do not fit together. */
  damaged = false;
  private readonly out: UnitWriter;
  private readonly sets: H264ParameterSets;
  /** Type of the NAL unit that is put together from fragments; 0: none. */
  private fragmented = 0;
  private fragmentedFrom = 0;

  constructor(out: UnitWriter, sets: H264ParameterSets) {
    this.out = out;
    this.sets = sets;
  }

  begin(): void {
    this.out.begin();
    this.slices = 0;
    this.hasSps = false;
    this.hasPps = false;
    this.isKeyFrame = false;
    this.hasIdr = false;
    this.damaged = false;
    this.fragmented = 0;
  }

  /** Adds a payload that `inspectH264` did not find malformed. */
  add(bytes: Uint8Array, length: number): void {
    const type = bytes[0]! & NAL_TYPE_MASK;
    if (type === NAL_FU_A) return this.addFragment(bytes, length);
    this.gap();
    if (type !== NAL_STAP_A) return this.addNal(bytes, 0, length);
    for (let at = 1; at < length; ) {
      const end = at + STAP_SIZE_LENGTH + sizeAt(bytes, at);
      this.addNal(bytes, at + STAP_SIZE_LENGTH, end);
      at = end;
    }
  }

  /** Something is missing here, or the unit is over. Of a slice, what is there can be shown; of all else, nothing. */
  gap(): void {
    if (this.fragmented === 0) return;
    this.damaged = true;
    if (isSlice(this.fragmented)) this.slices++;
    else this.out.cut(this.fragmentedFrom);
    this.fragmented = 0;
  }

  private addNal(bytes: Uint8Array, start: number, end: number): void {
    const from = this.out.length;
    this.out.startNal(bytes[start]!);
    this.out.add(bytes, start + 1, end);
    this.nalAdded(bytes[start]! & NAL_TYPE_MASK, from);
  }

  private addFragment(bytes: Uint8Array, length: number): void {
    const header = bytes[1]!;
    const type = header & NAL_TYPE_MASK;
    if ((header & FU_START) !== 0) {
      this.gap();
      this.fragmented = type;
      this.fragmentedFrom = this.out.length;
      this.out.startNal((bytes[0]! & ~NAL_TYPE_MASK) | type);
    } else if (this.fragmented !== type) {
      // The fragments after one that was lost are of no use (RFC 6184 §5.8).
      this.gap();
      this.damaged = true;
      return;
    }
    this.out.add(bytes, FU_HEADER_LENGTH, length);
    if ((header & FU_END) === 0) return;
    this.fragmented = 0;
    this.nalAdded(type, this.fragmentedFrom);
  }

  private nalAdded(type: number, from: number): void {
    if (isSlice(type)) this.slices++;
    if (type === NAL_IDR_SLICE) {
      this.hasIdr = true;
      this.isKeyFrame = true;
    }
    if (type !== NAL_SPS && type !== NAL_PPS && type !== NAL_SEI) return;
    if (this.out.overflowed) return;
    const nal = this.out.view(from + START_CODE_LENGTH, this.out.length);
    if (type === NAL_SEI) this.isKeyFrame ||= hasRecoveryPoint(nal);
    else this.sets.add(nal);
    this.hasSps ||= type === NAL_SPS;
    this.hasPps ||= type === NAL_PPS;
  }
}

function inspectFragment(bytes: Uint8Array, length: number): number {
  if (length <= FU_HEADER_LENGTH) return PACKET_MALFORMED;
  const type = bytes[1]! & NAL_TYPE_MASK;
  if (type === 0 || type > NAL_LAST_TYPE) return PACKET_MALFORMED;
  const starts = (bytes[1]! & FU_START) !== 0 ? startsUnit(type, bytes[2]!, true) : 0;
  return starts | kindOf(type);
}

function inspectAggregate(bytes: Uint8Array, length: number): number {
  let kind = 0;
  let at = 1;
  while (at < length) {
    if (at + STAP_SIZE_LENGTH > length) return PACKET_MALFORMED;
    const size = sizeAt(bytes, at);
    const start = at + STAP_SIZE_LENGTH;
    if (size === 0 || start + size > length) return PACKET_MALFORMED;
    const type = bytes[start]! & NAL_TYPE_MASK;
    if (type === 0 || type > NAL_LAST_TYPE || (bytes[start]! & NAL_FORBIDDEN_BIT) !== 0) return PACKET_MALFORMED;
    if (at === 1) kind = startsUnit(type, bytes[start + 1] ?? 0, size > 1);
    kind |= kindOf(type);
    at = start + size;
  }
  return at === 1 ? PACKET_MALFORMED : kind;
}

function kindOf(type: number): number {
  if (type === NAL_IDR_SLICE) return PACKET_KEY;
  return type === NAL_SPS ? PACKET_PARAMETERS : 0;
}

/** @param second octet of the NAL unit, if it has one */
function startsUnit(type: number, second: number, hasSecond: boolean): number {
  if (isSlice(type)) return hasSecond && (second & FIRST_SLICE) !== 0 ? PACKET_STARTS : 0;
  return type === NAL_SPS || type === NAL_PPS || type === NAL_SEI || type === NAL_DELIMITER ? PACKET_STARTS : 0;
}

function sizeAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

/** Walks over the messages of an SEI (H.264 §7.3.2.3.1): types and sizes are sums of octets that end below 255. */
function hasRecoveryPoint(nal: Uint8Array): boolean {
  let at = 1;
  while (at + 1 < nal.length) {
    let type = 0;
    let size = 0;
    for (; nal[at] === 0xff; at++) type += 255;
    type += nal[at++] ?? 0;
    for (; nal[at] === 0xff; at++) size += 255;
    size += nal[at++] ?? 0;
    if (type === SEI_RECOVERY_POINT) return true;
    at += size;
  }
  return false;
}
