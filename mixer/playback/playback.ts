import { Gain } from '../audio/gain.ts';
import type { MixSource } from '../audio/mix-bus.ts';
import { ResampledFrame } from '../audio/resampled-frame.ts';
import type { PlaybackEnd, SoundToPlay } from '../protocol.ts';
import { TICK_MS } from '../room-clock.ts';
import type { SoundFile } from './sound-file.ts';
import type { Sound, Sounds } from './sounds.ts';

/** Whether a frame is the first after a rest, or the last before one or before the end. */
export type Fade = 'none' | 'in' | 'out';

/** Sounds that are played one after the other: 20 ms of them a tick, as a source of a mix. */
export class Playback implements MixSource {
  readonly id: string;
  readonly repeats: boolean;
  /** Some of it was played. */
  begun = false;
  stopping = false;
  private readonly paths: readonly string[];
  private readonly gainDb: number;
  private readonly sounds: Sounds;
  private readonly ended: (reason: PlaybackEnd, detail?: string) => void;
  private over = false;
  private files: SoundFile[] = [];
  private current: Sound | null = null;
  private upcoming: Sound | null = null;
  /** Of `files`, the one that is to be opened next. */
  private nextFile = 0;
  /** It will be `upcoming` in a moment. */
  private opening = false;
  private failure: string | null = null;
  private rateHz = 0;
  private frame = new Int16Array(0);
  private gain = new Gain(8000);
  private readonly resampled = new ResampledFrame();

  /** @param ended told once, of all that was not given up by `close` */
  constructor(sound: SoundToPlay, sounds: Sounds, ended: (reason: PlaybackEnd, detail?: string) => void) {
    this.id = sound.playback;
    this.paths = sound.files;
    this.gainDb = sound.gainDb;
    this.repeats = sound.repeat;
    this.sounds = sounds;
    this.ended = ended;
  }

  /** Finds out whether all files can be played, and has the first at hand. Rejects with an Error that names the file. */
  async load(): Promise<void> {
    this.files = await Promise.all(this.paths.map((path) => this.sounds.inspect(path)));
    this.keep(await this.openNext());
  }

  get ready(): boolean {
    return this.current !== null;
  }

  /** It is over, with the frame that was made last. */
  get finished(): boolean {
    return this.over;
  }

  /** Makes the next 20 ms. */
  next(fade: Fade): void {
    this.begun = true;
    this.useRate(this.current!.sampleRateHz);
    this.resampled.next();
    const { frame, gain } = this;
    const filled = this.fill(frame);
    frame.fill(0, filled);
    if (fade === 'in') gain.setAtOnce(Number.NEGATIVE_INFINITY);
    gain.set(fade === 'out' ? Number.NEGATIVE_INFINITY : this.gainDb);
    gain.process(frame, 0, frame.length);
  }

  frameAt(sampleRateHz: number): Int16Array {
    return this.resampled.at(sampleRateHz, this.frame);
  }

  /** The end. What is left is not played. */
  end(reason: PlaybackEnd, detail?: string): void {
    if (this.over) return;
    this.close();
    this.ended(reason, detail);
  }

  close(): void {
    this.over = true;
    this.current?.close();
    this.upcoming?.close();
  }

  /** Returns how much of `frame` there was; the end of it all, and failures, are dealt with. */
  private fill(frame: Int16Array): number {
    let filled = 0;
    for (;;) {
      const sound = this.current!;
      filled += sound.take(frame, filled, frame.length - filled);
      if (!sound.ended) {
        if (filled < frame.length && sound.failed !== null) this.end('failed', sound.failed);
        return filled;
      }
      if (!this.upcoming) {
        if (this.failure !== null) this.end('failed', this.failure);
        else if (!this.opening) this.end('finished');
        return filled;
      }
      this.goOn();
      // One of another rate begins with the next frame.
      if (filled === frame.length || this.current!.sampleRateHz !== this.rateHz) return filled;
    }
  }

  private goOn(): void {
    this.current!.close();
    this.current = this.upcoming;
    this.upcoming = null;
    this.openUpcoming();
  }

  private keep(sound: Sound): void {
    this.opening = false;
    if (this.over) {
      sound.close();
      return;
    }
    if (this.current) {
      this.upcoming = sound;
      return;
    }
    this.current = sound;
    this.openUpcoming();
  }

  private openUpcoming(): void {
    if (this.nextFile === this.files.length && this.repeats) this.nextFile = 0;
    if (this.nextFile === this.files.length) return;
    this.opening = true;
    this.openNext().then(
      (sound) => this.keep(sound),
      (error: Error) => {
        this.failure = error.message;
      },
    );
  }

  private openNext(): Promise<Sound> {
    return this.sounds.open(this.files[this.nextFile++]!);
  }

  private useRate(sampleRateHz: number): void {
    if (sampleRateHz === this.rateHz) return;
    this.rateHz = sampleRateHz;
    this.frame = new Int16Array((sampleRateHz * TICK_MS) / 1000);
    this.gain = new Gain(sampleRateHz, this.gainDb);
    this.resampled.begin(sampleRateHz);
  }
}
