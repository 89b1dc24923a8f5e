import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createG722Encoder } from '../../mixer/codec/g722.ts';
import { openFromDisk } from '../../mixer/playback/sound-file.ts';
import { wavFile } from '../../mixer/playback/wav.ts';

/** A folder of sound files, which goes with the test file. */
export const folder = mkdtempSync(join(tmpdir(), 'parley-sounds-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

function write(extension: string, content: Uint8Array): string {
  const path = join(folder, `${files++}.${extension}`);
  writeFileSync(path, content);
  return path;
}

/** A tone that begins and ends softly, so that any click is the player's. */
export function softTone(rateHz: number, toneHz: number, ms: number, levelDb = -20): Int16Array {
  const pcm = new Int16Array((rateHz * ms) / 1000);
  const amplitude = 32767 * 10 ** (levelDb / 20) * Math.SQRT2;
  const fade = rateHz / 100;
  for (let i = 0; i < pcm.length; i++) {
    const envelope = Math.min(1, i / fade, (pcm.length - i) / fade);
    pcm[i] = Math.round(amplitude * envelope * Math.sin((2 * Math.PI * toneHz * i) / rateHz));
  }
  return pcm;
}

export function wavTone(toneHz: number, ms: number, rateHz = 16_000, levelDb = -20): string {
  return write('wav', wavFile(softTone(rateHz, toneHz, ms, levelDb), rateHz));
}

export function g722Tone(toneHz: number, ms: number, levelDb = -20): string {
  const pcm = softTone(16_000, toneHz, ms, levelDb);
  const payload = new Uint8Array(pcm.length / 2);
  createG722Encoder().encode(pcm, 0, pcm.length, payload, 0);
  return write('g722', payload);
}

export function anyFile(extension: string, content: Uint8Array | string): string {
  return write(extension, Buffer.from(content));
}

/** Of the event loop, in which the longest piece is decoded. */
const TURNS_OF_A_PIECE = 20;

/** The disk, which tells how much is open and lets one wait until nothing is being read. */
export class WatchedDisk {
  open = 0;
  opened = 0;
  bytesRead = 0;
  private readonly busy = new Set<Promise<unknown>>();

  readonly openFile: typeof openFromDisk = async (path) => {
    const file = await this.watch(openFromDisk(path));
    this.open++;
    this.opened++;
    return {
      stat: () => this.watch(file.stat()),
      read: async (...where) => {
        const result = await this.watch(file.read(...where));
        this.bytesRead += result.bytesRead;
        return result;
      },
      close: async () => {
        this.open--;
        await this.watch(file.close());
      },
    };
  };

  /** Nothing is read, and nothing that was is still being decoded. */
  async rest(): Promise<void> {
    for (let quietTurns = 0; quietTurns < TURNS_OF_A_PIECE; quietTurns++) {
      if (this.busy.size > 0) quietTurns = 0;
      await Promise.allSettled(this.busy);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  private watch<T>(work: Promise<T>): Promise<T> {
    this.busy.add(work);
    const done = (): void => void this.busy.delete(work);
    work.then(done, done);
    return work;
  }
}
