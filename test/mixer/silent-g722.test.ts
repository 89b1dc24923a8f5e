import { describe, expect, it } from 'vitest';
import { VoiceActivity } from '../../mixer/audio/voice-activity.ts';
import { createG722Decoder, createG722Encoder } from '../../mixer/codec/g722.ts';
import { UndecodedPackets } from '../../mixer/undecoded-packets.ts';
import { speech, type Voice } from '../speech/speech.ts';
import { SimulatedRoom } from './simulated-room.ts';

const RATE_HZ = 16_000;
const FRAME = 320;
const NOISE_S = 5;

function levelDb(pcm: Int16Array): number {
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  return 10 * Math.log10(sum / pcm.length / 32768 ** 2 + 1e-13);
}

/** Level of the loud half of its frames. */
function speechLevelDb(pcm: Int16Array): number {
  const levels: number[] = [];
  for (let at = 0; at + FRAME <= pcm.length; at += FRAME) levels.push(levelDb(pcm.subarray(at, at + FRAME)));
  levels.sort((a, b) => b - a);
  return levels[levels.length >> 2]!;
}

/** White noise, the same each time, uniformly distributed. */
function noise(samples: number, atDb: number): Float64Array {
  const peak = 32768 * 10 ** (atDb / 20) * Math.sqrt(3);
  let seed = 1;
  return Float64Array.from({ length: samples }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return peak * (seed / 2 ** 31 - 1);
  });
}

/** Some seconds of noise, then speech in it. */
function noisySpeech(voice: Voice, speechDb: number, noiseDb: number): Int16Array {
  const spoken = speech(voice, RATE_HZ);
  const gain = 10 ** ((speechDb - speechLevelDb(spoken)) / 20);
  const begins = NOISE_S * RATE_HZ;
  return Int16Array.from(noise(begins + spoken.length, noiseDb), (value, at) =>
    Math.round(value + gain * (at < begins ? 0 : spoken[at - begins]!)),
  );
}

function packets(pcm: Int16Array): Uint8Array[] {
  const encoder = createG722Encoder();
  const made: Uint8Array[] = [];
  for (let at = 0; at + FRAME <= pcm.length; at += FRAME) {
    const payload = new Uint8Array(FRAME / 2);
    encoder.encode(pcm, at, FRAME, payload, 0);
    made.push(payload);
  }
  return made;
}

/** One who decodes all, and one who leaves out what is the line's noise, each with a detector of its own. */
function listened(pcm: Int16Array) {
  const attentive = { decoder: createG722Decoder(), detector: new VoiceActivity(RATE_HZ), active: false };
  const resting = { decoder: createG722Decoder(), detector: new VoiceActivity(RATE_HZ), active: false };
  const undecoded = new UndecodedPackets();
  return packets(pcm).map((payload) => {
    const reference = new Int16Array(FRAME);
    attentive.decoder.decode(payload, reference, 0);
    attentive.active = attentive.detector.process(reference, 0, FRAME);
    const rested = !resting.active && resting.decoder.saysSilence(payload);
    const heard = new Int16Array(FRAME);
    if (rested) {
      undecoded.add(payload, resting.decoder.historyPackets);
    } else {
      if (undecoded.count > 0) undecoded.decode(resting.decoder, new Int16Array(FRAME), 0);
      resting.decoder.decode(payload, heard, 0);
      const before = resting.active;
      resting.active = resting.detector.process(heard, 0, FRAME);
      if (!before && !resting.active) resting.decoder.heardNothing?.();
    }
    return {
      rested,
      levelDb: levelDb(reference),
      errorDb: levelDb(heard) - levelDb(reference),
      active: attentive.active,
      heard: resting.active,
    };
  });
}

const CASES = (['low', 'high'] as const).flatMap((voice) =>
  [
    [-20, -75],
    [-35, -60],
    [-50, -90],
    [-50, -70],
  ].map(([speechDb, noiseDb]) => ({ voice, speechDb: speechDb!, noiseDb: noiseDb! })),
);

describe('G.722 that is not decoded', () => {
  it.each(CASES)(
    'is what a line is like in silence; $voice voice at $speechDb dBov in noise at $noiseDb is heard at once and as it is',
    ({ voice, speechDb, noiseDb }) => {
      const frames = listened(noisySpeech(voice, speechDb, noiseDb));
      const noiseFrames = frames.slice(200, NOISE_S * 50);
      expect(noiseFrames.filter(({ rested }) => rested).length / noiseFrames.length).toBeGreaterThan(0.85);
      let begins = 0;
      for (const [index, { active, errorDb, levelDb }] of frames.entries()) {
        if (index < NOISE_S * 50) continue;
        if (active && !frames[index - 1]!.active) begins++;
        if (active && levelDb > Math.max(speechDb - 15, -55)) {
          // Within one frame.
          expect(frames[index]!.heard || frames[index + 1]!.heard).toBe(true);
          if (frames[index]!.heard) expect(Math.abs(errorDb)).toBeLessThan(1);
        }
      }
      expect(begins).toBeGreaterThan(2);
    },
  );

  it('is not noise that has become weaker, until that was heard', () => {
    const loud = noise(5 * RATE_HZ, -50);
    const faint = noise(2 * RATE_HZ, -65);
    const pcm = Int16Array.from([...loud, ...faint], Math.round);
    const frames = listened(pcm);
    expect(frames.slice(200, 250).filter(({ rested }) => rested).length).toBeGreaterThan(40);
    expect(frames.slice(251, 254).filter(({ rested }) => rested).length).toBe(0);
    expect(frames.slice(300).filter(({ rested }) => rested).length).toBeGreaterThan(40);
  });
});

describe('a room of G.722 callers', () => {
  it('decodes those who talk, and of the silent ones a packet in some seconds', () => {
    const room = new SimulatedRoom();
    room.join('talker', { codec: 'G722', toneHz: 500 });
    for (let index = 0; index < 10; index++) room.join(`silent${index}`, { codec: 'G722' });
    room.run(1000);
    const before = room.counts.decodes;
    room.run(10_000);
    const decodes = room.counts.decodes - before;
    // 500 of the talker; of each silent one 4 to check, each with 7 of history, and as many as its quantizer does not rest.
    expect(decodes).toBeLessThan(500 + 10 * 2 * 4 * 8);
    expect(decodes).toBeGreaterThan(499);
  });

  it('hears one who begins after a long silence', () => {
    const room = new SimulatedRoom();
    const late = room.join('late', { codec: 'G722' });
    const other = room.join('other', { codec: 'PCMU' });
    room.run(3000);
    late.toneHz = 700;
    room.run(1000);
    expect(Math.abs(other.levelDb(700, 3200) + 20)).toBeLessThan(1.5);
  });

  it('hears a tone that swells slowly out of silence within seconds, which the codes alone do not tell', () => {
    const sound = Int16Array.from({ length: 12 * RATE_HZ }, (_, at) => {
      const seconds = at / RATE_HZ;
      const amplitude = 600 * Math.min(1, Math.max(0, (seconds - 2) / 3));
      return Math.round(amplitude * Math.sin(2 * Math.PI * 300 * seconds));
    });
    const room = new SimulatedRoom();
    room.join('hums', { codec: 'G722', sound });
    const other = room.join('other', { codec: 'PCMU' });
    room.run(10_500);
    expect(other.levelDb(300, 9500)).toBeGreaterThan(-42);
  });
});
