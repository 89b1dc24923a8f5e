import { Store } from './store.ts';
import { inOneGo } from './words.ts';

/** So that ten who come at once are one sentence, not ten. */
const GATHER_MS = 1000;

/** What a screen reader is to say next. */
export class Spoken {
  readonly text = new Store('');
  private waiting: string[] = [];

  say(text: string): void {
    this.waiting.push(text);
    if (this.waiting.length > 1) return;
    setTimeout(() => {
      this.text.set(inOneGo(this.waiting));
      this.waiting = [];
    }, GATHER_MS);
  }
}
