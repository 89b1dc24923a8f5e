import type { Announcer, Playback, Sound } from '../ivr/announcer.ts';
import { Confirmation } from '../ivr/confirmation.ts';
import { Entry, type TurnedAway } from '../ivr/entry.ts';
import type { Names } from '../ivr/names.ts';
import type { PinResult } from '../ivr/pin-entry.ts';
import type { Room } from '../rooms/room.ts';
import type { Timers } from '../timers.ts';
import { entryRules, roleIn } from './arrival.ts';
import type { ParticipantCall } from './participant-call.ts';
import type { PinGuard } from './pin-guard.ts';

export interface EntranceOptions {
  readonly announcer: Announcer;
  readonly names: Names;
  readonly timers: Timers;
  readonly pins: PinGuard;
  hasModerator(participant: ParticipantCall): boolean;
  /** Was called, and said no. */
  declined(participant: ParticipantCall): void;
  /** In the room, for the first time in this call. */
  entered(participant: ParticipantCall): void;
}

const WHY: Record<TurnedAway, string> = {
  'pin-failed': 'no correct PIN was entered',
  'lobby-refused': 'a moderator did not let them in',
  'room-locked': 'the room was locked meanwhile',
};

/** The way of one participant from a call that stands into the room: the machines of `ivr` with their voice. */
export class Entrance {
  private readonly participant: ParticipantCall;
  private readonly options: EntranceOptions;
  private readonly entry: Entry;
  /** Where they asked to come in; a moderator may move them meanwhile. */
  private readonly door: Room;
  private confirmation: Confirmation | null = null;
  private playing: Playback | null = null;

  constructor(participant: ParticipantCall, options: EntranceOptions) {
    this.participant = participant;
    this.door = participant.room;
    this.options = options;
    const say = (prompts: readonly string[], said: () => void) => this.say(prompts, said);
    // A moderator may have decided otherwise while it rang.
    const arrival = { ...participant.arrival, moderator: participant.controls.role === 'moderator' };
    this.entry = new Entry(entryRules(participant.room), arrival, options.timers, {
      stage: (stage) => participant.setStage(stage),
      say,
      hush: () => this.hush(),
      playMusic: () => this.playMusic(),
      recordName: (recorded) => this.recordName(recorded),
      takesPins: () => this.takesPins(),
      triedPin: (result) => this.triedPin(result),
      isLocked: () => participant.room.policy.locked,
      hasModerator: () => options.hasModerator(participant),
      entered: (moderator) => this.enter(moderator),
      turnedAway: (why) => participant.hangUp(WHY[why]),
    });
  }

  start(): void {
    const { admitted, confirm, notNow } = this.participant.arrival;
    if (admitted) return this.participant.enter(this.participant.controls.role);
    if (notNow !== null) {
      this.participant.setStage('entering');
      return this.say([notNow, 'goodbye'], () => this.participant.hangUp(`the call is ${notNow}`));
    }
    if (confirm) this.confirm();
    else this.entry.start();
  }

  key(key: string): void {
    if (this.confirmation === null) this.entry.key(key);
    else this.confirmation.key(key);
  }

  /** False when they do not wait for that. */
  admit(): boolean {
    return this.entry.admit();
  }

  refuse(): boolean {
    return this.entry.refuse();
  }

  /** Has another role by now. */
  roleGiven(): void {
    this.entry.setModerator(this.participant.controls.role === 'moderator');
  }

  moderatorCame(): void {
    this.entry.moderatorCame();
  }

  /** The call is over. */
  stop(): void {
    this.confirmation?.stop();
    this.entry.stop();
    this.hush();
  }

  private confirm(): void {
    this.participant.setStage('entering');
    this.confirmation = new Confirmation(this.options.timers, {
      say: (prompts, said) => this.say(prompts, said),
      hush: () => this.hush(),
      confirmed: () => {
        this.confirmation = null;
        this.entry.start();
      },
      declined: () => {
        this.options.declined(this.participant);
        this.participant.hangUp('pressed another key than 1');
      },
      unconfirmed: () => this.participant.hangUp('did not press 1'),
    });
    this.confirmation.start();
  }

  private enter(moderator: boolean): void {
    const { participant } = this;
    if (participant.isOver) return;
    const { role } = participant.controls;
    participant.enter(moderator ? 'moderator' : roleIn(participant.room, role));
    this.options.entered(participant);
  }

  private takesPins(): boolean {
    const { pinSource } = this.participant.arrival;
    return pinSource === null || this.options.pins.takes(this.door.name, pinSource);
  }

  private triedPin(result: PinResult): void {
    const { pins } = this.options;
    const { pinSource } = this.participant.arrival;
    const { name, policy } = this.door;
    if (pinSource === null) return;
    if (result === 'wrong') pins.wrong(name, pinSource);
    else if (result === 'refused') pins.refused(name, pinSource);
    // Who knows the participants' PIN may still guess that of the moderators.
    else pins.right(name, pinSource, result === 'moderator' || policy.moderatorPin === null);
  }

  private recordName(recorded: () => void): void {
    const { names } = this.options;
    this.say([{ sound: 'beep' }], () => void names.record(this.participant.id).then(recorded));
  }

  private say(sounds: readonly Sound[], said: () => void): void {
    this.hush();
    const { room, id } = this.participant;
    this.playing = this.options.announcer.say({ leg: id }, room.policy.language, sounds, said);
  }

  private playMusic(): void {
    this.hush();
    if (!this.participant.room.policy.music) return;
    this.playing = this.options.announcer.playMusic({ leg: this.participant.id });
  }

  private hush(): void {
    this.playing?.stop();
    this.playing = null;
  }
}
