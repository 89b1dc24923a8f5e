import { join } from 'node:path';
import { ControlError, type RecordingFile } from '../focus/control.ts';
import { NodeTimers } from '../node-timers.ts';
import type { RecordingChange } from '../rooms/room.ts';
import type { RecordingFormat, RecordingView } from '../rooms/views.ts';
import type { Timers } from '../timers.ts';
import { recordedDurationMs } from './capture-duration.ts';
import { capturedIn, freeBytesOf } from './captured.ts';
import { type CatalogueEntry, type NewEntry, RecordingCatalogue, type RecordingPart } from './catalogue.ts';
import { EntryWrites } from './entry-writes.ts';
import type { FinishingOptions } from './finishing/finishing.ts';
import { canBeNormalized } from './finishing/formats.ts';
import { diskName, openPlain, openSealed } from './finishing/source.ts';
import { Removal } from './keeping/removal.ts';
import type { RetentionRules } from './keeping/retention.ts';
import type { RecordingStorage } from './keeping/storage.ts';
import { RecordedFiles, type WantedFile } from './recorded-files.ts';
import { openTimelineFile, type TimelineSink } from './timeline.ts';

export interface RecordingLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface RecordingsOptions {
  directory: string;
  log: RecordingLog;
  /** Wall clock, milliseconds since 1970. */
  now?: () => number;
  /** With less free on the disk, 10⁶ octets, none is begun. */
  minFreeMb?: number;
  /** Base64 of 32 octets, by which they are encrypted; null: they are not. */
  key?: string | null;
  /** What is made of every recording when it has ended. */
  formats?: readonly RecordingFormat[];
  /** Those are brought to a common loudness. */
  normalize?: boolean;
  finishing?: Partial<FinishingOptions>;
  /** Default: the real ones. */
  timers?: Timers;
  /** Where finished files get a copy; null: nowhere. It is closed with this. */
  storage?: RecordingStorage | null;
  /** False: what has a copy there is removed from this disk. */
  keepLocal?: boolean;
  /** What is removed of itself, looked at when this is opened and every hour; default: nothing. */
  retention?: RetentionRules;
  /** Octets that are free on the disk of a directory. */
  freeBytes?: (directory: string) => Promise<number>;
}

export type RecordingListener = (change: RecordingChange, recording: RecordingView) => void;

export type RecordingToBegin = Omit<NewEntry, 'encrypted' | 'participants'>;

/** How a capture ended: as long as the mixers say, or as what is on the disk; null as error: somebody wanted it. */
export interface RecordingEnd {
  durationMs: number | null;
  error: string | null;
}

/** Of each room; rooms are shown often, and what was recorded years ago seldom matters then. */
const SHOWN_WITH_ROOM = 20;
/** What can be made of those alone that have tracks, or a picture. */
const OF_TRACKS: ReadonlySet<RecordingFormat> = new Set(['zip', 'tracks']);
const OF_PICTURE: ReadonlySet<RecordingFormat> = new Set(['poster', 'sheet']);
const KEEP_ALL: RetentionRules = { keepDays: 0, keepGb: 0 };

/** All recordings there are. Mixers write the captures; this keeps account of them, and tells what becomes of them. */
export class Recordings {
  /** Since the start of the server. */
  started = 0;
  failed = 0;
  readonly #options: RecordingsOptions;
  readonly #catalogue: RecordingCatalogue;
  readonly #files: RecordedFiles;
  readonly #removal: Removal;
  readonly #writes: EntryWrites;
  readonly #listeners = new Set<RecordingListener>();
  /** Not shown yet, as no mixer has taken them. */
  readonly #beginning = new Set<string>();
  #loaded = false;
  readonly #log: RecordingLog;
  readonly #now: () => number;
  readonly #key: Uint8Array | null;

  constructor(options: RecordingsOptions) {
    const { directory, log, now = Date.now, key, timers = new NodeTimers(), finishing = {} } = options;
    this.#options = options;
    this.#catalogue = new RecordingCatalogue(directory);
    this.#log = log;
    this.#now = now;
    const { storage = null, keepLocal = true, retention: rules = KEEP_ALL } = options;
    this.#writes = new EntryWrites({ catalogue: this.#catalogue, timers, log });
    this.#key = key == null ? null : Buffer.from(key, 'base64');
    this.#files = new RecordedFiles({
      ...{ catalogue: this.#catalogue, log, key: this.#key, timers, finishing, epochMs: now },
      ...{ storage, keepLocal },
      changed: (view, change, written) => {
        this.#writes.watch(view.id, written);
        this.#tell(change, view);
      },
    });
    this.#removal = new Removal({
      ...{ catalogue: this.#catalogue, files: this.#files, rules, timers, log, epochMs: now },
      removed: (view) => this.#tell('recording-removed', view),
    });
  }

  /** Reads what is there, so that it can be listed. Throws when the directory is of no use. */
  load(): void {
    this.#loaded = true;
    for (const name of this.#catalogue.load()) this.#log.warn({ file: name }, 'recording entry cannot be read');
  }

  /** Closes the account of what a crash left running, and goes on with what was to be made and kept. Throws as `load`. */
  async open(): Promise<void> {
    if (!this.#loaded) this.load();
    for (const view of this.#catalogue.list()) {
      const entry = this.#entry(view.id);
      if (isRunning(view)) await this.#closeAccount(entry);
      else await this.#files.resume(entry);
    }
    await this.#catalogue.settled();
    void this.sweep();
  }

  /** Told of each change after it was made; must not throw. Gives what ends it. */
  subscribe(listener: RecordingListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Takes down that a recording is to begin; a mixer then writes captures into `directory`, sealed by `key`. Nobody sees it
   * before `begun` or `ended`. Errors: `recording-unavailable`, which says why.
   */
  async begin(recording: RecordingToBegin): Promise<{ id: string; directory: string; key: string | null }> {
    await this.#checkSpace();
    const { key = null } = this.#options;
    try {
      const startedAt = new Date(this.#now());
      const { view } = await this.#catalogue.add(
        { ...recording, participants: [], encrypted: key !== null },
        startedAt,
      );
      this.#beginning.add(view.id);
      this.started++;
      return { id: view.id, directory: this.#catalogue.directoryOf(view.id), key };
    } catch (error) {
      throw new ControlError('recording-unavailable', `recordings cannot be stored: ${describe(error)}`);
    }
  }

  /** A mixer records it. */
  begun(id: string, participants: string[]): RecordingView {
    this.#beginning.delete(id);
    const { view } = this.#change(id, { participants });
    this.#tell('recording-changed', view);
    return view;
  }

  /** Rejects when it cannot be made. */
  timelineFile(id: string): Promise<TimelineSink> {
    const source = this.#files.sourceOf(this.#entry(id));
    const key = source.sealed ? this.#key : null;
    return openTimelineFile(join(source.directory, diskName(source, 'timeline.jsonl')), key);
  }

  /** Where its parts begin. Settled when that is on the disk. */
  async setParts(id: string, parts: readonly RecordingPart[]): Promise<void> {
    await this.#catalogue.change(id, {}, { parts })?.written;
  }

  /** Where those of its picture begin, which it has from then on. Settled when that is on the disk. */
  async setVideoParts(id: string, videoParts: readonly RecordingPart[]): Promise<void> {
    const isNew = this.#catalogue.get(id)?.view.video === false;
    const changed = this.#catalogue.change(id, { video: true }, { videoParts });
    if (isNew && changed !== null) this.#tell('recording-changed', changed.entry.view);
    await changed?.written;
  }

  /**
   * It has paused or goes on, there are others in it, or its picture is not recorded any more.
   * Errors: `recording-not-found`.
   */
  changed(id: string, patch: Partial<Pick<RecordingView, 'state' | 'participants' | 'videoError'>>): RecordingView {
    const { view } = this.#change(id, patch);
    this.#tell('recording-changed', view);
    return view;
  }

  /**
   * Takes down how a recording ended. What was recorded before a failure counts.
   * Errors: `recording-not-found`, `recording-not-running`.
   */
  async ended(id: string, { durationMs, error }: RecordingEnd): Promise<RecordingView> {
    const entry = this.#entry(id);
    if (!isRunning(entry.view)) throw new ControlError('recording-not-running', `${id} has ended before`);
    if (error !== null) this.failed++;
    const { bytes } = await capturedIn(this.#catalogue.directoryOf(id));
    const found = { durationMs: durationMs ?? (await this.#measuredOrNone(entry)), bytes };
    const stoppedAt = new Date(this.#now()).toISOString();
    this.#beginning.delete(id);
    return this.#close(id, { ...found, stoppedAt, error, state: error === null ? 'stopped' : 'failed' });
  }

  /** Oldest first. */
  list(room?: string): RecordingView[] {
    return this.#catalogue.list(room).filter(({ id }) => !this.#beginning.has(id));
  }

  /** Those that are shown with the room itself: the last ones, and so what runs. Oldest first. */
  latest(room: string): RecordingView[] {
    return this.list(room).slice(-SHOWN_WITH_ROOM);
  }

  /** Errors: `recording-not-found`. */
  get(id: string): RecordingView {
    return this.#entry(id).view;
  }

  /**
   * Deletes a recording and all its files; what is elsewhere of it follows, also after a restart.
   * Errors: `recording-not-found`, `recording-running`.
   */
  async remove(id: string): Promise<void> {
    await this.#removal.remove(this.#ended(id).view);
  }

  /**
   * The recording as a file, made when it is first asked for, or fetched back from where it is kept. `onProgress` is told
   * the share that is done, 0–1. Errors: `recording-not-found`, `recording-running`, `recording-empty`,
   * `recording-captures-gone`, `recording-unavailable`.
   */
  async file(
    id: string,
    format: RecordingFormat,
    normalized = false,
    onProgress?: (share: number) => void,
  ): Promise<RecordingFile> {
    return this.#files.file(this.#ended(id), { format, normalized }, onProgress);
  }

  /**
   * Has the file made in the background, or fetched back, and says how far that is. `again`: also when it could not be made
   * before. Errors as `file`.
   */
  async want(id: string, format: RecordingFormat, normalized: boolean, again: boolean): Promise<WantedFile> {
    return this.#files.want(this.#ended(id), { format, normalized }, again);
  }

  /** Removes what is to go by now, as it does every hour; settled when that is done. Never rejects. */
  sweep(): Promise<void> {
    return this.#removal.sweep();
  }

  /** Lets work on files end for up to `deadlineMs`, then stops it; it goes on at the next start. */
  async close(deadlineMs: number): Promise<void> {
    this.#removal.close();
    await this.#files.close(deadlineMs);
    await this.#writes.close();
  }

  async #checkSpace(): Promise<void> {
    const { directory, minFreeMb = 0, freeBytes = freeBytesOf } = this.#options;
    if (minFreeMb === 0) return;
    const freeMb = await freeBytes(directory).then(
      (bytes) => Math.floor(bytes / 1e6),
      (error: unknown) => {
        throw new ControlError('recording-unavailable', `the disk cannot be looked at: ${describe(error)}`);
      },
    );
    if (freeMb >= minFreeMb) return;
    const text = `only ${freeMb} MB are free on the disk, and recordingMinFreeMb is ${minFreeMb}`;
    throw new ControlError('recording-unavailable', text);
  }

  #entry(id: string): CatalogueEntry {
    const entry = this.#catalogue.get(id);
    if (entry === undefined) throw new ControlError('recording-not-found', `there is no recording ${id}`);
    return entry;
  }

  #ended(id: string): CatalogueEntry {
    const entry = this.#entry(id);
    if (isRunning(entry.view)) throw new ControlError('recording-running', `${id} is still being recorded`);
    return entry;
  }

  async #closeAccount(entry: CatalogueEntry): Promise<void> {
    const { id, startedAt } = entry.view;
    const { bytes, lastWriteMs } = await capturedIn(this.#catalogue.directoryOf(id));
    const stoppedMs = Math.max(Date.parse(startedAt), lastWriteMs);
    const ended = { bytes, stoppedAt: new Date(stoppedMs).toISOString() };
    try {
      const durationMs = await this.#measure(entry);
      const error = durationMs === 0 ? 'the server ended before anything was recorded' : null;
      this.#close(id, { ...ended, durationMs, error, state: error === null ? 'stopped' : 'failed' });
    } catch (failure) {
      // Perhaps it can be another time, such as with the right key: so there is a length, near enough.
      const error = `the server ended, and what was recorded cannot be read: ${describe(failure)}`;
      this.#log.warn({ recording: id, error }, 'capture cannot be read');
      this.#close(id, { ...ended, durationMs: stoppedMs - Date.parse(startedAt), error, state: 'failed' });
    }
  }

  /** What is to be made of it is written down with its end, so that no crash comes in between. */
  #close(id: string, patch: Partial<RecordingView>): RecordingView {
    const { formats = [], normalize = false } = this.#options;
    const { tracks, video } = this.#entry(id).view;
    const possible = formats.filter(
      (format) => (tracks || !OF_TRACKS.has(format)) && (video || !OF_PICTURE.has(format)),
    );
    const wanted = patch.durationMs ? possible : [];
    const files = wanted.map((format) => {
      return { ...QUEUED, format, normalized: normalize && canBeNormalized(format) };
    });
    const entry = this.#change(id, { ...patch, files });
    const { view } = entry;
    const { room, state, durationMs, bytes, error } = view;
    this.#log.info({ recording: id, room, state, durationMs, bytes, error }, 'recording ended');
    this.#tell('recording-changed', view);
    for (const format of wanted) this.#files.wanted(entry, { format, normalized: normalize });
    return this.#catalogue.get(id)?.view ?? view;
  }

  #change(id: string, patch: Partial<RecordingView>): CatalogueEntry {
    const changed = this.#catalogue.change(id, patch);
    if (changed === null) throw new ControlError('recording-not-found', `there is no recording ${id}`);
    this.#writes.watch(id, changed.written);
    return changed.entry;
  }

  #tell(change: RecordingChange, recording: RecordingView): void {
    for (const listener of this.#listeners) listener(change, recording);
  }

  async #measuredOrNone(entry: CatalogueEntry): Promise<number> {
    return this.#measure(entry).catch((error: unknown) => {
      this.#log.warn({ recording: entry.view.id, error: describe(error) }, 'capture cannot be read');
      return 0;
    });
  }

  /** By what is on the disk. Rejects when that cannot be read. */
  async #measure(entry: CatalogueEntry): Promise<number> {
    const { encrypted } = entry.view;
    if (encrypted && this.#key === null) throw new Error('it is encrypted, and there is no recordingKey');
    const open = encrypted && this.#key !== null ? openSealed(this.#key) : openPlain;
    return recordedDurationMs(this.#files.sourceOf(entry), open);
  }
}

const QUEUED = { state: 'queued', progress: 0, bytes: null, sha256: null, error: null, stored: null } as const;

export function isRunning({ state }: RecordingView): boolean {
  return state === 'recording' || state === 'paused';
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
