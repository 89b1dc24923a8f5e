import { CODE_COLUMNS, CODE_ROWS, type CodeWord, cellsOf } from './code-word.ts';
import { bytesOfPicture, COLOUR_LUMA, colourOf, type Rect, type YuvPicture } from './yuv-picture.ts';

const BLACK = 16;
const WHITE = 235;
/**
 * The code has the middle two fifths of each side. So it stays whole when a side is cut to half, and names at the edge
 * or a small picture in a corner do not touch it.
 */
const CODE_FROM = 0.3;
const CODE_SHARE = 0.4;

/** Where cell edges are: multiples of two, so that colour ends where brightness does. */
function edge(side: number, cell: number, cells: number): number {
  return 2 * Math.round((side * (CODE_FROM + (CODE_SHARE * cell) / cells)) / 2);
}

export function codeRect(width: number, height: number): Rect {
  const x = edge(width, 0, CODE_COLUMNS);
  const y = edge(height, 0, CODE_ROWS);
  return {
    x,
    y,
    width: edge(width, CODE_COLUMNS, CODE_COLUMNS) - x,
    height: edge(height, CODE_ROWS, CODE_ROWS) - y,
  };
}

/** One sender's coded pictures: their colour, with the code in black and white in the middle. */
export class CodedPicture implements YuvPicture {
  readonly sender: number;
  readonly width: number;
  readonly height: number;
  /** The same memory for every counter. */
  readonly data: Uint8Array;

  constructor(sender: number, width: number, height: number) {
    if (width % 2 || height % 2) throw new Error(`${width}x${height}: odd`);
    this.sender = sender;
    this.width = width;
    this.height = height;
    this.data = new Uint8Array(bytesOfPicture(width, height));
    const samples = width * height;
    const { u, v } = colourOf(sender);
    this.data.fill(COLOUR_LUMA, 0, samples);
    this.data.fill(u, samples, samples + samples / 4);
    this.data.fill(v, samples + samples / 4);
    const code = codeRect(width, height);
    for (let y = code.y / 2; y < (code.y + code.height) / 2; y++) {
      const row = (y * width) / 2;
      for (const plane of [samples, samples + samples / 4]) {
        this.data.fill(128, plane + row + code.x / 2, plane + row + (code.x + code.width) / 2);
      }
    }
    this.draw(0);
  }

  draw(counter: number): this {
    const word: CodeWord = { sender: this.sender, counter };
    const cells = cellsOf(word);
    for (let row = 0; row < CODE_ROWS; row++) {
      const bottom = edge(this.height, row + 1, CODE_ROWS);
      for (let y = edge(this.height, row, CODE_ROWS); y < bottom; y++) {
        for (let column = 0; column < CODE_COLUMNS; column++) {
          const from = y * this.width + edge(this.width, column, CODE_COLUMNS);
          const to = y * this.width + edge(this.width, column + 1, CODE_COLUMNS);
          this.data.fill(cells[row * CODE_COLUMNS + column] ? WHITE : BLACK, from, to);
        }
      }
    }
    return this;
  }
}
