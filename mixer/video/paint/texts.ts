import type { TextBitmap, TextRenderer } from '../engine/text-renderer.ts';

/** Names of a few large rooms in a few sizes; some 5 kB each. */
const MOST_KEPT = 1000;
/** What is written later is in the picture after. */
const WRITTEN_WITHIN_MS = 300;
const NOTHING: TextBitmap = { width: 0, height: 0, alpha: new Uint8Array(0) };

interface Wanted {
  key: string;
  draw(): Promise<TextBitmap>;
}

/** All texts that a process has drawn of late. One for all painters. */
export class Texts {
  private readonly renderer: Pick<TextRenderer, 'render' | 'close'>;
  /** Null: it is being drawn. The one asked for longest ago comes first. */
  private readonly kept = new Map<string, TextBitmap | null>();
  private readonly wanted: Wanted[] = [];
  private drawing = false;
  private idle: (() => void)[] = [];
  private closed = false;

  /** @param renderer is closed with it. */
  constructor(renderer: Pick<TextRenderer, 'render' | 'close'>) {
    this.renderer = renderer;
  }

  /** See `TextRenderer.render`. Null: not yet, ask again at the next picture. */
  get(text: string, heightPx: number, maxWidthPx: number, bold: boolean): TextBitmap | null {
    if (text === '' || maxWidthPx <= 0 || this.closed) return NOTHING;
    const key = `${heightPx}/${maxWidthPx}/${bold ? 'b' : ''}/${text}`;
    const found = this.kept.get(key);
    if (found === undefined) {
      if (this.wanted.length >= MOST_KEPT) return NOTHING;
      this.wanted.push({ key, draw: () => this.renderer.render(text, heightPx, maxWidthPx, bold) });
      this.drawNext();
    }
    this.kept.delete(key);
    this.kept.set(key, found ?? null);
    if (this.kept.size > MOST_KEPT) this.forgetOldest();
    return found ?? null;
  }

  /** Settled when nothing is being drawn, or `WRITTEN_WITHIN_MS` later. */
  written(): Promise<void> {
    if (!this.drawing) return Promise.resolve();
    return new Promise((resolve) => {
      const late = setTimeout(resolve, WRITTEN_WITHIN_MS);
      this.idle.push(() => {
        clearTimeout(late);
        resolve();
      });
    });
  }

  close(): void {
    this.closed = true;
    this.wanted.length = 0;
    this.kept.clear();
    this.renderer.close();
  }

  /** What is being drawn is not forgotten: it would be asked for anew. */
  private forgetOldest(): void {
    for (const [key, text] of this.kept) {
      if (text === null) continue;
      this.kept.delete(key);
      return;
    }
  }

  private drawNext(): void {
    if (this.drawing) return;
    const next = this.wanted.shift();
    if (next === undefined) return;
    this.drawing = true;
    void this.draw(next).finally(() => {
      this.drawing = false;
      this.drawNext();
      if (!this.drawing) for (const told of this.idle.splice(0)) told();
    });
  }

  /** One that fails would fail again: it is left out. */
  private async draw({ key, draw }: Wanted): Promise<void> {
    const text = await draw().catch(() => NOTHING);
    if (!this.closed) this.kept.set(key, text);
  }
}
