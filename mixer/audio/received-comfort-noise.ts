/**
 * The noise of the other side's room as its comfort noise packets describe it (RFC 3389), for the time in which it sends
 * no audio: white noise of that level through an all-pole filter, given by reflection coefficients.
 */

/** More than this is refinement that nobody hears. */
const MOST_COEFFICIENTS = 12;
/** RFC 3389 §3.2: coefficient = 258 · (octet − 127) / 32768. */
const COEFFICIENT_ZERO = 127;
const COEFFICIENT_STEP = 258 / 32768;
const STEEPEST = 0.99;
/** What is louder was no noise, whatever the packet says; and must not hold the floor. */
const LOUDEST_DB = 42;
const FULL_SCALE = 32768;

export class ReceivedComfortNoise {
  private readonly reflection = new Float64Array(MOST_COEFFICIENTS);
  private readonly delayed = new Float64Array(MOST_COEFFICIENTS + 1);
  private order = 0;
  /** Of the white noise, as a factor for numbers evenly spread from −1 to 1. */
  private amplitude = 0;
  private state = 1;

  /** @param payload level below overload in dB, then reflection coefficients; an empty one changes nothing */
  update(payload: Uint8Array): void {
    if (payload.length === 0) return;
    this.order = Math.min(payload.length - 1, MOST_COEFFICIENTS);
    let power = 3 * (FULL_SCALE * 10 ** (-Math.max(payload[0]! & 0x7f, LOUDEST_DB) / 20)) ** 2;
    for (let index = 0; index < this.order; index++) {
      const coefficient = (payload[index + 1]! - COEFFICIENT_ZERO) * COEFFICIENT_STEP;
      this.reflection[index] = Math.max(-STEEPEST, Math.min(STEEPEST, coefficient));
      // What each section adds to the power.
      power *= 1 - this.reflection[index]! ** 2;
    }
    this.amplitude = Math.sqrt(power);
    this.delayed.fill(0);
  }

  fill(out: Int16Array, offset: number, samples: number): void {
    const { reflection, delayed, order } = this;
    for (let i = offset; i < offset + samples; i++) {
      this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
      let forward = (this.state / 2 ** 31 - 1) * this.amplitude;
      // A lattice, from the last section to the first.
      for (let section = order - 1; section >= 0; section--) {
        forward -= reflection[section]! * delayed[section]!;
        delayed[section + 1] = delayed[section]! + reflection[section]! * forward;
      }
      delayed[0] = forward;
      const value = Math.round(forward);
      out[i] = value > 32767 ? 32767 : Math.max(value, -32768);
    }
  }
}
