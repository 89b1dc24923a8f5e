import { CODEC_SHAPES, encodeLoop, type LoadCodec, samplesPerPacket } from '../bench/load-signal.ts';

/**
 * Sound that says when it was said: each quarter second is a tone, whose frequency tells its number. Each voice has a band
 * of its own, so that all can be read out of a mix; and as their numbers come round after 17, 16 and 15 steps, the three
 * together tell any moment of 17 minutes.
 */

export interface CodedVoice {
  readonly name: string;
  readonly codec: LoadCodec;
  readonly lowestHz: number;
  /** Different tones. */
  readonly codes: number;
}

export const STEP_MS = 250;
export const PACKET_MS = 20;
export const VOICES: readonly CodedVoice[] = [
  { name: 'anne', codec: 'PCMU', lowestHz: 400, codes: 17 },
  { name: 'bert', codec: 'G722', lowestHz: 1_300, codes: 16 },
  { name: 'carl', codec: 'opus', lowestHz: 2_160, codes: 15 },
];

/** All frequencies go a whole number of times into a quarter second: one tone ends where the next begins. */
const SPACING_HZ = 48;
/** No divisor in common with 17, 16 or 15: what follows each other is far apart. */
const STRIDE = 7;
const AMPLITUDE = 0.15;

export function frequencyOf(voice: CodedVoice, number: number): number {
  return voice.lowestHz + SPACING_HZ * ((number * STRIDE) % voice.codes);
}

/** Packet n of a caller, who counts them on a clock that all share, is the nth of these, over and over. */
export function codedPackets(voice: CodedVoice): Buffer[] {
  const { sampleRateHz } = CODEC_SHAPES[voice.codec];
  // Twice round, as a quarter second is no whole number of packets.
  const packets = (2 * voice.codes * STEP_MS) / PACKET_MS;
  const samples = new Float32Array(packets * samplesPerPacket(voice.codec));
  const stepSamples = (sampleRateHz * STEP_MS) / 1_000;
  for (let index = 0; index < samples.length; index++) {
    const hz = frequencyOf(voice, Math.floor(index / stepSamples));
    samples[index] = AMPLITUDE * Math.sin((2 * Math.PI * hz * (index % stepSamples)) / sampleRateHz);
  }
  return encodeLoop(voice.codec, samples, 'music');
}

/** Sound is read at this rate. */
export const READ_RATE_HZ = 8_000;
export const HOP_MS = 10;
const WINDOW = 256;
const HALF_WINDOW_MS = (1_000 * WINDOW) / READ_RATE_HZ / 2;
/** Of the amplitude that is sent: what automatic gain and a fade leave. */
const LEAST_AMPLITUDE = AMPLITUDE / 8;
/** The loudest code's power by the next one's that is not its neighbour. */
const LEAST_DOMINANCE = 8;
/** On both sides of a boundary there must be so much of its tone. */
const LEAST_RUN_HOPS = 8;
const MOST_UNSURE_HOPS = 6;

/**
 * At a boundary the two tones are half in the window each. With a gap of 6 ms in between they have two thirds of their
 * strength, with 20 ms nothing: then it cannot be told where the one ended and the other began.
 */
const LEAST_WHOLE = 0.65;
const MOST_WHOLE = 1.4;
/** So far from a boundary there is one tone alone. */
const BESIDE_MS = [-60, -40, 40, 60] as const;

/** Where a quarter second begins after the one before it, both being there. */
export interface CodeBoundary {
  /** Its number, modulo `codes`. */
  readonly code: number;
  readonly atMs: number;
  /** The sound around it is whole: no gap there, such as that of a packet which a jitter buffer had to make up for. */
  readonly isWhole: boolean;
}

export interface ReadCodes {
  /** For each hop of 10 ms: the number, modulo `codes`, that is heard in its middle; −1 for none. */
  readonly hops: Int16Array;
  readonly boundaries: readonly CodeBoundary[];
}

/** Reads one voice out of mono sound at 8 kHz. */
export function readCodes(samples: Float32Array, voice: CodedVoice): ReadCodes {
  const hops = new Int16Array(Math.floor((samples.length * 1_000) / READ_RATE_HZ / HOP_MS));
  for (let hop = 0; hop < hops.length; hop++) hops[hop] = codeAt(samples, voice, (hop + 0.5) * HOP_MS);
  return { hops, boundaries: boundariesOf(samples, voice, hops) };
}

function codeAt(samples: Float32Array, voice: CodedVoice, atMs: number): number {
  let best = -1;
  let bestPower = 0;
  const powers: number[] = [];
  for (let code = 0; code < voice.codes; code++) {
    const power = powerAt(samples, frequencyOf(voice, code), atMs);
    powers.push(power);
    if (power > bestPower) {
      best = code;
      bestPower = power;
    }
  }
  if (bestPower < LEAST_AMPLITUDE ** 2) return -1;
  const hz = frequencyOf(voice, best);
  const next = Math.max(
    ...powers.filter((_, code) => Math.abs(frequencyOf(voice, code) - hz) > SPACING_HZ && code !== best),
  );
  return bestPower >= LEAST_DOMINANCE * next ? best : -1;
}

function boundariesOf(samples: Float32Array, voice: CodedVoice, hops: Int16Array): CodeBoundary[] {
  const found: CodeBoundary[] = [];
  for (let hop = LEAST_RUN_HOPS; hop < hops.length; hop++) {
    const before = hops[hop - 1]!;
    if (before < 0 || hops[hop] === before || !isRun(hops, hop - LEAST_RUN_HOPS, before)) continue;
    const code = (before + 1) % voice.codes;
    let after = hop;
    while (after - hop < MOST_UNSURE_HOPS && hops[after] !== code) after++;
    if (!isRun(hops, after, code)) continue;
    const [beforeHz, afterHz] = [frequencyOf(voice, before), frequencyOf(voice, code)];
    const atMs = crossingMs(samples, beforeHz, afterHz, hop * HOP_MS, after * HOP_MS);
    if (atMs !== null) found.push({ code, atMs, isWhole: isWhole(samples, beforeHz, afterHz, atMs) });
  }
  return found;
}

function isWhole(samples: Float32Array, beforeHz: number, afterHz: number, atMs: number): boolean {
  const amplitude = (ms: number): number =>
    Math.sqrt(powerAt(samples, beforeHz, ms)) + Math.sqrt(powerAt(samples, afterHz, ms));
  const share = amplitude(atMs) / Math.max(...BESIDE_MS.map((ms) => amplitude(atMs + ms)));
  return share >= LEAST_WHOLE && share <= MOST_WHOLE;
}

function isRun(hops: Int16Array, from: number, code: number): boolean {
  for (let hop = from; hop < from + LEAST_RUN_HOPS; hop++) if (hops[hop] !== code) return false;
  return true;
}

/** Where one tone becomes weaker than the other; null when that is nowhere near. */
function crossingMs(
  samples: Float32Array,
  beforeHz: number,
  afterHz: number,
  fromMs: number,
  toMs: number,
): number | null {
  const difference = (ms: number): number =>
    Math.sqrt(powerAt(samples, afterHz, ms)) - Math.sqrt(powerAt(samples, beforeHz, ms));
  let last = difference(fromMs - 2 * HOP_MS);
  for (let ms = fromMs - 2 * HOP_MS + 1; ms <= toMs + 2 * HOP_MS; ms++) {
    const now = difference(ms);
    if (last < 0 && now >= 0) return ms - now / (now - last);
    last = now;
  }
  return null;
}

const HANN = Float64Array.from({ length: WINDOW }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / WINDOW));

/** Squared amplitude of one frequency in 32 ms around that time. */
function powerAt(samples: Float32Array, hz: number, atMs: number): number {
  const start = Math.round(((atMs - HALF_WINDOW_MS) * READ_RATE_HZ) / 1_000);
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / READ_RATE_HZ);
  let s1 = 0;
  let s2 = 0;
  for (let index = 0; index < WINDOW; index++) {
    const s0 = (samples[start + index] ?? 0) * HANN[index]! + coefficient * s1 - s2;
    s2 = s1;
    s1 = s0;
  }
  const power = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
  return power * (4 / WINDOW) ** 2;
}

/** The number that is nearest to `near` of those that have this code. */
export function numberOf(voice: CodedVoice, code: number, near: number): number {
  const { codes } = voice;
  const rest = ((((code - Math.round(near)) % codes) + codes + Math.floor(codes / 2)) % codes) - Math.floor(codes / 2);
  return Math.round(near) + rest;
}
