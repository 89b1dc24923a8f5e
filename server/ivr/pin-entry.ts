import type { Timer, Timers } from '../timers.ts';

export interface PinEntryOptions {
  /** Null: who has none enters with `#` or by waiting. */
  readonly pin: string | null;
  readonly moderatorPin: string | null;
  readonly timers: Timers;
  say(prompts: readonly string[], said: () => void): void;
  hush(): void;
  known(moderator: boolean): void;
  /** After the last try. */
  failed(): void;
}

const TRIES = 3;
/** From the end of the prompt to the first digit, and from one digit to the next. */
export const FIRST_DIGIT_MS = 10_000;
export const NEXT_DIGIT_MS = 4000;
/** What is more is no PIN of ours. */
const MOST_DIGITS = 16;

/** Asks for a PIN by voice: three tries; `#` ends it, or a pause; `*` begins anew. */
export class PinEntry {
  private readonly options: PinEntryOptions;
  private digits = '';
  private tries = 0;
  private timer: Timer | null = null;
  private asking = false;

  constructor(options: PinEntryOptions) {
    this.options = options;
  }

  /** @param given the PIN that came with the call, which counts as the first try when it is wrong; null when none did */
  start(given: string | null): void {
    if (given === null) this.ask(['enter-pin']);
    else this.take(given);
  }

  key(key: string): void {
    if (!this.asking) return;
    this.options.hush();
    if (key === '#') return this.end();
    if (key === '*') this.digits = '';
    else if (/^\d$/.test(key) && this.digits.length <= MOST_DIGITS) this.digits += key;
    this.wait(NEXT_DIGIT_MS);
  }

  stop(): void {
    this.asking = false;
    this.timer?.clear();
  }

  private ask(prompts: readonly string[]): void {
    this.digits = '';
    this.asking = true;
    this.options.say(prompts, () => {
      if (this.asking && this.digits === '') this.wait(FIRST_DIGIT_MS);
    });
  }

  private wait(ms: number): void {
    this.timer?.clear();
    this.timer = this.options.timers.set(ms, () => this.end());
  }

  private end(): void {
    this.stop();
    this.take(this.digits);
  }

  private take(digits: string): void {
    const { pin, moderatorPin, known, failed } = this.options;
    if (moderatorPin !== null && digits === moderatorPin) return known(true);
    if (pin === null ? digits === '' : digits === pin) return known(false);
    this.tries++;
    if (this.tries === TRIES) return failed();
    this.ask(digits === '' ? ['enter-pin-again'] : ['pin-wrong', 'enter-pin-again']);
  }
}
