import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { ControlError } from '../focus/control.ts';
import { writeFileBy } from '../write-file.ts';
import { importedDurationMs, importSound } from './import-sound.ts';

/** A sound that can be played in rooms. */
export interface SoundView {
  id: string;
  /** What people call it. */
  name: string;
  durationMs: number;
  /** ISO 8601. */
  createdAt: string;
}

export interface SoundLibraryOptions {
  directory: string;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  findFfmpeg(): Promise<string | null>;
  /** Milliseconds since 1970. */
  epochMs(): number;
  import?: typeof importSound;
}

/** Of an upload. */
export const SOUND_LIMIT_BYTES = 500_000_000;
/** In the making at a time; more wait for none, and are told to come again. */
const MOST_IMPORTS = 4;

const storedSound: z.ZodType<SoundView> = z.object({
  id: z.string().regex(/^[0-9a-f]{12}$/),
  name: z.string(),
  durationMs: z.number(),
  createdAt: z.iso.datetime(),
});

/**
 * Sounds to be played in rooms, made of whatever audio files people bring: `<id>.wav` that a mixer reads, and `<id>.json`.
 * What cannot be used never gets an id.
 */
export class SoundLibrary {
  readonly #options: SoundLibraryOptions;
  readonly #sounds = new Map<string, SoundView>();
  readonly #closing = new AbortController();
  #imports = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: SoundLibraryOptions) {
    this.#options = options;
  }

  /** Reads what is there, and takes away what a crash left in the making. Rejects when the directory cannot be used. */
  async open(): Promise<void> {
    const { directory, log } = this.#options;
    await mkdir(directory, { recursive: true, mode: 0o750 });
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      if (name.endsWith('.part')) await rm(path);
      if (!name.endsWith('.json')) continue;
      try {
        const sound = storedSound.parse(JSON.parse(await readFile(path, 'utf8')));
        this.#sounds.set(sound.id, sound);
      } catch (error) {
        log.warn({ file: path, reason: describe(error) }, 'sound entry cannot be read');
      }
    }
  }

  /** Oldest first. */
  list(): SoundView[] {
    return [...this.#sounds.values()].sort((one, other) => one.createdAt.localeCompare(other.createdAt));
  }

  /** Errors: `sound-not-found`. */
  get(id: string): SoundView {
    const sound = this.#sounds.get(id);
    if (sound === undefined) throw new ControlError('sound-not-found', `there is no sound ${id}`);
    return sound;
  }

  /** The WAV file to be played. Errors: `sound-not-found`. */
  file(id: string): string {
    return this.#path(this.get(id).id, 'wav');
  }

  /**
   * Makes a sound of a whole audio file. Errors: `sound-invalid`, which says why, `sound-too-large`, `sounds-unavailable`.
   */
  async add(upload: Readable, name: string): Promise<SoundView> {
    if (this.#imports >= MOST_IMPORTS) throw new ControlError('sounds-unavailable', 'others are being made; try later');
    const id = randomBytes(6).toString('hex');
    this.#imports++;
    try {
      await this.#receive(upload, this.#path(id, 'upload.part'));
      return await this.#make(id, name);
    } finally {
      this.#imports--;
      for (const made of ['upload.part', 'wav.part', 'json.part']) await rm(this.#path(id, made), { force: true });
    }
  }

  /** What is being played goes on to the end of what is at hand. Errors: `sound-not-found`. */
  async remove(id: string): Promise<void> {
    this.get(id);
    this.#sounds.delete(id);
    await rm(this.#path(id, 'wav'), { force: true });
    await rm(this.#path(id, 'json'), { force: true });
  }

  /** Gives up what is being made. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#last;
  }

  async #receive(upload: Readable, path: string): Promise<void> {
    let bytes = 0;
    const limit = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        if (bytes > SOUND_LIMIT_BYTES) {
          done(new ControlError('sound-too-large', `a sound may have ${SOUND_LIMIT_BYTES / 1e6} MB`));
        } else done(null, chunk);
      },
    });
    const { signal } = this.#closing;
    await writeFileBy(path, (file) => pipeline(upload, limit, file, { signal })).catch(asControlError);
    if (bytes === 0) throw new ControlError('sound-invalid', 'the body is empty');
  }

  /** One at a time: there is always something more urgent. */
  #make(id: string, name: string): Promise<SoundView> {
    const made = this.#last.then(() => this.#import(id, name));
    this.#last = made.catch(() => undefined);
    return made;
  }

  async #import(id: string, name: string): Promise<SoundView> {
    const { log, epochMs, findFfmpeg } = this.#options;
    const ffmpegPath = await findFfmpeg();
    if (ffmpegPath === null) throw new ControlError('sounds-unavailable', 'there is no ffmpeg on this machine');
    const [sourcePath, targetPath] = [this.#path(id, 'upload.part'), this.#path(id, 'wav.part')];
    const { signal } = this.#closing;
    const result = await (this.#options.import ?? importSound)({ ffmpegPath, sourcePath, targetPath, signal });
    if (!result.ok) throw failure(result.reason.replaceAll(`${sourcePath}: `, ''));
    const durationMs = importedDurationMs((await stat(targetPath)).size);
    if (durationMs === 0) throw new ControlError('sound-invalid', 'there is no sound in it');
    const sound = { id, name, durationMs, createdAt: new Date(epochMs()).toISOString() };
    await rename(targetPath, this.#path(id, 'wav'));
    await writeFile(this.#path(id, 'json.part'), `${JSON.stringify(sound, null, 2)}\n`, { mode: 0o640 });
    await rename(this.#path(id, 'json.part'), this.#path(id, 'json'));
    this.#sounds.set(id, sound);
    log.info({ sound: id, name, durationMs }, 'sound added');
    return sound;
  }

  #path(id: string, extension: string): string {
    return join(this.#options.directory, `${id}.${extension}`);
  }
}

function failure(reason: string): ControlError {
  return reason === 'the disk is full' || reason === 'it was cancelled'
    ? new ControlError('sounds-unavailable', reason)
    : new ControlError('sound-invalid', `no sound could be read from it: ${reason}`);
}

function asControlError(error: unknown): never {
  if (error instanceof ControlError) throw error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') throw new ControlError('sounds-unavailable', 'the disk is full');
  if (code === 'ERR_STREAM_PREMATURE_CLOSE') throw new ControlError('sound-invalid', 'the upload broke off');
  throw error;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
