import { even } from '../layout/grid.ts';

/** How large what lies over a tile is; in pixels. */
export interface TileSizes {
  /** Of the name's line; 0: too small to be read, and left out. */
  nameHeight: number;
  /** Side of a mark's square; 0: none. */
  icon: number;
  /** Within the bar of the name. */
  padding: number;
  /** From the tile's edge to the bar. */
  margin: number;
  /** Of the tile's corners. */
  radius: number;
  /** Of the border of who talks. */
  border: number;
  /** Diameter of the disc with initials. */
  disc: number;
}

const LEAST_HEIGHT_FOR_NAME = 50;
const LEAST_HEIGHT_FOR_ICONS = 36;

export function tileSizes({ width, height }: { width: number; height: number }): TileSizes {
  const line = clamped(6 + height * 0.035, 12, 32);
  const named = height >= LEAST_HEIGHT_FOR_NAME;
  return {
    nameHeight: named ? line : 0,
    icon: height >= LEAST_HEIGHT_FOR_ICONS ? line : 0,
    padding: clamped(line * 0.35, 2, 10),
    margin: clamped(height * 0.025, 2, 16),
    radius: clamped(height * 0.04, 2, 14),
    border: clamped(height * 0.016, 2, 6),
    disc: even(Math.min(height * 0.48, width * 0.5)),
  };
}

function clamped(length: number, least: number, most: number): number {
  return even(Math.min(Math.max(length, least), most));
}
