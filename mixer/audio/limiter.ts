/**
 * Makes 16-bit audio of a sum of voices, turning it down where it would overflow.
 *
 * The gain is a chain of straight lines between nodes 1 ms apart. It looks ahead to the end of the frame, goes down
 * within a few milliseconds before a peak, waits a little, and comes back within some 200 ms. It adds no delay. The one
 * peak that cannot be foreseen, in a frame's first millisecond, gets a line as steep as it takes.
 */

const BLOCK_MS = 1;
/** Longest frame at once; longer ones take turns. */
const FRAME_MS = 20;
const CEILING = 32767;
/** Share of the way back to 1 that the gain makes in a block. */
const RELEASE = 1 - Math.exp(-BLOCK_MS / 200);
/** The gain is held so long after a peak, so that it does not follow the waves of a low voice. */
const HOLD_BLOCKS = 20;
/** A peak that needs nearly the present gain renews the hold. */
const SAME_PEAK = 1.02;
/** Steepest descent a block where the look-ahead leaves a choice: full range in 5 ms. */
const ATTACK_STEP = 0.2;
const NEARLY_ONE = 0.9999;

export class Limiter {
  private readonly blockSamples: number;
  private readonly difference: Int32Array;
  /** By block of the frame: the highest gain that its peak bears. */
  private readonly bearable: Float64Array;
  /** The gain at each block's beginning, and last at the frame's end. */
  private readonly nodes: Float64Array;
  /** At the end of the last frame. */
  private gain = 1;
  private holdBlocks = 0;

  constructor(sampleRateHz: number) {
    this.blockSamples = (sampleRateHz * BLOCK_MS) / 1000;
    const blocks = FRAME_MS / BLOCK_MS;
    this.difference = new Int32Array(blocks * this.blockSamples);
    this.bearable = new Float64Array(blocks);
    this.nodes = new Float64Array(blocks + 1);
  }

  /**
   * Writes `sum` less `own` (a listener's own part in it; null for none) to `out`. What fits 16 bits is passed on bit by
   * bit, unless a peak was turned down shortly before.
   */
  process(sum: Int32Array, own: Int16Array | null, out: Int16Array, samples: number): void {
    for (let from = 0; from < samples; from += this.difference.length) {
      this.processFrame(sum, own, out, from, Math.min(this.difference.length, samples - from));
    }
  }

  private processFrame(sum: Int32Array, own: Int16Array | null, out: Int16Array, from: number, samples: number): void {
    const difference = this.difference;
    if (own === null) for (let i = 0; i < samples; i++) difference[i] = sum[from + i]!;
    else for (let i = 0; i < samples; i++) difference[i] = sum[from + i]! - own[from + i]!;

    const blocks = Math.ceil(samples / this.blockSamples);
    const fits = this.measure(samples, blocks);
    if (fits && this.gain === 1) {
      for (let i = 0; i < samples; i++) out[from + i] = difference[i]!;
      return;
    }
    this.planGain(blocks);
    this.applyFirstBlock(out, from, Math.min(samples, this.blockSamples));
    for (let block = 1; block < blocks; block++) {
      const begin = block * this.blockSamples;
      const length = Math.min(this.blockSamples, samples - begin);
      const gain = this.nodes[block]!;
      this.applyLine(out, from, begin, begin + length, gain, (this.nodes[block + 1]! - gain) / length);
    }
    this.gain = this.nodes[blocks]!;
  }

  /** Finds what gain each block bears; true if all bear 1. */
  private measure(samples: number, blocks: number): boolean {
    const difference = this.difference;
    let fits = true;
    for (let block = 0; block < blocks; block++) {
      const end = Math.min(samples, (block + 1) * this.blockSamples);
      let peak = 0;
      for (let i = block * this.blockSamples; i < end; i++) {
        const value = difference[i]!;
        // One's complement: −32768 is no overflow.
        const magnitude = value ^ (value >> 31);
        if (magnitude > peak) peak = magnitude;
      }
      this.bearable[block] = peak > CEILING ? CEILING / (peak + 1) : 1;
      if (peak > CEILING) fits = false;
    }
    return fits;
  }

  /** Forwards for hold and release, then backwards so that each descent begins early enough. */
  private planGain(blocks: number): void {
    const { nodes, bearable } = this;
    nodes[0] = this.gain;
    for (let block = 0; block < blocks; block++) {
      const ahead = block + 1 < blocks ? bearable[block + 1]! : 1;
      const limit = Math.min(bearable[block]!, ahead);
      const released = this.released(nodes[block]!);
      nodes[block + 1] = Math.min(released, limit);
      if (limit < 1 && limit < nodes[block]! * SAME_PEAK) this.holdBlocks = HOLD_BLOCKS;
      else if (this.holdBlocks > 0) this.holdBlocks--;
    }
    for (let block = blocks - 1; block > 0; block--) {
      nodes[block] = Math.min(nodes[block]!, nodes[block + 1]! + ATTACK_STEP);
    }
  }

  private released(gain: number): number {
    if (this.holdBlocks > 0) return gain;
    const next = gain + (1 - gain) * RELEASE;
    return next > NEARLY_ONE ? 1 : next;
  }

  /** Its first node is where the last frame ended, which may be too loud for what comes now. */
  private applyFirstBlock(out: Int16Array, from: number, length: number): void {
    const begin = this.nodes[0]!;
    const end = this.nodes[1]!;
    let step = (end - begin) / length;
    if (begin > this.bearable[0]!) {
      for (let i = 1; i < length; i++) {
        const value = this.difference[i]!;
        const magnitude = (value ^ (value >> 31)) + 1;
        if (magnitude * (begin + step * i) > CEILING) step = (CEILING / magnitude - begin) / i;
      }
    }
    const steepLength = step < 0 ? Math.min(length, Math.ceil((end - begin) / step)) : length;
    this.applyLine(out, from, 0, steepLength, begin, step);
    this.applyLine(out, from, steepLength, length, end, 0);
  }

  private applyLine(out: Int16Array, from: number, begin: number, end: number, gain: number, step: number): void {
    for (let i = begin; i < end; i++) {
      const value = Math.round(this.difference[i]! * (gain + step * (i - begin)));
      out[from + i] = value > 32767 ? 32767 : Math.max(value, -32768);
    }
  }
}
