import OpusScript from 'opusscript';
import { audioCodec } from '../../mixer/codec/registry.ts';
import { decodeG711 } from '../e2e/clients/g711-reference.ts';
import type { DurationHistogram } from './histogram.ts';
import { CODEC_SHAPES, type LoadCodec, MARKER_FREQUENCIES_HZ, type PayloadLoop, PTIME_MS } from './load-signal.ts';
import type { ObservedPacket, SentMarker } from './media-caller.ts';

/**
 * The delay that the server adds to sound, packet in to packet out.
 *
 * A talker's marker is a tone burst that fills one known packet, sent at T_in with the burst's middle m_in after the
 * packet's first sample. A listener's stream is decoded, and the burst's middle found at m_out within the packet that
 * came at T_out. The added delay is (T_out + m_out) − (T_in + m_in). So the 20 ms that it takes to fill a packet, which
 * are the caller's own, are not in it; a burst that comes in two packets counts as the part of the second in which it
 * lies; and what the server's resampler and encoder add is in it. m_in is measured the same way on the packets that are
 * sent, decoded here, so that the delay of the talker's own encoder is not in it.
 */

/** A marker is looked for this long after it was sent; the same talker's next comes after 300 ms. */
const SEARCH_MS = 280;
const STEP_MS = 0.5;
const WINDOW_MS = 5;
/** The burst's energy is taken from this far around its peak. */
const AROUND_PEAK_MS = 15;
/** A peak below this share of full scale, or not this much above the median, is no marker. */
const LEAST_PEAK = 0.02;
const LEAST_PEAK_OVER_MEDIAN = 5;
/** 120 ms, the longest that Opus has, at 48 kHz. */
const MOST_SAMPLES_PER_PACKET = 5_760;

export interface DelayStream {
  sampleRateHz: number;
  samples: Float32Array;
  /** For each packet: when it came, and its first sample. */
  arrivals: { timeMs: number; sample: number }[];
}

/** Decodes what a listener got; packets that never came are silence. */
export function decodeStream(codec: LoadCodec, packets: readonly ObservedPacket[]): DelayStream {
  const { sampleRateHz } = CODEC_SHAPES[codec];
  const packetSamples = (sampleRateHz * PTIME_MS) / 1_000;
  const first = packets[0]?.sequenceNumber ?? 0;
  const positions = packets.map(({ sequenceNumber }) => (sequenceNumber - first) & 0xffff);
  const samples = new Float32Array((1 + Math.max(0, ...positions.slice(-50))) * packetSamples);
  const decoder = packetDecoder(codec);
  const arrivals: DelayStream['arrivals'] = [];
  packets.forEach(({ payload, timeMs }, index) => {
    const sample = positions[index]! * packetSamples;
    if (sample + packetSamples > samples.length) return;
    arrivals.push({ timeMs, sample });
    decoder.decode(payload, samples.subarray(sample, sample + packetSamples));
  });
  decoder.close();
  return { sampleRateHz, samples, arrivals };
}

function packetDecoder(codec: LoadCodec): { decode(payload: Buffer, into: Float32Array): void; close(): void } {
  if (codec === 'PCMU') return { decode: (payload, into) => decodeG711('PCMU', payload, into, 0), close: () => {} };
  if (codec === 'opus') {
    const decoder = new OpusScript(48_000, 1, OpusScript.Application.VOIP);
    return {
      decode: (payload, into) => {
        const pcm = decoder.decode(payload);
        const count = Math.min(into.length, pcm.length / 2);
        for (let index = 0; index < count; index++) into[index] = pcm.readInt16LE(2 * index) / 32_768;
      },
      close: () => decoder.delete(),
    };
  }
  const decoder = audioCodec(codec).createDecoder();
  const pcm = new Int16Array(MOST_SAMPLES_PER_PACKET);
  return {
    decode: (payload, into) => {
      const count = Math.min(into.length, decoder.decode(payload, pcm, 0));
      for (let index = 0; index < count; index++) into[index] = pcm[index]! / 32_768;
    },
    close: () => decoder.close(),
  };
}

/** Where within its packet the middle of the talker's marker is, milliseconds from the packet's first sample. */
export function markerMiddleMs(codec: LoadCodec, talker: number, loop: PayloadLoop): number {
  const packets = loop.payloads.map((payload, index) => ({ timeMs: index * PTIME_MS, sequenceNumber: index, payload }));
  const stream = decodeStream(codec, packets);
  // Not the loop's first marker: a decoder that has just begun has no history.
  const marked = loop.marked.indexOf(true, 20);
  const middle = findMarker(stream, talker, marked * PTIME_MS, (marked + 3) * PTIME_MS);
  if (middle === null) throw new Error(`the marker of talker ${talker} is not to be found in its own ${codec} packets`);
  return middle - marked * PTIME_MS;
}

/** Delays of all markers that a listener could have heard; `missed` counts those that were not found. */
export function addedDelays(
  stream: DelayStream,
  markers: readonly SentMarker[],
  markerMiddlesMs: readonly number[],
  delays: DurationHistogram,
): { missed: number } {
  let missed = 0;
  const begins = stream.arrivals[0]?.timeMs ?? Number.POSITIVE_INFINITY;
  const ends = stream.arrivals.at(-1)?.timeMs ?? 0;
  for (const { talker, timeMs } of markers) {
    if (timeMs < begins || timeMs + SEARCH_MS > ends) continue;
    const heard = arrivalOfMarker(stream, talker, timeMs);
    if (heard === null) missed++;
    else delays.add(heard - (timeMs + markerMiddlesMs[talker]!));
  }
  return { missed };
}

/** T_out + m_out. */
function arrivalOfMarker(stream: DelayStream, talker: number, sentMs: number): number | null {
  const from = stream.arrivals.find((arrival) => arrival.timeMs >= sentMs);
  const to = stream.arrivals.findLast((arrival) => arrival.timeMs <= sentMs + SEARCH_MS);
  if (!from || !to || to.sample <= from.sample) return null;
  const msPerSample = 1_000 / stream.sampleRateHz;
  const middleMs = findMarker(stream, talker, from.sample * msPerSample, to.sample * msPerSample);
  if (middleMs === null) return null;
  const holding = stream.arrivals.findLast((arrival) => arrival.sample * msPerSample <= middleMs);
  return holding ? holding.timeMs + middleMs - holding.sample * msPerSample : null;
}

/** The middle of the burst, in milliseconds of the stream, as the centre of its energy around its peak. */
function findMarker(stream: DelayStream, talker: number, fromMs: number, toMs: number): number | null {
  const frequencyHz = MARKER_FREQUENCIES_HZ[talker]!;
  const levels: number[] = [];
  for (let timeMs = fromMs; timeMs < toMs; timeMs += STEP_MS) levels.push(amplitudeAt(stream, frequencyHz, timeMs));
  const peak = Math.max(...levels);
  const median = levels.toSorted((a, b) => a - b)[levels.length >> 1] ?? 0;
  if (peak < LEAST_PEAK || peak < LEAST_PEAK_OVER_MEDIAN * median) return null;
  const peakIndex = levels.indexOf(peak);
  const around = AROUND_PEAK_MS / STEP_MS;
  let energy = 0;
  let moment = 0;
  for (let index = peakIndex - around; index <= peakIndex + around; index++) {
    const level = levels[index] ?? 0;
    if (level < peak / 4) continue;
    energy += level * level;
    moment += level * level * (fromMs + index * STEP_MS);
  }
  return moment / energy;
}

/** Amplitude of one frequency in a Hann window of 5 ms around that time. */
function amplitudeAt(stream: DelayStream, frequencyHz: number, timeMs: number): number {
  const { sampleRateHz, samples } = stream;
  const { cosine, sine } = windowedWave(sampleRateHz, frequencyHz);
  const { length } = cosine;
  const start = Math.round((timeMs * sampleRateHz) / 1_000 - length / 2);
  let real = 0;
  let imaginary = 0;
  for (let index = Math.max(0, -start); index < length && start + index < samples.length; index++) {
    const value = samples[start + index]!;
    real += value * cosine[index]!;
    imaginary += value * sine[index]!;
  }
  return (4 * Math.hypot(real, imaginary)) / length;
}

interface WindowedWave {
  cosine: Float32Array;
  sine: Float32Array;
}

const waves = new Map<string, WindowedWave>();

/** Thousands of markers are looked for: the window is computed once. */
function windowedWave(sampleRateHz: number, frequencyHz: number): WindowedWave {
  const key = `${sampleRateHz} ${frequencyHz}`;
  const known = waves.get(key);
  if (known) return known;
  const length = Math.round((WINDOW_MS * sampleRateHz) / 1_000);
  const wave = { cosine: new Float32Array(length), sine: new Float32Array(length) };
  const step = (2 * Math.PI * frequencyHz) / sampleRateHz;
  for (let index = 0; index < length; index++) {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * (index + 0.5)) / length);
    wave.cosine[index] = window * Math.cos(step * index);
    wave.sine[index] = window * Math.sin(step * index);
  }
  waves.set(key, wave);
  return wave;
}
