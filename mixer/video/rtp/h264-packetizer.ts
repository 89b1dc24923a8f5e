import {
  NAL_FORBIDDEN_BIT,
  NAL_FU_A,
  NAL_IMPORTANCE_MASK,
  NAL_STAP_A,
  NAL_TYPE_MASK,
  type NalBounds,
  nextNalUnit,
} from './h264-nal.ts';
import type { PayloadList } from './payload-list.ts';

const STAP_HEADER_LENGTH = 1;
const STAP_SIZE_LENGTH = 2;
const FU_HEADER_LENGTH = 2;
const FU_START = 0x80;
const FU_END = 0x40;

const present: NalBounds = { start: 0, end: 0 };
const ahead: NalBounds = { start: 0, end: 0 };

/**
 * Makes RTP payloads of an access unit, which is a byte stream (annex B): single NAL units, and with mode 1 also STAP-A for
 * small ones that follow each other, and FU-A for long ones (RFC 6184 §5.6–§5.8). `out` is cleared first.
 *
 * False, with `out` empty, when there is nothing to send, or in mode 0 a NAL unit is longer than `maxPayload`: the encoder
 * has to make slices that are short enough.
 */
export function packetizeH264(unit: Uint8Array, mode: 0 | 1, maxPayload: number, out: PayloadList): boolean {
  out.clear();
  let found = nextNalUnit(unit, 0, present);
  while (found) {
    const { start, end } = present;
    if (end - start > maxPayload) {
      if (mode === 0) {
        out.clear();
        return false;
      }
      addFragments(unit, start, end, maxPayload, out);
      found = nextNalUnit(unit, end, present);
      continue;
    }
    const lastEnd = mode === 0 ? end : lastThatFits(unit, start, end, maxPayload);
    if (lastEnd === end) addSingle(unit, start, end, out);
    else addAggregate(unit, start, lastEnd, out);
    found = nextNalUnit(unit, lastEnd, present);
  }
  return out.count > 0;
}

function addSingle(unit: Uint8Array, start: number, end: number, out: PayloadList): void {
  const at = out.add(end - start);
  copy(unit, start, end, out.bytes, at);
}

/** Where the last NAL unit ends that goes into one packet with the first. */
function lastThatFits(unit: Uint8Array, start: number, end: number, maxPayload: number): number {
  let length = STAP_HEADER_LENGTH + STAP_SIZE_LENGTH + end - start;
  let lastEnd = end;
  while (length < maxPayload && nextNalUnit(unit, lastEnd, ahead)) {
    length += STAP_SIZE_LENGTH + ahead.end - ahead.start;
    if (length > maxPayload) break;
    lastEnd = ahead.end;
  }
  return lastEnd;
}

function addAggregate(unit: Uint8Array, from: number, lastEnd: number, out: PayloadList): void {
  let length = STAP_HEADER_LENGTH;
  let forbidden = 0;
  let importance = 0;
  for (let at = from - 3; at < lastEnd && nextNalUnit(unit, at, ahead); at = ahead.end) {
    const header = unit[ahead.start]!;
    forbidden |= header & NAL_FORBIDDEN_BIT;
    importance = Math.max(importance, header & NAL_IMPORTANCE_MASK);
    length += STAP_SIZE_LENGTH + ahead.end - ahead.start;
  }
  let to = out.add(length);
  const { bytes } = out;
  bytes[to++] = forbidden | importance | NAL_STAP_A;
  for (let at = from - 3; at < lastEnd && nextNalUnit(unit, at, ahead); at = ahead.end) {
    const size = ahead.end - ahead.start;
    bytes[to++] = size >>> 8;
    bytes[to++] = size;
    copy(unit, ahead.start, ahead.end, bytes, to);
    to += size;
  }
}

/** All about equally long, as a packet that is nearly empty costs as much as a full one. */
function addFragments(unit: Uint8Array, start: number, end: number, maxPayload: number, out: PayloadList): void {
  const header = unit[start]!;
  // The header's octet goes with each fragment, in two parts.
  const octets = end - start - 1;
  const fragments = Math.ceil(octets / (maxPayload - FU_HEADER_LENGTH));
  const most = Math.ceil(octets / fragments);
  for (let from = start + 1; from < end; from += most) {
    const until = Math.min(end, from + most);
    const at = out.add(FU_HEADER_LENGTH + until - from);
    const { bytes } = out;
    bytes[at] = (header & ~NAL_TYPE_MASK) | NAL_FU_A;
    bytes[at + 1] = (header & NAL_TYPE_MASK) | (from === start + 1 ? FU_START : 0) | (until === end ? FU_END : 0);
    copy(unit, from, until, bytes, at + FU_HEADER_LENGTH);
  }
}

function copy(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): void {
  into.set(from.subarray(start, end), at);
}
