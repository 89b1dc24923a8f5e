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
  private gainDb: number;
  private readonly startMs: number;
  private readonly sounds: Sounds;
  private readonly ended: (reason: PlaybackEnd, detail?: string) => void;
  private over = false;
  private files: SoundFile[] = [];
  private current: Sound | null = null;
  private upcoming: Sound | null = null;
  /** Of `files`, the one that `current` is of, and the one that is to be opened next. */
  private currentFile = 0;
  private nextFile = 0;
  /** How often `seek` was called, of which only the last call counts, and how often it found what to play. */
  private seeks = 0;
  private jumps = 0;
  /** It will be `upcoming` in a moment. */
  private opening = false;
  /** Takes the place of `current`, which fades out first. */
  private sought: Sound | null = null;
  /** The next frame is the first after a jump. */
  private jumped = false;
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
    this.startMs = sound.startMs ?? 0;
    this.repeats = sound.repeat;
    this.sounds = sounds;
    this.ended = ended;
  }

  /** Finds out whether all files can be played, and has the first sound at hand. Rejects with an Error that names the file. */
  async load(): Promise<void> {
    this.files = await Promise.all(this.paths.map((path) => this.sounds.inspect(path)));
    await this.seek(this.startMs);
  }

  /** Length of all files. */
  get durationMs(): number {
    return this.files.reduce((sum, file) => sum + lengthMs(file), 0);
  }

  /** What is played next, from the beginning of the first file. */
  get positionMs(): number {
    const before = this.files.slice(0, this.currentFile).reduce((sum, file) => sum + lengthMs(file), 0);
    return this.current ? before + (1000 * this.current.position) / this.current.sampleRateHz : 0;
  }

  /** Changes the volume, without a click. */
  setGain(gainDb: number): void {
    this.gainDb = gainDb;
  }

  /**
   * Goes on at `positionMs`, or at the end when there is not so much. Settled when what is there is at hand: it is played
   * from the next tick on. Rejects with an Error that names the file; then it goes on where it is.
   */
  async seek(positionMs: number): Promise<void> {
    const { file, sample } = this.placeOf(positionMs);
    const seek = ++this.seeks;
    const sound = await this.sounds.open(this.files[file]!, sample);
    if (this.over || seek !== this.seeks) return sound.close();
    this.jumps++;
    this.upcoming?.close();
    this.upcoming = null;
    this.sought?.close();
    this.sought = sound;
    if (!this.begun) this.jump(sound);
    this.currentFile = file;
    this.nextFile = file + 1;
    this.openUpcoming();
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
    const { frame, gain, sought } = this;
    const filled = this.fill(frame);
    frame.fill(0, filled);
    if (fade === 'in' || this.jumped) gain.setAtOnce(Number.NEGATIVE_INFINITY);
    this.jumped = false;
    gain.set(fade === 'out' || sought ? Number.NEGATIVE_INFINITY : this.gainDb);
    gain.process(frame, 0, frame.length);
    if (sought) this.jump(sought);
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
    this.sought?.close();
  }

  private jump(to: Sound): void {
    this.sought = null;
    if (this.over) return;
    this.current?.close();
    this.current = to;
    this.jumped = this.begun;
  }

  /** The file and sample at `positionMs`; the last ones when there is not so much. */
  private placeOf(positionMs: number): { file: number; sample: number } {
    const { files } = this;
    let leftMs = positionMs;
    for (let file = 0; file < files.length; file++) {
      const { sampleRateHz, samples } = files[file]!;
      const sample = Math.floor((leftMs * sampleRateHz) / 2000) * 2;
      if (sample < samples) return { file, sample };
      leftMs -= lengthMs(files[file]!);
    }
    const { samples } = files.at(-1)!;
    return { file: files.length - 1, sample: samples - 2 + (samples % 2) };
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
      // What is faded out need not end: something else is played next.
      if (this.sought) return filled;
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
    this.currentFile = this.nextFile - 1;
    this.upcoming = null;
    this.openUpcoming();
  }

  private openUpcoming(): void {
    if (this.nextFile === this.files.length && this.repeats) this.nextFile = 0;
    this.opening = this.nextFile < this.files.length;
    if (!this.opening) return;
    const { jumps } = this;
    this.sounds.open(this.files[this.nextFile++]!).then(
      (sound) => {
        if (this.over || jumps !== this.jumps) return sound.close();
        this.opening = false;
        this.upcoming = sound;
      },
      (error: Error) => {
        if (jumps === this.jumps) this.failure = error.message;
      },
    );
  }

  private useRate(sampleRateHz: number): void {
    if (sampleRateHz === this.rateHz) return;
    this.rateHz = sampleRateHz;
    this.frame = new Int16Array((sampleRateHz * TICK_MS) / 1000);
    this.gain = new Gain(sampleRateHz, this.gainDb);
    this.resampled.begin(sampleRateHz);
  }
}

function lengthMs({ samples, sampleRateHz }: SoundFile): number {
  return (1000 * samples) / sampleRateHz;
}
