import { MixerFailure } from '../mixer-failure.ts';
import type { PlaybackEnd, SoundToPlay } from '../protocol.ts';
import { Playback } from './playback.ts';
import { Sounds } from './sounds.ts';

/** A number is some files, a sentence with one some more. */
const MOST_FILES = 100;

/** All that is played by one mixer process. */
export class Playbacks {
  private readonly sounds: Sounds;
  private readonly running = new Map<string, Playback>();
  private readonly ended: (playback: string, reason: PlaybackEnd, detail?: string) => void;

  /** @param ended told once of each that `play` took */
  constructor(ended: (playback: string, reason: PlaybackEnd, detail?: string) => void, sounds = new Sounds()) {
    this.ended = ended;
    this.sounds = sounds;
  }

  get count(): number {
    return this.running.size;
  }

  /**
   * Has its place in the queue at once, whatever is read first. Settled when it can be played.
   * @param enqueue false: it is full
   */
  async play(sound: SoundToPlay, enqueue: (playback: Playback) => boolean): Promise<void> {
    const { playback: id, files } = sound;
    if (this.running.has(id)) throw new MixerFailure('already-exists', `playback ${id} is there`);
    if (files.length === 0 || files.length > MOST_FILES) {
      throw new MixerFailure('bad-request', `a playback has 1 to ${MOST_FILES} files, not ${files.length}`);
    }
    const playback = new Playback(sound, this.sounds, (reason, detail) => {
      if (this.running.delete(id)) this.ended(id, reason, detail);
    });
    if (!enqueue(playback)) throw new MixerFailure('too-many-sounds', 'too much is waiting to be played there');
    this.running.set(id, playback);
    try {
      await playback.load();
    } catch (error) {
      playback.close();
      // It was stopped meanwhile, which was told.
      if (!this.running.delete(id)) return;
      throw new MixerFailure('cannot-read', error instanceof Error ? error.message : String(error));
    }
  }

  stop(id: string): void {
    const playback = this.running.get(id);
    if (playback) playback.stopping = true;
  }
}
