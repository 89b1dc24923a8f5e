/**
 * Tiles of one size in columns and rows, so that they fill as much of an area as can be.
 *
 * Cameras give 16:9. A tile may be as narrow as 4:3, which cuts a little off the sides of a picture, or puts bars into the
 * tile, but shows faces larger than a picture with empty area above and below it.
 */

/** Luma samples. All four are even, as chroma has half the lines and columns. */
export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const WIDEST_TILE = 16 / 9;
export const NARROWEST_TILE = 4 / 3;

export function even(length: number): number {
  return Math.floor(length / 2) * 2;
}

/** The largest rectangle of this shape within an area, in its middle. */
export function fitted(area: Rectangle, aspect: number): Rectangle {
  const width = Math.max(even(Math.min(area.width, area.height * aspect + 1)), 2);
  const height = Math.max(even(Math.min(area.height, area.width / aspect + 1)), 2);
  return { ...centred(area, width, height), width, height };
}

/** The largest rectangle for a camera within an area, in its middle. */
export function fittedTile(area: Rectangle): Rectangle {
  return fitted(area, tileAspect(area.width / area.height));
}

export function tileAspect(aspect: number): number {
  return Math.min(Math.max(aspect, NARROWEST_TILE), WIDEST_TILE);
}

interface Cells {
  columns: number;
  rows: number;
  width: number;
  height: number;
}

/** `count` tiles, row by row; the last row, when it is not full, stands in the middle. */
export function grid(area: Rectangle, count: number, gap: number): Rectangle[] {
  if (count === 0) return [];
  const cells = bestCells(area, count, gap);
  const tiles: Rectangle[] = [];
  const height = cells.rows * (cells.height + gap) - gap;
  const top = area.y + even((area.height - height) / 2);
  for (let row = 0; row < cells.rows; row++) {
    const inRow = Math.min(cells.columns, count - row * cells.columns);
    const width = inRow * (cells.width + gap) - gap;
    const left = area.x + even((area.width - width) / 2);
    for (let column = 0; column < inRow; column++) {
      const x = left + column * (cells.width + gap);
      tiles.push({ x, y: top + row * (cells.height + gap), width: cells.width, height: cells.height });
    }
  }
  return tiles;
}

function bestCells(area: Rectangle, count: number, gap: number): Cells {
  let best: Cells | null = null;
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    if (Math.ceil(count / rows) < columns) continue;
    const cell = {
      x: 0,
      y: 0,
      width: (area.width - (columns - 1) * gap) / columns,
      height: (area.height - (rows - 1) * gap) / rows,
    };
    if (cell.width < 2 || cell.height < 2) continue;
    const { width, height } = fittedTile({ ...cell, width: even(cell.width), height: even(cell.height) });
    if (best === null || width * height > best.width * best.height) best = { columns, rows, width, height };
  }
  return best ?? { columns: count, rows: 1, width: 2, height: 2 };
}

function centred(area: Rectangle, width: number, height: number): { x: number; y: number } {
  return { x: area.x + even((area.width - width) / 2), y: area.y + even((area.height - height) / 2) };
}
