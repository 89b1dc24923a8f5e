/** `level_idc`, macroblocks a second and a frame (H.264 table A-1). */
const LEVELS: readonly [level: number, perSecond: number, perFrame: number][] = [
  [10, 1485, 99],
  [11, 3000, 396],
  [12, 6000, 396],
  [13, 11_880, 396],
  [21, 19_800, 792],
  [22, 20_250, 1620],
  [30, 40_500, 1620],
  [31, 108_000, 3600],
  [32, 216_000, 5120],
  [40, 245_760, 8192],
  [42, 522_240, 8704],
  [50, 589_824, 22_080],
];
const HIGHEST = 51;

/** The lowest level, as `level_idc`, that pictures of this size and rate are within. */
export function levelFor({ width, height, fps }: { width: number; height: number; fps: number }): number {
  const perFrame = Math.ceil(width / 16) * Math.ceil(height / 16);
  const found = LEVELS.find(([, second, frame]) => perFrame <= frame && perFrame * fps <= second);
  return found?.[0] ?? HIGHEST;
}
