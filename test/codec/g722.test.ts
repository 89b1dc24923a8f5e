import { describe, expect, test } from 'vitest';
import { createG722Decoder, createG722Encoder } from '../../mixer/codec/g722.ts';
import { goertzelHannLevelDb } from '../audio/goertzel.ts';
import { firstDifference, goldenOctets, goldenPcm } from './golden.ts';

/** Encodes in frames of `frame` samples. */
function encodeAll(pcm: Int16Array, frame: number): Uint8Array {
  const encoder = createG722Encoder();
  const out = new Uint8Array(pcm.length / 2);
  let written = 0;
  for (let i = 0; i < pcm.length; i += frame) {
    written += encoder.encode(pcm, i, Math.min(frame, pcm.length - i), out, written);
  }
  expect(written).toBe(out.length);
  return out;
}

function decodeAll(octets: Uint8Array, frame: number): Int16Array {
  const decoder = createG722Decoder();
  const out = new Int16Array(octets.length * 2);
  let written = 0;
  for (let i = 0; i < octets.length; i += frame) written += decoder.decode(octets.subarray(i, i + frame), out, written);
  expect(written).toBe(out.length);
  return out;
}

describe('G.722', () => {
  test.each([160, 320, 960])('encodes bit by bit as the reference, in frames of %i samples', (frame) => {
    const encoded = encodeAll(goldenPcm('g722.input.pcm'), frame);
    expect(firstDifference(encoded, goldenOctets('g722.encoded.bin'))).toBe(-1);
  });

  test.each([80, 160, 480])('decodes bit by bit as the reference, in packets of %i octets', (frame) => {
    const decoded = decodeAll(goldenOctets('g722.encoded.bin'), frame);
    expect(firstDifference(decoded, goldenPcm('g722.decoded.pcm'))).toBe(-1);
  });

  test('decodes octets that no encoder makes as the reference does', () => {
    const decoded = decodeAll(goldenOctets('g722.random.bin'), 160);
    expect(firstDifference(decoded, goldenPcm('g722.random.pcm'))).toBe(-1);
  });

  test('carries a 6 kHz tone, which telephone band would not', () => {
    const pcm = new Int16Array(16000);
    for (let i = 0; i < pcm.length; i++) pcm[i] = 8000 * Math.sin((2 * Math.PI * 6000 * i) / 16000);
    const decoded = decodeAll(encodeAll(pcm, 320), 160);
    const sent = goertzelHannLevelDb(pcm, 1600, 8000, 6000, 16000);
    expect(Math.abs(goertzelHannLevelDb(decoded, 1600, 8000, 6000, 16000) - sent)).toBeLessThan(0.5);
  });

  test('says how many samples a packet holds, and refuses one that does not fit the buffer', () => {
    const decoder = createG722Decoder();
    expect(decoder.samplesIn(new Uint8Array(160))).toBe(320);
    expect(decoder.decode(new Uint8Array(160), new Int16Array(319), 0)).toBe(0);
    expect(decoder.decode(new Uint8Array(0), new Int16Array(320), 0)).toBe(0);
  });
});
