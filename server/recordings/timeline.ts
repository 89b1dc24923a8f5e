import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Sealer } from '../../sealed/sealer.ts';
import type { ParticipantView, Role } from '../rooms/views.ts';
import type { Timer, Timers } from '../timers.ts';

/** What happens while a room is recorded. Participants are named by their ids. */
export type TimelineEntry =
  /** Those who are there follow, each `joined`. */
  | { type: 'started' }
  /** The mixer died; from here on the sound is in the captures of this part. */
  | { type: 'part'; part: number }
  /** From here on the picture is in this part of it; null: nowhere any more. The reason says what failed, if something has. */
  | { type: 'video'; part: number | null; reason: string | null }
  | { type: 'joined'; participant: string; name: string | null; uri: string; role: Role }
  | { type: 'left'; participant: string }
  /** Can be heard in the recording. */
  | { type: 'talking'; participant: string; on: boolean }
  | { type: 'muted' | 'unmuted'; participant: string; by: NonNullable<ParticipantView['muted']>['by'] }
  | { type: 'deaf'; participant: string; on: boolean }
  | { type: 'key'; participant: string; key: string }
  | { type: 'name'; participant: string; name: string | null }
  | { type: 'mark'; text: string; by: 'moderator' }
  | { type: 'paused' | 'resumed' }
  /** May not be recorded from here on, or may again. */
  | { type: 'recording-off' | 'recording-on'; participant: string }
  /** Null: as somebody wanted it. */
  | { type: 'stopped'; reason: string | null };

/** A line of `timeline.jsonl`: `t` is the position in what is recorded, milliseconds; `at` the wall clock, ISO 8601. */
export type TimelineLine = { t: number; at: string } & TimelineEntry;

/** Bytes go on the disk as they are given, one after the other. */
export interface TimelineSink {
  write(bytes: Uint8Array): Promise<unknown>;
  close(): Promise<void>;
}

export interface TimelineOptions {
  sink: TimelineSink;
  timers: Timers;
  /** Nothing is written any more. Told once. */
  failed(reason: string): void;
}

/** A power cut costs this much of it, as of the captures. Who was there at the beginning is written at once. */
const WRITE_EVERY_MS = 500;
/** Whoever waits for the end is not to wait for a disk. */
const CLOSE_MS = 1000;
/** What waits for a slow disk at most: hours of a lively conference. */
const MOST_WAITING = 1024 * 1024;

/** Writes the time line of one recording, some lines at a time. A slow or full disk never holds up who adds to it. */
export class Timeline {
  readonly #options: TimelineOptions;
  #waiting = '';
  #timer: Timer | null = null;
  #writing: Promise<void> | null = null;
  #begun = false;
  #failed = false;

  constructor(options: TimelineOptions) {
    this.#options = options;
  }

  add(line: TimelineLine): void {
    if (this.#failed) return;
    if (this.#waiting.length > MOST_WAITING) return this.#fail('the disk is too slow');
    this.#waiting += `${JSON.stringify(line)}\n`;
    this.#timer ??= this.#options.timers.set(this.#begun ? WRITE_EVERY_MS : 0, () => this.#flush());
    this.#begun = true;
  }

  /** Settled when all is on the disk, or cannot be, or a disk takes its time over it. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.timers.set(CLOSE_MS, resolve);
      void this.#end().then(() => {
        timer.clear();
        resolve();
      });
    });
  }

  async #end(): Promise<void> {
    await this.#writing;
    this.#flush();
    await this.#writing;
    await this.#options.sink.close().catch((error: unknown) => this.#fail(String(error)));
    this.#failed = true;
  }

  #flush(): void {
    this.#timer?.clear();
    this.#timer = null;
    if (this.#waiting === '' || this.#writing !== null || this.#failed) return;
    const bytes = Buffer.from(this.#waiting);
    this.#waiting = '';
    this.#writing = this.#options.sink
      .write(bytes)
      .then(
        () => undefined,
        (error: unknown) => this.#fail(String(error)),
      )
      .then(() => {
        this.#writing = null;
        // It was its turn meanwhile.
        if (this.#timer === null) this.#flush();
      });
  }

  #fail(reason: string): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#waiting = '';
    this.#timer?.clear();
    this.#timer = null;
    this.#options.failed(reason);
  }
}

/** A new file; what was written to it outlives a power cut. With a key it is sealed. Rejects when it cannot be made. */
export async function openTimelineFile(path: string, key: Uint8Array | null): Promise<TimelineSink> {
  const { O_CREAT, O_EXCL, O_WRONLY, O_APPEND, O_DSYNC } = constants;
  return timelineSink(await open(path, O_CREAT | O_EXCL | O_WRONLY | O_APPEND | (O_DSYNC ?? 0), 0o640), key);
}

/** What is given to it goes on into the file, sealed where there is a key. */
export function timelineSink(file: Pick<FileHandle, 'appendFile' | 'close'>, key: Uint8Array | null): TimelineSink {
  const sealer = key === null ? null : new Sealer(key, 'as written');
  return {
    write: (bytes) => file.appendFile(sealer === null ? bytes : sealer.seal(bytes)),
    async close() {
      try {
        if (sealer !== null) await file.appendFile(sealer.finish());
      } finally {
        await file.close();
      }
    },
  };
}
