import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Limiter } from '../../mixer/audio/limiter.ts';
import { MixBus, type MixSource } from '../../mixer/audio/mix-bus.ts';
import { levelDb, noise } from './signals.ts';

/** Noise, which is made of whole numbers only, so that every machine makes the same. */
class Talker implements MixSource {
  private readonly pcm: Int16Array;
  private at = 0;
  private readonly samples: number;

  constructor(rateHz: number, amplitude: number, seed: number) {
    this.samples = rateHz / 50;
    this.pcm = noise(rateHz, amplitude, seed);
  }

  frameAt(): Int16Array {
    return this.pcm.subarray(this.at, this.at + this.samples);
  }

  next(): void {
    this.at += this.samples;
  }
}

/** A second of three talkers, two of them near full scale: the common mix, and that of the first. */
function mixed(rateHz: number): { common: Int16Array; own: Int16Array } {
  const bus = new MixBus(rateHz, 20, -65);
  const limiter = new Limiter(rateHz);
  const talkers = [30_000, 25_000, 3_000].map((amplitude, index) => new Talker(rateHz, amplitude, index + 1));
  const common = new Int16Array(rateHz);
  const own = new Int16Array(rateHz);
  const frame = new Int16Array(rateHz / 50);
  for (let at = 0; at < rateHz; at += rateHz / 50) {
    bus.mix(talkers);
    common.set(bus.common, at);
    bus.mixWithout(talkers[0]!, limiter, frame);
    own.set(frame, at);
    for (const talker of talkers) talker.next();
  }
  return { common, own };
}

const digest = (pcm: Int16Array) =>
  createHash('sha256')
    .update(Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength))
    .digest('hex')
    .slice(0, 16);

describe('a mix', () => {
  // What was listened to and measured once; a change of the mix or the limiter that is not meant shows here.
  test.each([
    [8000, '99628b9de4e06949', '1b4f5ab9d59838fb'],
    [16000, '7d62150d37eda75f', '6d9745590d8d538b'],
    [48000, '577c3509e8d70245', '2fa3e871141d1f27'],
  ])('at %i Hz is bit by bit what it was', (rateHz, common, own) => {
    const made = mixed(rateHz);
    expect([digest(made.common), digest(made.own)]).toEqual([common, own]);
  });

  test('of nobody is comfort noise of the level that was asked for', () => {
    const bus = new MixBus(16000, 20, -70);
    const pcm = new Int16Array(16000);
    for (let at = 0; at < pcm.length; at += 320) {
      bus.mix([]);
      pcm.set(bus.common, at);
    }
    expect(levelDb(pcm, 320)).toBeCloseTo(-70, 0);
  });

  test('less one’s own voice is the others’, sample by sample', () => {
    const bus = new MixBus(8000, 20, -127);
    const limiter = new Limiter(8000);
    const one = new Talker(8000, 9000, 1);
    const other = new Talker(8000, 9000, 2);
    const out = new Int16Array(160);
    const heard: number[] = [];
    const said: number[] = [];
    for (let tick = 0; tick < 10; tick++) {
      bus.mix([one, other]);
      bus.mixWithout(one, limiter, out);
      heard.push(...out);
      said.push(...other.frameAt());
      one.next();
      other.next();
    }
    expect(heard.slice(limiter.delaySamples)).toEqual(said.slice(0, -limiter.delaySamples));
  });
});
