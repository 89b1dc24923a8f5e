import { LAYOUT_NAMES } from '../../mixer/video-protocol.ts';
import type { Announcer, Sound } from '../ivr/announcer.ts';
import { KeyMenu } from '../ivr/key-menu.ts';
import type { Log } from '../log.ts';
import type { KeyAction, RoomKeys } from '../rooms/policy.ts';
import type { Room } from '../rooms/room.ts';
import type { Timers } from '../timers.ts';
import { type Moderation, VOLUME_LIMITS_DB } from './moderation.ts';
import type { ParticipantCall } from './participant-call.ts';

export interface KeyActionsOptions {
  readonly announcer: Announcer;
  readonly moderation: Moderation;
  readonly timers: Timers;
  readonly log: Log;
  in(room: Room): ParticipantCall[];
  /** Starts recording, or stops what runs; `announced`: all in the room hear it. */
  toggleRecording(room: Room): Promise<{ now: 'started' | 'stopped'; announced: boolean }>;
  /** A key was pressed in the room, whatever it does. */
  keyPressed(participant: ParticipantCall, key: string): void;
}

const VOLUME_STEP_DB = 3;

/** What the keys of those in a room do, and what they hear of it. */
export class KeyActions {
  private readonly options: KeyActionsOptions;
  private readonly menus = new Map<string, KeyMenu>();

  constructor(options: KeyActionsOptions) {
    this.options = options;
  }

  pressed(participant: ParticipantCall, key: string): void {
    const { timers, log } = this.options;
    this.options.keyPressed(participant, key);
    const menu = this.menus.get(participant.id) ?? new KeyMenu();
    this.menus.set(participant.id, menu);
    const isModerator = participant.controls.role === 'moderator';
    const meaning = menu.press(key, timers.now(), participant.room.policy.keys, isModerator);
    if (meaning === null) return;
    if ('notAllowed' in meaning) return this.tell(participant, 'not-allowed');
    log.info({ room: participant.room.name, participant: participant.id, action: meaning.action }, 'keys');
    this.actions[meaning.action](participant).catch((error: unknown) => {
      log.warn({ participant: participant.id, action: meaning.action, reason: String(error) }, 'keys did nothing');
    });
  }

  left(participant: ParticipantCall): void {
    this.menus.delete(participant.id);
  }

  private readonly actions: Record<KeyAction, (participant: ParticipantCall) => Promise<void>> = {
    mute: (participant) => this.mute(participant),
    hand: async (participant) => {
      const raised = participant.room.participant(participant.id)?.hand !== true;
      this.options.moderation.setHand(participant, raised);
      this.tell(participant, raised ? 'hand-raised' : 'hand-lowered');
    },
    'volume-down': (participant) => this.volume(participant, -VOLUME_STEP_DB, 'volume-down'),
    'volume-up': (participant) => this.volume(participant, VOLUME_STEP_DB, 'volume-up'),
    count: async (participant) => this.tell(participant, { count: participant.room.present.length }),
    layout: (participant) => this.nextLayout(participant),
    menu: async (participant) => {
      const moderator = participant.controls.role === 'moderator';
      const seesNothing = participant.room.participant(participant.id)?.video === null;
      const { keys } = participant.room.policy;
      this.tell(participant, { menu: seesNothing ? without('layout', keys) : keys, moderator });
    },
    lock: async (participant) => {
      const { room } = participant;
      const locked = !room.policy.locked;
      room.changePolicy({ locked });
      this.tell(participant, locked ? 'room-locked' : 'room-unlocked');
    },
    'mute-all': ({ room }) => this.muteAll(room),
    record: (participant) => this.record(participant),
    end: async ({ room }) => {
      await this.options.moderation.end(room, ['conference-ends'], 'a moderator ended the conference');
    },
  };

  /** What all hear needs not be told again. */
  private async record(participant: ParticipantCall): Promise<void> {
    try {
      const { now, announced } = await this.options.toggleRecording(participant.room);
      if (!announced) this.tell(participant, now === 'started' ? 'recording-started' : 'recording-stopped');
    } catch (error) {
      this.tell(participant, 'recording-stopped');
      throw error;
    }
  }

  /** What is seen tells what came of it; a beep, that something did. */
  private async nextLayout(participant: ParticipantCall): Promise<void> {
    const { controls, room } = participant;
    const index = LAYOUT_NAMES.indexOf(controls.layout ?? room.policy.layout);
    await participant.decide({ layout: LAYOUT_NAMES[(index + 1) % LAYOUT_NAMES.length]! });
    this.tell(participant, { sound: 'beep' });
  }

  private async mute(participant: ParticipantCall): Promise<void> {
    const { moderation } = this.options;
    if (participant.controls.muted?.by === 'moderator') return moderation.sayMutedByModerator(participant);
    const muted = !participant.controls.mutedBySelf;
    await moderation.setMuted(participant, muted, 'self');
    this.tell(participant, muted ? 'you-are-muted' : 'you-are-unmuted');
  }

  /** Mutes all but moderators; when all are, unmutes them. */
  private async muteAll(room: Room): Promise<void> {
    const isModerator = ({ controls }: ParticipantCall): boolean => controls.role === 'moderator';
    const others = this.options.in(room).filter((participant) => !isModerator(participant));
    const muted = others.some(({ controls }) => !controls.mutedByModerator);
    await this.options.moderation.muteAll(room, muted, isModerator);
    this.tellAll(room, muted ? 'all-muted' : 'all-unmuted');
  }

  private async volume(participant: ParticipantCall, byDb: number, prompt: string): Promise<void> {
    const { min, max } = VOLUME_LIMITS_DB;
    const { controls } = participant;
    await participant.decide({ volumeDb: Math.min(max, Math.max(min, controls.volumeDb + byDb)) });
    this.tell(participant, prompt);
  }

  private tell({ id, room }: ParticipantCall, sound: Sound): void {
    this.options.announcer.say({ leg: id }, room.policy.language, [sound]);
  }

  private tellAll(room: Room, sound: Sound): void {
    this.options.announcer.say({ room: room.name }, room.policy.language, [sound]);
  }
}

/** The keys without those that do this. */
function without(action: KeyAction, { everybody, moderators }: RoomKeys): RoomKeys {
  const others = <Action extends KeyAction>(keys: Record<string, Action>): Record<string, Action> =>
    Object.fromEntries(Object.entries(keys).filter(([, does]) => does !== action)) as Record<string, Action>;
  return { everybody: others(everybody), moderators: others(moderators) };
}
