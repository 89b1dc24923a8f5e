import { KEY_BYTES } from '../../sealed/sealed-format.ts';
import { MixerFailure } from '../mixer-failure.ts';
import type { MixerParams, PlaybackEnd, PlaybackPosition, SoundToPlay } from '../protocol.ts';
import { Playback } from './playback.ts';
import { openSealed } from './sealed-sound.ts';
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
    const { playback: id, files, key } = sound;
    if (this.running.has(id)) throw new MixerFailure('already-exists', `playback ${id} is there`);
    if (files.length === 0 || files.length > MOST_FILES) {
      throw new MixerFailure('bad-request', `a playback has 1 to ${MOST_FILES} files, not ${files.length}`);
    }
    // What is encrypted on the disk does not stay in memory, either.
    const sounds = key === undefined ? this.sounds : new Sounds(openSealed(playbackKey(key)));
    const playback = new Playback(sound, sounds, (reason, detail) => {
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

  /**
   * Changes the volume of what is played, and goes on elsewhere in it. Where it stands then.
   * @throws MixerFailure `no-such-sound`, `cannot-read`
   */
  async control({ playback: id, gainDb, positionMs }: MixerParams<'controlSound'>): Promise<PlaybackPosition> {
    const playback = this.running.get(id);
    if (!playback?.ready) throw new MixerFailure('no-such-sound', `${id} is not being played`);
    if (gainDb !== undefined) playback.setGain(gainDb);
    if (positionMs !== undefined) {
      await playback.seek(positionMs).catch((error: Error) => {
        throw new MixerFailure('cannot-read', error.message);
      });
    }
    const { durationMs } = playback;
    return { positionMs: Math.round(positionMs ?? playback.positionMs), durationMs: Math.round(durationMs) };
  }

  stop(id: string): void {
    const playback = this.running.get(id);
    if (playback) playback.stopping = true;
  }
}

/** What is wrong with it must not show what it is. */
function playbackKey(base64: string): Uint8Array {
  const key = Buffer.from(base64, 'base64');
  if (key.length !== KEY_BYTES) throw new MixerFailure('bad-request', `a key is ${KEY_BYTES} octets`);
  return key;
}
