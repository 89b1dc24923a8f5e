import type { Timer, Timers } from '../timers.ts';
import { PinEntry, type PinResult } from './pin-entry.ts';

/** Where somebody is who has not entered yet. */
export type EntryStage = 'entering' | 'lobby' | 'waiting';

/** What the room asks of those who enter. */
export interface EntryRules {
  /** Null: anybody enters. */
  readonly pin: string | null;
  /** Who says it is a moderator. */
  readonly moderatorPin: string | null;
  readonly lobby: boolean;
  readonly waitForModerator: boolean;
  /** Each is asked for the name, which is recorded. */
  readonly names: boolean;
}

export interface NewArrival {
  readonly moderator: boolean;
  /** The PIN that came with the call; null when none did. */
  readonly pin: string | null;
  /** Was called: is asked for no PIN, and does not wait in the lobby. */
  readonly invited: boolean;
}

/** Why somebody did not get in. */
export type TurnedAway = 'pin-failed' | 'lobby-refused' | 'room-locked';

/** What the machine has done. */
export interface EntryEffects {
  stage(stage: EntryStage): void;
  /** Says prompts in place of what is said at present; `said` when all was heard or could not be, unless hushed before. */
  say(prompts: readonly string[], said: () => void): void;
  hush(): void;
  /** For who waits; until hushed. */
  playMusic(): void;
  recordName(recorded: () => void): void;
  /** Whether a PIN would be looked at. */
  takesPins(): boolean;
  triedPin(result: PinResult): void;
  isLocked(): boolean;
  hasModerator(): boolean;
  entered(moderator: boolean): void;
  turnedAway(why: TurnedAway): void;
}

/** Whatever is said last may take so long; then the call ends all the same. */
const GOODBYE_MS = 15_000;

/**
 * The way of one caller into a room: PIN, name, lobby, waiting for the moderator. No sockets and no clock: keys and what
 * others decide go in, effects come out.
 */
export class Entry {
  private readonly rules: EntryRules;
  private readonly arrival: NewArrival;
  private readonly timers: Timers;
  private readonly effects: EntryEffects;
  private moderator: boolean;
  private at: 'pin' | 'name' | 'lobby' | 'waiting' | 'leaving' | 'over' = 'pin';
  private pin: PinEntry | null = null;
  private goodbye: Timer | null = null;

  constructor(rules: EntryRules, arrival: NewArrival, timers: Timers, effects: EntryEffects) {
    this.rules = rules;
    this.arrival = arrival;
    this.timers = timers;
    this.effects = effects;
    this.moderator = arrival.moderator;
  }

  /** Whether there is anything to ask or to wait for; who needs none of it enters at once. */
  static isNeeded(rules: EntryRules, { moderator, invited }: NewArrival): boolean {
    const { pin: roomPin, moderatorPin, lobby, waitForModerator, names } = rules;
    const asked = !invited && (roomPin !== null || moderatorPin !== null);
    return asked || names || (!moderator && ((lobby && !invited) || waitForModerator));
  }

  start(): void {
    const { pin, moderatorPin } = this.rules;
    if (this.arrival.invited || (pin === null && moderatorPin === null)) return this.admitted();
    this.effects.stage('entering');
    this.pin = new PinEntry({
      ...{ pin, moderatorPin, timers: this.timers },
      say: (prompts, said) => this.effects.say(prompts, said),
      hush: () => this.effects.hush(),
      takesPins: () => this.effects.takesPins(),
      tried: (result) => this.effects.triedPin(result),
      known: (moderator) => {
        this.moderator ||= moderator;
        if (this.effects.isLocked() && !this.moderator) this.turnAway('room-locked', ['room-is-locked', 'goodbye']);
        else this.admitted();
      },
      failed: () => this.turnAway('pin-failed', ['pin-failed', 'goodbye']),
    });
    this.pin.start(this.arrival.pin);
  }

  key(key: string): void {
    if (this.at === 'pin') this.pin?.key(key);
  }

  /** By a moderator, from the lobby or while waiting for one. False when the caller is at neither. */
  admit(): boolean {
    if (this.at !== 'lobby' && this.at !== 'waiting') return false;
    this.enter();
    return true;
  }

  /** By a moderator; false when the caller is not in the lobby. */
  refuse(): boolean {
    if (this.at !== 'lobby' && this.at !== 'waiting') return false;
    this.turnAway('lobby-refused', ['lobby-refused', 'goodbye']);
    return true;
  }

  /** By a moderator: who is one does not wait. */
  setModerator(moderator: boolean): void {
    this.moderator = moderator;
    if (moderator && (this.at === 'lobby' || this.at === 'waiting')) this.enter();
  }

  moderatorCame(): void {
    if (this.at === 'waiting') this.enter();
  }

  /** The call has ended. */
  stop(): void {
    this.at = 'over';
    this.pin?.stop();
    this.goodbye?.clear();
  }

  /** The PIN is right, or none is needed. */
  private admitted(): void {
    if (!this.rules.names) return this.queue();
    this.at = 'name';
    this.effects.stage('entering');
    this.effects.say(['say-your-name'], () => {
      if (this.at !== 'name') return;
      this.effects.recordName(() => {
        if (this.at === 'name') this.queue();
      });
    });
  }

  private queue(): void {
    if (this.moderator) return this.enter();
    if (this.rules.lobby && !this.arrival.invited) return this.waitIn('lobby', 'lobby-wait');
    if (this.rules.waitForModerator && !this.effects.hasModerator()) {
      return this.waitIn('waiting', 'please-wait-moderator');
    }
    this.enter();
  }

  private waitIn(stage: 'lobby' | 'waiting', prompt: string): void {
    this.at = stage;
    this.effects.stage(stage);
    this.effects.say([prompt], () => {
      if (this.at === stage) this.effects.playMusic();
    });
  }

  private enter(): void {
    this.at = 'over';
    this.effects.hush();
    this.effects.entered(this.moderator);
  }

  private turnAway(why: TurnedAway, prompts: readonly string[]): void {
    this.at = 'leaving';
    const leave = (): void => {
      if (this.at !== 'leaving') return;
      this.stop();
      this.effects.turnedAway(why);
    };
    this.goodbye = this.timers.set(GOODBYE_MS, leave);
    this.effects.say(prompts, leave);
  }
}
