import { describe, expect, test } from 'vitest';
import type { AudioEncoder, EncoderOptions } from '../../mixer/codec/codec.ts';
import { audioCodec } from '../../mixer/codec/registry.ts';
import type { AudioCodecName } from '../../mixer/protocol.ts';
import { levelDb, speechLike } from '../audio/signals.ts';
import { speech } from '../speech/speech.ts';
import { reportLoss } from './report-loss.ts';
import { type SimulatedPhone, SimulatedRoom } from './simulated-room.ts';

const CODECS: AudioCodecName[] = ['PCMU', 'G722', 'opus'];
const options = { complexity: 5, bitrateBps: 32_000, inbandFec: true, dtx: false, expectedLossPercent: 5 };
const lowDelay = { ...options, bitrateBps: 48_000, inbandFec: false, expectedLossPercent: 20, lowDelay: true };

interface Seam {
  /** What the listener hears in the frame after the seam, less what one hears who never moved, against the mix; dB. */
  differenceDb: number;
  /** The codec's own error in a frame of the mix, against the same; dB. */
  codingDb: number;
  /** Of the frame after the seam against what it should be. */
  levelStepDb: number;
}

/** Where the room makes the seam for one whose last word was in frame `k`: five frames later, or when it is quiet. */
function seamAfter(k: number, mix: Int16Array, frame: number): number {
  for (let at = k + 5; at < k + 50; at++) if (levelDb(mix, (at - 1) * frame, at * frame) < -50) return at;
  return k + 50;
}

/**
 * Moves a decoder from one encoder to another while two people speak, at many places, and compares with a decoder that
 * had the second encoder's packets all the time.
 * @param crosses the first encoder gets what the second gets for a while, before the decoder moves
 */
function seams(
  name: AudioCodecName,
  way: 'to own' | 'to common',
  crosses: boolean,
  encoding: EncoderOptions = options,
): Seam {
  const codec = audioCodec(name);
  const rate = codec.sampleRateHz as 8000 | 16000 | 48000;
  const frame = rate / 50;
  const other = speech('high', rate);
  const mix = speech('low', rate).map((sample, i) => Math.round((sample + (other[i] ?? 0)) / 2));
  let difference = 0;
  let seamCount = 0;
  let reference = 0;
  let moved = 0;
  for (let lastWord = 50; lastWord < 200; lastWord += 11) {
    const seam = crosses ? seamAfter(lastWord, mix, frame) : lastWord;
    seamCount++;
    const encoders: [AudioEncoder, AudioEncoder] = [codec.createEncoder(encoding), codec.createEncoder(encoding)];
    const [common, own] = encoders;
    const steady = codec.createDecoder();
    const listener = codec.createDecoder();
    const heard = new Int16Array(5760);
    const expected = new Int16Array(5760);
    const packet = (encoder: AudioEncoder, pcm: Int16Array, k: number) => {
      const out = new Uint8Array(1500);
      return out.subarray(0, encoder.encode(pcm, k * frame, frame, out, 0));
    };
    for (let k = lastWord - 40; k <= seam; k++) {
      if (way === 'to own' && k === seam) own.adopt(common);
      const commonPacket = packet(common, mix, k);
      const onOwn = way === 'to own' ? k === seam : k < seam;
      const forOwn = way === 'to own' || (crosses && k >= lastWord) ? mix : other;
      const ownPacket = onOwn ? packet(own, forOwn, k) : commonPacket;
      steady.decode(commonPacket, expected, 0);
      listener.decode(ownPacket, heard, 0);
    }
    for (let i = 0; i < frame; i++) {
      difference += (heard[i]! - expected[i]!) ** 2;
      reference += expected[i]! ** 2;
      moved += heard[i]! ** 2;
    }
    for (const encoder of encoders) encoder.close();
    steady.close();
    listener.close();
  }
  let power = 0;
  for (let i = 50 * frame; i < 250 * frame; i++) power += mix[i]! ** 2 / 200;
  const coding = codingError(name, mix.subarray(40 * frame, 250 * frame), encoding);
  return {
    differenceDb: 10 * Math.log10(difference / seamCount / power + 1e-12),
    codingDb: 10 * Math.log10(coding / power),
    levelStepDb: 10 * Math.log10(moved / reference),
  };
}

/** Squared error of coding per frame, at the delay that fits best. */
function codingError(name: AudioCodecName, pcm: Int16Array, encoding: EncoderOptions): number {
  const codec = audioCodec(name);
  const frame = codec.sampleRateHz / 50;
  const encoder = codec.createEncoder(encoding);
  const decoder = codec.createDecoder();
  const out = new Int16Array(pcm.length + 5760);
  const payload = new Uint8Array(1500);
  for (let at = 0; at + frame <= pcm.length; at += frame) {
    decoder.decode(payload.subarray(0, encoder.encode(pcm, at, frame, payload, 0)), out, at);
  }
  encoder.close();
  decoder.close();
  let least = Number.POSITIVE_INFINITY;
  for (let delay = 0; delay < frame; delay++) {
    let error = 0;
    for (let i = 10 * frame; i < pcm.length - frame; i++) error += (out[i + delay]! - pcm[i]!) ** 2;
    least = Math.min(least, error);
  }
  return least / (pcm.length / frame - 11);
}

describe.each([
  ...CODECS.map((codec) => [codec as string, codec, options] as const),
  ['Opus with low delay', 'opus', lowDelay] as const,
])('a listener of %s who is moved', (_, name, encoding) => {
  test('to their own encoder, as they begin to speak, hears what they would have heard', () => {
    expect(seams(name, 'to own', false, encoding).differenceDb).toBeLessThan(-100);
  });

  test('back to the common one hears no step in level, and no more than the noise of the codec', () => {
    const seam = seams(name, 'to common', name !== 'PCMU', encoding);
    expect(seam.differenceDb).toBeLessThan(seam.codingDb);
    expect(Math.abs(seam.levelStepDb)).toBeLessThan(0.5);
  });
});

test('without the crossing it would be heard', () => {
  expect(seams('G722', 'to common', false).differenceDb).toBeGreaterThan(-8);
  expect(seams('opus', 'to common', false).differenceDb).toBeGreaterThan(-8);
});

/** The largest second difference, which is where a click is. */
function sharpest(pcm: Int16Array): number {
  let most = 0;
  for (let i = 2; i < pcm.length; i++) most = Math.max(most, Math.abs(pcm[i]! - 2 * pcm[i - 1]! + pcm[i - 2]!));
  return most;
}

describe.each(CODECS)('in a room of %s', (codec) => {
  test('one who speaks now and then hears the other without a click or a step', () => {
    const rateHz = audioCodec(codec).sampleRateHz;
    const spoken = new Int16Array(8 * rateHz);
    for (const second of [2, 4, 6]) spoken.set(speechLike(rateHz, rateHz, 6000), second * rateHz);
    const room = new SimulatedRoom();
    const one = room.join('one', { codec, sound: spoken });
    const calm = room.join('calm', { codec });
    room.join('other', { codec, toneHz: 400 });
    room.run(8000);
    const { pcm } = one.heard(1000);
    const quiet = calm.heard(1000).pcm;
    expect(Math.abs(levelDb(pcm) - -20)).toBeLessThan(0.5);
    const step = 20 * Math.log10(sharpest(pcm) / sharpest(one.heard(1000, 1900).pcm));
    expect(step).toBeLessThan(codec === 'PCMU' ? 1 : 3);
    expect(levelDb(quiet)).toBeGreaterThan(-20.5);
  });

  test('one who speaks alone and then listens again is sent what all are sent, and no more encodes are made', () => {
    const rateHz = audioCodec(codec).sampleRateHz;
    const room = new SimulatedRoom();
    room.join('alone', { codec, sound: speechLike(rateHz, rateHz, 8000) });
    room.join('other', { codec });
    room.run(3000);
    const before = room.counts.encodes;
    room.run(1000);
    expect(room.counts.encodes - before).toBe(50);
  });
});

describe('a listener of Opus whose loss goes up, so that they are sent FEC,', () => {
  const STEPS = [
    [0, 10],
    [10, 20],
    [20, 0],
  ] as const;

  const frame = 960;
  const other = speech('high', 48000);
  const mix = speech('low', 48000).map((sample, i) => Math.round((sample + (other[i] ?? 0)) / 2));

  /** What the first frame after the seam differs by from what would have come, against the speech; and in level. dB. */
  function stepTo(from: number, to: number, way: 'new' | 'running' | 'from nothing') {
    const figures = { difference: 0, expected: 0, moved: 0 };
    for (let seam = 60; seam < 240; seam += 7) {
      const encoderFor = (loss: number): AudioEncoder =>
        audioCodec('opus').createEncoder({ ...options, inbandFec: loss > 0, expectedLossPercent: loss });
      const [before, after] = [encoderFor(from), encoderFor(to)];
      const [steady, listener] = [audioCodec('opus').createDecoder(), audioCodec('opus').createDecoder()];
      const [wanted, heard] = [new Int16Array(5760), new Int16Array(5760)];
      for (let k = seam - 40; k <= seam; k++) {
        if (k === seam && way === 'new') after.adopt(before);
        const packet = (encoder: AudioEncoder): Uint8Array => {
          const out = new Uint8Array(1500);
          return out.subarray(0, encoder.encode(mix, k * frame, frame, out, 0));
        };
        const old = packet(before);
        const next = way === 'running' || k === seam ? packet(after) : old;
        steady.decode(old, wanted, 0);
        listener.decode(k === seam ? next : old, heard, 0);
      }
      for (let i = 0; i < frame; i++) {
        figures.difference += (heard[i]! - wanted[i]!) ** 2;
        figures.expected += wanted[i]! ** 2;
        figures.moved += heard[i]! ** 2;
      }
      for (const end of [before, after, steady, listener]) end.close();
    }
    const { difference, expected, moved } = figures;
    return {
      differenceDb: 10 * Math.log10(difference / expected),
      levelStepDb: 10 * Math.log10(moved / expected),
    };
  }

  test.each(STEPS)(
    'from %i to %i percent: hears no step in level, and no more than the noise of the codec',
    (from, to) => {
      const spoken = mix.subarray(40 * frame, 250 * frame);
      const power = spoken.reduce((sum, sample) => sum + sample * sample, 0) / (spoken.length / frame);
      // Each of the two is off from the mix by its own noise.
      const noiseAt = (loss: number): number => codingError('opus', spoken, { ...options, expectedLossPercent: loss });
      const noise = noiseAt(from) + noiseAt(to);
      const codingDb = 10 * Math.log10(noise / power);
      for (const way of ['new', 'running'] as const) {
        const { differenceDb, levelStepDb } = stepTo(from, to, way);
        // Which library encodes, and so how, is the machine's.
        expect(differenceDb, way).toBeLessThan(codingDb + 0.5);
        expect(Math.abs(levelStepDb), way).toBeLessThan(0.6);
      }
    },
  );

  test('would hear it from an encoder that begins anew', () => {
    const { differenceDb, levelStepDb } = stepTo(0, 10, 'from nothing');
    expect(differenceDb).toBeGreaterThan(-6.3);
    expect(levelStepDb).toBeLessThan(-0.4);
  });

  test('in a room: without a click, and with no more of a gap than a fade, as a listener and as one who speaks', () => {
    const room = new SimulatedRoom();
    const parameters = { useinbandfec: '1' };
    const listener = room.join('listener', { codec: 'opus', parameters });
    const calm = room.join('calm', { codec: 'opus', parameters });
    const talker = room.join('talker', { codec: 'opus', parameters, toneHz: 700 });
    room.join('other', { codec: 'opus', toneHz: 400 });
    room.run(2000);
    for (const phone of [listener, talker]) reportLoss(phone, 0.05);
    room.run(1000);
    for (const phone of [listener, talker]) {
      const timestamps = phone.sent.map(({ timestamp }) => timestamp);
      for (let i = 1; i < timestamps.length; i++) expect((timestamps[i]! - timestamps[i - 1]!) >>> 0).toBe(960);
      const before = phone.heard(1000, 1900).pcm;
      const across = phone.heard(1950, 2250).pcm;
      // Down and up again within 40 ms; where it is down, the decoder's own change from CELT to SILK. Without it: 11 dB.
      expect(Math.abs(levelDb(across) - levelDb(before))).toBeLessThan(0.6);
      expect(20 * Math.log10(sharpest(across) / sharpest(before))).toBeLessThan(7);
    }
    const last = (phone: SimulatedPhone): Uint8Array => phone.sent.at(-1)!.payload;
    expect(last(listener)).not.toEqual(last(calm));
  });
});
