import type {
  MixerEvent,
  MixerMethod,
  MixerParams,
  MixerResult,
  PlaybackPosition,
  SoundToPlay,
} from '../../mixer/protocol.ts';
import { isLost, MixerError, orGone } from './mixer-channel.ts';
import type { Mixer } from './mixer-fleet.ts';

interface Playing {
  readonly mixer: Mixer;
  /** With the volume that it has by now. */
  sound: SoundToPlay;
  /** The mixer has taken it, and so its end is told. */
  started: boolean;
  /** Nobody wants to hear it any more. */
  stopped: boolean;
}

export interface PlaybacksOptions {
  request<M extends MixerMethod>(mixer: Mixer, method: M, params: MixerParams<M>): Promise<MixerResult<M>>;
  /** Throws when what it is to be played to is not open. */
  mixerFor(to: SoundToPlay['to']): Mixer;
  /** The end of one that no mixer will tell. */
  happened(event: MixerEvent): void;
}

/** What is played on the mixer processes. What repeats outlasts its mixer. */
export class Playbacks {
  private readonly options: PlaybacksOptions;
  private readonly byId = new Map<string, Playing>();

  constructor(options: PlaybacksOptions) {
    this.options = options;
  }

  /** See `Mixers.playSound`. */
  async play(sound: SoundToPlay): Promise<void> {
    const { playback, repeat, to } = sound;
    if (this.byId.has(playback)) throw new MixerError('already-exists', `playback ${playback} is there`);
    const record: Playing = { mixer: this.options.mixerFor(to), sound, started: false, stopped: false };
    this.byId.set(playback, record);
    try {
      await this.options.request(record.mixer, 'playSound', sound);
    } catch (error) {
      // The next life of the mixer gets what repeats.
      if (!(repeat && isLost(error))) {
        this.byId.delete(playback);
        throw error;
      }
    }
    record.started = true;
  }

  /** See `controlSound` of the protocol. */
  async control(change: MixerParams<'controlSound'>): Promise<PlaybackPosition> {
    const { playback, gainDb } = change;
    const record = this.byId.get(playback);
    if (!record) throw new MixerError('no-such-sound', `${playback} is not being played`);
    const position = await this.options.request(record.mixer, 'controlSound', change);
    if (gainDb !== undefined) record.sound = { ...record.sound, gainDb };
    return position;
  }

  /** Nothing happens if it has ended. */
  async stop(playback: string): Promise<void> {
    const record = this.byId.get(playback);
    if (!record) return;
    record.stopped = true;
    await this.options.request(record.mixer, 'stopSound', { playback }).catch(orGone);
  }

  /** A mixer, or `happened`, has told its end. */
  ended(playback: string): void {
    this.byId.delete(playback);
  }

  /** The mixer is a new process, with all its rooms and legs. */
  refill(mixer: Mixer): void {
    const here = [...this.byId].filter(([, record]) => record.mixer === mixer);
    const again = here.filter(([, { sound, stopped }]) => sound.repeat && !stopped);
    // What it had not taken was rejected.
    const over = here.filter(([, { sound, started, stopped }]) => (sound.repeat ? stopped : started));
    // First, as who is told of an end may stop one of them.
    for (const [playback, record] of again) this.playAgain(playback, record);
    for (const [playback] of over) {
      this.options.happened({ event: 'playbackEnded', playback, reason: 'failed', detail: 'the mixer died' });
    }
  }

  private playAgain(playback: string, record: Playing): void {
    this.options.request(record.mixer, 'playSound', record.sound).catch((error: unknown) => {
      if (isLost(error) || this.byId.get(playback) !== record) return;
      this.options.happened({ event: 'playbackEnded', playback, reason: 'failed', detail: String(error) });
    });
  }
}
