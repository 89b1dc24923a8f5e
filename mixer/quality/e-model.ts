import type { AudioCodecName } from '../protocol.ts';

/**
 * An estimate of how a call sounds to who hears it: the E-model (ITU-T G.107) with its default values for everything that
 * a server cannot know (levels, echo, the rooms that people sit in).
 */

/** R of a perfect narrow-band connection with default values (G.107 §7.7). */
const BEST_R = 93.2;

/**
 * Robustness against loss, Bpl, of G.711 with concealment (G.113 Appendix I), which has no impairment Ie of its own.
 *
 * Taken for all codecs: the Recommendations have no value for Opus, and none on this scale for G.722 with concealment. So
 * the figure says what the network does to a call, on the narrow-band scale; that wide band sounds better is not in it.
 */
const PACKET_LOSS_ROBUSTNESS = 25.1;
/** Opus with FEC, whose losses are mostly repaired: in our own loss table 20% with FEC are as good as 7% without. */
const PACKET_LOSS_ROBUSTNESS_FEC = 70;

export interface Impairments {
  codec: AudioCodecName | null;
  /** Missing when its turn came: lost on the way, or late. 0–1. */
  lossShare: number;
  /** G.107's BurstR: 1 for random loss, more when losses cluster. */
  burstRatio: number;
  /** Losses can be repaired from the packets after them. */
  repairs: boolean;
  /** From mouth to ear, milliseconds. */
  delayMs: number;
}

/** 0–100 (G.107 §7.1): 90 very satisfied, 80 satisfied, 70 some dissatisfied, 60 many, 50 nearly all. */
export function rFactor({ codec, lossShare, burstRatio, repairs, delayMs }: Impairments): number {
  const robustness = repairs && codec === 'opus' ? PACKET_LOSS_ROBUSTNESS_FEC : PACKET_LOSS_ROBUSTNESS;
  const lossPercent = lossShare * 100;
  // G.107 §7.6, formula 7-29, with Ie = 0.
  const equipment = lossPercent === 0 ? 0 : (95 * lossPercent) / (lossPercent / burstRatio + robustness);
  return Math.min(100, Math.max(0, BEST_R - delayImpairment(delayMs) - equipment));
}

/**
 * Idd of G.107 §7.5, formulas 7-27 and 7-28: nothing up to 100 ms. The echo terms are those of a perfectly cancelled echo.
 */
function delayImpairment(delayMs: number): number {
  if (delayMs <= 100) return 0;
  const x = Math.log2(delayMs / 100);
  return 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2);
}

/** Mean opinion score, 1 (bad) to 4.5, that goes with R (G.107 Annex B). */
export function meanOpinionScore(r: number): number {
  if (r <= 0) return 1;
  if (r >= 100) return 4.5;
  // The cubic falls below 1 for R under 6.5.
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}
