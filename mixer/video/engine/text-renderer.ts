import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import type { FilterContext, FilterGraph, Frame } from 'node-av/lib';
import { failure, type NodeAv, setOptions } from './node-av.ts';
import { bestLength, graphemes, printable } from './text-shape.ts';

/** A text, white on nothing: how much of the text's colour each pixel has, 0–255. */
export interface TextBitmap {
  /** In pixels; 0 for a text that has nothing to see. */
  width: number;
  height: number;
  /** Line by line, `width` octets each. */
  alpha: Uint8Array;
}

const NOTHING: TextBitmap = { width: 0, height: 0, alpha: new Uint8Array(0) };
const MOST_WIDTH = 4096;
const MOST_HEIGHT = 512;
/** Letters with accents and below the line fit into a line of so many times the font's size, in any usual font. */
const LINE_HEIGHT = 1.25;
/** Where letters stand, from the top of the line. */
const BASELINE = 0.79;
/** Narrower than this, of the font's size, is no letter of which many stand side by side. */
const NARROW_LETTER = 0.2;

const resolve = createRequire(import.meta.url).resolve;

/** Writes texts of any origin, from right to left too. Does not keep them; each costs some 2 ms. */
export class TextRenderer {
  /** Why the font that was asked for is not used; for the log. */
  readonly fontProblem: string | null;
  private readonly av: NodeAv;
  private readonly regular: string;
  private readonly bold: string;
  private queue: Promise<unknown> = Promise.resolve();
  private closed = false;

  /** @param font a TrueType file for all texts; null, or when it cannot be read: the one that comes along. */
  constructor(av: NodeAv, font: string | null) {
    const problem = font === null ? null : unreadable(font);
    const usable = problem === null ? font : null;
    this.av = av;
    this.fontProblem = problem;
    this.regular = usable ?? resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');
    this.bold = usable ?? resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf');
  }

  /**
   * On one line; what is too long ends in «…». Characters that the font does not have are shown as a box.
   * @param heightPx of the bitmap: that of the font's line, so the same for all texts.
   * @param maxWidthPx of the bitmap at most.
   * @throws Error when the font cannot be used.
   */
  render(text: string, heightPx: number, maxWidthPx: number, bold: boolean): Promise<TextBitmap> {
    const height = Math.min(MOST_HEIGHT, Math.round(heightPx));
    const width = Math.min(MOST_WIDTH, Math.floor(maxWidthPx));
    const work = () => (this.closed ? Promise.resolve(NOTHING) : this.fit(printable(text), height, width, bold));
    const done = this.queue.then(work);
    this.queue = done.catch(() => {});
    return done;
  }

  close(): void {
    this.closed = true;
  }

  private async fit(text: string, height: number, width: number, bold: boolean): Promise<TextBitmap> {
    if (text === '' || !(width >= 1 && height >= 4)) return NOTHING;
    const most = Math.ceil(width / (NARROW_LETTER * height));
    const letters = graphemes(text, most + 1);
    const whole = letters.length > most ? null : await this.draw(text, height, width, bold);
    if (whole !== null) return whole;
    let best: TextBitmap | null = null;
    await bestLength(Math.min(most, letters.length - 1), async (length) => {
      const drawn = await this.draw(`${letters.slice(0, length).join('').trimEnd()}…`, height, width, bold);
      if (drawn !== null) best = drawn;
      return drawn !== null;
    });
    return best ?? NOTHING;
  }

  /** Null: it is wider. */
  private async draw(text: string, height: number, width: number, bold: boolean): Promise<TextBitmap | null> {
    const { av } = this;
    const graph = new av.FilterGraph();
    const [blank, drawn] = [new av.Frame(), new av.Frame()];
    graph.alloc();
    blank.alloc();
    drawn.alloc();
    try {
      // Some more columns, to see whether the text goes on: one alone may fall between two letters.
      const { source, sink } = await this.connect(graph, text, height, width + height, bold);
      this.clear(blank, width + height, height);
      let code = source.buffersrcAddFrameSync(blank);
      if (code >= 0) code = await sink.buffersinkGetFrame(drawn);
      if (code < 0) throw failure(av, 'draw a text', code);
      return trimmed(drawn, width);
    } finally {
      blank.free();
      drawn.free();
      graph.free();
    }
  }

  private async connect(
    graph: FilterGraph,
    text: string,
    height: number,
    width: number,
    bold: boolean,
  ): Promise<{ source: FilterContext; sink: FilterContext }> {
    const { av } = this;
    const source = graph.allocFilter(av.Filter.getByName('buffer')!, 'source');
    const writer = graph.allocFilter(av.Filter.getByName('drawtext')!, 'writer');
    const sink = graph.createFilter(av.Filter.getByName('buffersink')!, 'sink');
    if (source === null || writer === null || sink === null) throw new Error('No memory for a text');
    const format = { format: av.AV_PIX_FMT_GRAY8, colorRange: av.AVCOL_RANGE_JPEG };
    source.buffersrcParametersSet({ width, height, ...format, timeBase: { num: 1, den: 1 } });
    // Each by itself, not as a line of options, in which a name could set others; and nothing in it is expanded.
    setOptions(av, writer, {
      fontfile: bold ? this.bold : this.regular,
      ...{ text, expansion: 'none', fontcolor: 'white', fontsize: Math.max(1, Math.floor(height / LINE_HEIGHT)) },
      ...{ x: 0, y: Math.round(height * BASELINE), y_align: 'baseline', fix_bounds: 0, text_shaping: 1 },
    });
    let code = source.init();
    if (code >= 0) code = writer.init();
    if (code >= 0) code = source.link(0, writer, 0);
    if (code >= 0) code = writer.link(0, sink, 0);
    if (code >= 0) code = await graph.config();
    if (code < 0) throw failure(av, 'write with the font', code);
    return { source, sink };
  }

  private clear(frame: Frame, width: number, height: number): void {
    const { av } = this;
    frame.format = av.AV_PIX_FMT_GRAY8;
    frame.width = width;
    frame.height = height;
    frame.colorRange = av.AVCOL_RANGE_JPEG;
    frame.pts = 0n;
    const code = frame.getBuffer(0);
    if (code < 0) throw failure(av, 'make room for a text', code);
    frame.data![0]!.fill(0);
  }
}

function unreadable(file: string): string | null {
  try {
    accessSync(file, constants.R_OK);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Without the empty columns at its end; null when there is something beyond `width`. */
function trimmed(frame: Frame, width: number): TextBitmap | null {
  const { height } = frame;
  const pixels = frame.data![0]!;
  const stride = frame.linesize[0]!;
  let end = 0;
  for (let y = 0; y < height; y++) {
    let x = frame.width - 1;
    while (x >= end && pixels[y * stride + x] === 0) x--;
    end = Math.max(end, x + 1);
  }
  if (end > width) return null;
  const alpha = new Uint8Array(end * height);
  for (let y = 0; y < height; y++) alpha.set(pixels.subarray(y * stride, y * stride + end), y * end);
  return { width: end, height: end === 0 ? 0 : height, alpha };
}
