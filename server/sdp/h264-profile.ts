/** `profile-level-id` of H.264 (RFC 6184 §8.1): which tools a stream may use, and how much work it may be. */

/** Those that we can take. What we send keeps to constrained baseline, main or high. */
export type H264Profile = 'constrained-baseline' | 'baseline' | 'main' | 'high';

/** A level (H.264 table A-1). */
export interface H264Level {
  /** As in `profile-level-id`; 9 stands for level 1b, which is written otherwise in most profiles. */
  idc: number;
  /** Macroblocks a second, macroblocks a picture, and kbit/s. */
  maxMbps: number;
  maxFs: number;
  maxBr: number;
}

export interface H264ProfileLevel {
  /** Null: none that we can take. */
  profile: H264Profile | null;
  level: H264Level;
  /** As written, all six digits: `profile_idc`, `profile-iop` and `level_idc`. */
  text: string;
}

/**
 * Where nothing is said: baseline.
 *
 * Deviation: RFC 6184 §8.1 has level 1 then, of 176×144 at most. Phones that say nothing take more; browsers read it as 3.1.
 */
const DEFAULT_TEXT = '42001F';

const LEVEL_1B = 9;

const LEVELS: readonly H264Level[] = [
  [10, 1_485, 99, 64],
  [LEVEL_1B, 1_485, 99, 128],
  [11, 3_000, 396, 192],
  [12, 6_000, 396, 384],
  [13, 11_880, 396, 768],
  [20, 11_880, 396, 2_000],
  [21, 19_800, 792, 4_000],
  [22, 20_250, 1_620, 4_000],
  [30, 40_500, 1_620, 10_000],
  [31, 108_000, 3_600, 14_000],
  [32, 216_000, 5_120, 20_000],
  [40, 245_760, 8_192, 20_000],
  [41, 245_760, 8_192, 50_000],
  [42, 522_240, 8_704, 50_000],
  [50, 589_824, 22_080, 135_000],
  [51, 983_040, 36_864, 240_000],
  [52, 2_073_600, 36_864, 240_000],
  [60, 4_177_920, 139_264, 240_000],
  [61, 8_355_840, 139_264, 480_000],
  [62, 16_711_680, 139_264, 800_000],
].map(([idc, maxMbps, maxFs, maxBr]) => ({ idc: idc!, maxMbps: maxMbps!, maxFs: maxFs!, maxBr: maxBr! }));

/** Of a value between two levels, the lower one: it promises no more than that. */
export function h264Level(idc: number): H264Level {
  return LEVELS.find((level) => level.idc === idc) ?? LEVELS.findLast((level) => level.idc < idc) ?? LEVELS[0]!;
}

/** The lower of two. */
export function lowerLevel(one: H264Level, other: H264Level): H264Level {
  return LEVELS.indexOf(one) <= LEVELS.indexOf(other) ? one : other;
}

/**
 * Null for what is not six hexadecimal digits. Undefined: there is no such parameter. Tandberg's MXP write `4280D`, without
 * the 0 of their level.
 */
export function readProfileLevelId(text: string = DEFAULT_TEXT): H264ProfileLevel | null {
  const written = text.length === 5 ? `${text.slice(0, 4)}0${text.slice(4)}` : text;
  if (!/^[0-9a-f]{6}$/i.test(written)) return null;
  const [profileIdc, iop, levelIdc] = [0, 2, 4].map((start) => Number.parseInt(written.slice(start, start + 2), 16));
  const is1b = levelIdc === 11 && (iop! & CONSTRAINT_SET_3) !== 0 && hasLevel1bFlag(profileIdc!);
  return { profile: profileOf(profileIdc!, iop!), level: h264Level(is1b ? LEVEL_1B : levelIdc!), text: written };
}

/** The same profile, in the same words, with another level, which is not 1b. */
export function withLevel({ text }: H264ProfileLevel, { idc }: H264Level): string {
  const iop = Number.parseInt(text.slice(2, 4), 16);
  const clearedIop = hasLevel1bFlag(Number.parseInt(text.slice(0, 2), 16)) ? iop & ~CONSTRAINT_SET_3 : iop;
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  return `${text.slice(0, 2)}${clearedIop === iop ? text.slice(2, 4) : hex(clearedIop)}${hex(idc)}`;
}

/** The bits of `profile-iop`, from the most significant one. */
const CONSTRAINT_SET_0 = 0x80;
const CONSTRAINT_SET_1 = 0x40;
const CONSTRAINT_SET_3 = 0x10;

/** In baseline, main and extended, level 1b is 11 with a flag (H.264 §7.4.2.1.1). */
function hasLevel1bFlag(profileIdc: number): boolean {
  return profileIdc === 0x42 || profileIdc === 0x4d || profileIdc === 0x58;
}

/**
 * RFC 6184 §8.1, table 5, in which one profile has several forms. The low half of `profile-iop` is not looked at: later
 * editions of H.264 mark there subsets of high (`0c`: constrained high), of which each is high to a decoder.
 */
function profileOf(profileIdc: number, iop: number): H264Profile | null {
  const isSet = (bit: number): boolean => (iop & bit) !== 0;
  switch (profileIdc) {
    case 0x42:
      return isSet(CONSTRAINT_SET_1) ? 'constrained-baseline' : 'baseline';
    case 0x4d:
      return isSet(CONSTRAINT_SET_0) ? 'constrained-baseline' : 'main';
    case 0x58:
      if (!isSet(CONSTRAINT_SET_0)) return null;
      return isSet(CONSTRAINT_SET_1) ? 'constrained-baseline' : 'baseline';
    case 0x64:
      return (iop & 0xf0) === 0 ? 'high' : null;
    default:
      return null;
  }
}
