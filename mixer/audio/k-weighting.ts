/**
 * The frequency weighting of loudness, K (ITU-R BS.1770-5 annex 1): a shelf for the head, a high-pass for the ear.
 *
 * The recommendation gives coefficients for 48 kHz only; these are of the analogue filters behind them, by the bilinear
 * transform, for any rate.
 */

const SHELF_HZ = 1681.974450955533;
const SHELF_DB = 3.999843853973347;
const SHELF_Q = 0.7071752369554196;
/** Exponent of the shelf's gain in its middle term. */
const SHELF_MIDDLE = 0.4996667741545416;
const HIGH_PASS_HZ = 38.13547087602444;
const HIGH_PASS_Q = 0.5003270373238773;

/** A full-scale sine at 997 Hz is to measure −3.01 LUFS. */
const OFFSET_DB = -0.691;
const FULL_SCALE_SQUARE = 32768 * 32768;

export class KWeighting {
  private readonly shelf: Float64Array;
  private readonly highPass: Float64Array;
  /** Two values of each filter (transposed direct form II). */
  private readonly state = new Float64Array(4);

  constructor(sampleRateHz: number) {
    this.shelf = shelf(sampleRateHz);
    this.highPass = highPass(sampleRateHz);
  }

  /** Mean square of the weighted samples. */
  process(pcm: Int16Array, offset: number, samples: number): number {
    const { shelf, highPass, state } = this;
    const b0 = shelf[0]!;
    const b1 = shelf[1]!;
    const b2 = shelf[2]!;
    const a1 = shelf[3]!;
    const a2 = shelf[4]!;
    const c1 = highPass[3]!;
    const c2 = highPass[4]!;
    let s1 = state[0]!;
    let s2 = state[1]!;
    let h1 = state[2]!;
    let h2 = state[3]!;
    let sum = 0;
    for (let i = offset; i < offset + samples; i++) {
      const x = pcm[i]!;
      const y = b0 * x + s1;
      s1 = b1 * x - a1 * y + s2;
      s2 = b2 * x - a2 * y;
      // The high-pass has the zeros 1, −2, 1.
      const z = y + h1;
      h1 = -2 * y - c1 * z + h2;
      h2 = y - c2 * z;
      sum += z * z;
    }
    state[0] = s1;
    state[1] = s2;
    state[2] = h1;
    state[3] = h2;
    return sum / samples;
  }
}

/** Loudness of a mean square of K-weighted samples, LUFS, of one channel. */
export function loudnessLufs(meanSquare: number): number {
  return OFFSET_DB + 10 * Math.log10(meanSquare / FULL_SCALE_SQUARE + 1e-13);
}

/** b0, b1, b2, a1, a2. */
function shelf(sampleRateHz: number): Float64Array {
  const k = Math.tan((Math.PI * SHELF_HZ) / sampleRateHz);
  const high = 10 ** (SHELF_DB / 20);
  const middle = high ** SHELF_MIDDLE;
  const a0 = 1 + k / SHELF_Q + k * k;
  return Float64Array.of(
    (high + (middle * k) / SHELF_Q + k * k) / a0,
    (2 * (k * k - high)) / a0,
    (high - (middle * k) / SHELF_Q + k * k) / a0,
    (2 * (k * k - 1)) / a0,
    (1 - k / SHELF_Q + k * k) / a0,
  );
}

function highPass(sampleRateHz: number): Float64Array {
  const k = Math.tan((Math.PI * HIGH_PASS_HZ) / sampleRateHz);
  const a0 = 1 + k / HIGH_PASS_Q + k * k;
  return Float64Array.of(1, -2, 1, (2 * (k * k - 1)) / a0, (1 - k / HIGH_PASS_Q + k * k) / a0);
}
