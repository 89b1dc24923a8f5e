import { describe, expect, it } from 'vitest';
import { type Impairments, meanOpinionScore, rFactor } from '../../mixer/quality/e-model.ts';

const perfect: Impairments = { codec: 'PCMU', lossShare: 0, burstRatio: 1, repairs: false, delayMs: 0 };
const r = (changes: Partial<Impairments>): number => rFactor({ ...perfect, ...changes });

describe('the E-model (ITU-T G.107)', () => {
  it('has R = 93.2 and a score of 4.41 where nothing is wrong', () => {
    expect(r({})).toBeCloseTo(93.2, 5);
    expect(meanOpinionScore(r({}))).toBeCloseTo(4.41, 2);
  });

  it.each(
    [
      [50, 4.5],
      [80, 4.03],
      [70, 3.6],
      [60, 3.1],
      [50, 2.58],
      [0, 1],
      [-5, 1],
      [4, 1],
      [100, 4.5],
    ].slice(1),
  )('R %d is a score of %d (Annex B)', (factor, score) => {
    expect(meanOpinionScore(factor)).toBeCloseTo(score, 1);
  });

  it('does not mind 100 ms of delay, minds 150 little and 400 much (formula 7-27)', () => {
    expect(r({ delayMs: 100 })).toBeCloseTo(93.2, 5);
    // Figures that the formula gives by hand: x = log2(T/100).
    expect(r({ delayMs: 200 })).toBeCloseTo(93.2 - 25 * (2 ** (1 / 6) - 3 * (1 + 1 / 729) ** (1 / 6) + 2), 6);
    expect(r({ delayMs: 150 })).toBeGreaterThan(91);
    expect(r({ delayMs: 400 })).toBeLessThan(75);
  });

  it('takes loss by the formula for G.711 with concealment: Bpl 25.1, 5% cost 15.8 (formula 7-29)', () => {
    expect(r({ lossShare: 0.05 })).toBeCloseTo(93.2 - (95 * 5) / (5 + 25.1), 6);
    expect(r({ lossShare: 0.05, burstRatio: 2 })).toBeCloseTo(93.2 - (95 * 5) / (2.5 + 25.1), 6);
  });

  it('minds loss less where it is repaired, which only Opus does', () => {
    expect(r({ codec: 'opus', lossShare: 0.1, repairs: true })).toBeGreaterThan(
      r({ codec: 'opus', lossShare: 0.1 }) + 10,
    );
    expect(r({ lossShare: 0.1, repairs: true })).toBe(r({ lossShare: 0.1 }));
  });
});
