import { createWriteStream } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { captions } from '../captions.ts';
import { runFfmpeg } from './ffmpeg.ts';
import { JOINED_OPTIONS, joined } from './joined.ts';
import { type Run, runsOf } from './runs.ts';
import { samplesOf, soundFilter } from './sound-filter.ts';
import { diskName, trackFiles } from './source.ts';
import { participantNames, timelineLines } from './timeline-lines.ts';
import { failed, stepOf, type Work, type WorkResult } from './work.ts';

interface Track {
  name: string;
  runs: Run[];
  /** As FLAC, while it is needed. */
  path: string;
}

type Tracks = { ok: true; tracks: Track[] } | Exclude<WorkResult, { ok: true }>;

/** Working files of a job begin with its own file's name, so that they go when it goes. */
export function workingPath(targetPath: string, name: string): string {
  return `${targetPath.replace(/\.part$/, '')}.${name}.part`;
}

export function timelinePath({ source }: Work): string {
  return join(source.directory, diskName(source, 'timeline.jsonl'));
}

/** All tracks as FLAC, with time line and captions. */
export async function makeZip(work: Work): Promise<WorkResult> {
  const made = await makeTracks(work);
  if (!made.ok) return made;
  const { source } = work;
  const zip = new ZipFile();
  const mtime = new Date(source.startedAt);
  const options = { compress: false, mtime };
  for (const [index, { name, path }] of made.tracks.entries()) zip.addFile(path, trackFileName(index, name), options);
  const timeline = workingPath(work.targetPath, 'timeline');
  await writeTimeline(work, timeline);
  zip.addFile(timeline, 'timeline.jsonl', { mtime });
  const text = await captions(timelineLines(timelinePath(work), work.open), source.durationMs);
  zip.addBuffer(Buffer.from(text), 'captions.vtt', { mtime });
  zip.end();
  const failing = new Promise<never>((_, reject) => zip.on('error', reject));
  const output = createWriteStream(work.targetPath, { flags: 'r+' });
  await Promise.race([failing, pipeline(zip.outputStream, output, { signal: work.signal })]);
  return { ok: true };
}

/** The time line as it is; empty where there is none. */
export async function writeTimeline(work: Work, path: string): Promise<void> {
  await writeFile(path, '', { mode: 0o600 });
  const readable = Readable.from(work.open(timelinePath(work)), { objectMode: false });
  try {
    await pipeline(readable, createWriteStream(path, { flags: 'r+' }), { signal: work.signal });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** All tracks in one file, each with its name. */
export async function makeMultitrack(work: Work): Promise<WorkResult> {
  const made = await makeTracks(work);
  if (!made.ok) return made;
  const names = made.tracks.map(({ name }) => name.replace(/[\p{Cc}\p{Cf}]+/gu, ' '));
  const options = [
    ...names.flatMap((_, index) => ['-map', `${index}:a:0`]),
    ...[
      '-c:a',
      'copy',
      '-metadata',
      `title=${work.source.room}`,
      '-metadata',
      `creation_time=${work.source.startedAt}`,
    ],
    ...names.flatMap((name, index) => [`-metadata:s:a:${index}`, `title=${name}`]),
    ...['-f', 'matroska'],
  ];
  const inputs = made.tracks.map(({ path }) => ({ source: path, options: ['-f', 'flac'] }));
  return runFfmpeg({
    ...stepOf({ ...work, onProgress: () => undefined }, 0, 1),
    inputs,
    options,
    target: work.targetPath,
  });
}

/** Each track as long as the recording, from its position 0. */
async function makeTracks(work: Work): Promise<Tracks> {
  const { source } = work;
  const names = await participantNames(timelineLines(timelinePath(work), work.open));
  const tracks: Track[] = [];
  for (const [leg, files] of await trackFiles(source)) {
    const runs = await runsOf(files, work.open);
    const path = workingPath(work.targetPath, String(tracks.length + 1));
    if (runs.length > 0) tracks.push({ name: names.get(leg) ?? leg, runs, path });
  }
  tracks.sort((a, b) => firstMs(a) - firstMs(b));
  if (tracks.length === 0) return failed('no tracks of participants were captured');
  for (const [index, track] of tracks.entries()) {
    const result = await makeTrack(work, track, index, tracks.length);
    if (!result.ok) return result;
  }
  return { ok: true, tracks };
}

/** Where a participant is heard first. */
function firstMs({ runs }: Track): number {
  return runs[0]?.files[0]?.firstMs ?? 0;
}

async function makeTrack(work: Work, { runs, path }: Track, step: number, steps: number): Promise<WorkResult> {
  const { source } = work;
  await writeFile(path, '', { mode: 0o600 });
  const sound = joined({ runs, open: work.open, endMs: source.durationMs, gapless: false });
  const result = await runFfmpeg({
    ...stepOf(work, step, steps),
    inputs: [{ source: sound, options: JOINED_OPTIONS }],
    options: [
      '-filter_complex',
      soundFilter(runs, source.durationMs, []),
      '-map',
      '[out]',
      '-c:a',
      'flac',
      '-f',
      'flac',
    ],
    target: path,
  });
  if (!result.ok) return result;
  const samples = await flacSamples(path);
  const wanted = samplesOf(source.durationMs);
  return samples === wanted ? result : failed(`a track came out with ${samples} samples instead of ${wanted}`);
}

/** Out of STREAMINFO (RFC 9639 §8.2): 36 bits, after a magic, a block header, frame sizes, and 28 bits of format. */
async function flacSamples(path: string): Promise<number> {
  const file = await open(path, 'r');
  try {
    const { buffer } = await file.read(Buffer.alloc(26), 0, 26, 0);
    return (buffer.readUInt8(21) & 0x0f) * 2 ** 32 + buffer.readUInt32BE(22);
  } finally {
    await file.close();
  }
}

/** A name that every file system takes, with a number in front that makes it the only one. */
export function trackFileName(index: number, name: string): string {
  const safe = name
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}<>:"/\\|?*]+/gu, '_')
    .replace(/\s+/g, ' ');
  const short = Array.from(safe)
    .slice(0, 60)
    .join('')
    .replace(/^[ .]+|[ .]+$/g, '');
  return `${String(index + 1).padStart(2, '0')} ${short === '' ? 'participant' : short}.flac`;
}
