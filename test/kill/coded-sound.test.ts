import { expect, test } from 'vitest';
import { audioCodec } from '../../mixer/codec/registry.ts';
import { CODEC_SHAPES } from '../bench/load-signal.ts';
import { codedPackets, PACKET_MS, READ_RATE_HZ, STEP_MS, VOICES } from './coded-sound.ts';
import { findSpeech, missing } from './found-speech.ts';

const FIRST_PACKET = 1_234;
const ZERO_MS = FIRST_PACKET * PACKET_MS;

/** What callers say from packet 1234 on, all at once, mono at 8 kHz; `lost`: packets of the first that never came. */
function conversation(packets: number, lost: (packet: number) => boolean = () => false): Float32Array {
  const mix = new Float32Array((packets * PACKET_MS * READ_RATE_HZ) / 1_000);
  for (const voice of VOICES) {
    const { sampleRateHz } = CODEC_SHAPES[voice.codec];
    const decoder = audioCodec(voice.codec).createDecoder();
    const coded = codedPackets(voice);
    const pcm = new Int16Array(5_760);
    const step = sampleRateHz / READ_RATE_HZ;
    for (let packet = 0; packet < packets; packet++) {
      const length = decoder.decode(coded[(FIRST_PACKET + packet) % coded.length]!, pcm, 0);
      if (voice === VOICES[0] && lost(packet)) continue;
      for (let i = 0; i < length / step; i++) {
        // All tones are below 3 kHz: nothing folds back when samples are left out.
        mix[packet * 160 + i]! += pcm[Math.floor(i * step)]! / 32_768;
      }
    }
    decoder.close();
  }
  return mix;
}

test.each(VOICES)('$name is read out of a mix of all, to the millisecond', (voice) => {
  const sound = conversation(1_000);
  const found = findSpeech(sound, voice, ZERO_MS - 1_500);
  expect(found.boundaries.length).toBeGreaterThanOrEqual(77);
  for (const { number, atMs } of found.boundaries) {
    // Coding takes up to 3 ms.
    expect(number * STEP_MS - ZERO_MS - atMs, `quarter second ${number}`).toBeGreaterThan(-5);
    expect(number * STEP_MS - ZERO_MS - atMs, `quarter second ${number}`).toBeLessThan(2);
  }
  expect(missing(found, { fromMs: ZERO_MS + 40, toMs: ZERO_MS + 19_900 })).toEqual([]);
});

test('what is missing is told, and what others say is not taken for it', () => {
  const sound = conversation(500, (packet) => packet >= 200 && packet < 240);
  const [anne, bert] = VOICES;
  const said = { fromMs: ZERO_MS + 40, toMs: ZERO_MS + 9_900 };
  expect(missing(findSpeech(sound, bert!, ZERO_MS), said)).toEqual([]);
  const [hole, ...others] = missing(findSpeech(sound, anne!, ZERO_MS), said);
  expect(others).toEqual([]);
  expect(Math.abs(hole!.fromMs - ZERO_MS - 4_000)).toBeLessThanOrEqual(30);
  expect(Math.abs(hole!.toMs - ZERO_MS - 4_800)).toBeLessThanOrEqual(30);
});

test('sound that was moved is found where it is', () => {
  const sound = conversation(500);
  const moved = new Float32Array(sound.length + 240);
  moved.set(sound.subarray(0, 16_000));
  moved.set(sound.subarray(16_000), 16_240);
  const { boundaries } = findSpeech(moved, VOICES[2]!, ZERO_MS);
  const lateMs = boundaries.map(({ number, atMs }) => atMs - (number * STEP_MS - ZERO_MS));
  expect(Math.max(...lateMs)).toBeGreaterThan(28);
  expect(Math.max(...lateMs)).toBeLessThan(35);
  expect(Math.min(...lateMs)).toBeLessThan(5);
});
