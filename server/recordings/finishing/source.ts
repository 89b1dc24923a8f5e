import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readSealed } from '../../../sealed/read-sealed.ts';

interface Part {
  number: number;
  startMs: number;
}

/** A recording that has ended, as far as finishing has to know it. */
export interface FinishedSource {
  id: string;
  room: string;
  /** Where its captures are and its finished files go. */
  directory: string;
  /** Where in the recording each part of it begins. */
  parts: readonly Part[];
  /** The same of its picture; none when there is none. */
  videoParts: readonly Part[];
  durationMs: number;
  /** ISO 8601. */
  startedAt: string;
  /** Whether its files are encrypted. */
  sealed: boolean;
}

/** One file of what was captured. */
export interface CaptureFile {
  path: string;
  /** Where its position 0 is in the recording. */
  startMs: number;
}

/** Reads a file of a recording, which may be encrypted. */
export type OpenFile = (path: string) => AsyncIterable<Uint8Array>;

export const openPlain: OpenFile = (path) => createReadStream(path, { highWaterMark: 64 * 1024 });

/** Captures that a crash cut off are read as far as they go. */
export function openSealed(key: Uint8Array): OpenFile {
  return (path) => readSealed(path, key, { unfinished: true });
}

const SEALED_ENDING = '.sealed';
const MIX_NAME = /^mix-(\d+)\.mka$/;
const VIDEO_NAME = /^video-(\d+)\.mkv$/;
const TRACK_NAME = /^track-(\d+)-(.+)-(\d+)\.mka$/;

/** Under its name on the disk. */
export function diskName(source: FinishedSource, name: string): string {
  return source.sealed ? `${name}${SEALED_ENDING}` : name;
}

async function captures(source: FinishedSource): Promise<{ name: string; path: string }[]> {
  const names = await readdir(source.directory);
  const ofKind = names.filter((name) => name.endsWith(SEALED_ENDING) === source.sealed);
  return ofKind.map((name) => ({
    name: source.sealed ? name.slice(0, -SEALED_ENDING.length) : name,
    path: join(source.directory, name),
  }));
}

function startOf(parts: FinishedSource['parts'], part: number): number | null {
  return parts.find(({ number }) => number === part)?.startMs ?? null;
}

/** The room's mix, in order. */
export function mixFiles(source: FinishedSource): Promise<CaptureFile[]> {
  return filesOf(source, MIX_NAME, source.parts);
}

/** The room's picture, in order. */
export function videoFiles(source: FinishedSource): Promise<CaptureFile[]> {
  return filesOf(source, VIDEO_NAME, source.videoParts);
}

async function filesOf(source: FinishedSource, names: RegExp, parts: FinishedSource['parts']): Promise<CaptureFile[]> {
  const files: CaptureFile[] = [];
  for (const { name, path } of await captures(source)) {
    const startMs = startOf(parts, Number(names.exec(name)?.[1]));
    if (startMs !== null) files.push({ path, startMs });
  }
  return files.sort((a, b) => a.startMs - b.startMs);
}

/** What each participant sent: by the id of their leg, in order. */
export async function trackFiles(source: FinishedSource): Promise<Map<string, CaptureFile[]>> {
  const found: { leg: string; part: number; run: number; file: CaptureFile }[] = [];
  for (const { name, path } of await captures(source)) {
    const [, part, leg, run] = TRACK_NAME.exec(name) ?? [];
    const startMs = startOf(source.parts, Number(part));
    if (leg === undefined || startMs === null) continue;
    found.push({ leg, part: Number(part), run: Number(run), file: { path, startMs } });
  }
  found.sort((a, b) => a.part - b.part || a.run - b.run);
  const byLeg = new Map<string, CaptureFile[]>();
  for (const { leg, file } of found) byLeg.set(leg, [...(byLeg.get(leg) ?? []), file]);
  return byLeg;
}
