/**
 * Makes 16-bit audio of a sum of voices, turning it down where it would overflow.
 *
 * The gain is a chain of straight lines between nodes 1 ms apart. It goes down within a few milliseconds before a peak,
 * waits a little, and comes back within some 200 ms. The output is 2 ms late, always: so long a look-ahead lets two
 * full-scale voices be met by a glide as gentle as any, wherever in a frame the peak comes. A delay only while it is
 * needed is none that one can have without a gap; and less than 2 ms would be heard as a crackle at the ends of frames.
 */

const BLOCK_MS = 1;
const LOOK_AHEAD_BLOCKS = 2;
/** Longest frame at once; longer ones take turns. */
const FRAME_MS = 20;
const CEILING = 32767;
/** Share of the way back to 1 that the gain makes in a block. */
const RELEASE = 1 - Math.exp(-BLOCK_MS / 200);
/** The gain is held so long after a peak, so that it does not follow the waves of a low voice. */
const HOLD_BLOCKS = 20;
/** A peak that needs nearly the present gain renews the hold. */
const SAME_PEAK = 1.02;
/** Steepest descent a block where there is a choice: full range in 5 ms. */
const ATTACK_STEP = 0.2;
const NEARLY_ONE = 0.9999;

export class Limiter {
  /** How far the output lags behind the input. */
  readonly delaySamples: number;
  private readonly blockSamples: number;
  /** What was taken and not yet put out, then the frame. */
  private readonly line: Int32Array;
  /** By block of the line: the highest gain that its peak bears. */
  private readonly bearable: Float64Array;
  /** The gain at each block's beginning, and last at the line's end. */
  private readonly nodes: Float64Array;
  /** At the end of the last output. */
  private gain = 1;
  private holdBlocks = 0;

  constructor(sampleRateHz: number) {
    this.blockSamples = (sampleRateHz * BLOCK_MS) / 1000;
    this.delaySamples = LOOK_AHEAD_BLOCKS * this.blockSamples;
    const blocks = FRAME_MS / BLOCK_MS + LOOK_AHEAD_BLOCKS;
    this.line = new Int32Array(blocks * this.blockSamples);
    this.bearable = new Float64Array(blocks).fill(1);
    this.nodes = new Float64Array(blocks + 1);
  }

  /**
   * Writes `sum` less `own` (a listener's own part in it; null for none) to `out`, late by `delaySamples`. What fits 16
   * bits is passed on bit by bit, unless a peak is near or was turned down shortly before.
   * @param samples a whole number of milliseconds
   */
  process(sum: Int32Array, own: Int16Array | null, out: Int16Array, samples: number): void {
    const most = this.line.length - this.delaySamples;
    for (let from = 0; from < samples; from += most) {
      this.processFrame(sum, own, out, from, Math.min(most, samples - from));
    }
  }

  /** Goes on where `other`, of the same rate, is now: what it has taken and not put out, and its gain. */
  continueFrom(other: Limiter): void {
    this.line.set(other.line);
    this.bearable.set(other.bearable);
    this.gain = other.gain;
    this.holdBlocks = other.holdBlocks;
  }

  private processFrame(sum: Int32Array, own: Int16Array | null, out: Int16Array, from: number, samples: number): void {
    const { line, delaySamples } = this;
    if (own === null) for (let i = 0; i < samples; i++) line[delaySamples + i] = sum[from + i]!;
    else for (let i = 0; i < samples; i++) line[delaySamples + i] = sum[from + i]! - own[from + i]!;

    const blocks = samples / this.blockSamples;
    const fits = this.measure(blocks + LOOK_AHEAD_BLOCKS);
    if (fits && this.gain === 1) {
      for (let i = 0; i < samples; i++) out[from + i] = line[i]!;
    } else {
      this.planGain(blocks);
      this.apply(blocks, out, from);
      this.gain = this.nodes[blocks]!;
    }
    line.copyWithin(0, samples, samples + delaySamples);
    for (let block = 0; block < LOOK_AHEAD_BLOCKS; block++) this.bearable[block] = this.bearable[blocks + block]!;
  }

  /** Finds what gain each new block bears; true if all of the line bear 1. */
  private measure(blocks: number): boolean {
    const { line, blockSamples, bearable } = this;
    let fits = true;
    for (let block = 0; block < LOOK_AHEAD_BLOCKS; block++) if (bearable[block]! < 1) fits = false;
    for (let block = LOOK_AHEAD_BLOCKS; block < blocks; block++) {
      const end = (block + 1) * blockSamples;
      // One's complement: −32768 is no overflow. The bits of all magnitudes together tell whether any has more than 15.
      let bits = 0;
      for (let i = block * blockSamples; i < end; i++) bits |= line[i]! ^ (line[i]! >> 31);
      bearable[block] = bits > CEILING ? CEILING / (this.peak(block * blockSamples, end) + 1) : 1;
      if (bits > CEILING) fits = false;
    }
    return fits;
  }

  private peak(begin: number, end: number): number {
    let peak = 0;
    for (let i = begin; i < end; i++) {
      const value = this.line[i]!;
      const magnitude = value ^ (value >> 31);
      if (magnitude > peak) peak = magnitude;
    }
    return peak;
  }

  /**
   * Forwards for hold and release, then backwards so that each descent begins early enough. Planned to the end of the
   * look-ahead, and kept to the end of the frame: what follows is planned again when more is known.
   */
  private planGain(blocks: number): void {
    const { nodes, bearable } = this;
    const planned = blocks + LOOK_AHEAD_BLOCKS;
    let holdBlocks = this.holdBlocks;
    nodes[0] = this.gain;
    for (let block = 0; block < planned; block++) {
      const ahead = block + 1 < planned ? bearable[block + 1]! : 1;
      const limit = Math.min(bearable[block]!, ahead);
      nodes[block + 1] = Math.min(holdBlocks > 0 ? nodes[block]! : released(nodes[block]!), limit);
      if (limit < 1 && limit < nodes[block]! * SAME_PEAK) holdBlocks = HOLD_BLOCKS;
      else if (holdBlocks > 0) holdBlocks--;
      if (block === blocks - 1) this.holdBlocks = holdBlocks;
    }
    for (let block = planned - 1; block > 0; block--) {
      nodes[block] = Math.min(nodes[block]!, nodes[block + 1]! + ATTACK_STEP);
    }
  }

  private apply(blocks: number, out: Int16Array, from: number): void {
    const { line, nodes, blockSamples } = this;
    for (let block = 0; block < blocks; block++) {
      const begin = block * blockSamples;
      const gain = nodes[block]!;
      const step = (nodes[block + 1]! - gain) / blockSamples;
      for (let i = 0; i < blockSamples; i++) {
        const value = Math.round(line[begin + i]! * (gain + step * i));
        out[from + begin + i] = value > 32767 ? 32767 : Math.max(value, -32768);
      }
    }
  }
}

function released(gain: number): number {
  const next = gain + (1 - gain) * RELEASE;
  return next > NEARLY_ONE ? 1 : next;
}
