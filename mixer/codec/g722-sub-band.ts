/**
 * What encoder and decoder of G.722 share: the adaptive predictor and the adaptive quantizer step of one sub-band.
 * Names and block numbers are those of ITU-T G.722 §6.2. All values are integers; `saturate` is its 16-bit arithmetic.
 */

/** Coefficients of the quadrature mirror filters, one half of the symmetric 24 (G.722 table 4). */
export const QMF = Int32Array.of(3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11);

/** QM4 (G.722 table 11): the four-bit inverse quantizer of the lower band, by its code. */
const QM4 = Int32Array.of(
  ...[0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0],
);
/** WL by RL42: what a lower code does to the logarithmic step (G.722 table 13). */
const LOG_STEP_LOW = Int32Array.of(
  ...[-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60],
);
/** QM2 (G.722 table 11): the two-bit inverse quantizer of the higher band. */
const QM2 = Int32Array.of(-7408, -1616, 7408, 1616);
/** WH by RH2 (G.722 table 13). */
const LOG_STEP_HIGH = Int32Array.of(798, -214, 798, -214);
/** ILB (G.722 table 12): 2048 · 2^(i/32). */
const ILB = Int32Array.of(
  ...[2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834],
  ...[2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008],
);

export function saturate(value: number): number {
  return value > 32767 ? 32767 : Math.max(value, -32768);
}

/** LOGSCL: the lower band's logarithmic step (2048 an octave) after the four upper bits of a code. */
export function nextLogStepLow(logStep: number, code: number): number {
  const next = (Math.imul(logStep, 127) >> 7) + LOG_STEP_LOW[code]!;
  return next < 0 ? 0 : Math.min(next, 18432);
}

/** LOGSCH: the higher band's. */
export function nextLogStepHigh(logStep: number, code: number): number {
  const next = (Math.imul(logStep, 127) >> 7) + LOG_STEP_HIGH[code]!;
  return next < 0 ? 0 : Math.min(next, 22528);
}

/** SCALEL and SCALEH: the quantizer's step of a logarithmic one. */
function linearStep(logStep: number, exponent: number): number {
  const shift = exponent - (logStep >> 11);
  const mantissa = ILB[(logStep >> 6) & 31]!;
  return (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2;
}

/** State of one sub-band. `estimate` (S) and `step` (DET) hold for the next sample. */
export class SubBand {
  estimate = 0;
  step: number;
  logStep = 0;
  /** SZ: the part of the estimate that the zeros make. */
  private zeroEstimate = 0;
  /** Poles: coefficients A1, A2; reconstructed signal R1, R2; partly reconstructed signal P1, P2. */
  private a1 = 0;
  private a2 = 0;
  private r1 = 0;
  private p1 = 0;
  private p2 = 0;
  /** Zeros: coefficients B1–B6 and the last six differences D1–D6, doubled and saturated, as the filter takes them. */
  private readonly b = new Int32Array(6);
  private readonly d = new Int32Array(6);

  constructor(initialStep: number) {
    this.step = initialStep;
  }

  adopt(other: SubBand): void {
    this.estimate = other.estimate;
    this.step = other.step;
    this.logStep = other.logStep;
    this.zeroEstimate = other.zeroEstimate;
    this.a1 = other.a1;
    this.a2 = other.a2;
    this.r1 = other.r1;
    this.p1 = other.p1;
    this.p2 = other.p2;
    this.b.set(other.b);
    this.d.set(other.d);
  }

  /** INVQAL, LOGSCL and SCALEL, then the predictor: takes the four upper bits of a lower-band code. */
  adaptLow(code: number): void {
    const difference = Math.imul(this.step, QM4[code]!) >> 15;
    this.logStep = nextLogStepLow(this.logStep, code);
    this.step = linearStep(this.logStep, 8);
    this.predict(difference);
  }

  /** INVQAH, LOGSCH and SCALEH, then the predictor; returns the difference (DH). */
  adaptHigh(code: number): number {
    const difference = Math.imul(this.step, QM2[code]!) >> 15;
    this.logStep = nextLogStepHigh(this.logStep, code);
    this.step = linearStep(this.logStep, 10);
    this.predict(difference);
    return difference;
  }

  /** Block 4: adapts poles and zeros to the difference and makes the next estimate. */
  private predict(difference: number): void {
    const reconstructed = saturate(this.estimate + difference);
    const partly = saturate(this.zeroEstimate + difference);
    this.adaptPoles(partly);
    const zeroEstimate = this.adaptZeros(difference);

    const pole1 = Math.imul(this.a1, saturate(reconstructed << 1)) >> 15;
    const pole2 = Math.imul(this.a2, saturate(this.r1 << 1)) >> 15;
    this.r1 = reconstructed;
    this.zeroEstimate = zeroEstimate;
    this.estimate = saturate(saturate(pole1 + pole2) + zeroEstimate);
  }

  /** UPPOL2, UPPOL1 and the delays of P and A. */
  private adaptPoles(partly: number): void {
    const sameSign1 = (partly ^ this.p1) >= 0;
    const sameSign2 = (partly ^ this.p2) >= 0;
    const fourfold = saturate(this.a1 << 2);
    const turned = sameSign1 ? saturate(-fourfold) : fourfold;
    const a2 = (turned >> 7) + (sameSign2 ? 128 : -128) + (Math.imul(this.a2, 32512) >> 15);
    this.a2 = a2 > 12288 ? 12288 : Math.max(a2, -12288);

    const a1 = saturate((sameSign1 ? 192 : -192) + (Math.imul(this.a1, 32640) >> 15));
    const bound = saturate(15360 - this.a2);
    this.a1 = a1 > bound ? bound : Math.max(a1, -bound);
    this.p2 = this.p1;
    this.p1 = partly;
  }

  /** UPZERO, the delays of D and B, and FILTEZ in one pass; returns the new SZ. */
  private adaptZeros(difference: number): number {
    const b = this.b;
    const d = this.d;
    const gain = difference === 0 ? 0 : 128;
    let zeroEstimate = 0;
    let delayed = saturate(difference << 1);
    for (let i = 0; i < 6; i++) {
      const former = d[i]!;
      // −1 where the signs differ, else 0: with it, (x ^ s) − s is x with its sign turned or not.
      const signs = (former ^ difference) >> 31;
      const coefficient = (Math.imul(b[i]!, 32640) >> 15) + ((gain ^ signs) - signs);
      b[i] = coefficient;
      d[i] = delayed;
      zeroEstimate += Math.imul(coefficient, delayed) >> 15;
      delayed = former;
    }
    return saturate(zeroEstimate);
  }
}
