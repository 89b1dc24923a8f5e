/** NAL units of H.264: what their first octets say (H.264 §7.3.1), and where they are in a byte stream (annex B). */

export const NAL_TYPE_MASK = 0x1f;
export const NAL_IMPORTANCE_MASK = 0x60;
/** Set where something is damaged: such units are of no use. */
export const NAL_FORBIDDEN_BIT = 0x80;

export const NAL_SLICE = 1;
/** With the partition that slices are decoded from first; only in the extended profile. */
export const NAL_PARTITION_A = 2;
export const NAL_IDR_SLICE = 5;
export const NAL_SEI = 6;
export const NAL_SPS = 7;
export const NAL_PPS = 8;
export const NAL_DELIMITER = 9;
/** The last type that a NAL unit may have; those above are of RTP payloads (RFC 6184 §5.2). */
export const NAL_LAST_TYPE = 23;
export const NAL_STAP_A = 24;
export const NAL_FU_A = 28;

/** What stands before each NAL unit here. */
export const START_CODE_LENGTH = 4;

/** Bounds of one NAL unit in a byte stream; see `nextNalUnit`. */
export interface NalBounds {
  start: number;
  end: number;
}

export function isSlice(type: number): boolean {
  return type === NAL_SLICE || type === NAL_IDR_SLICE || type === NAL_PARTITION_A;
}

/**
 * Finds the first NAL unit at or after `from`: `bounds` are without start code and without zeros that follow. False when
 * there is none.
 */
export function nextNalUnit(unit: Uint8Array, from: number, bounds: NalBounds): boolean {
  const length = unit.length;
  let start = from;
  do {
    const code = startCode(unit, start);
    if (code < 0) return false;
    start = code + 3;
    const next = startCode(unit, start);
    let end = next < 0 ? length : next;
    while (end > start && unit[end - 1] === 0) end--;
    bounds.start = start;
    bounds.end = end;
  } while (bounds.end === bounds.start);
  return true;
}

/** Where the next 00 00 01 is; -1 when there is none. */
function startCode(unit: Uint8Array, from: number): number {
  const last = unit.length - 3;
  let at = from;
  while (at <= last) {
    const third = unit[at + 2]!;
    if (third > 1) at += 3;
    else if (third === 1 && unit[at] === 0 && unit[at + 1] === 0) return at;
    else at++;
  }
  return -1;
}
