import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { RecordingResult } from '../../mixer/protocol.ts';
import { ControlError, type RecordingFile, type RecordingFormat } from '../focus/control.ts';
import type { RecordingView } from '../rooms/views.ts';
import { captureDurationMs } from './capture-duration.ts';
import { RecordingCatalogue } from './catalogue.ts';
import { findFfmpeg } from './ffmpeg-binary.ts';
import { FinishedFiles } from './finished-files.ts';
import { convert, finishedDurationMs } from './finishing.ts';

export interface RecordingLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface RecordingsOptions {
  directory: string;
  log: RecordingLog;
  /** Wall clock, milliseconds since 1970. */
  now?: () => number;
  /** Default: the system's ffmpeg, else the one that npm brought. */
  findFfmpeg?: () => Promise<string | null>;
  /** Conversions at a time; default: one a core. */
  parallelConversions?: number;
  convert?: typeof convert;
}

const CONTENT_TYPES: Record<RecordingFormat, string> = {
  wav: 'audio/wav',
  mp4: 'audio/mp4',
  mka: 'audio/matroska', // RFC 9559 §27.3
};

/** All recordings there are. Mixers write the captures; this keeps account of them and hands out finished files. */
export class Recordings {
  /** Since the start of the server. */
  started = 0;
  failed = 0;
  readonly #catalogue: RecordingCatalogue;
  readonly #finished: FinishedFiles;
  readonly #log: RecordingLog;
  readonly #now: () => number;

  constructor(options: RecordingsOptions) {
    this.#catalogue = new RecordingCatalogue(options.directory);
    this.#finished = new FinishedFiles({
      directory: options.directory,
      parallel: options.parallelConversions ?? availableParallelism(),
      ffmpegPath: options.findFfmpeg ?? (() => findFfmpeg(process.env['PATH'] ?? '')),
      convert: options.convert ?? convert,
      measureMs: finishedDurationMs,
    });
    this.#log = options.log;
    this.#now = options.now ?? Date.now;
  }

  /** Reads what is there, and closes the account of what a crash left running. */
  async open(): Promise<void> {
    for (const name of this.#catalogue.load()) this.#log.warn({ file: name }, 'recording entry cannot be read');
    for (const recording of this.#catalogue.list()) {
      if (recording.state === 'recording') await this.#closeAccount(recording);
    }
  }

  /** Announces a recording; a mixer then creates `path`. Errors: `recording-unavailable`. */
  begin(room: string, startedAt: Date): { id: string; path: string } {
    try {
      const { id } = this.#catalogue.add(room, startedAt);
      this.started++;
      return { id, path: this.#catalogue.capturePath(id) };
    } catch (error) {
      throw new ControlError('recording-unavailable', `recordings cannot be stored: ${describe(error)}`);
    }
  }

  /**
   * Takes down how a recording ended: a mixer's result, or why it failed. What was recorded before a failure counts.
   * Errors: `recording-not-found`, `recording-not-running`.
   */
  async ended(id: string, outcome: RecordingResult | { error: string }): Promise<RecordingView> {
    const recording = this.get(id);
    if (recording.state !== 'recording') throw new ControlError('recording-not-running', `${id} has ended before`);
    const stoppedAt = new Date(this.#now()).toISOString();
    if ('error' in outcome) {
      this.failed++;
      const found = await this.#measure(id);
      return this.#put({ ...recording, ...found, stoppedAt, state: 'failed', error: outcome.error });
    }
    const { durationMs, bytes } = outcome;
    return this.#put({ ...recording, durationMs, bytes, stoppedAt, state: 'stopped' });
  }

  /** Oldest first. */
  list(room?: string): RecordingView[] {
    return this.#catalogue.list(room);
  }

  /** Errors: `recording-not-found`. */
  get(id: string): RecordingView {
    const recording = this.#catalogue.get(id);
    if (recording === undefined) throw new ControlError('recording-not-found', `there is no recording ${id}`);
    return recording;
  }

  /** Deletes a recording and all its files. Errors: `recording-not-found`, `recording-running`. */
  async remove(id: string): Promise<void> {
    this.#ended(id);
    this.#catalogue.hide(id);
    await this.#finished.remove(id);
    this.#catalogue.erase(id);
    this.#log.info({ recording: id }, 'recording removed');
  }

  /**
   * The recording as a file, made when it is first asked for. `onProgress` is told the share that is done, 0–1.
   * Errors: `recording-not-found`, `recording-running`, `recording-empty`, `recording-unavailable`.
   */
  async file(id: string, format: RecordingFormat, onProgress?: (share: number) => void): Promise<RecordingFile> {
    const recording = this.#ended(id);
    if (!recording.durationMs) throw new ControlError('recording-empty', `nothing was recorded in ${id}`);
    const file = await this.#finished.get(id, format, recording.durationMs, onProgress);
    if (!file.ok) {
      this.#log.warn({ recording: id, format, reason: file.reason }, 'recording could not be finished');
      throw new ControlError('recording-unavailable', `${id} could not be finished as ${format}: ${file.reason}`);
    }
    return { path: file.path, contentType: CONTENT_TYPES[format], fileName: fileName(recording, format) };
  }

  /** Lets conversions end for up to `deadlineMs`, then stops them; what they had made of a file goes with them. */
  close(deadlineMs: number): Promise<void> {
    return this.#finished.close(deadlineMs);
  }

  #ended(id: string): RecordingView {
    const recording = this.get(id);
    if (recording.state === 'recording') throw new ControlError('recording-running', `${id} is still being recorded`);
    return recording;
  }

  async #closeAccount(recording: RecordingView): Promise<void> {
    const found = await this.#measure(recording.id);
    const empty = found.durationMs === 0;
    const stoppedAt = new Date(Date.parse(recording.startedAt) + found.durationMs).toISOString();
    const error = empty ? 'the server ended before anything was recorded' : null;
    this.#put({ ...recording, ...found, stoppedAt, error, state: empty ? 'failed' : 'stopped' });
  }

  async #measure(id: string): Promise<{ durationMs: number; bytes: number }> {
    const path = this.#catalogue.capturePath(id);
    try {
      return { durationMs: await captureDurationMs(path), bytes: (await stat(path)).size };
    } catch (error) {
      this.#log.warn({ recording: id, error: describe(error) }, 'capture cannot be read');
      return { durationMs: 0, bytes: 0 };
    }
  }

  #put(recording: RecordingView): RecordingView {
    this.#catalogue.put(recording);
    const { id, room, state, durationMs, bytes, error } = recording;
    this.#log.info({ recording: id, room, state, durationMs, bytes, error }, 'recording ended');
    return recording;
  }
}

/** For a download: what a user may have put into the room's name is kept only where every system takes it. */
function fileName({ room, id }: RecordingView, format: RecordingFormat): string {
  const safeRoom = room.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, 60);
  return `${safeRoom}-${id.slice(0, 15)}.${format}`;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
