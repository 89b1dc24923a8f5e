import { type FileOpener, inspectSoundFile, openFromDisk, type SoundFile, SoundReader } from './sound-file.ts';
import { StreamedSound } from './streamed-sound.ts';

/** Longer sounds, some two minutes at 16 kHz, are read while they are played. */
const CACHED_SOUND_BYTES = 4 * 1024 * 1024;
/** Some seventeen minutes at 16 kHz: a set of prompts and the music. */
const CACHE_BYTES = 32 * 1024 * 1024;
const PIECE_SAMPLES = 16_000;

/** A sound that is being played, to its end. */
export interface Sound {
  readonly sampleRateHz: number;
  /** Where the next sample is taken, counted from the sound's beginning. */
  readonly position: number;
  /** All of it was taken. */
  readonly ended: boolean;
  /** Why no more of it can be read. */
  readonly failed: string | null;
  /** Copies what comes next and returns how much it was: less than `samples` at the end, or when the disk is late. */
  take(out: Int16Array, offset: number, samples: number): number;
  close(): void;
}

interface Cached {
  mtimeMs: number;
  bytes: number;
  pcm: Promise<Int16Array>;
}

/** Sounds from files, of which the short ones are kept decoded, as many as were used last. Never read in a tick. */
export class Sounds {
  private readonly openFile: FileOpener;
  /** By path, the one used last at the end. */
  private readonly cache = new Map<string, Cached>();
  private cachedBytes = 0;

  constructor(openFile: FileOpener = openFromDisk) {
    this.openFile = openFile;
  }

  /** Rejects with an Error that names the file and says why it cannot be played. */
  inspect(path: string): Promise<SoundFile> {
    return inspectSoundFile(path, this.openFile);
  }

  /**
   * Settled when the first of it is at hand. Rejects as `inspect`.
   * @param start the sample to begin with, an even number below `file.samples`
   */
  async open(file: SoundFile, start = 0): Promise<Sound> {
    if (2 * file.samples > CACHED_SOUND_BYTES) {
      return StreamedSound.open(await SoundReader.open(file, this.openFile, start), file);
    }
    return new DecodedSound(await this.decoded(file), file.sampleRateHz, start);
  }

  private decoded(file: SoundFile): Promise<Int16Array> {
    const { path, mtimeMs } = file;
    const there = this.cache.get(path);
    if (there) this.forget(path, there);
    const usable = there?.mtimeMs === mtimeMs && there.bytes === 2 * file.samples;
    const cached: Cached = usable ? there : { mtimeMs, bytes: 2 * file.samples, pcm: this.decode(file) };
    this.cache.set(path, cached);
    this.cachedBytes += cached.bytes;
    cached.pcm.catch(() => this.forget(path, cached));
    for (const [oldest, entry] of this.cache) {
      if (this.cachedBytes <= CACHE_BYTES) break;
      this.forget(oldest, entry);
    }
    return cached.pcm;
  }

  private forget(path: string, cached: Cached): void {
    if (this.cache.get(path) !== cached) return;
    this.cache.delete(path);
    this.cachedBytes -= cached.bytes;
  }

  private async decode(file: SoundFile): Promise<Int16Array> {
    const reader = await SoundReader.open(file, this.openFile);
    try {
      const pcm = new Int16Array(file.samples);
      while (reader.position < file.samples) await reader.read(pcm, reader.position, PIECE_SAMPLES);
      return pcm;
    } finally {
      await reader.close();
    }
  }
}

class DecodedSound implements Sound {
  readonly failed = null;
  readonly sampleRateHz: number;
  position: number;
  private readonly pcm: Int16Array;

  constructor(pcm: Int16Array, sampleRateHz: number, start: number) {
    this.pcm = pcm;
    this.sampleRateHz = sampleRateHz;
    this.position = start;
  }

  get ended(): boolean {
    return this.position === this.pcm.length;
  }

  take(out: Int16Array, offset: number, samples: number): number {
    const count = Math.min(samples, this.pcm.length - this.position);
    for (let index = 0; index < count; index++) out[offset + index] = this.pcm[this.position + index]!;
    this.position += count;
    return count;
  }

  close(): void {}
}
