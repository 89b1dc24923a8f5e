import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { RecordingView } from '../rooms/views.ts';

const storedRecording: z.ZodType<RecordingView> = z.object({
  id: z.string().regex(/^[0-9]{8}-[0-9]{6}-[0-9a-f]{12}$/),
  room: z.string(),
  state: z.enum(['recording', 'stopped', 'failed']),
  startedAt: z.iso.datetime(),
  stoppedAt: z.iso.datetime().nullable(),
  durationMs: z.number().nullable(),
  bytes: z.number().nullable(),
  error: z.string().nullable(),
});

/** Sorts by time, cannot be guessed, and holds nothing that a user typed: it becomes a file name. */
function newId(startedAt: Date): string {
  const time = startedAt.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${time}-${randomBytes(6).toString('hex')}`;
}

/**
 * What has been recorded: one `<id>.json` for each capture `<id>.mka`, in memory and in the directory alike.
 *
 * A few hundred bytes a recording, written at its start and its end, so plain synchronous calls; they throw when the
 * directory cannot be written.
 */
export class RecordingCatalogue {
  readonly #directory: string;
  readonly #recordings = new Map<string, RecordingView>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Reads the directory, making it if need be; returns the names of entries that cannot be understood. */
  load(): string[] {
    mkdirSync(this.#directory, { recursive: true, mode: 0o750 });
    const unreadable: string[] = [];
    for (const name of readdirSync(this.#directory).sort()) {
      // What a crash left in the making; neither was ever promised to anybody.
      if (name.endsWith('.part')) rmSync(join(this.#directory, name));
      if (!name.endsWith('.json')) continue;
      const recording = this.#read(name);
      if (recording === null) unreadable.push(name);
      else this.#recordings.set(recording.id, recording);
    }
    return unreadable;
  }

  /** Where the capture of a recording is, or will be. */
  capturePath(id: string): string {
    return join(this.#directory, `${id}.mka`);
  }

  add(room: string, startedAt: Date): RecordingView {
    const recording: RecordingView = {
      id: newId(startedAt),
      room,
      state: 'recording',
      startedAt: startedAt.toISOString(),
      stoppedAt: null,
      durationMs: null,
      bytes: null,
      error: null,
    };
    this.put(recording);
    return recording;
  }

  /** Replaces a recording's entry; the file is whole at every moment. */
  put(recording: RecordingView): void {
    const path = this.#jsonPath(recording.id);
    writeFileSync(`${path}.part`, `${JSON.stringify(recording, null, 2)}\n`, { mode: 0o640 });
    renameSync(`${path}.part`, path);
    this.#recordings.set(recording.id, recording);
  }

  get(id: string): RecordingView | undefined {
    return this.#recordings.get(id);
  }

  /** Oldest first. */
  list(room?: string): RecordingView[] {
    const all = [...this.#recordings.values()].sort((a, b) => a.startedAt.localeCompare(b.startedAt));
    return room === undefined ? all : all.filter((recording) => recording.room === room);
  }

  /** Nobody finds the recording from now on; `erase` follows. */
  hide(id: string): void {
    this.#recordings.delete(id);
  }

  /** Deletes the files. The entry goes last: a removal that a crash cut short is there again, to be asked for again. */
  erase(id: string): void {
    rmSync(this.capturePath(id), { force: true });
    rmSync(this.#jsonPath(id), { force: true });
  }

  #jsonPath(id: string): string {
    return join(this.#directory, `${id}.json`);
  }

  #read(name: string): RecordingView | null {
    try {
      const recording = storedRecording.parse(JSON.parse(readFileSync(join(this.#directory, name), 'utf8')));
      return `${recording.id}.json` === name ? recording : null;
    } catch {
      return null;
    }
  }
}
