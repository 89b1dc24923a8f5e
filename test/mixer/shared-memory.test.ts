import { describe, expect, it } from 'vitest';
import { Resampler } from '../../mixer/audio/resampler.ts';
import { WaveformConcealment } from '../../mixer/audio/waveform-concealment.ts';
import { audioCodec } from '../../mixer/codec/registry.ts';
import type { AudioCodecName } from '../../mixer/protocol.ts';
import { SimulatedRoom } from './simulated-room.ts';

/** What legs need only while they are at work is the same memory for all: nothing of one may be heard from another. */

type Stream = (frame: Int16Array) => Int16Array;

function tone(hz: number, rateHz: number, frame: number): Int16Array {
  const samples = rateHz / 50;
  return Int16Array.from({ length: samples }, (_, at) =>
    Math.round(9000 * Math.sin((2 * Math.PI * hz * (frame * samples + at)) / rateHz)),
  );
}

/** What two streams make when they take turns, and what each makes alone. */
function expectApart(open: () => Stream, rateHz: number): void {
  const [first, second, alone, other] = [open(), open(), open(), open()];
  const together: Int16Array[][] = [[], []];
  for (let frame = 0; frame < 12; frame++) {
    together[0]!.push(first(tone(310, rateHz, frame)));
    together[1]!.push(second(tone(740, rateHz, frame)));
  }
  const apart: Int16Array[][] = [[], []];
  for (let frame = 0; frame < 12; frame++) apart[0]!.push(alone(tone(310, rateHz, frame)));
  for (let frame = 0; frame < 12; frame++) apart[1]!.push(other(tone(740, rateHz, frame)));
  expect(together).toEqual(apart);
  expect(apart[0]).not.toEqual(apart[1]);
}

function codedStream(name: AudioCodecName): () => Stream {
  return () => {
    const encoder = audioCodec(name).createEncoder({
      ...{ complexity: 5, bitrateBps: 32_000, inbandFec: false, dtx: false, expectedLossPercent: 0 },
    });
    const decoder = audioCodec(name).createDecoder();
    let frames = 0;
    return (frame) => {
      const payload = new Uint8Array(1500);
      const length = encoder.encode(frame, 0, frame.length, payload, 0);
      const out = new Int16Array(frame.length);
      // Two of five are lost, so that both are concealing at the same time.
      if (frames++ % 5 > 2) decoder.conceal(frame.length, out, 0);
      else decoder.decode(payload.subarray(0, length), out, 0);
      return out;
    };
  };
}

describe('Memory that is shared', () => {
  it.each(['PCMU', 'G722', 'opus'] as const)('by encoders and decoders of %s mixes none of their sound', (name) => {
    expectApart(codedStream(name), audioCodec(name).sampleRateHz);
  });

  it('by concealments is one for each that is at work', () => {
    const open = (): Stream => {
      const concealment = new WaveformConcealment(8000);
      let frames = 0;
      return (frame) => {
        const out = frame.slice();
        if (frames++ % 4 === 3) concealment.conceal(out.length, out, 0);
        else concealment.received(out, 0, out.length);
        return out;
      };
    };
    expectApart(open, 8000);
  });

  it.each([
    [8000, 16_000],
    [8000, 48_000],
    [48_000, 8000],
    [48_000, 16_000],
  ])('by resamplers from %i to %i Hz mixes none of their sound', (fromHz, toHz) => {
    const open = (): Stream => {
      const resampler = new Resampler(fromHz, toHz);
      return (frame) => {
        const out = new Int16Array((frame.length * toHz) / fromHz);
        resampler.process(frame, 0, frame.length, out, 0);
        return out;
      };
    };
    expectApart(open, fromHz);
  });

  it.each(['PCMU', 'G722', 'opus'] as const)(
    'by those who send packets of 60 ms of %s, of which two thirds wait, mixes none of their sound',
    (codec) => {
      const room = new SimulatedRoom({ automaticGain: 'off' });
      const low = room.join('low', { codec, toneHz: 440, ptimeMs: 60 });
      const high = room.join('high', { codec, toneHz: 1800, ptimeMs: 60 });
      room.run(3000);
      expect(high.levelDb(440, 1500)).toBeGreaterThan(-23);
      expect(high.levelDb(440, 1500)).toBeLessThan(-17);
      expect(high.levelDb(1800, 1500)).toBeLessThan(-55);
      expect(low.levelDb(1800, 1500)).toBeGreaterThan(-23);
      expect(low.levelDb(440, 1500)).toBeLessThan(-55);
    },
  );

  it('is given back by who has not spoken for a while, and their next word is whole', () => {
    const room = new SimulatedRoom({ automaticGain: 'off' });
    const talker = room.join('talker', { codec: 'opus', toneHz: 440 });
    const other = room.join('other', { codec: 'PCMU', toneHz: 1000 });
    room.run(2000);
    talker.toneHz = 0;
    room.run(7000);
    talker.toneHz = 440;
    room.run(2000);
    const before = other.levelDb(440, 1000, 2000);
    expect(Math.abs(other.levelDb(440, 9200, 10_200) - before)).toBeLessThan(0.5);
    expect(talker.levelDb(440, 9200)).toBeLessThan(-55);
    expect(talker.levelDb(1000, 9200)).toBeGreaterThan(-23);
  });
});
