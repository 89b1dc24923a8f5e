import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { createG722Decoder } from '../codec/g722.ts';
import { parseWav } from './wav.ts';

/** As far as a WAV file's other chunks may reach before its samples. */
const HEAD_BYTES = 64 * 1024;
const G722_RATE_HZ = 16_000;
/** Decoded in one turn of the event loop: 0.2 ms; some 5 ms when the code is new. */
const TURN_SAMPLES = 1600;

/** One turn for each who asks, in their order: so however many files are read, ticks are not held up. */
let lastTurn: Promise<void> = Promise.resolve();

function ownTurn(): Promise<void> {
  lastTurn = lastTurn.then(() => setImmediate());
  return lastTurn;
}

/** The part of a file that playing uses. */
export interface OpenFile {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  stat(): Promise<{ size: number; mtimeMs: number }>;
  close(): Promise<void>;
}

export type FileOpener = (path: string) => Promise<OpenFile>;

export const openFromDisk: FileOpener = (path) => open(path, 'r');

/** Where the sound is in a file, and how it is coded. */
export interface SoundFile {
  path: string;
  /** When it was last changed. */
  mtimeMs: number;
  coding: 'g722' | 'pcm';
  sampleRateHz: number;
  dataOffset: number;
  dataBytes: number;
  samples: number;
}

/** Rejects with an Error that names the file and says why it cannot be played. */
export async function inspectSoundFile(path: string, openFile: FileOpener): Promise<SoundFile> {
  try {
    const file = await openFile(path);
    try {
      return await inspect(path, file);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new Error(`${path} ${readFailure(error)}`);
  }
}

async function inspect(path: string, file: OpenFile): Promise<SoundFile> {
  const { size, mtimeMs } = await file.stat();
  const found = endingOf(path) === '.wav' ? await inspectWav(file, size) : inspectG722(path, size);
  if (found.samples <= 0) throw new Error('has no samples');
  return { path, mtimeMs, ...found };
}

async function inspectWav(file: OpenFile, size: number): Promise<Omit<SoundFile, 'path' | 'mtimeMs'>> {
  const head = Buffer.alloc(Math.min(size, HEAD_BYTES));
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  const layout = parseWav(head.subarray(0, bytesRead), size);
  return { coding: 'pcm', ...layout, samples: layout.dataBytes / 2 };
}

function inspectG722(path: string, size: number): Omit<SoundFile, 'path' | 'mtimeMs'> {
  if (endingOf(path) !== '.g722') throw new Error('is neither .g722 nor .wav');
  return { coding: 'g722', sampleRateHz: G722_RATE_HZ, dataOffset: 0, dataBytes: size, samples: 2 * size };
}

/** Of what is in the file, be it sealed or not. */
function endingOf(path: string): string {
  return extname(path.replace(/\.sealed$/, ''));
}

/** What goes after the file's name. */
function readFailure(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT') return 'is not there';
  if (code === 'EACCES') return 'may not be read';
  if (code === 'EISDIR') return 'is a directory';
  return error instanceof Error ? error.message : String(error);
}

/** Reads the sound of a file from somewhere in it to its end. */
export class SoundReader {
  /** Where the next sample is read. */
  position: number;
  private readonly sound: SoundFile;
  private readonly file: OpenFile;
  private readonly decoder: ReturnType<typeof createG722Decoder> | null;
  private readonly bytesASample: number;
  private bytes = new Uint8Array(0);

  /** @param start the sample to begin with, an even number */
  static async open(sound: SoundFile, openFile: FileOpener, start = 0): Promise<SoundReader> {
    try {
      return new SoundReader(sound, await openFile(sound.path), start);
    } catch (error) {
      throw new Error(`${sound.path} ${readFailure(error)}`);
    }
  }

  private constructor(sound: SoundFile, file: OpenFile, start: number) {
    this.sound = sound;
    this.file = file;
    this.position = start;
    this.decoder = sound.coding === 'g722' ? createG722Decoder() : null;
    this.bytesASample = sound.dataBytes / sound.samples;
  }

  /**
   * Reads up to `samples` samples, an even number, into `out`; returns how many there were. Not to be called again before
   * it is settled. Rejects with an Error that names the file.
   */
  async read(out: Int16Array, offset: number, samples: number): Promise<number> {
    const { sound, bytesASample } = this;
    const wanted = Math.min(samples, sound.samples - this.position) * bytesASample;
    if (this.bytes.length < wanted) this.bytes = new Uint8Array(wanted);
    try {
      for (let done = 0; done < wanted; ) {
        const position = sound.dataOffset + this.position * bytesASample + done;
        const { bytesRead } = await this.file.read(this.bytes, done, wanted - done, position);
        if (bytesRead === 0) throw new Error('has become shorter');
        done += bytesRead;
      }
    } catch (error) {
      throw new Error(`${sound.path} ${readFailure(error)}`);
    }
    const turnBytes = TURN_SAMPLES * bytesASample;
    for (let from = 0; from < wanted; from += turnBytes) {
      await ownTurn();
      const bytes = this.bytes.subarray(from, Math.min(wanted, from + turnBytes));
      this.decode(bytes, out, offset + from / bytesASample);
    }
    this.position += wanted / bytesASample;
    return wanted / bytesASample;
  }

  async close(): Promise<void> {
    await this.file.close().catch(() => undefined);
  }

  private decode(bytes: Uint8Array, out: Int16Array, offset: number): void {
    if (this.decoder) {
      this.decoder.decode(bytes, out, offset);
      return;
    }
    for (let index = 0; 2 * index < bytes.length; index++) {
      out[offset + index] = bytes[2 * index]! | (bytes[2 * index + 1]! << 8);
    }
  }
}
