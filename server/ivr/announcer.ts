import type { MixerEvent, MixerParams, PlaybackPosition, SoundToPlay } from '../../mixer/protocol.ts';
import type { Log } from '../log.ts';
import type { Prompts } from '../prompts/prompts.ts';
import type { KeyAction, Language, RoomKeys } from '../rooms/policy.ts';

export type PromptFiles = Pick<Prompts, 'file' | 'count' | 'sound' | 'music' | 'menu' | 'menuEntry'>;

export interface SoundPlayer {
  /** Settled when it is to be played; its end comes as `playbackEnded`. */
  playSound(sound: SoundToPlay): Promise<void>;
  controlSound(change: MixerParams<'controlSound'>): Promise<PlaybackPosition>;
  stopSound(playback: string): Promise<void>;
}

export type Tone = 'join' | 'leave' | 'beep' | 'recording-tone';

/** One thing that is said or played: a prompt by its id, or something made of several. */
export type Sound =
  | string
  | { count: number }
  | { sound: Tone }
  | { menu: RoomKeys; moderator: boolean }
  /** What these keys are for. */
  | { action: KeyAction; keys: string }
  | { file: string };

export type Listeners = { room: string } | { leg: string };

export interface Playback {
  readonly id: string;
  /** Changes the volume, goes on elsewhere, and says where it is. Rejects when it has ended. */
  control(change: { gainDb?: number; positionMs?: number }): Promise<PlaybackPosition>;
  /** Nothing happens when it has ended. Who waits for its end is not told. */
  stop(): void;
}

export interface AnnouncerOptions {
  readonly prompts: PromptFiles;
  readonly player: SoundPlayer;
  readonly log: Log;
}

interface Playing extends Pick<SoundToPlay, 'to' | 'files'> {
  readonly ended: () => void;
}

/** Says prompts and plays sounds to participants and rooms, and tells when they were heard. */
export class Announcer {
  private readonly options: AnnouncerOptions;
  /** What is played, and whom to tell when it ends. */
  private readonly playing = new Map<string, Playing>();
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

  /** Without words, and at that volume. */
  playTone(to: Listeners, tone: Tone, gainDb: number): Playback {
    return this.play({ to, files: [this.options.prompts.sound(tone)], gainDb, repeat: false }, () => {});
  }

  /** Until it is stopped. */
  playMusic(to: Listeners): Playback {
    return this.play({ to, files: [...this.options.prompts.music()], gainDb: MUSIC_DB, repeat: true }, () => {});
  }

  play(sound: Omit<SoundToPlay, 'playback'>, ended: () => void): Playback {
    const { player, log } = this.options;
    const id = `sound-${++this.serial}`;
    const { to, files } = sound;
    this.playing.set(id, { to, files, ended });
    if (files.length === 0) queueMicrotask(() => this.ended(id));
    else {
      player.playSound({ playback: id, ...sound }).catch((error: unknown) => {
        // Who hung up meanwhile is no fault.
        const level = GONE.has(String((error as { code?: unknown }).code)) ? 'debug' : 'warn';
        log[level]({ to, files, reason: String(error) }, 'sound could not be played');
        this.ended(id);
      });
    }
    return { id, control: (change) => player.controlSound({ playback: id, ...change }), stop: () => this.stop(id) };
  }

  happened(event: MixerEvent): void {
    if (event.event !== 'playbackEnded') return;
    if (event.reason === 'failed') {
      const { to, files } = this.playing.get(event.playback) ?? {};
      this.options.log.warn({ to, files, reason: event.detail }, 'sound could not be played');
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
    const playing = this.playing.get(id);
    this.playing.delete(id);
    playing?.ended();
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
