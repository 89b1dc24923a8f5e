/** Takes a constant offset out of PCM: a high-pass of first order. Cheap phones and gateways have one, and it costs headroom. */

const CUT_OFF_HZ = 20;

export class DcBlocker {
  private readonly pole: number;
  private input = 0;
  private output = 0;

  constructor(sampleRateHz: number) {
    this.pole = Math.exp((-2 * Math.PI * CUT_OFF_HZ) / sampleRateHz);
  }

  /** In place, saturating. */
  process(pcm: Int16Array, offset: number, samples: number): void {
    const { pole } = this;
    let { input, output } = this;
    for (let i = offset; i < offset + samples; i++) {
      const sample = pcm[i]!;
      output = sample - input + pole * output;
      input = sample;
      const value = Math.round(output);
      pcm[i] = value > 32767 ? 32767 : value < -32768 ? -32768 : value;
    }
    this.input = input;
    this.output = output;
  }

  /** For sound that does not go on from what was processed last: it begins at `sample`, without a step. */
  reset(sample: number): void {
    this.input = sample;
    this.output = 0;
  }
}
