import { createHash } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ControlError, type RecordingFile } from '../focus/control.ts';
import type { RecordingChange } from '../rooms/room.ts';
import type { RecordingFileView, RecordingFormat, RecordingView } from '../rooms/views.ts';
import type { Timers } from '../timers.ts';
import { isCapture } from './captured.ts';
import type { CatalogueEntry, RecordingCatalogue } from './catalogue.ts';
import { downloadName, type FileName, fileOf, isNormalized, isSameFile, storageKey } from './file-names.ts';
import { finishedPath, isThere } from './finishing/finished-file.ts';
import { Finishing, type FinishingOptions } from './finishing/finishing.ts';
import { contentTypeOf } from './finishing/formats.ts';
import { type FinishedSource, openPlain } from './finishing/source.ts';
import type { RecordingStorage } from './keeping/storage.ts';
import { Storing, type StoringLog } from './keeping/storing.ts';

export interface RecordedFilesOptions {
  catalogue: RecordingCatalogue;
  log: StoringLog;
  /** 32 octets, by which recordings are encrypted. */
  key: Uint8Array | null;
  /** Where files get a copy; null: nowhere. */
  storage: RecordingStorage | null;
  /** False: what has a copy there does not stay here. */
  keepLocal: boolean;
  timers: Timers;
  finishing: Partial<FinishingOptions>;
  /** Milliseconds since 1970. */
  epochMs: () => number;
  /** Something of a recording is other than before, which is being written. Must not throw. */
  changed(recording: RecordingView, change: RecordingChange, written: Promise<void>): void;
}

/** A file that somebody waits for. */
export interface WantedFile {
  file: RecordingFileView;
  /** It can be sent at once. */
  here: boolean;
}

/** What is made of the time line alone, which always stays here. */
const OF_TIMELINE: ReadonlySet<RecordingFormat> = new Set(['vtt', 'jsonl']);
/** What was fetched back stays for others who want it, too. */
const FETCHED_STAYS_MS = 3_600_000;
const DISK_FULL = /disk is full|no space left/i;
const QUEUED = { state: 'queued', progress: 0, bytes: null, sha256: null, error: null, stored: null } as const;

/** The files of recordings: made, copied elsewhere, fetched back from there, handed out. */
export class RecordedFiles {
  readonly #options: RecordedFilesOptions;
  readonly #finishing: Finishing;
  readonly #storing: Storing | null;
  /** What is being fetched back, by path. */
  readonly #fetching = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();
  /** Files are read one after the other before they are stored. */
  #toStore: Promise<void> = Promise.resolve();

  constructor(options: RecordedFilesOptions) {
    const { log, key, storage, timers } = options;
    this.#options = options;
    this.#finishing = new Finishing({
      ...{ log, key, changed: (id: string, file: RecordingFileView) => this.#made(id, file) },
      ...options.finishing,
    });
    this.#storing =
      storage &&
      new Storing({
        storage,
        timers,
        log,
        stored: ({ recording, key: name }, at) => this.#stored(recording, name, at),
      });
  }

  /** After a start: goes on with what was to be made or copied. What a full disk kept from being made is tried again. */
  async resume(entry: CatalogueEntry): Promise<void> {
    const { id, files } = entry.view;
    const meant = files.map((file) => {
      const again = file.state === 'failed' && DISK_FULL.test(file.error ?? '');
      return again ? { ...file, ...QUEUED } : file;
    });
    await this.#finishing.resume(this.sourceOf(entry), meant);
    for (const file of this.#options.catalogue.get(id)?.view.files ?? []) this.#store(id, file);
  }

  /** To be made in the background, as was told of it. */
  wanted(entry: CatalogueEntry, { format, normalized }: FileName): void {
    this.#finishing.wanted(this.sourceOf(entry), format, normalized);
  }

  /**
   * Sees to it that the file comes to be here, and says how far that is.
   * @param again also when it could not be made before
   * Errors: `recording-empty`, `recording-captures-gone`, `recording-unavailable`.
   */
  async want(entry: CatalogueEntry, name: FileName, again: boolean): Promise<WantedFile> {
    const { id } = entry.view;
    const known = fileOf(entry.view, name);
    const path = this.#pathOf(entry, name);
    if (known?.state === 'ready') {
      if (await isThere(path)) return { file: known, here: true };
      if (this.#holds(known)) {
        // Whoever comes for the file learns why it cannot be had.
        this.#fetch(entry, known).catch(() => undefined);
        return { file: known, here: false };
      }
    }
    if (known?.state === 'failed' && !again) throw unavailable(id, name, known.error ?? '');
    this.#checkCanBeMade(entry, name);
    this.wanted(entry, name);
    const view = this.#options.catalogue.get(id)?.view;
    const file = view && fileOf(view, name);
    if (file === undefined) throw unavailable(id, name, 'the server is stopping');
    return { file, here: false };
  }

  /** Makes it, or fetches it back, if need be. Errors as `want`. */
  async file(entry: CatalogueEntry, name: FileName, onProgress?: (share: number) => void): Promise<RecordingFile> {
    const { view } = entry;
    const known = fileOf(view, name);
    if (known?.state === 'ready' && known.bytes !== null && known.sha256 !== null) {
      const path = this.#pathOf(entry, name);
      const there = (await isThere(path)) || (this.#holds(known) && (await this.#fetched(entry, known)));
      if (there) return this.#handedOut(view, known, path, known.bytes, known.sha256);
    }
    this.#checkCanBeMade(entry, name);
    const { format, normalized } = name;
    const made = await this.#finishing.file(this.sourceOf(entry), format, normalized, onProgress);
    if (!made.ok) throw unavailable(view.id, name, made.reason);
    return this.#handedOut(view, name, made.path, made.bytes, made.sha256);
  }

  /** Whether all that was wanted of it is there, elsewhere too where that is configured. */
  isComplete({ files }: Pick<RecordingView, 'files'>): boolean {
    const { storage } = this.#options;
    return files.length > 0 && files.every((file) => file.state === 'ready' && (!storage || this.#holds(file)));
  }

  /** Removes from this disk what is kept elsewhere, if that is how it is to be. What was fetched back stays a while. */
  async dropLocal(id: string): Promise<void> {
    const { catalogue, keepLocal, storage, epochMs } = this.#options;
    const entry = catalogue.get(id);
    if (keepLocal || !storage || entry === undefined || !this.isComplete(entry.view)) return;
    const isNew = entry.captured;
    // A crash must not leave half a recording that seems to be whole.
    if (isNew) await catalogue.change(id, {}, { captured: false })!.written;
    const directory = catalogue.directoryOf(id);
    for (const name of await readdir(directory)) if (isCapture(name)) await rm(join(directory, name), { force: true });
    for (const file of entry.view.files) {
      const path = this.#pathOf(entry, file);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: epochMs() }));
      if (isNew || epochMs() - mtimeMs > FETCHED_STAYS_MS) await rm(path, { force: true });
    }
  }

  /** Nothing of the recording is made or copied any more. */
  async stop(id: string): Promise<void> {
    await Promise.all([this.#finishing.remove(id), this.#storing?.cancel(id)]);
  }

  /** Removes what is elsewhere of it. Rejects when that does not go now. */
  async removeCopies({ id, files }: RecordingView): Promise<void> {
    const { storage, log } = this.#options;
    for (const { stored } of files) {
      if (stored === null) continue;
      if (storage?.holds(stored)) await storage.remove(stored);
      else log.warn({ recording: id, stored }, 'a copy of a removed recording stays, as its place is not configured');
    }
  }

  /** Lets work on files end for up to `deadlineMs`, then stops it; it goes on at the next start. */
  async close(deadlineMs: number): Promise<void> {
    this.#closing.abort();
    const fetched = Promise.allSettled(this.#fetching.values());
    await Promise.all([this.#finishing.close(deadlineMs), this.#storing?.close(), fetched]);
  }

  sourceOf({ view, parts, videoParts }: CatalogueEntry): FinishedSource {
    const { id, room, durationMs, startedAt, encrypted: sealed } = view;
    const directory = this.#options.catalogue.directoryOf(id);
    return { id, room, directory, parts, videoParts, durationMs: durationMs ?? 0, startedAt, sealed };
  }

  #checkCanBeMade({ view, captured }: CatalogueEntry, { format }: FileName): void {
    const { id, durationMs, files } = view;
    if (!durationMs) throw new ControlError('recording-empty', `nothing was recorded in ${id}`);
    if (captured || OF_TIMELINE.has(format)) return;
    const kept = files.map((file) => `${file.format}${file.normalized ? ', normalized' : ''}`).join('; ');
    throw new ControlError('recording-captures-gone', `of ${id} there is only what was made of it: ${kept}`);
  }

  #holds({ stored }: RecordingFileView): boolean {
    return stored !== null && (this.#options.storage?.holds(stored) ?? false);
  }

  #pathOf(entry: CatalogueEntry, { format, normalized }: FileName): string {
    return finishedPath(this.sourceOf(entry), format, isNormalized({ format, normalized }));
  }

  #handedOut(view: RecordingView, name: FileName, path: string, bytes: number, sha256: string): RecordingFile {
    const { key } = this.#options;
    if (view.encrypted && key === null)
      throw unavailable(view.id, name, 'it is encrypted, and there is no recordingKey');
    return {
      ...{ path, contentType: contentTypeOf(name.format, view.video), fileName: downloadName(view, name), sha256 },
      ...(view.encrypted && key !== null ? { sealed: { key, bytes } } : {}),
    };
  }

  /** A file was made, or how far it is has changed. */
  #made(id: string, file: RecordingFileView): void {
    const before = this.#options.catalogue.get(id)?.view;
    if (before === undefined) return;
    const known = fileOf(before, file);
    const isSame = file.sha256 !== null && file.sha256 === known?.sha256;
    const now = { ...file, stored: isSame ? known.stored : null };
    this.#put(id, now);
    this.#store(id, now);
  }

  #stored(id: string, key: string, location: string): void {
    const { catalogue, storage, log } = this.#options;
    const view = catalogue.get(id)?.view;
    const file = view?.files.find((one) => storageKey(view, one) === key);
    if (file === undefined) {
      // It was removed just now, and nobody knew of this copy.
      storage?.remove(location).catch((error: unknown) => {
        log.warn({ recording: id, location, reason: describe(error) }, 'a copy of a removed recording stays');
      });
      return;
    }
    this.#put(id, { ...file, stored: location });
    this.dropLocal(id).catch((error: unknown) => {
      // The next sweep tries again.
      log.warn({ recording: id, reason: describe(error) }, 'recording could not be removed from this disk');
    });
  }

  #put(id: string, file: RecordingFileView): void {
    const { catalogue, changed } = this.#options;
    const before = catalogue.get(id)!.view;
    const at = before.files.findIndex((one) => isSameFile(one, file));
    const files = at < 0 ? [...before.files, file] : before.files.with(at, file);
    const { entry, written } = catalogue.putFiles(id, files)!;
    changed(entry.view, 'recording-changed', written);
    if (!this.isComplete(before) && this.isComplete(entry.view)) changed(entry.view, 'recording-ready', written);
  }

  /** Copies it, unless that is done or not to be. */
  #store(id: string, { format, normalized, state, sha256, stored }: RecordingFileView): void {
    const storing = this.#storing;
    if (storing === null || state !== 'ready' || stored !== null || sha256 === null) return;
    const name = { format, normalized };
    this.#toStore = this.#toStore.then(async () => {
      const view = this.#options.catalogue.get(id)?.view;
      if (view === undefined || this.#closing.signal.aborted) return;
      const path = this.#pathOf(this.#options.catalogue.get(id)!, name);
      const hash = view.encrypted ? await hashOf(path).catch(() => null) : sha256;
      // It was removed meanwhile.
      if (hash === null || this.#options.catalogue.get(id) === undefined) return;
      const contentType = view.encrypted ? 'application/octet-stream' : contentTypeOf(format, view.video);
      storing.add({ recording: id, key: storageKey(view, name), path, contentType, sha256: hash });
    });
  }

  /** Whether it is here now; when it cannot be had, it may be that it can be made again. */
  async #fetched(entry: CatalogueEntry, file: RecordingFileView): Promise<boolean> {
    try {
      await this.#fetch(entry, file);
      return true;
    } catch (error) {
      const reason = describe(error);
      this.#options.log.warn({ recording: entry.view.id, stored: file.stored, reason }, 'recording not fetched back');
      if (entry.captured) return false;
      throw unavailable(entry.view.id, file, `the copy at ${file.stored} cannot be had: ${reason}`);
    }
  }

  #fetch(entry: CatalogueEntry, file: RecordingFileView): Promise<void> {
    const path = this.#pathOf(entry, file);
    const running = this.#fetching.get(path);
    if (running !== undefined) return running;
    const fetching = this.#fetchNow(entry, file, path).finally(() => this.#fetching.delete(path));
    this.#fetching.set(path, fetching);
    return fetching;
  }

  /** It has its name only when it is what was stored; what is encrypted shows that itself when it is read. */
  async #fetchNow({ view }: CatalogueEntry, { stored, sha256 }: RecordingFileView, path: string): Promise<void> {
    const arriving = `${path}.fetched.part`;
    try {
      await this.#options.storage!.get(stored!, arriving, AbortSignal.any([this.#closing.signal]));
      if (!view.encrypted && (await hashOf(arriving)) !== sha256) throw new Error('it is not what was stored');
      await rename(arriving, path);
    } finally {
      await rm(arriving, { force: true });
    }
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of openPlain(path)) hash.update(chunk);
  return hash.digest('hex');
}

function unavailable(id: string, { format }: FileName, reason: string): ControlError {
  return new ControlError('recording-unavailable', `no ${format} of ${id}: ${reason}`);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
