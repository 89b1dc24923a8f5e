import type { Timer, Timers } from '../timers.ts';

export interface PinEntryOptions {
  /** Null: who has none enters with `#` or by waiting. */
  readonly pin: string | null;
  readonly moderatorPin: string | null;
  readonly timers: Timers;
  /** Whether a PIN would be looked at: not after many wrong ones in other calls. */
  takesPins(): boolean;
  /** What became of a PIN that was given. */
  tried(result: PinResult): void;
  say(prompts: readonly string[], said: () => void): void;
  hush(): void;
  known(moderator: boolean): void;
  /** After the last try, or because no PIN is taken. */
  failed(): void;
}

/** `refused`: it was not looked at. */
export type PinResult = 'participant' | 'moderator' | 'wrong' | 'refused';

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
    if (given !== null) return this.take(given);
    // Where `#` enters there is something to ask all the same.
    if (this.options.pin !== null && !this.options.takesPins()) this.refuse();
    else this.ask(['enter-pin']);
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
    const { pin, moderatorPin, takesPins, tried, known, failed } = this.options;
    if (digits === '') return pin === null ? known(false) : this.again(['enter-pin-again']);
    if (!takesPins()) return this.refuse();
    if (digits === moderatorPin || digits === pin) {
      const moderator = digits === moderatorPin;
      tried(moderator ? 'moderator' : 'participant');
      return known(moderator);
    }
    tried('wrong');
    // It may have been one too many.
    if (takesPins()) this.again(['pin-wrong', 'enter-pin-again']);
    else failed();
  }

  private again(prompts: readonly string[]): void {
    this.tries++;
    if (this.tries === TRIES) this.options.failed();
    else this.ask(prompts);
  }

  private refuse(): void {
    this.options.tried('refused');
    this.options.failed();
  }
}
