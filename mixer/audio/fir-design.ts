/** Coefficients of linear-phase low-pass filters: sinc through a Kaiser window. */

/**
 * How many coefficients are needed, by Kaiser's formula (A. V. Oppenheim, R. W. Schafer, Discrete-Time Signal Processing,
 * §7.5.3); `transition` is a share of the sampling rate.
 */
export function kaiserLength(stopBandDb: number, transition: number): number {
  return Math.ceil((stopBandDb - 7.95) / (2.285 * 2 * Math.PI * transition)) + 1;
}

/** The filter's value at `x` samples from its centre; `cutOff` is a share of the sampling rate, `reach` half its length. */
export function kaiserSinc(x: number, cutOff: number, reach: number, stopBandDb: number): number {
  const beta = 0.1102 * (stopBandDb - 8.7);
  const sinc = x === 0 ? 2 * cutOff : Math.sin(2 * Math.PI * cutOff * x) / (Math.PI * x);
  const edge = x / reach;
  return sinc * (besselI0(beta * Math.sqrt(1 - edge * edge)) / besselI0(beta));
}

/** Modified Bessel function of the first kind, order zero, by its power series. */
function besselI0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
