import { expect, test } from 'vitest';
import type { EncoderOptions } from '../../mixer/codec/codec.ts';
import { audioCodec } from '../../mixer/codec/registry.ts';
import type { AudioCodecName } from '../../mixer/protocol.ts';
import { levelDb, tone } from '../audio/signals.ts';

const OPTIONS: EncoderOptions = {
  complexity: 5,
  bitrateBps: 32000,
  inbandFec: true,
  dtx: false,
  expectedLossPercent: 5,
};

test.each<[AudioCodecName, number, number]>([
  ['PCMU', 8000, 8000],
  ['PCMA', 8000, 8000],
  ['G722', 16000, 8000],
  ['opus', 48000, 48000],
  ['L16/8000', 8000, 8000],
  ['L16/16000', 16000, 16000],
  ['L16/48000', 48000, 48000],
])('%s samples at %i Hz, counts RTP time at %i Hz, and carries, conceals and resumes a tone', (name, rate, clock) => {
  const codec = audioCodec(name);
  expect([codec.name, codec.sampleRateHz, codec.rtpClockRateHz]).toEqual([name, rate, clock]);
  const encoder = codec.createEncoder(OPTIONS);
  const decoder = codec.createDecoder();
  expect([encoder.sampleRateHz, decoder.sampleRateHz]).toEqual([rate, rate]);

  const pcm = tone(rate, rate, 150, 9000);
  const frame = rate / 50;
  const payload = new Uint8Array(2000);
  const out = new Int16Array(rate);
  for (let i = 0; i < 50; i++) {
    const packet = payload.subarray(0, encoder.encode(pcm, i * frame, frame, payload, 0));
    expect(decoder.samplesIn(packet)).toBe(frame);
    if (i === 25) decoder.conceal(frame, out, i * frame);
    else expect(decoder.decode(packet, out, i * frame)).toBe(frame);
  }
  expect(levelDb(out, 25 * frame, 26 * frame)).toBeGreaterThan(levelDb(pcm) - 4);
  expect(Math.abs(levelDb(out, 30 * frame) - levelDb(pcm))).toBeLessThan(1);
  encoder.close();
  decoder.close();
});

test('L16 has the higher octet first (RFC 3551 §4.5.11), and loses nothing', () => {
  const codec = audioCodec('L16/16000');
  const payload = new Uint8Array(8);
  const pcm = Int16Array.of(0x1234, -2, -32768, 32767);
  expect(codec.createEncoder(OPTIONS).encode(pcm, 0, 4, payload, 0)).toBe(8);
  expect([...payload]).toEqual([0x12, 0x34, 0xff, 0xfe, 0x80, 0, 0x7f, 0xff]);
  const decoder = codec.createDecoder();
  const out = new Int16Array(4);
  expect(decoder.decode(payload, out, 0)).toBe(4);
  expect(out).toEqual(pcm);
  expect(decoder.saysSilence(payload)).toBe(false);
  expect(decoder.saysSilence(Uint8Array.of(0, 16, 0xff, 0xf0))).toBe(true);
  expect(decoder.saysSilence(Uint8Array.of(0, 17))).toBe(false);
  expect(decoder.saysSilence(Uint8Array.of(0xff, 0xef))).toBe(false);
});
