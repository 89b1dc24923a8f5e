import { CODE_COLUMNS, CODE_ROWS, type CodeWord, SENDERS, wordIn } from './code-word.ts';
import { colourOf, type Rect, type YuvPicture } from './yuv-picture.ts';

/** A code that was found. */
export interface SeenCode extends CodeWord {
  /** What shows the sender's colour, code and all; in luma samples. */
  rect: Rect;
  /** Where the code itself is. */
  code: Rect;
}

/** Kinds of samples: the senders' colours are 0 to 7. */
const GREY = SENDERS;
const OTHER = SENDERS + 1;
/** How near a sample must be to its colour; neighbours on the circle are 46 apart. */
const TOLERANCE = 22;
/** In colour samples; a code with smaller cells than 3×3 luma samples cannot be read. */
const SMALLEST_CODE = { width: 12, height: 6 };
const LEAST_CONTRAST = 60;
/** How far the edges of a code may be off, in luma samples, after scaling and compression. */
const EDGE_OFFSETS = [0, 1, -1, 2, -2];

/** A connected area of one kind, in colour samples. */
interface Area {
  kind: number;
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const KINDS = kindTable();

/** Kind by u >> 1 and v >> 1. */
function kindTable(): Uint8Array {
  const table = new Uint8Array(128 * 128);
  const centres = Array.from({ length: SENDERS }, (_, sender) => colourOf(sender));
  centres.push({ u: 128, v: 128 });
  for (let u = 0; u < 128; u++) {
    for (let v = 0; v < 128; v++) {
      const kind = centres.findIndex(
        (centre) => Math.hypot(2 * u + 0.5 - centre.u, 2 * v + 0.5 - centre.v) < TOLERANCE,
      );
      table[u * 128 + v] = kind === -1 ? OTHER : kind;
    }
  }
  return table;
}

/** Finds all codes in a picture: of any size from 60×24 luma samples, anywhere, several of one sender too. */
export function readCodes({ width, height, data }: YuvPicture): SeenCode[] {
  const columns = width / 2;
  const rows = height / 2;
  const kinds = kindsOf(data, width * height, columns * rows);
  const areaOf = new Int32Array(columns * rows).fill(-1);
  const areas = findAreas(kinds, areaOf, columns, rows);
  const seen: SeenCode[] = [];
  for (const area of areas) {
    if (area.kind !== GREY) continue;
    const code = { left: area.left, top: area.top, width: area.right - area.left, height: area.bottom - area.top };
    if (code.width < SMALLEST_CODE.width || code.height < SMALLEST_CODE.height) continue;
    const around = surrounding(area, areas, areaOf, columns, rows);
    if (!around) continue;
    const word = readWord(data, width, height, area);
    if (word?.sender === around.kind) seen.push({ ...word, rect: lumaRect(around), code: lumaRect(area) });
  }
  return seen;
}

function kindsOf(data: Uint8Array, lumaSamples: number, samples: number): Uint8Array {
  const kinds = new Uint8Array(samples);
  const vPlane = lumaSamples + samples;
  for (let index = 0; index < samples; index++) {
    kinds[index] = KINDS[(data[lumaSamples + index]! >> 1) * 128 + (data[vPlane + index]! >> 1)]!;
  }
  return kinds;
}

function findAreas(kinds: Uint8Array, areaOf: Int32Array, columns: number, rows: number): Area[] {
  const areas: Area[] = [];
  const open: number[] = [];
  for (let start = 0; start < kinds.length; start++) {
    const kind = kinds[start]!;
    if (kind === OTHER || areaOf[start] !== -1) continue;
    const area: Area = { kind, left: columns, top: rows, right: 0, bottom: 0 };
    const number = areas.push(area) - 1;
    const visit = (index: number): void => {
      if (kinds[index] !== kind || areaOf[index] !== -1) return;
      areaOf[index] = number;
      open.push(index);
    };
    visit(start);
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      const x = index % columns;
      const y = (index - x) / columns;
      area.left = Math.min(area.left, x);
      area.right = Math.max(area.right, x + 1);
      area.top = Math.min(area.top, y);
      area.bottom = Math.max(area.bottom, y + 1);
      if (x > 0) visit(index - 1);
      if (x < columns - 1) visit(index + 1);
      if (y > 0) visit(index - columns);
      if (y < rows - 1) visit(index + columns);
    }
  }
  return areas;
}

/** The area of one colour that is on all four sides of a code; null where there is none. */
function surrounding(
  code: Area,
  areas: readonly Area[],
  areaOf: Int32Array,
  columns: number,
  rows: number,
): Area | null {
  const middleX = (code.left + code.right) >> 1;
  const middleY = (code.top + code.bottom) >> 1;
  let found = -1;
  for (const [x, y, stepX, stepY] of [
    [code.left - 1, middleY, -1, 0],
    [code.right, middleY, 1, 0],
    [middleX, code.top - 1, 0, -1],
    [middleX, code.bottom, 0, 1],
  ] as const) {
    let number = -1;
    for (let step = 0; step < 4 && number === -1; step++) {
      const column = x + step * stepX;
      const row = y + step * stepY;
      if (column < 0 || row < 0 || column >= columns || row >= rows) return null;
      number = areaOf[row * columns + column]!;
    }
    if (number === -1 || areas[number]!.kind === GREY) return null;
    if (found !== -1 && areas[number]!.kind !== areas[found]!.kind) return null;
    found = number;
  }
  return areas[found]!;
}

const lumaRect = ({ left, top, right, bottom }: Area): Rect => ({
  x: 2 * left,
  y: 2 * top,
  width: 2 * (right - left),
  height: 2 * (bottom - top),
});

function readWord(data: Uint8Array, width: number, height: number, area: Area): CodeWord | null {
  for (const offsetX of EDGE_OFFSETS) {
    for (const offsetY of EDGE_OFFSETS) {
      const rect = lumaRect(area);
      const cells = readCells(data, width, height, {
        x: rect.x - offsetX,
        y: rect.y - offsetY,
        width: rect.width + 2 * offsetX,
        height: rect.height + 2 * offsetY,
      });
      const word = cells && wordIn(cells);
      if (word) return word;
    }
  }
  return null;
}

/** Looks at the middle half of each cell. */
function readCells(data: Uint8Array, width: number, height: number, rect: Rect): boolean[] | null {
  if (rect.x < 0 || rect.y < 0 || rect.x + rect.width > width || rect.y + rect.height > height) return null;
  const levels: number[] = [];
  const cellWidth = rect.width / CODE_COLUMNS;
  const cellHeight = rect.height / CODE_ROWS;
  for (let row = 0; row < CODE_ROWS; row++) {
    for (let column = 0; column < CODE_COLUMNS; column++) {
      const left = Math.round(rect.x + (column + 0.25) * cellWidth);
      const right = Math.max(left + 1, Math.round(rect.x + (column + 0.75) * cellWidth));
      const top = Math.round(rect.y + (row + 0.25) * cellHeight);
      const bottom = Math.max(top + 1, Math.round(rect.y + (row + 0.75) * cellHeight));
      let sum = 0;
      for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += data[y * width + x]!;
      levels.push(sum / ((right - left) * (bottom - top)));
    }
  }
  const least = Math.min(...levels);
  const most = Math.max(...levels);
  if (most - least < LEAST_CONTRAST) return null;
  return levels.map((level) => level > (least + most) / 2);
}
