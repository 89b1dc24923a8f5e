import type { Timer, Timers } from '../timers.ts';

export interface ConfirmationEffects {
  say(prompts: readonly string[], said: () => void): void;
  hush(): void;
  confirmed(): void;
  /** Somebody who does not want to. */
  declined(): void;
  /** Nothing was pressed: a mailbox, as it seems. */
  unconfirmed(): void;
}

const TIMES = 3;
export const CONFIRM_MS = 5000;

/** Asks whom we called to press 1, three times; a mailbox does not. Any other key is a no. */
export class Confirmation {
  private readonly timers: Timers;
  private readonly effects: ConfirmationEffects;
  private timer: Timer | null = null;
  private asked = 0;
  private over = false;

  constructor(timers: Timers, effects: ConfirmationEffects) {
    this.timers = timers;
    this.effects = effects;
  }

  start(): void {
    if (this.asked === TIMES) {
      this.stop();
      return this.effects.unconfirmed();
    }
    this.asked++;
    this.effects.say(['press-1-to-join'], () => {
      if (!this.over) this.timer = this.timers.set(CONFIRM_MS, () => this.start());
    });
  }

  key(key: string): void {
    if (this.over || key === '#' || key === '*') return;
    this.effects.hush();
    this.stop();
    if (key === '1') this.effects.confirmed();
    else this.effects.declined();
  }

  stop(): void {
    this.over = true;
    this.timer?.clear();
  }
}
