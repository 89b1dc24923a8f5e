import { expect, it } from 'vitest';
import { audioCodec } from '../../mixer/codec/registry.ts';
import { type CodedVoice, frequencyOf, READ_RATE_HZ, STEP_MS, VOICES } from '../kill/coded-sound.ts';
import { findSpeech } from '../kill/found-speech.ts';
import { apartOf, comparable } from '../kill/losses.ts';
import { LONG_TESTS } from '../long-tests.ts';
import type { SimulatedPhone } from '../mixer/simulated-room.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { decoded } from './decoded-blocks.ts';
import { RecordedRoom } from './recorded-room.ts';

const LENGTH_MS = 60_000;
const AMPLITUDE = 0.15 * 32_767;

/** Says which quarter second it is. */
function codedSound(voice: CodedVoice): (sample: number) => number {
  const { sampleRateHz } = audioCodec(voice.codec);
  const step = (sampleRateHz * STEP_MS) / 1_000;
  return (sample) => {
    const hz = frequencyOf(voice, Math.floor(sample / step));
    return Math.round(AMPLITUDE * Math.sin((2 * Math.PI * hz * (sample % step)) / sampleRateHz));
  };
}

function atReadRate(pcm: Int16Array, rateHz: number): Float32Array {
  const step = rateHz / READ_RATE_HZ;
  return Float32Array.from({ length: Math.floor(pcm.length / step) }, (_, i) => pcm[i * step]! / 32_768);
}

/** A way that is a little uneven, now and then slow, and on which at times nothing comes for up to 170 ms. */
class BadWay {
  private readonly random: SeededRandom;
  private readonly waiting: { atMs: number; pass: () => void }[] = [];
  private stalledUntilMs = 0;

  constructor(random: SeededRandom, phones: readonly SimulatedPhone[]) {
    this.random = random;
    for (const phone of phones) this.lead(phone);
  }

  run(nowMs: number): void {
    if (this.random.chance(0.01)) this.stalledUntilMs = nowMs + 20 + this.random.below(150);
  }

  private lead(phone: SimulatedPhone): void {
    const arrive = phone.leg.receivedRtp.bind(phone.leg);
    const send = phone.run.bind(phone);
    const { random, waiting } = this;
    const receivedRtp: typeof arrive = (bytes, length, address, port, nowMs) => {
      const copy = bytes.slice(0, length);
      const atMs = nowMs + random.below(random.chance(0.01) ? 60 : 3);
      waiting.push({ atMs, pass: () => arrive(copy, length, address, port, phone.nowMs) });
    };
    const run: typeof send = (nowMs) => {
      send(nowMs);
      if (nowMs < this.stalledUntilMs) return;
      waiting.sort((a, b) => a.atMs - b.atMs);
      while (waiting[0] !== undefined && waiting[0].atMs <= nowMs) waiting.shift()!.pass();
    };
    Object.assign(phone.leg, { receivedRtp });
    Object.assign(phone, { run });
  }
}

it.each(LONG_TESTS ? [1, 4, 6] : [4])(
  'tracks are in step with the mix wherever the jitter buffer stretches or conceals (seed %i)',
  {
    timeout: 60_000,
  },
  async (seed) => {
    const random = new SeededRandom(seed);
    const stage = new RecordedRoom();
    const phones = VOICES.map((voice) => {
      return stage.room.join(voice.name, { codec: voice.codec, sound: codedSound(voice), bitrateBps: 64_000 });
    });
    const way = new BadWay(random, phones);
    const recording = await stage.record({ tracks: true });
    for (let ms = 0; ms < LENGTH_MS; ms += 20) {
      way.run(stage.room.nowMs);
      await stage.run(20);
    }
    await stage.end(recording);
    const mix = atReadRate(decoded(stage.disk.matroska('mix-1.mka').blocks, 'opus', LENGTH_MS), 48_000);
    for (const voice of VOICES) {
      const { blocks } = stage.disk.matroska(`track-1-${voice.name}-1.mka`);
      const pcm = decoded(blocks, voice.codec, LENGTH_MS);
      const inTrack = findSpeech(atReadRate(pcm, audioCodec(voice.codec).sampleRateHz), voice, 0).boundaries;
      const inMix = findSpeech(mix, voice, 0).boundaries;
      // Half of what is allowed: of the rest, ffmpeg's resampler takes a part when the file is finished.
      expect(apartOf(inTrack, inMix), voice.name).toBeLessThan(10);
      const { common, compared } = comparable(inTrack, inMix);
      expect(common, voice.name).toBeGreaterThan(200);
      expect(compared, voice.name).toBeGreaterThan(common * 0.8);
    }
  },
);
