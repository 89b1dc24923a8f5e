import { describe, expect, it, test } from 'vitest';
import { ExpectedLoss, expectedLossPercentFor } from '../../mixer/expected-loss.ts';
import { type SendFormat, sendFormat } from '../../mixer/send-format.ts';
import { speech } from '../speech/speech.ts';

const conditions = { complexity: 5, expectedLossPercent: 0 };
const opus = (parameters: Record<string, string>, ptimeMs = 20, expectedLossPercent = 0): SendFormat =>
  sendFormat({ codec: 'opus', parameters }, ptimeMs, { ...conditions, expectedLossPercent });

/** A few seconds of speech as this format sends it. */
function packets(format: SendFormat): Uint8Array[] {
  const encoder = format.createEncoder('shared');
  const pcm = speech('high', 48000);
  const samples = 48 * format.ptimeMs;
  const made: Uint8Array[] = [];
  const out = new Uint8Array(1500);
  for (let at = 0; at + samples <= pcm.length; at += samples) {
    made.push(out.slice(0, encoder.encode(pcm, at, samples, out, 0)));
  }
  encoder.close();
  return made;
}

function bitrateBps(format: SendFormat): number {
  const made = packets(format);
  const octets = made.reduce((sum, packet) => sum + packet.length, 0);
  return (octets * 8000) / (made.length * format.ptimeMs);
}

/** The greatest audio bandwidth in the TOCs, Hz (RFC 6716 §3.1). */
function bandwidthHz(made: Uint8Array[]): number {
  const of = (configuration: number): number => {
    if (configuration < 12) return [4000, 6000, 8000][configuration >> 2]!;
    if (configuration < 16) return configuration < 14 ? 12_000 : 20_000;
    return [4000, 8000, 12_000, 20_000][(configuration - 16) >> 2]!;
  };
  return Math.max(...made.map((packet) => of(packet[0]! >> 3)));
}

describe('what an Opus receiver asks for is what it gets (RFC 7587 §6.1)', () => {
  it.each([
    [{}, 20_000],
    [{ maxplaybackrate: '48000' }, 20_000],
    [{ maxplaybackrate: '24000' }, 12_000],
    [{ maxplaybackrate: '16000' }, 8000],
    [{ maxplaybackrate: '12000' }, 6000],
    [{ maxplaybackrate: '8000' }, 4000],
    [{ maxplaybackrate: '44100' }, 12_000],
    [{ maxplaybackrate: 'much' }, 20_000],
  ])('%o: nothing above %i Hz', (parameters, hz) => {
    expect(bandwidthHz(packets(opus(parameters)))).toBeLessThanOrEqual(hz);
  });

  it.each([
    ['12000', 12_000],
    ['20000', 20_000],
    ['510000', 48_000],
  ])('maxaveragebitrate=%s is kept', (maxaveragebitrate, most) => {
    expect(bitrateBps(opus({ maxaveragebitrate }))).toBeLessThan(most * 1.1);
  });

  it('a rate that Opus does not have counts for nothing', () => {
    expect(opus({ maxaveragebitrate: '10' }).key).toBe(opus({}).key);
  });

  it('cbr=1: all packets are of one length', () => {
    expect(new Set(packets(opus({ cbr: '1' })).map((packet) => packet.length)).size).toBe(1);
    expect(new Set(packets(opus({})).map((packet) => packet.length)).size).toBeGreaterThan(10);
  });

  it('usedtx=1: hardly anything is sent in a pause', () => {
    const short = (made: Uint8Array[]): number => made.filter((packet) => packet.length <= 2).length;
    expect(short(packets(opus({ usedtx: '1' })))).toBeGreaterThan(short(packets(opus({}))));
  });

  it('stereo is only a preference: what is sent is mono', () => {
    expect(packets(opus({ stereo: '1', 'sprop-stereo': '1' })).every((packet) => (packet[0]! & 4) === 0)).toBe(true);
    expect(opus({ stereo: '1', 'sprop-maxcapturerate': '8000' }).key).toBe(opus({}).key);
  });

  it.each([
    [10, 10],
    [20, 20],
    [30, 20],
    [40, 40],
    [50, 40],
    [60, 60],
  ])('ptime %i: packets of %i ms', (asked, sent) => {
    expect(opus({}, asked).ptimeMs).toBe(sent);
  });

  it.each([
    ['packets of 10 ms', {}, 10, 0, true],
    ['no loss yet', { useinbandfec: '1' }, 20, 0, true],
    ['loss, and FEC against it', { useinbandfec: '1' }, 20, 10, false],
    ['loss, and no FEC', {}, 20, 10, true],
    ['too few bits', { maxaveragebitrate: '39000' }, 20, 0, false],
    ['half the bandwidth', { maxplaybackrate: '24000' }, 20, 0, false],
    ['pauses that are not sent', { usedtx: '1' }, 20, 0, false],
    ['long packets', {}, 40, 0, false],
  ])('CELT alone, 4 ms sooner, where it costs nothing: %s', (_, parameters, ptimeMs, lossPercent, celt) => {
    const format = opus(parameters as Record<string, string>, ptimeMs, lossPercent);
    expect(format.lowDelay).toBe(celt);
    // RFC 6716 §3.1: configurations 16 to 31.
    expect(packets(format).every((packet) => packet[0]! >> 3 >= 16)).toBe(celt);
  });

  it('FEC goes to those who lose packets and can use it', () => {
    expect(opus({ useinbandfec: '1' }, 20, 10).key).not.toBe(opus({ useinbandfec: '1' }).key);
    expect(opus({}, 20, 10).key).toBe(opus({}).key);
    expect(opus({ useinbandfec: '1' }).key).toBe(opus({}).key);
  });
});

test('G.711 and G.722 have packets of any length that was asked for', () => {
  for (const codec of ['PCMU', 'PCMA', 'G722'] as const) {
    expect(sendFormat({ codec, parameters: {} }, 30, conditions)).toMatchObject({ codec, ptimeMs: 30 });
  }
});

test.each([
  ['L16/48000', 20, 10],
  ['L16/16000', 20, 20],
  ['L16/16000', 60, 40],
  ['L16/8000', 60, 60],
] as const)('%s in packets of %i ms would be longer than a frame of Ethernet: %i ms', (codec, asked, sent) => {
  expect(sendFormat({ codec, parameters: {} }, asked, conditions).ptimeMs).toBe(sent);
});

describe('the loss that an encoder prepares for', () => {
  it('comes in steps, so that listeners share encoders', () => {
    expect([0, 0.03, 0.04, 0.08, 0.12, 0.9].map(expectedLossPercentFor)).toEqual([0, 0, 10, 10, 20, 20]);
  });

  it('goes up with the first report, and down after four that are better', () => {
    const loss = new ExpectedLoss();
    expect(loss.reported(0)).toBe(false);
    expect(loss.reported(0.05)).toBe(true);
    expect(loss.percent).toBe(10);
    expect([0, 0, 0].map((fraction) => loss.reported(fraction))).toEqual([false, false, false]);
    expect(loss.reported(0.05)).toBe(false);
    expect([0, 0, 0, 0].map((fraction) => loss.reported(fraction))).toEqual([false, false, false, true]);
    expect(loss.percent).toBe(0);
  });
});
