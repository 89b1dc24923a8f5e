import type { Hearing } from './hearing.ts';
import type { Pcm } from './wav-file.ts';

/** What a level is when there is nothing at all. */
const SILENCE_DBFS = -120;

const PIECE_MS = 200;

/**
 * Level of one frequency between two samples; a full scale sine is 0 dBFS.
 *
 * The mean of pieces that overlap by half: a program that was held up may go on with another phase, and over the whole
 * the tone before that and after it would cancel each other.
 */
export function toneLevelDbfs(pcm: Pcm, frequencyHz: number, from: number, to: number): number {
  const end = Math.min(pcm.samples.length, to);
  const start = Math.min(end, Math.max(0, from));
  const piece = Math.min(end - start, Math.round((PIECE_MS * pcm.sampleRateHz) / 1000));
  const steps = Math.ceil((end - start - piece) / (piece / 2)) || 0;
  let sum = 0;
  for (let step = 0; step <= steps; step++) {
    const at = start + (steps === 0 ? 0 : Math.round((step * (end - start - piece)) / steps));
    sum += toneAmplitude(pcm, frequencyHz, at, piece);
  }
  const amplitude = sum / (steps + 1);
  return amplitude > 1e-6 ? 20 * Math.log10(amplitude) : SILENCE_DBFS;
}

/**
 * By Goertzel's algorithm under a Hann window. With that, another tone more than 4 divided by the length in seconds away
 * (20 Hz in 200 ms) is below −60 dB.
 */
function toneAmplitude(pcm: Pcm, frequencyHz: number, start: number, length: number): number {
  if (length <= 1) return 0;
  const coefficient = 2 * Math.cos((2 * Math.PI * frequencyHz) / pcm.sampleRateHz);
  let before = 0;
  let beforeThat = 0;
  let windowSum = 0;
  for (let index = 0; index < length; index++) {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / (length - 1));
    windowSum += window;
    const now = pcm.samples[start + index]! * window + coefficient * before - beforeThat;
    beforeThat = before;
    before = now;
  }
  const power = before * before + beforeThat * beforeThat - coefficient * before * beforeThat;
  return (2 * Math.sqrt(Math.max(0, power))) / windowSum;
}

/** The same between two times of `performance.now()`. */
export function heardLevelDbfs(hearing: Hearing, frequencyHz: number, fromMs: number, toMs: number): number {
  return toneLevelDbfs(hearing.pcm, frequencyHz, hearing.sampleAt(fromMs), hearing.sampleAt(toMs));
}

export interface Voice {
  name: string;
  frequencyHz: number;
  levelDbfs: number;
}

export interface Listener {
  name: string;
  hearing: Hearing;
}

export interface ExpectedRoom {
  voices: readonly Voice[];
  listeners: readonly Listener[];
  /** Nobody may hear these now. */
  silenced?: readonly string[];
  fromMs: number;
  toMs: number;
  toleranceDb?: number;
  /** How far below its sent level one's own tone, or a silenced one, must be. */
  suppressionDb?: number;
}

/**
 * Every listener hears every other voice at its sent level, and neither their own nor a silenced one.
 *
 * Throws with the whole table of who hears whom, what is wrong marked with `!`.
 */
export function assertWhoHearsWhom(room: ExpectedRoom): void {
  const toleranceDb = room.toleranceDb ?? 3;
  const suppressionDb = room.suppressionDb ?? 40;
  let wrong = 0;
  const rows = room.listeners.map((listener) => {
    const cells = room.voices.map((voice) => {
      const levelDbfs = heardLevelDbfs(listener.hearing, voice.frequencyHz, room.fromMs, room.toMs);
      const hidden = voice.name === listener.name || (room.silenced ?? []).includes(voice.name);
      const right = hidden
        ? levelDbfs <= voice.levelDbfs - suppressionDb
        : Math.abs(levelDbfs - voice.levelDbfs) <= toleranceDb;
      if (!right) wrong++;
      return `${levelDbfs.toFixed(1)}${right ? '' : '!'}`;
    });
    return [listener.name, ...cells];
  });
  if (wrong === 0) return;
  const head = [
    'hears, dBFS',
    ...room.voices.map((voice) => `${voice.name} ${voice.frequencyHz} Hz (sends ${voice.levelDbfs})`),
  ];
  const silenced = room.silenced?.length ? `; nobody should hear ${room.silenced.join(', ')}` : '';
  throw new Error(
    `${wrong} levels are wrong (within ${toleranceDb} dB, own ${suppressionDb} dB down${silenced})\n${table([head, ...rows])}`,
  );
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')).join('\n');
}

const STEP_MS = 5;
const WINDOW_MS = 40;

/**
 * When a tone crosses half way between there and not there, within ±10 ms; null if it does not between these times.
 *
 * The level is taken in windows of 40 ms; one that lies half over the edge has lost 6 dB, so that the edge is where the
 * level is 6 dB below what it was.
 */
export function edgeTimeMs(
  hearing: Hearing,
  voice: Voice,
  edge: 'appears' | 'disappears',
  fromMs: number,
  toMs: number,
): number | null {
  const thresholdDbfs = voice.levelDbfs - 6;
  for (let timeMs = fromMs; timeMs <= toMs; timeMs += STEP_MS) {
    const middle = hearing.sampleAt(timeMs);
    const half = Math.round((WINDOW_MS / 2_000) * hearing.pcm.sampleRateHz);
    const levelDbfs = toneLevelDbfs(hearing.pcm, voice.frequencyHz, middle - half, middle + half);
    if (edge === 'appears' ? levelDbfs >= thresholdDbfs : levelDbfs < thresholdDbfs) return timeMs;
  }
  return null;
}
