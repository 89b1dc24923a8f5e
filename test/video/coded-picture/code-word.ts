/**
 * What a coded picture says: who sends it, and the how-manieth it is. 32 bits: sender (4), counter (16), check (12).
 */

export interface CodeWord {
  /** 0–7. */
  sender: number;
  /** 0–65535. */
  counter: number;
}

export const CODE_COLUMNS = 8;
export const CODE_ROWS = 4;
export const SENDERS = 8;

/** The CRC-12 of telephony, x¹² + x¹¹ + x³ + x² + x + 1. */
const POLYNOMIAL = 0x80f;
/** So that zeros everywhere are no code. */
const CRC_START = 0xabc;

function check(word: number): number {
  let crc = CRC_START;
  for (let bit = 19; bit >= 0; bit--) {
    const out = ((crc >> 11) ^ (word >> bit)) & 1;
    crc = ((crc << 1) & 0xfff) ^ (out ? POLYNOMIAL : 0);
  }
  return crc;
}

/** The cells, row by row; true is white. */
export function cellsOf({ sender, counter }: CodeWord): boolean[] {
  const word = ((sender & 0x0f) << 16) | (counter & 0xffff);
  const bits = BigInt(word) * 4_096n + BigInt(check(word));
  return Array.from({ length: 32 }, (_, index) => ((bits >> BigInt(31 - index)) & 1n) === 1n);
}

/** Null where the check says that this is no code. */
export function wordIn(cells: readonly boolean[]): CodeWord | null {
  let word = 0;
  for (let index = 0; index < 20; index++) word = (word << 1) | (cells[index] ? 1 : 0);
  let read = 0;
  for (let index = 20; index < 32; index++) read = (read << 1) | (cells[index] ? 1 : 0);
  if (read !== check(word)) return null;
  const sender = word >> 16;
  return sender < SENDERS ? { sender, counter: word & 0xffff } : null;
}
