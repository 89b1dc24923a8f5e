import { describe, expect, it } from 'vitest';
import { damageDb, lossTable, type SpokenOptions, speakThrough, type TableCodec } from '../bench/loss-table.ts';
import { opusLossTable } from '../bench/opus-loss.ts';

const CODECS: TableCodec[] = ['PCMU', 'G722', 'opus'];
/** Minutes of speech are encoded and decoded: seconds of work, and many times as long on a busy machine. */
const TIME_LIMIT = { timeout: 90_000 };

describe('speech over a bad network, through a real leg', TIME_LIMIT, () => {
  const rows = lossTable({
    codecs: [
      { codec: 'PCMU', fec: false },
      { codec: 'G722', fec: false },
      { codec: 'opus', fec: false },
      { codec: 'opus', fec: true },
    ],
    lossPercents: [0, 10],
    lossBursts: [1, 3],
    jittersMs: [0, 60],
    seconds: 16,
  });

  it('is untouched by jitter alone', () => {
    for (const row of rows) if (row.lossPercent === 0) expect(row.damageDb, JSON.stringify(row)).toBeLessThan(0.2);
  });

  it('is always better off with concealment than with silence', () => {
    for (const row of rows) {
      if (row.lossPercent > 0) expect(row.damageDb, JSON.stringify(row)).toBeLessThan(row.damageUnrepairedDb);
    }
  });

  it.each([
    ['PCMU', false, 0.85],
    ['G722', false, 0.87],
    ['opus', false, 0.96],
    ['opus', true, 0.7],
  ] as const)('has with %s (FEC: %s) less than %d of the damage', (codec, fec, most) => {
    const mine = rows.filter((row) => row.codec === codec && row.fec === fec && row.lossPercent > 0);
    const sum = (of: 'damageDb' | 'damageUnrepairedDb') => mine.reduce((total, row) => total + row[of], 0);
    expect(sum('damageDb')).toBeLessThan(most * sum('damageUnrepairedDb'));
  });

  it('waits no longer than the jitter asks for, and for a packet more where that repairs losses', () => {
    for (const { jitterMs, fec, lossPercent, delayMs } of rows) {
      const lookAheadMs = fec && lossPercent > 0 ? 20 : 0;
      expect(delayMs).toBeLessThan(jitterMs + lookAheadMs + 25);
    }
  });

  it('conceals hardly more than was lost', () => {
    for (const { lossPercent, concealedPercent } of rows) expect(concealedPercent).toBeLessThan(lossPercent + 2.5);
  });
});

describe('speech while the delay changes', TIME_LIMIT, () => {
  const seconds = 60;
  const perfectly = (codec: TableCodec) => speakThrough({ codec, seconds, seed: 1 });

  it.each(CODECS.flatMap((codec) => [-300, 300].map((driftPpm) => [codec, driftPpm] as const)))(
    '%s: a clock that is off by %i ppm is followed without harm',
    (codec, driftPpm) => {
      const spoken = speakThrough({ codec, seconds, seed: 1, driftPpm });
      expect(Math.max(...spoken.delaysMs.slice(100))).toBeLessThan(45);
      expect(spoken.concealedPercent).toBeLessThan(0.5);
      expect(damageDb(spoken, perfectly(codec))).toBeLessThan(0.5);
    },
  );

  it.each(CODECS)('%s: after a storm the delay comes down again, by stretching that is hardly heard', (codec) => {
    const storm: SpokenOptions = {
      ...{ codec, seconds, seed: 5 },
      jitterMs: (atMs, random) => (atMs > 5000 && atMs < 15_000 ? random() * 200 : random() * 5),
    };
    const spoken = speakThrough(storm);
    const tick = (second: number): number => second * 50;
    expect(Math.max(...spoken.delaysMs.slice(tick(8), tick(15)))).toBeGreaterThan(150);
    expect(Math.max(...spoken.delaysMs.slice(tick(40)))).toBeLessThan(60);
    const { sampleRateHz } = spoken;
    const calmPart = (pcm: Int16Array): Int16Array => pcm.subarray(15 * sampleRateHz);
    const perfect = perfectly(codec);
    const calm = damageDb({ ...spoken, pcm: calmPart(spoken.pcm) }, { ...perfect, pcm: calmPart(perfect.pcm) });
    expect(calm).toBeLessThan(0.6);
  });
});

it('one whom nobody may hear has a delay that comes down as well: silence is shortened, and no packet dropped', () => {
  const { delaysMs, discarded } = speakThrough({
    ...{ codec: 'opus', seconds: 30, seed: 5, attention: 'nothing' },
    jitterMs: (atMs, random) => (atMs > 2000 && atMs < 8000 ? random() * 200 : random() * 5),
  });
  expect(Math.max(...delaysMs.slice(250, 400))).toBeGreaterThan(150);
  expect(Math.max(...delaysMs.slice(850))).toBeLessThan(45);
  expect(discarded).toBe(0);
});

it(
  'Opus: FEC at 10% loss sounds better than any concealment, and CELT at 3% and less, all at one bit rate',
  TIME_LIMIT,
  () => {
    const rows = opusLossTable([0, 3, 10], 1);
    const of = (repair: string, percent: number): number =>
      rows.find((row) => row.repair === repair && row.lossPercent === percent)!.totalDistanceDb;
    expect(of('conceal', 10)).toBeLessThan(of('none', 10));
    for (const repair of ['conceal', 'opusscript', 'lowDelay']) {
      expect(of('fec', 10), repair).toBeLessThan((repair === 'lowDelay' ? 0.95 : 0.8) * of(repair, 10));
    }
    for (const percent of [0, 3]) {
      expect(of('lowDelay', percent)).toBeLessThan(of('fec', percent));
      expect(of('lowDelay', percent)).toBeLessThan(of('conceal', percent));
    }
  },
);
