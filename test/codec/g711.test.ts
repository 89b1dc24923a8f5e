import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createG711Decoder, createG711Encoder, type G711Law } from '../../mixer/codec/g711.ts';
import { firstDifference, goldenOctets, goldenPcm } from './golden.ts';

const EVERY_SAMPLE = Int16Array.from({ length: 65536 }, (_, i) => i - 32768);
const EVERY_OCTET = Uint8Array.from({ length: 256 }, (_, i) => i);

/** SHA-256 of what the ITU-T's own software (G.191, the Software Tool Library) makes of every sample and every octet. */
const ITU: Record<G711Law, { encoded: string; decoded: string }> = {
  PCMA: {
    encoded: '38488f6fd710f4686360edc4d38639f96c491595ef93f8eb8d62d5e07ca6ce7b',
    decoded: 'e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174',
  },
  PCMU: {
    encoded: '90c29de505fb68e766118303bd552a16005dcf810873698bee1d8f3b247ce28c',
    decoded: '3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827',
  },
};

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe.each<G711Law>(['PCMU', 'PCMA'])('%s', (law) => {
  const file = law.toLowerCase();

  function encodeEverySample(): Uint8Array {
    const encoded = new Uint8Array(EVERY_SAMPLE.length);
    expect(createG711Encoder(law).encode(EVERY_SAMPLE, 0, EVERY_SAMPLE.length, encoded, 0)).toBe(65536);
    return encoded;
  }

  test('is bit-exact with the ITU-T reference, both ways, for every value', () => {
    expect(sha256(encodeEverySample())).toBe(ITU[law].encoded);
    const decoded = new Int16Array(256);
    createG711Decoder(law).decode(EVERY_OCTET, decoded, 0);
    expect(sha256(new Uint8Array(decoded.buffer))).toBe(ITU[law].decoded);
  });

  test('encodes every value as the reference, but for the decision values at which the segments meet', () => {
    // There the reference takes the nearer of two values, and the Recommendation the upper.
    const encoded = encodeEverySample();
    const reference = goldenOctets(`${file}.encoded.bin.gz`);
    const differing: number[] = [];
    for (let i = 32768; i < 65536; i++) if (encoded[i] !== reference[i]) differing.push(EVERY_SAMPLE[i]!);
    const expected: number[] = [];
    // PCMA's first two segments have the same step.
    for (let segment = law === 'PCMU' ? 1 : 2; segment < 8; segment++) {
      const start = (128 << segment) - (law === 'PCMU' ? 132 : 0);
      const width = Math.max(4, 1 << segment);
      for (let i = 0; i < width; i++) expected.push(start + i);
    }
    expect(differing).toEqual(expected);
  });

  test('encodes each value to the interval between its decision values', () => {
    const encoded = encodeEverySample();
    const decoded = new Int16Array(256);
    createG711Decoder(law).decode(EVERY_OCTET, decoded, 0);
    for (let i = 32768; i < 65536; i++) {
      const value = EVERY_SAMPLE[i]!;
      const output = decoded[encoded[i]!]!;
      // Within half a step: the step is a 32nd of the segment's end at most, and 16 or 8 near zero.
      if (Math.abs(output - value) > Math.max(8, (value + 132) / 32 + 4)) expect(output).toBe(value);
    }
  });

  test('encodes negative values as the positive ones, but for the sign', () => {
    const encoded = encodeEverySample();
    const negative = encoded.slice(0, 32768).reverse();
    expect(
      firstDifference(
        negative,
        encoded.slice(32768).map((octet) => octet ^ 0x80),
      ),
    ).toBe(-1);
  });

  test('encodes the silence of a sound card that wavers by one as silence', () => {
    const encoded = new Uint8Array(3);
    createG711Encoder('PCMU').encode(Int16Array.of(-1, 0, 1), 0, 3, encoded, 0);
    expect([...encoded]).toEqual([0x7f, 0xff, 0xff]);
  });

  test('decodes every octet as the reference', () => {
    const decoded = new Int16Array(256);
    expect(createG711Decoder(law).decode(EVERY_OCTET, decoded, 0)).toBe(256);
    expect(firstDifference(decoded, goldenPcm(`${file}.decoded.pcm`))).toBe(-1);
  });

  test('survives any number of codings: what was decoded once encodes to the same octet', () => {
    const decoded = new Int16Array(256);
    createG711Decoder(law).decode(EVERY_OCTET, decoded, 0);
    const again = new Uint8Array(256);
    createG711Encoder(law).encode(decoded, 0, 256, again, 0);
    // PCMU has two zeros; the negative one comes back as the positive.
    const expected = law === 'PCMU' ? EVERY_OCTET.with(0x7f, 0xff) : EVERY_OCTET;
    expect(firstDifference(again, expected)).toBe(-1);
  });

  test('works at any offset of both buffers', () => {
    const out = new Uint8Array(10);
    createG711Encoder(law).encode(Int16Array.of(9, 9, 1000, -1000, 9), 2, 2, out, 4);
    const back = new Int16Array(6);
    expect(createG711Decoder(law).decode(out.subarray(4, 6), back, 3)).toBe(2);
    expect(Math.abs(back[3]! - 1000)).toBeLessThan(33);
    expect(Math.abs(back[4]! + 1000)).toBeLessThan(33);
    expect([back[0], back[1], back[2], back[5]]).toEqual([0, 0, 0, 0]);
  });

  test('refuses a packet that does not fit the buffer', () => {
    const out = new Int16Array(160);
    expect(createG711Decoder(law).decode(new Uint8Array(161).fill(1), out, 0)).toBe(0);
    expect(out.every((sample) => sample === 0)).toBe(true);
  });
});
