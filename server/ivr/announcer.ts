import type { MixerEvent, SoundToPlay } from '../../mixer/protocol.ts';
import type { Log } from '../log.ts';
import type { Prompts } from '../prompts/prompts.ts';
import type { KeyAction, Language, RoomKeys } from '../rooms/policy.ts';

export type PromptFiles = Pick<Prompts, 'file' | 'count' | 'sound' | 'music' | 'menu' | 'menuEntry'>;

export interface SoundPlayer {
  /** Settled when it is to be played; its end comes as `playbackEnded`. */
  playSound(sound: SoundToPlay): Promise<void>;
  stopSound(playback: string): Promise<void>;
}

/** One thing that is said or played: a prompt by its id, or something made of several. */
export type Sound =
  | string
  | { count: number }
  | { sound: 'join' | 'leave' | 'beep' }
  | { menu: RoomKeys; moderator: boolean }
  /** What these keys are for. */
  | { action: KeyAction; keys: string }
  | { file: string };

export type Listeners = { room: string } | { leg: string };

export interface Playback {
  readonly id: string;
  /** Nothing happens when it has ended. Who waits for its end is not told. */
  stop(): void;
}

export interface AnnouncerOptions {
  readonly prompts: PromptFiles;
  readonly player: SoundPlayer;
  readonly log: Log;
}

/** Says prompts and plays sounds to participants and rooms, and tells when they were heard. */
export class Announcer {
  private readonly options: AnnouncerOptions;
  /** What is played, and whom to tell when it ends. */
  private readonly playing = new Map<string, () => void>();
  private serial = 0;

  constructor(options: AnnouncerOptions) {
    this.options = options;
  }

  /**
   * @param sounds prompts by id, and others; played one after the other
   * @param heard called once when all was played or could not be; not after `stop`
   */
  say(to: Listeners, language: Language, sounds: readonly Sound[], heard: () => void = () => {}): Playback {
    const files = sounds.flatMap((sound) => this.filesOf(language, sound));
    return this.play({ to, files, gainDb: 0, repeat: false }, heard);
  }

  /** Until it is stopped. */
  playMusic(to: Listeners): Playback {
    return this.play({ to, files: [...this.options.prompts.music()], gainDb: MUSIC_DB, repeat: true }, () => {});
  }

  play(sound: Omit<SoundToPlay, 'playback'>, ended: () => void): Playback {
    const { player, log } = this.options;
    const id = `sound-${++this.serial}`;
    this.playing.set(id, ended);
    if (sound.files.length === 0) queueMicrotask(() => this.ended(id));
    else {
      player.playSound({ playback: id, ...sound }).catch((error: unknown) => {
        // Who hung up meanwhile is no fault.
        const level = GONE.has(String((error as { code?: unknown }).code)) ? 'debug' : 'warn';
        log[level]({ to: sound.to, files: sound.files, reason: String(error) }, 'sound could not be played');
        this.ended(id);
      });
    }
    return { id, stop: () => this.stop(id) };
  }

  happened(event: MixerEvent): void {
    if (event.event !== 'playbackEnded') return;
    if (event.reason === 'failed') {
      this.options.log.warn({ playback: event.playback, reason: event.detail }, 'sound could not be played');
    }
    this.ended(event.playback);
  }

  private stop(id: string): void {
    if (!this.playing.delete(id)) return;
    this.options.player.stopSound(id).catch((error: unknown) => {
      this.options.log.debug({ playback: id, reason: String(error) }, 'sound could not be stopped');
    });
  }

  private ended(id: string): void {
    const ended = this.playing.get(id);
    this.playing.delete(id);
    ended?.();
  }

  private filesOf(language: Language, sound: Sound): readonly string[] {
    try {
      return this.find(language, sound);
    } catch (error) {
      this.options.log.warn({ language, sound, reason: String(error) }, 'there is no such sound');
      return [];
    }
  }

  private find(language: Language, sound: Sound): readonly string[] {
    const { prompts } = this.options;
    if (typeof sound === 'string') return [prompts.file(language, sound)];
    if ('file' in sound) return [sound.file];
    if ('count' in sound) return prompts.count(language, sound.count);
    if ('sound' in sound) return [prompts.sound(sound.sound)];
    if ('action' in sound) return prompts.menuEntry(language, sound.action, sound.keys);
    const { menu, moderator } = sound;
    return prompts.menu(language, menu.everybody, moderator ? menu.moderators : null);
  }
}

const GONE = new Set(['no-such-leg', 'no-such-room']);

/** Below speech, so that a prompt over it is understood. */
const MUSIC_DB = -8;
