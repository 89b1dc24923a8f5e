import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecordingFileView, RecordingView } from '../rooms/views.ts';
import {
  type CatalogueEntry,
  type EntryInternals,
  entryText,
  type RecordingPart,
  type StoredEntry,
  storedEntry,
} from './stored-entry.ts';

export type { CatalogueEntry, RecordingPart };

/** What a recording begins with. */
export type NewEntry = Pick<RecordingView, 'room' | 'startedBy' | 'tracks' | 'encrypted' | 'participants'>;

const ENTRY_NAME = 'recording.json';
/** Of versions that kept all in one directory: `<id>.json`, its capture, and what was made of it. */
const FLAT_ENTRY = /^(\d{8}-\d{6}-[0-9a-f]{12})\.json$/;
const FLAT_FINISHED = ['.wav', '.mp4', '.finished.mka'];

/** Sorts by time, cannot be guessed, and holds nothing that a user typed: it becomes a file name. */
function newId(startedAt: Date): string {
  const time = startedAt.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${time}-${randomBytes(6).toString('hex')}`;
}

/**
 * What has been recorded: a directory `<id>` for each recording, with `recording.json` and all its files, in memory and on
 * the disk alike.
 */
export class RecordingCatalogue {
  readonly #directory: string;
  /** By id; oldest first. */
  readonly #entries = new Map<string, CatalogueEntry>();
  /** Ids by room, in the same order. */
  readonly #rooms = new Map<string, Set<string>>();
  /** Shown to nobody any more. */
  readonly #removed = new Map<string, CatalogueEntry>();
  /** Those that could not be written as they are. */
  readonly #unwritten = new Set<string>();
  /** Entries that are being written. */
  readonly #writes = new Map<string, { done: Promise<void>; again: boolean }>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Reads the directory, making it if need be; returns the names of entries that cannot be understood. To be called once,
   * before all else. Throws when the directory cannot be used.
   */
  load(): string[] {
    mkdirSync(this.#directory, { recursive: true, mode: 0o750 });
    const unreadable = this.#moveFlatEntries();
    const found: StoredEntry[] = [];
    for (const { name } of readdirSync(this.#directory, { withFileTypes: true }).filter((item) => item.isDirectory())) {
      const entry = this.#read(name);
      if (entry !== null) found.push(entry);
      else if (!this.#removeIfEmpty(name)) unreadable.push(name);
    }
    found.sort((a, b) => a.view.startedAt.localeCompare(b.view.startedAt));
    for (const { removed, ...entry } of found) {
      if (removed) this.#removed.set(entry.view.id, entry);
      else this.#put(entry);
    }
    return unreadable;
  }

  directoryOf(id: string): string {
    return join(this.#directory, id);
  }

  /** Settled when it is on the disk. Rejects when it cannot be written; then there is no recording. */
  async add(recording: NewEntry, startedAt: Date): Promise<CatalogueEntry> {
    const id = newId(startedAt);
    const view: RecordingView = {
      ...recording,
      ...{ id, state: 'recording', startedAt: startedAt.toISOString(), stoppedAt: null },
      ...{ durationMs: null, bytes: null, error: null, video: false, videoError: null, files: [] },
    };
    await mkdir(this.directoryOf(id), { mode: 0o750 });
    this.#put({ view, parts: [{ number: 1, startMs: 0 }], videoParts: [], captured: true });
    try {
      await this.#write(id);
      await syncDirectory(this.#directory);
    } catch (error) {
      this.#takeOut(id);
      this.#unwritten.delete(id);
      await rm(this.directoryOf(id), { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
    return this.#entries.get(id)!;
  }

  /**
   * Changes an entry, at once for whoever reads it here. `written` is settled when it is on the disk, which is whole at
   * every moment; it rejects when it cannot be written.
   */
  change(
    id: string,
    patch: Partial<RecordingView>,
    internals: Partial<EntryInternals> = {},
  ): { entry: CatalogueEntry; written: Promise<void> } | null {
    const before = this.#entries.get(id);
    if (before === undefined) return null;
    const entry = { ...before, ...internals, view: { ...before.view, ...patch } };
    this.#entries.set(id, entry);
    return { entry, written: this.#write(id) };
  }

  /** What is made of it; how far that has got is not worth a write. */
  putFiles(id: string, files: RecordingFileView[]): { entry: CatalogueEntry; written: Promise<void> } | null {
    const before = this.#entries.get(id);
    if (before === undefined) return null;
    const written =
      JSON.stringify(files.map(withoutProgress)) !== JSON.stringify(before.view.files.map(withoutProgress));
    if (written) return this.change(id, { files });
    const entry = { ...before, view: { ...before.view, files } };
    this.#entries.set(id, entry);
    return { entry, written: Promise.resolve() };
  }

  get(id: string): CatalogueEntry | undefined {
    return this.#entries.get(id);
  }

  /** Oldest first. */
  list(room?: string): RecordingView[] {
    if (room === undefined) return [...this.#entries.values()].map(({ view }) => view);
    return [...(this.#rooms.get(room) ?? [])].map((id) => this.#entries.get(id)!.view);
  }

  /** Nobody finds the recording from now on, nor after a restart; `erase` and `forget` follow. Never rejects. */
  async hide(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#takeOut(id);
    this.#removed.set(id, entry);
    // On a full disk it cannot be said, but what follows makes room.
    await this.#write(id).catch(() => undefined);
  }

  /** What is hidden and not yet forgotten. */
  removed(): CatalogueEntry[] {
    return [...this.#removed.values()];
  }

  /** Deletes all files of what is hidden but its entry, so that a removal that a crash cut short goes on. */
  async erase(id: string): Promise<void> {
    await this.#writes.get(id)?.done.catch(() => undefined);
    const directory = this.directoryOf(id);
    const names = await readdir(directory).catch(() => []);
    for (const name of names.filter((other) => other !== ENTRY_NAME)) {
      await rm(join(directory, name), { recursive: true, force: true });
    }
  }

  /** Nothing is left of what is hidden. */
  async forget(id: string): Promise<void> {
    await rm(this.directoryOf(id), { recursive: true, force: true });
    this.#removed.delete(id);
    this.#unwritten.delete(id);
  }

  /** Writes what could not be written before. */
  rewrite(): { id: string; written: Promise<void> }[] {
    return [...this.#unwritten].map((id) => ({ id, written: this.#write(id) }));
  }

  /** Settled when all that was changed is on the disk, or could not be. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#writes.values()].map(({ done }) => done));
  }

  #put(entry: CatalogueEntry): void {
    const { id, room } = entry.view;
    this.#entries.set(id, entry);
    const ids = this.#rooms.get(room) ?? new Set();
    this.#rooms.set(room, ids.add(id));
  }

  #takeOut(id: string): void {
    const room = this.#entries.get(id)?.view.room ?? '';
    this.#entries.delete(id);
    const ids = this.#rooms.get(room);
    ids?.delete(id);
    if (ids?.size === 0) this.#rooms.delete(room);
  }

  /** What is changed while it is being written is written right after, in one. */
  #write(id: string): Promise<void> {
    const running = this.#writes.get(id);
    if (running !== undefined) {
      running.again = true;
      return running.done;
    }
    const state = { done: Promise.resolve(), again: false };
    this.#writes.set(id, state);
    state.done = this.#writeUntilSame(id, state);
    return state.done;
  }

  async #writeUntilSame(id: string, state: { again: boolean }): Promise<void> {
    try {
      do {
        state.again = false;
        const removed = this.#removed.get(id);
        const entry = removed ?? this.#entries.get(id);
        if (entry === undefined) return;
        await writeWhole(
          join(this.directoryOf(id), ENTRY_NAME),
          entryText({ ...entry, removed: removed !== undefined }),
        );
      } while (state.again);
      this.#unwritten.delete(id);
    } catch (error) {
      this.#unwritten.add(id);
      throw error;
    } finally {
      this.#writes.delete(id);
    }
  }

  #read(name: string): StoredEntry | null {
    const directory = this.directoryOf(name);
    try {
      const entry = storedEntry.parse(JSON.parse(readFileSync(join(directory, ENTRY_NAME), 'utf8')));
      if (entry.view.id !== name) return null;
      // What a crash left in the making.
      for (const file of readdirSync(directory)) if (file.endsWith('.part')) rmSync(join(directory, file));
      return entry;
    } catch {
      return null;
    }
  }

  /** What a crash left of a recording that was just to begin, or was as good as removed. */
  #removeIfEmpty(name: string): boolean {
    const directory = this.directoryOf(name);
    try {
      rmSync(join(directory, `${ENTRY_NAME}.part`), { force: true });
      rmdirSync(directory);
      return true;
    } catch {
      return false;
    }
  }

  /** Each step can be done again: the old entry goes last. Returns the names of those that cannot be understood. */
  #moveFlatEntries(): string[] {
    const unreadable: string[] = [];
    for (const name of readdirSync(this.#directory)) {
      if (name.endsWith('.part')) rmSync(join(this.#directory, name), { force: true });
      const id = FLAT_ENTRY.exec(name)?.[1];
      if (id === undefined) continue;
      const old = join(this.#directory, id);
      const entry = storedEntry.safeParse(readJson(`${old}.json`));
      if (!entry.success || entry.data.view.id !== id) {
        unreadable.push(name);
        continue;
      }
      mkdirSync(old, { recursive: true, mode: 0o750 });
      renameIfThere(`${old}.mka`, join(old, 'mix-1.mka'));
      writeFileSync(join(old, `${ENTRY_NAME}.part`), entryText(entry.data), { mode: 0o640 });
      renameSync(join(old, `${ENTRY_NAME}.part`), join(old, ENTRY_NAME));
      // They are made again when somebody asks for them.
      for (const ending of FLAT_FINISHED) rmSync(`${old}${ending}`, { force: true });
      rmSync(`${old}.json`);
    }
    return unreadable;
  }
}

const withoutProgress = (file: RecordingFileView): RecordingFileView => ({ ...file, progress: 0 });

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** The old text or the new one is there at every moment, also after a power cut. */
async function writeWhole(path: string, text: string): Promise<void> {
  const part = `${path}.part`;
  try {
    const file = await open(part, 'w', 0o640);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** So that what was made in it outlives a power cut. Not every system can. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  await directory
    .sync()
    .catch(() => undefined)
    .finally(() => directory.close());
}
