import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { TimelineLine } from '../../server/recordings/timeline.ts';
import type { RecordingView } from '../../server/rooms/views.ts';
import { readWavLayout } from '../e2e/clients/wav-file.ts';
import { type CodedVoice, READ_RATE_HZ, STEP_MS } from './coded-sound.ts';
import { decodedSound, sampleHash, unzipped } from './decoded-file.ts';
import { type FoundSpeech, findSpeech, missing, type Stretch } from './found-speech.ts';
import { type HeardPacket, heardSound } from './heard-sound.ts';
import { apartOf, comparable, differences, type Loss, lossOf, type Round, timesApart } from './losses.ts';
import { timelineFaults } from './timeline-faults.ts';

/** All that is to be looked at of one recording. */
export interface RecordingToCheck {
  view: RecordingView;
  directory: string;
  round: Round;
  /** Of the callers' clock when it was started, as the entry says. */
  zeroMs: number;
  /** When the callers' own clock was late: what was said then may have come too late. */
  late: readonly Stretch[];
  /** By the callers' clock: when a quarter second was said. */
  saidMs(number: number): number;
  /** What one of the callers got from the room. */
  heard: readonly HeardPacket[];
}

export interface CheckedRecording {
  id: string;
  faults: string[];
  durationMs: number;
  parts: number;
  losses: Loss[];
  /** The most that a track and the mix are apart, and two tracks from each other against the mix, milliseconds. */
  trackToMixMs: number;
  trackToTrackMs: number;
  /** How much what was said is off the callers' clock in one part against another, which has their jitter buffers in it. */
  partToPartMs: number;
  /** How far the parts are from where the same sound was heard in the room; and how many could be held against that. */
  partsOffMs: number;
  partsHeard: number;
}

const ALIGNED_WITHIN_MS = 20;
/** Of the moments in a track and the mix: where a packet was missing, it cannot be told when a tone began. */
const LEAST_COMPARED = 0.5;
/** A jitter buffer that begins anew may begin with what has waited for up to 100 ms. */
const SAID_WITHIN_MS = 100;
const PADDED_WITHIN_MS = 100;
const MOST_LOST_MS = 1_000;
/** At both ends of a call packets are under way. */
const UNSURE_MS = 60;
/** What was sent while the callers' clock was late may be lost around that. */
const LATE_AROUND_MS = 300;
/** And jitter buffers, which have learnt from it that packets may be late, remember 300 packets. */
const LATE_REMEMBERED_MS = 6_000;

interface StoredParts {
  parts: { number: number; startMs: number }[];
}

export async function checkRecording(recording: RecordingToCheck): Promise<CheckedRecording> {
  const { view, directory } = recording;
  const faults: string[] = [];
  const { parts } = JSON.parse(readFileSync(join(directory, 'recording.json'), 'utf8')) as StoredParts;
  const checked: CheckedRecording = {
    ...{ id: view.id, faults, durationMs: view.durationMs ?? 0, parts: parts.length, losses: [] },
    ...{ trackToMixMs: 0, trackToTrackMs: 0, partToPartMs: 0, partsOffMs: 0, partsHeard: 0 },
  };
  const saidMs = recording.round.endMs - recording.round.beganMs;
  if (view.state !== 'stopped') {
    const isTooShort = view.durationMs === 0 && saidMs < MOST_LOST_MS;
    if (!isTooShort) faults.push(`it is ${view.state}: ${view.error}`);
  }
  if (!view.durationMs) {
    if (saidMs >= MOST_LOST_MS + 500) faults.push(`nothing is left of ${saidMs.toFixed(0)} ms`);
    return checked;
  }
  faults.push(...fileFaults(view, directory));
  try {
    await checkSound(recording, checked, parts);
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
  }
  return checked;
}

function fileFaults({ files }: RecordingView, directory: string): string[] {
  const faults: string[] = [];
  for (const name of readdirSync(directory)) if (name.endsWith('.part')) faults.push(`${name} is left over`);
  for (const { format, state, error, bytes, sha256 } of files) {
    if (state !== 'ready') faults.push(`${format} is ${state}: ${error}`);
    else if (!hasFile(directory, bytes, sha256))
      faults.push(`there is no ${format} of ${bytes} octets with its checksum`);
  }
  return faults;
}

function hasFile(directory: string, bytes: number | null, sha256: string | null): boolean {
  return readdirSync(directory).some((name) => {
    const path = join(directory, name);
    if (!name.startsWith('finished-') || statSync(path).size !== bytes) return false;
    return createHash('sha256').update(readFileSync(path)).digest('hex') === sha256;
  });
}

async function checkSound(
  recording: RecordingToCheck,
  checked: CheckedRecording,
  parts: StoredParts['parts'],
): Promise<void> {
  const { directory, round, zeroMs } = recording;
  const { faults } = checked;
  const mixSound = await soundOf(recording, checked, 'finished-mix.wav', 1_000 / READ_RATE_HZ);
  checkWav(directory, checked);
  const mixes = new Map(round.callers.map(({ voice }) => [voice, findSpeech(mixSound, voice, zeroMs)]));
  for (const name of ['finished-mix.m4a', 'finished-mix.ogg']) {
    const sound = await soundOf(recording, checked, name, PADDED_WITHIN_MS);
    const [voice, mix] = [...mixes][0]!;
    const apart = apartOf(findSpeech(sound, voice, zeroMs).boundaries, mix.boundaries);
    if (apart > ALIGNED_WITHIN_MS) faults.push(`${name} is up to ${apart.toFixed(0)} ms off the WAV`);
  }
  const lines = readLines(readFileSync(join(directory, 'timeline.jsonl'), 'utf8'), faults);
  const tracks = await checkTracks(recording, checked, lines);
  for (const [voice, mix] of mixes) {
    const track = tracks.get(voice);
    if (track === undefined) {
      if (mix.spokenHops.size > 0) faults.push(`${voice.name} has no track`);
      continue;
    }
    const apart = apartOf(track.boundaries, mix.boundaries);
    checked.trackToMixMs = Math.max(checked.trackToMixMs, apart);
    if (apart > ALIGNED_WITHIN_MS)
      faults.push(`the track of ${voice.name} is up to ${apart.toFixed(1)} ms off the mix`);
    const { common, compared } = comparable(track.boundaries, mix.boundaries);
    if (compared < common * LEAST_COMPARED) faults.push(`${compared} of ${common} moments of ${voice.name} are whole`);
  }
  checked.trackToTrackMs = timesApart(tracks, mixes);
  if (checked.trackToTrackMs > ALIGNED_WITHIN_MS) {
    faults.push(`tracks are up to ${checked.trackToTrackMs.toFixed(1)} ms apart`);
  }
  checkPartsSaid(recording, checked, mixes, parts);
  checkPartsHeard(recording, checked, mixes, parts);
  for (const caller of round.callers) {
    checkLosses(recording, checked, caller, 'mix', mixes.get(caller.voice)!);
    const track = tracks.get(caller.voice);
    if (track !== undefined) checkLosses(recording, checked, caller, 'track', track);
  }
  faults.push(...timelineFaults(lines, recording, parts, mixes));
}

function readLines(text: string, faults: string[]): TimelineLine[] {
  const lines = text.split('\n');
  const last = lines.pop();
  // The last one may have been cut off by the death of the server.
  if (last !== '') faults.push(`the time line ends with ${JSON.stringify(last)}`);
  return lines.map((line) => JSON.parse(line) as TimelineLine);
}

async function soundOf(
  { directory }: RecordingToCheck,
  { durationMs, faults }: CheckedRecording,
  name: string,
  toleranceMs: number,
): Promise<Float32Array> {
  const sound = await decodedSound(join(directory, name));
  const ms = (sound.length * 1_000) / READ_RATE_HZ;
  if (Math.abs(ms - durationMs) > toleranceMs) faults.push(`${name} lasts ${ms} ms, the entry says ${durationMs}`);
  return sound;
}

function checkWav(directory: string, { durationMs, faults }: CheckedRecording): void {
  const file = readFileSync(join(directory, 'finished-mix.wav'));
  const layout = readWavLayout(file);
  const samples = layout === null ? 0 : (file.length - layout.dataOffset) / 2;
  if (samples !== Math.round(durationMs * 48)) faults.push(`the WAV has ${samples} samples for ${durationMs} ms`);
}

/** By voice; each is in the zip and, the same to the sample, in the file with all tracks. */
async function checkTracks(
  { directory, round, zeroMs }: RecordingToCheck,
  { durationMs, faults }: CheckedRecording,
  lines: readonly TimelineLine[],
): Promise<Map<CodedVoice, FoundSpeech>> {
  const tracks = new Map<CodedVoice, FoundSpeech>();
  const multitrack = join(directory, 'finished-tracks.mka');
  const hashes = new Set<string>();
  await unzipped(join(directory, 'finished-tracks.zip'), async (files) => {
    const sounds = files.filter((path) => path.endsWith('.flac'));
    for (let stream = 0; stream < sounds.length; stream++) hashes.add(await sampleHash(multitrack, stream));
    for (const path of sounds) {
      const sound = await decodedSound(path);
      const ms = (sound.length * 1_000) / READ_RATE_HZ;
      if (Math.abs(ms - durationMs) > 1) faults.push(`${basename(path)} lasts ${ms} ms, the entry says ${durationMs}`);
      const named = round.callers.find(({ voice }) => path.endsWith(` ${voice.name}.flac`));
      const joined = lines.flatMap((line) => (line.type === 'joined' ? [line.participant] : []));
      // One whose coming was in what the time line may lose has a track without a name.
      const isUnknown = named === undefined && !joined.some((id) => path.endsWith(` ${id}.flac`));
      const caller = isUnknown ? round.callers.find(({ voice }) => speaksIn(sound, voice, zeroMs)) : named;
      if (caller === undefined) faults.push(`nobody knows the track ${basename(path)}`);
      else tracks.set(caller.voice, findSpeech(sound, caller.voice, zeroMs));
      if (!hashes.has(await sampleHash(path))) faults.push(`${basename(path)} is not the same in tracks.mka`);
    }
    for (const name of ['timeline.jsonl', 'captions.vtt']) {
      if (!files.some((path) => basename(path) === name)) faults.push(`the zip has no ${name}`);
    }
  });
  return tracks;
}

function speaksIn(sound: Float32Array, voice: CodedVoice, zeroMs: number): boolean {
  return findSpeech(sound, voice, zeroMs).boundaries.length > 0;
}

/** Where what was said is on the callers' clock, in each part against the others. */
function checkPartsSaid(
  { saidMs, late }: RecordingToCheck,
  checked: CheckedRecording,
  mixes: ReadonlyMap<CodedVoice, FoundSpeech>,
  parts: StoredParts['parts'],
): void {
  const wasLate = (ms: number): boolean =>
    late.some(({ fromMs, toMs }) => ms > fromMs - LATE_AROUND_MS && ms < toMs + LATE_REMEMBERED_MS);
  for (const [voice, { boundaries }] of mixes) {
    const inTime = boundaries.filter(({ number }) => !wasLate(number * STEP_MS));
    const lateMs = inTime.map(({ number, atMs }) => ({ atMs, offMs: atMs - saidMs(number) }));
    const apart = spread(byPart(lateMs, parts, 3));
    checked.partToPartMs = Math.max(checked.partToPartMs, apart);
    if (apart > SAID_WITHIN_MS)
      checked.faults.push(`${voice.name} is ${apart.toFixed(0)} ms later in one part than in another`);
  }
}

/** The room's sound was heard by a caller as it was recorded: so it tells when what is in each part was in the room. */
function checkPartsHeard(
  { heard, zeroMs }: RecordingToCheck,
  checked: CheckedRecording,
  mixes: ReadonlyMap<CodedVoice, FoundSpeech>,
  parts: StoredParts['parts'],
): void {
  const around = { fromMs: zeroMs - MOST_LOST_MS, toMs: zeroMs + checked.durationMs + 2 * MOST_LOST_MS };
  const sound = heardSound(
    heard.filter(({ atMs }) => atMs > around.fromMs && atMs < around.toMs),
    around,
  );
  const offs = [...mixes].flatMap(([voice, { boundaries }]) => {
    const atMs = new Map(boundaries.map((boundary) => [boundary.number, boundary.atMs]));
    const apart = differences(findSpeech(sound, voice, around.fromMs).boundaries, boundaries);
    return [...apart].map(([number, offMs]) => ({ atMs: atMs.get(number)!, offMs }));
  });
  const ofParts = byPart(offs, parts, 2);
  checked.partsHeard = ofParts.length;
  checked.partsOffMs = spread(ofParts);
  if (checked.partsOffMs > ALIGNED_WITHIN_MS)
    checked.faults.push(`parts are ${checked.partsOffMs.toFixed(1)} ms from where they were heard`);
}

/** The median of each part in which there are as many as that. */
function byPart(
  offs: readonly { atMs: number; offMs: number }[],
  parts: StoredParts['parts'],
  least: number,
): number[] {
  return parts.flatMap(({ startMs }, index) => {
    const endMs = parts[index + 1]?.startMs ?? Number.POSITIVE_INFINITY;
    const ofPart = offs.filter(({ atMs }) => atMs >= startMs && atMs < endMs);
    return ofPart.length < least ? [] : [median(ofPart.map(({ offMs }) => offMs))];
  });
}

function spread(values: readonly number[]): number {
  return values.length === 0 ? 0 : Math.max(...values) - Math.min(...values);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function checkLosses(
  { round, late }: RecordingToCheck,
  checked: CheckedRecording,
  { voice, fromMs, toMs }: Round['callers'][number],
  where: string,
  found: FoundSpeech,
): void {
  const said = { fromMs: fromMs + UNSURE_MS, toMs: toMs - UNSURE_MS };
  for (const hole of missing(found, said)) {
    if (late.some((stretch) => hole.fromMs < stretch.toMs + LATE_AROUND_MS && hole.toMs > stretch.fromMs)) continue;
    const loss = lossOf(`${voice.name} in the ${where}`, hole, said, round);
    checked.losses.push(loss);
    if (loss.lostMs <= MOST_LOST_MS) continue;
    checked.faults.push(`${loss.lostMs.toFixed(0)} ms of ${loss.where} are lost ${describe(loss)}`);
  }
}

function describe({ cause, hole }: Loss): string {
  const at = `(${hole.fromMs.toFixed(0)}–${hole.toMs.toFixed(0)} ms of the callers' clock)`;
  return `${{ begin: 'at the beginning', mixer: 'when a mixer was killed', end: 'at the end', none: 'for no reason' }[cause]} ${at}`;
}
