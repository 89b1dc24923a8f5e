import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { type Pcm, readWav, readWavLayout, type WavLayout } from './wav-file.ts';

/** What one participant got to hear so far, and when. */
export interface Hearing {
  pcm: Pcm;
  /** The sample that arrived at that time of `performance.now()`. */
  sampleAt(timeMs: number): number;
}

interface Growth {
  timeMs: number;
  bytes: number;
}

const POLL_INTERVAL_MS = 4;

/**
 * Follows a WAV file that another program writes, so that its samples get a time of arrival.
 *
 * The programs have no clock that we could ask. But each time the file has grown we know that what is now its last
 * sample was written since we last looked, some 5 ms before. Between two such moments samples are taken to be evenly
 * spread. Programs that write unbuffered (baresip) give an accuracy of about 10 ms; those that write blocks of 4096
 * bytes (linphone) the same at each block's end, with a straight line between. What a program's own jitter buffer adds
 * comes on top.
 */
export class GrowingWav {
  readonly path: string;
  #growth: Growth[] = [];
  #descriptor: number | null = null;
  #layout: WavLayout | null;
  #timer: NodeJS.Timeout;

  /** `layout` is for programs that write the header only when they close the file. */
  constructor(path: string, layout: WavLayout | null = null) {
    this.path = path;
    this.#layout = layout;
    this.#timer = setInterval(() => this.#look(), POLL_INTERVAL_MS);
  }

  /** Seconds of sound in the file. */
  get seconds(): number {
    const last = this.#growth.at(-1);
    if (!last || !this.#layout) return 0;
    return (last.bytes - this.#layout.dataOffset) / (2 * this.#layout.channels * this.#layout.sampleRateHz);
  }

  hearing(): Hearing {
    this.#look();
    const layout = this.#layout;
    const growth = this.#growth;
    if (!layout || growth.length === 0) throw new Error(`${this.path} holds no sound yet`);
    return {
      pcm: readWav(readFileSync(this.path), layout),
      sampleAt: (timeMs) => Math.round((bytesAt(growth, timeMs) - layout.dataOffset) / (2 * layout.channels)),
    };
  }

  close(): void {
    clearInterval(this.#timer);
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #look(): void {
    if (this.#descriptor === null) {
      try {
        this.#descriptor = openSync(this.path, 'r');
      } catch {
        return;
      }
    }
    const bytes = fstatSync(this.#descriptor).size;
    if (bytes === (this.#growth.at(-1)?.bytes ?? 0)) return;
    if (!this.#layout) {
      const head = Buffer.alloc(Math.min(bytes, 256));
      readSync(this.#descriptor, head, 0, head.length, 0);
      this.#layout = readWavLayout(head);
    }
    this.#growth.push({ timeMs: performance.now(), bytes });
  }
}

function bytesAt(growth: readonly Growth[], timeMs: number): number {
  const later = growth.findIndex((entry) => entry.timeMs >= timeMs);
  if (later === 0) return growth[0]!.bytes;
  if (later === -1) return growth.at(-1)?.bytes ?? 0;
  const from = growth[later - 1]!;
  const to = growth[later]!;
  return from.bytes + ((to.bytes - from.bytes) * (timeMs - from.timeMs)) / (to.timeMs - from.timeMs);
}
