import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sealStream } from '../../../sealed/sealer.ts';
import type { RecordingFormat } from '../../rooms/views.ts';
import { writeFileBy } from '../../write-file.ts';
import { captions } from '../captions.ts';
import { finishedName, isMovie, isSound } from './formats.ts';
import { EXACT_MS, wrongLength } from './length.ts';
import { makeMovie } from './movie.ts';
import { makeMultitrack, makeZip, timelinePath, writeTimeline } from './participant-tracks.ts';
import { makeSound } from './sound.ts';
import { diskName, type FinishedSource, openPlain, openSealed } from './source.ts';
import { makePoster, makeSheet } from './stills.ts';
import { timelineLines } from './timeline-lines.ts';
import { makeWaveform } from './waveform.ts';
import { failed, type Work, type WorkResult } from './work.ts';

export interface FileToMake {
  source: FinishedSource;
  format: RecordingFormat;
  normalized: boolean;
  /** For what is sealed. */
  key: Uint8Array | null;
  /** Null: there is none. */
  ffmpegPath: string | null;
  stallMs?: number;
  signal: AbortSignal;
  onProgress(share: number): void;
}

/** `bytes` and `sha256` are of what is handed out, also where the file on the disk is sealed. */
export interface MadeFile {
  path: string;
  bytes: number;
  sha256: string;
}

export type MakeResult = ({ ok: true } & MadeFile) | Exclude<WorkResult, { ok: true }>;

/**
 * Of sound whose codec has frames and padding: an AAC frame is 21 ms, an MP3 one 24 ms, and there may be two too many; of
 * the last FLAC frame in Matroska, up to 96 ms, only the beginning is known.
 */
const FRAMES_TOLERANCE_MS = 100;

export function finishedPath(source: FinishedSource, format: RecordingFormat, normalized: boolean): string {
  return join(source.directory, diskName(source, finishedName(format, normalized)));
}

/** Makes a finished file; it has its name only when it is whole and on the disk. Leaves nothing else. Never rejects. */
export async function makeFile(file: FileToMake): Promise<MakeResult> {
  try {
    await removeLeftovers(file.source, file);
    return await make(file);
  } catch (error) {
    if (file.signal.aborted) return { ok: false, reason: 'it was cancelled', died: false };
    const full = (error as NodeJS.ErrnoException).code === 'ENOSPC';
    const reason = full ? 'the disk is full' : error instanceof Error ? error.message : String(error);
    return { ok: false, reason, died: false };
  } finally {
    await removeLeftovers(file.source, file).catch(() => undefined); // they go at the next start
  }
}

async function make({ source, format, normalized, key, ...rest }: FileToMake): Promise<MakeResult> {
  if (source.sealed && key === null) {
    return { ok: false, reason: 'it is encrypted, and there is no recordingKey', died: false };
  }
  const partPath = join(source.directory, `${finishedName(format, normalized)}.part`);
  // While it is made, it is plain. Then it belongs to nobody but the server.
  await writeFile(partPath, '', { mode: source.sealed ? 0o600 : 0o640 });
  const sealingKey = source.sealed ? key : null;
  const openFile = sealingKey === null ? openPlain : openSealed(sealingKey);
  const { ffmpegPath } = rest;
  const work = { ...rest, source, open: openFile, ffmpegPath: ffmpegPath ?? '', targetPath: partPath };
  const result = await makeContent(work, format, normalized, ffmpegPath !== null);
  if (!result.ok) return result;
  const wrong = await lengthProblem(partPath, format, source.durationMs);
  if (wrong !== null) return { ok: false, reason: wrong, died: false };
  const finished = await finish(partPath, sealingKey);
  if (finished.bytes === 0 && format !== 'jsonl') return { ok: false, reason: 'the file came out empty', died: false };
  const path = finishedPath(source, format, normalized);
  await rename(finished.path, path);
  return { ok: true, ...finished, path };
}

async function makeContent(
  work: Work,
  format: RecordingFormat,
  normalized: boolean,
  hasFfmpeg: boolean,
): Promise<WorkResult> {
  if (format === 'vtt') {
    const lines = timelineLines(timelinePath(work), work.open);
    await writeFile(work.targetPath, await captions(lines, work.source.durationMs), { flag: 'r+' });
    return { ok: true };
  }
  if (format === 'jsonl') {
    await writeTimeline(work, work.targetPath);
    return { ok: true };
  }
  if (work.source.durationMs === 0) return failed('nothing was recorded');
  if (!hasFfmpeg) return failed('there is no ffmpeg on this machine');
  if (isMovie(format)) return makeMovie(work, format, normalized);
  return isSound(format) ? makeSound(work, format, normalized) : MAKERS[format](work);
}

const MAKERS = { poster: makePoster, sheet: makeSheet, png: makeWaveform, zip: makeZip, tracks: makeMultitrack };

async function lengthProblem(path: string, format: RecordingFormat, durationMs: number): Promise<string | null> {
  if (!isSound(format) && format !== 'tracks') return null;
  return wrongLength(path, durationMs, format === 'wav' ? EXACT_MS : FRAMES_TOLERANCE_MS);
}

/** Hashes, seals if need be, and brings to the disk. */
async function finish(partPath: string, key: Uint8Array | null): Promise<MadeFile> {
  const path = key === null ? partPath : partPath.replace(/\.part$/, '.sealed.part');
  if (key !== null) return { path, ...(await sealFile(partPath, path, key)) };
  const file = await open(path, 'r+');
  await file.sync().finally(() => file.close());
  return { path, ...(await hashFile(path)) };
}

class Hash extends Transform {
  bytes = 0;
  readonly #hash = createHash('sha256');

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, data: Buffer) => void): void {
    this.#hash.update(chunk);
    this.bytes += chunk.length;
    done(null, chunk);
  }

  digest(): { bytes: number; sha256: string } {
    return { bytes: this.bytes, sha256: this.#hash.digest('hex') };
  }
}

async function sealFile(from: string, to: string, key: Uint8Array): Promise<{ bytes: number; sha256: string }> {
  const hash = new Hash();
  await writeFileBy(to, (file) => pipeline(createReadStream(from), hash, sealStream(key), file));
  return hash.digest();
}

async function hashFile(path: string): Promise<{ bytes: number; sha256: string }> {
  return hashBytes(openPlain(path));
}

async function hashBytes(chunks: AsyncIterable<Uint8Array>): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** What is known of a file that is there, if it is. */
export async function findFile(
  file: Pick<FileToMake, 'source' | 'format' | 'normalized' | 'key'>,
): Promise<MadeFile | null> {
  const { source, key } = file;
  const path = finishedPath(source, file.format, file.normalized);
  if (!(await isThere(path)) || (source.sealed && key === null)) return null;
  const bytes = source.sealed && key !== null ? openSealed(key)(path) : openPlain(path);
  return { path, ...(await hashBytes(bytes)) };
}

export async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** What an attempt before this one, or a server before this one, had made of the file. */
async function removeLeftovers(
  source: FinishedSource,
  { format, normalized }: Pick<FileToMake, 'format' | 'normalized'>,
): Promise<void> {
  const beginning = `${finishedName(format, normalized)}.`;
  for (const name of await readdir(source.directory)) {
    if (name.startsWith(beginning) && name.endsWith('.part')) await unlink(join(source.directory, name));
  }
}
