import { describe, expect, test, vi } from 'vitest';
import type { EncoderOptions } from '../../mixer/codec/codec.ts';
import { createOpusEncoder, type OpusSampleRateHz } from '../../mixer/codec/opus.ts';
import { createOpusDecoder } from '../../mixer/codec/opus-decoder.ts';
import { opusDecoderRuntime } from '../../mixer/codec/opus-decoder-runtime.ts';
import { type OpusEncoders, opusEncoders } from '../../mixer/codec/opus-encoders.ts';
import { opusPacketSamples } from '../../mixer/codec/opus-packet.ts';
import { opusRuntime } from '../../mixer/codec/opus-runtime.ts';
import { goertzelHannLevelDb } from '../audio/goertzel.ts';
import { largestStep, levelDb, noise, speechLike, tone } from '../audio/signals.ts';
import { firstDifference } from './golden.ts';

const VOICE: EncoderOptions = {
  complexity: 5,
  bitrateBps: 24000,
  inbandFec: false,
  dtx: false,
  expectedLossPercent: 0,
};
const MUSIC: EncoderOptions = { ...VOICE, bitrateBps: 64000, complexity: 10 };

function encodeAll(
  rateHz: OpusSampleRateHz,
  pcm: Int16Array,
  options: EncoderOptions,
  ptimeMs = 20,
  library?: OpusEncoders,
): Uint8Array[] {
  const encoder = createOpusEncoder(rateHz, options, library);
  const buffer = new Uint8Array(4000);
  const packets: Uint8Array[] = [];
  const frame = (rateHz * ptimeMs) / 1000;
  for (let i = 0; i + frame <= pcm.length; i += frame) {
    packets.push(buffer.slice(7, 7 + encoder.encode(pcm, i, frame, buffer, 7)));
  }
  encoder.close();
  return packets;
}

/** Decodes packets of 20 ms at 48 kHz; those that are lost are concealed. */
function decodeAll(packets: Uint8Array[], lost: (index: number) => boolean = () => false): Int16Array {
  const decoder = createOpusDecoder(48000);
  const out = new Int16Array(packets.length * 960);
  for (const [i, packet] of packets.entries()) {
    if (lost(i)) decoder.conceal(960, out, i * 960);
    else expect(decoder.decode(packet, out, i * 960)).toBe(960);
  }
  decoder.close();
  return out;
}

describe.each<OpusSampleRateHz>([8000, 16000, 24000, 48000])('at %i Hz', (rateHz) => {
  const ways = [10, 20, 40, 60].flatMap((ptimeMs) => [
    { ptimeMs, name: 'WebAssembly', library: opusRuntime },
    { ptimeMs, name: "the system's, if it has one", library: opusEncoders },
  ]);
  test.each(ways)('a tone goes through in packets of $ptimeMs ms, by $name', ({ ptimeMs, library }) => {
    const pcm = tone(rateHz, rateHz * 1.2, 600, 10000);
    const decoder = createOpusDecoder(rateHz);
    const out = new Int16Array(pcm.length);
    let written = 0;
    for (const packet of encodeAll(rateHz, pcm, MUSIC, ptimeMs, library())) {
      expect(decoder.samplesIn(packet)).toBe((rateHz * ptimeMs) / 1000);
      written += decoder.decode(packet, out, written);
    }
    decoder.close();
    expect(written).toBe(pcm.length);
    expect(goertzelHannLevelDb(out, rateHz / 5, rateHz, 600, rateHz)).toBeCloseTo(levelDb(pcm), 0);
  });
});

test('a room at 8 kHz encodes Opus that a phone decodes at 48 kHz', () => {
  const out = decodeAll(encodeAll(8000, tone(8000, 8000, 600, 10000), VOICE));
  expect(goertzelHannLevelDb(out, 9600, 28800, 600, 48000)).toBeGreaterThan(-16);
});

test('two encoders of equal options make equal packets, so that one can serve many', () => {
  const pcm = speechLike(48000, 48000, 9000);
  expect(encodeAll(48000, pcm, VOICE)).toEqual(encodeAll(48000, pcm, VOICE));
});

test('the bit rate is kept, and silence costs next to nothing with DTX', () => {
  const bytes = (packets: Uint8Array[]) => packets.reduce((sum, packet) => sum + packet.length, 0);
  const pcm = speechLike(48000, 48000 * 4, 9000);
  expect((bytes(encodeAll(48000, pcm, VOICE)) * 8) / 4).toBeLessThan(1.3 * VOICE.bitrateBps);
  const silence = encodeAll(48000, new Int16Array(96000), { ...VOICE, dtx: true });
  expect(bytes(silence.slice(50))).toBeLessThan(50 * 8);
});

test.each([
  ['WebAssembly', opusRuntime],
  ["the system's, if it has one", opusEncoders],
] as const)('what need not be sent has no octets with DTX, by %s; without DTX all is sent', (_name, library) => {
  const silence = new Int16Array(96000);
  const lengths = (dtx: boolean) =>
    encodeAll(48000, silence, { ...VOICE, dtx }, 20, library()).map(({ length }) => length);
  const rested = lengths(true).slice(50);
  expect(rested.filter((length) => length === 0).length).toBeGreaterThan(40);
  expect(rested.filter((length) => length > 0 && length <= 2)).toEqual([]);
  expect(Math.max(...rested), 'a packet now and then').toBeGreaterThan(2);
  expect(Math.min(...lengths(false))).toBeGreaterThan(0);
});

test('options out of range, and frames that Opus does not have, are refused', () => {
  expect(() => createOpusEncoder(48000, { ...VOICE, complexity: 11 })).toThrow(RangeError);
  const encoder = createOpusEncoder(48000, VOICE);
  const out = new Uint8Array(4000);
  expect(() => encoder.encode(new Int16Array(1000), 0, 1000, out, 0)).toThrow(RangeError);
  expect(() => encoder.encode(new Int16Array(5760), 0, 5760, out, 0)).toThrow(RangeError);
  expect(encoder.encode(new Int16Array(960), 0, 960, out, 0)).toBeGreaterThan(0);
  encoder.close();
});

test('hundreds of codecs live together without touching one another', () => {
  const pcm = tone(48000, 9600, 500, 9000);
  const packets = encodeAll(48000, pcm, VOICE);
  const alone = decodeAll(packets);
  const decoders = Array.from({ length: 300 }, () => createOpusDecoder(48000));
  const encoders = Array.from({ length: 30 }, () => createOpusEncoder(48000, VOICE));
  const outs = decoders.map(() => new Int16Array(alone.length));
  const buffer = new Uint8Array(4000);
  for (const [i, packet] of packets.entries()) {
    for (const encoder of encoders) {
      const length = encoder.encode(pcm, i * 960, 960, buffer, 0);
      expect(firstDifference(buffer.subarray(0, length), packet)).toBe(-1);
    }
    for (const [k, decoder] of decoders.entries()) decoder.decode(packet, outs[k]!, i * 960);
  }
  for (const out of outs) expect(firstDifference(out, alone)).toBe(-1);
  for (const codec of [...decoders, ...encoders]) codec.close();
});

describe('loss', () => {
  test.each([
    ['voice', VOICE, 180],
    ['music', MUSIC, 440],
  ] as const)('a lost packet of %s is concealed for its own 20 ms, without clicks', (_, options, hz) => {
    const pcm = tone(48000, 48000, hz, 9000);
    const packets = encodeAll(48000, pcm, options);
    const whole = decodeAll(packets);
    const heard = decodeAll(packets, (i) => i === 30);
    expect(heard.subarray(0, 30 * 960)).toEqual(whole.subarray(0, 30 * 960));
    expect(levelDb(heard, 30 * 960, 31 * 960)).toBeGreaterThan(levelDb(pcm) - 8);
    expect(largestStep(heard, 29 * 960, 33 * 960)).toBeLessThan(2 * largestStep(whole, 29 * 960, 33 * 960));
    expect(levelDb(heard, 35 * 960)).toBeCloseTo(levelDb(whole, 35 * 960), 0);
  });

  test('a long gap is silent after 100 ms, and sound comes back', () => {
    const packets = encodeAll(48000, tone(48000, 96000, 300, 9000), VOICE);
    const heard = decodeAll(packets, (i) => i >= 40 && i < 60);
    expect(levelDb(heard, 45 * 960, 60 * 960)).toBeLessThan(-120);
    expect(levelDb(heard, 63 * 960)).toBeGreaterThan(-17);
  });

  test('any length can be concealed', () => {
    const decoder = createOpusDecoder(16000);
    const packets = encodeAll(16000, tone(16000, 16000, 300, 9000), VOICE);
    const out = new Int16Array(400).fill(77);
    for (const packet of packets) decoder.decode(packet, out, 0);
    for (const samples of [160, 320, 37, 80, 1]) {
      out.fill(77);
      decoder.conceal(samples, out, 10);
      expect(out[9]).toBe(77);
      expect(out[10 + samples]).toBe(77);
      if (samples > 100) expect(levelDb(out, 10, 10 + samples)).toBeGreaterThan(-40);
    }
    decoder.close();
  });

  test('a loss before the first packet is silence', () => {
    const decoder = createOpusDecoder(48000);
    const out = new Int16Array(960).fill(5);
    decoder.conceal(960, out, 0);
    expect(out.every((sample) => sample === 0)).toBe(true);
    decoder.close();
  });
});

describe('hostile payloads', () => {
  test('those that break the rules on length hold no samples', () => {
    expect(opusPacketSamples(new Uint8Array(0), 48000)).toBe(0);
    expect(opusPacketSamples(Uint8Array.of(0x03), 48000)).toBe(0);
    expect(opusPacketSamples(Uint8Array.of(0x03, 0), 48000)).toBe(0);
    // Seven frames of 20 ms: 140 ms (RFC 6716 §3.2.5 allows 120).
    expect(opusPacketSamples(Uint8Array.of(0x0b, 7), 48000)).toBe(0);
    expect(opusPacketSamples(Uint8Array.of(0x0b, 6), 48000)).toBe(5760);
    expect(opusPacketSamples(Uint8Array.of(0xe0), 8000)).toBe(20);
    expect(opusPacketSamples(Uint8Array.of(0x79, 1, 1), 16000)).toBe(640);
  });

  test('garbage of any length neither throws nor stops the decoder nor makes memory grow', () => {
    const decoder = createOpusDecoder(48000);
    const out = new Int16Array(5760);
    const octets = new Uint8Array(noise(3000, 32767, 99).buffer);
    const runtime = opusDecoderRuntime();
    const memory = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 5000; i++) {
      const payload = octets.subarray(i % 997, (i % 997) + ((i * 7) % 500));
      const samples = decoder.decode(payload, out, 0);
      expect(samples === 0 || samples === decoder.samplesIn(payload)).toBe(true);
    }
    expect(decoder.decode(new Uint8Array(70000), out, 0)).toBe(0);
    expect(process.memoryUsage().arrayBuffers - memory).toBeLessThan(1 << 20);
    expect(opusDecoderRuntime()).toBe(runtime);
    expect(runtime.broken).toBe(false);
    const packets = encodeAll(48000, tone(48000, 48000, 500, 9000), VOICE);
    for (const packet of packets) expect(decoder.decode(packet, out, 0)).toBe(960);
    expect(levelDb(out, 0, 960)).toBeGreaterThan(-17);
    decoder.close();
  });

  test('a packet that does not fit the buffer is refused', () => {
    const [packet] = encodeAll(48000, new Int16Array(960), VOICE);
    const decoder = createOpusDecoder(48000);
    expect(decoder.decode(packet!, new Int16Array(960), 1)).toBe(0);
    decoder.close();
  });

  test('a stereo packet decodes to as many mono samples', () => {
    const decoder = createOpusDecoder(48000);
    const out = new Int16Array(960);
    // CELT, full band, 20 ms, stereo, one frame.
    const payload = new Uint8Array(120).map((_, i) => (i === 0 ? 0xfc : (i * 89) & 0xff));
    expect(decoder.decode(payload, out, 0)).toBe(960);
    decoder.conceal(960, out, 0);
    decoder.close();
  });

  test('when a WebAssembly instance is lost, all codecs go on in a new one', async () => {
    const pcm = tone(48000, 48000, 500, 9000);
    const encoder = createOpusEncoder(48000, MUSIC, opusRuntime());
    const decoder = createOpusDecoder(48000);
    const packet = new Uint8Array(4000);
    const out = new Int16Array(pcm.length);
    for (let i = 0; i < 50; i++) {
      if (i === 10) opusRuntime().broken = true;
      if (i === 20) {
        const lost = opusDecoderRuntime();
        lost.lose();
        expect(decoder.decode(packet, out, i * 960)).toBe(0);
        decoder.conceal(960, out, i * 960);
        await vi.waitUntil(() => opusDecoderRuntime() !== lost, { timeout: 15_000 });
      }
      const length = encoder.encode(pcm, i * 960, 960, packet, 0);
      expect(decoder.decode(packet.subarray(0, length), out, i * 960)).toBe(960);
    }
    expect(levelDb(out, 22 * 960)).toBeCloseTo(levelDb(pcm), 0);
    encoder.close();
    decoder.close();
  });
});
