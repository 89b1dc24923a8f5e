import { ComfortNoise } from './comfort-noise.ts';
import { Limiter } from './limiter.ts';

/** What a bus takes from a participant who is heard. */
export interface MixSource {
  /** This tick's 20 ms at that rate; computed once, however often it is asked for. */
  frameAt(sampleRateHz: number): Int16Array;
}

/**
 * The sum of all who are heard, at one sampling rate, for one tick: the common mix, and for those who are in it
 * themselves the same less their own voice. The sum is kept wide (32 bits), so nothing wraps before the limiter. Under
 * it all lies comfort noise, always: so it does not begin and end with the voices.
 */
export class MixBus {
  readonly sampleRateHz: number;
  readonly frameSamples: number;
  /** The common mix of the last `mix`. */
  readonly common: Int16Array;
  /** What is heard when nobody speaks. */
  readonly silence: Int16Array;
  /** Listeners and recordings that need this rate; with none the room leaves the bus out. */
  users = 0;
  private readonly sum: Int32Array;
  private readonly noise: ComfortNoise;
  private readonly limiter: Limiter;

  constructor(sampleRateHz: number, tickMs: number, comfortNoiseDb: number) {
    this.sampleRateHz = sampleRateHz;
    this.frameSamples = (sampleRateHz * tickMs) / 1000;
    this.common = new Int16Array(this.frameSamples);
    this.silence = new Int16Array(this.frameSamples);
    this.sum = new Int32Array(this.frameSamples);
    this.noise = new ComfortNoise(comfortNoiseDb);
    this.limiter = new Limiter(sampleRateHz);
  }

  mix(sources: readonly MixSource[]): void {
    const { sum, frameSamples, silence } = this;
    this.noise.fill(silence, 0, frameSamples);
    for (let sample = 0; sample < frameSamples; sample++) sum[sample] = silence[sample]!;
    for (let index = 0; index < sources.length; index++) {
      const frame = sources[index]!.frameAt(this.sampleRateHz);
      for (let sample = 0; sample < frameSamples; sample++) sum[sample]! += frame[sample]!;
    }
    this.limiter.process(sum, null, this.common, frameSamples);
  }

  /** Goes on where `other`, of the same rate, is: what its limiter has taken and not put out. */
  continueFrom(other: MixBus): void {
    this.limiter.continueFrom(other.limiter);
  }

  /** To be called before the `mix` that is the first to be heard through `limiter`, by one who heard the common mix. */
  prepare(limiter: Limiter): void {
    limiter.continueFrom(this.limiter);
  }

  /** The mix less `own`, which must be among the sources of the last `mix`. */
  mixWithout(own: MixSource, limiter: Limiter, out: Int16Array): void {
    limiter.process(this.sum, own.frameAt(this.sampleRateHz), out, this.frameSamples);
  }

  /** The sum of the last `mix`, less `own` if that is among its sources, before any limiter. */
  sumWithout(own: MixSource | null, out: Int32Array): void {
    const { sum, frameSamples } = this;
    for (let sample = 0; sample < frameSamples; sample++) out[sample] = sum[sample]!;
    if (!own) return;
    const frame = own.frameAt(this.sampleRateHz);
    for (let sample = 0; sample < frameSamples; sample++) out[sample]! -= frame[sample]!;
  }
}
