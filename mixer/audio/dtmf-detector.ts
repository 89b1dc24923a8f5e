/**
 * Finds keys in the sound itself (ITU-T Q.23, tolerances in the manner of Q.24), for callers whose phone or gateway sends
 * no telephone events.
 *
 * Every 10 ms it looks at the last 20. Goertzel filters tell the strongest tone of each group, and how much its phase ran
 * ahead from the first half to the second tells its frequency to a few hertz. A key is two tones that are near enough to
 * their frequencies, near enough to each other in level, and hold nearly all the energy, which is what speech hardly ever
 * does; the same twice in a row. So a key of 40 ms is found and one of 20 ms is not.
 */

const LOW_HZ = [697, 770, 852, 941];
const HIGH_HZ = [1209, 1336, 1477, 1633];
const KEYS = ['1', '2', '3', 'A', '4', '5', '6', 'B', '7', '8', '9', 'C', '*', '0', '#', 'D'];
const HALF_MS = 10;
/** Between ±1.5 %, which must be taken, and ±3.5 %, which must not. */
const MOST_DEVIATION = 0.025;
/** How much louder one group may be than the other: lower ones arrive louder after a long line. Q.24: 8 and 4 dB. */
const MOST_LOW_OVER_HIGH = 10 ** (9 / 10);
const MOST_HIGH_OVER_LOW = 10 ** (5 / 10);
/** Of all energy; 15 dB of signal to noise leave 0.97. */
const LEAST_SHARE = 0.85;
/** Each tone, as a mean square: −40 dBov. */
const LEAST_POWER = 10 ** (-40 / 10) * 32768 * 32768;
const HITS = 2;
/** Without a hit for so long the key is up: a break of 10 ms spoils three looks, a pause of 40 ms five. */
const MISSES = 4;
const NOTHING = -1;

export class DtmfDetector {
  /** Of the key that was let go last, when `process` says so. */
  key = '';
  durationMs = 0;
  private readonly halfSamples: number;
  /** By tone: 2 cos ω, cos ω, sin ω, and cos and sin of the angle that it turns by in half a look. */
  private readonly tones: Float64Array;
  /** By tone, real and imaginary: of the half before, and of this one. */
  private before = new Float64Array(16);
  private now = new Float64Array(16);
  private energyBefore = 0;
  private candidate = NOTHING;
  private hits = 0;
  private misses = 0;
  private down = NOTHING;
  private halvesDown = 0;

  constructor(sampleRateHz: number) {
    this.halfSamples = (sampleRateHz * HALF_MS) / 1000;
    this.tones = new Float64Array(8 * 5);
    for (let tone = 0; tone < 8; tone++) {
      const omega = (2 * Math.PI * frequencyOf(tone)) / sampleRateHz;
      const turned = omega * this.halfSamples;
      const values = [2 * Math.cos(omega), Math.cos(omega), Math.sin(omega), Math.cos(turned), Math.sin(turned)];
      this.tones.set(values, tone * 5);
    }
  }

  /** A key is down, or what was heard last may be the beginning of one: not for others to hear. */
  get sounding(): boolean {
    return this.down !== NOTHING || this.hits > 0;
  }

  /** Takes whole multiples of 10 ms; true when a key was let go, which then stands in `key` and `durationMs`. */
  process(pcm: Int16Array, offset: number, samples: number): boolean {
    let told = false;
    for (let from = offset; from < offset + samples; from += this.halfSamples) if (this.look(pcm, from)) told = true;
    return told;
  }

  /** The stream has ended: a key that is down is let go. */
  end(): boolean {
    this.hits = 0;
    this.energyBefore = 0;
    return this.letGo();
  }

  private look(pcm: Int16Array, from: number): boolean {
    const { halfSamples } = this;
    let energy = 0;
    for (let i = from; i < from + halfSamples; i++) energy += pcm[i]! * pcm[i]!;
    // Two tones of the least level, in half of the look.
    const audible = energy + this.energyBefore > 2 * LEAST_POWER * halfSamples;
    let key = NOTHING;
    if (audible) {
      this.filter(pcm, from);
      key = this.energyBefore > 0 ? this.keyOf(energy + this.energyBefore) : NOTHING;
    }
    const spare = this.before;
    this.before = this.now;
    this.now = spare;
    this.energyBefore = audible ? energy : 0;
    return this.decide(key);
  }

  /** The complex amplitude of each tone, in this half. */
  private filter(pcm: Int16Array, from: number): void {
    for (let tone = 0; tone < 8; tone += 2) this.filterTwo(pcm, from, tone);
  }

  /** Two tones at a time: each step of a filter waits for the one before, but not for those of the other. */
  private filterTwo(pcm: Int16Array, from: number, tone: number): void {
    const end = from + this.halfSamples;
    const coefficient = this.tones[tone * 5]!;
    const otherCoefficient = this.tones[tone * 5 + 5]!;
    let last = 0;
    let beforeLast = 0;
    let otherLast = 0;
    let otherBeforeLast = 0;
    for (let i = from; i < end; i++) {
      const sample = pcm[i]!;
      const next = sample - beforeLast + coefficient * last;
      const otherNext = sample - otherBeforeLast + otherCoefficient * otherLast;
      beforeLast = last;
      last = next;
      otherBeforeLast = otherLast;
      otherLast = otherNext;
    }
    this.keep(tone, last, beforeLast);
    this.keep(tone + 1, otherLast, otherBeforeLast);
  }

  private keep(tone: number, last: number, beforeLast: number): void {
    this.now[2 * tone] = last - beforeLast * this.tones[tone * 5 + 1]!;
    this.now[2 * tone + 1] = beforeLast * this.tones[tone * 5 + 2]!;
  }

  private keyOf(energy: number): number {
    const low = this.strongest(0);
    const high = this.strongest(4);
    const lowPower = this.power(low);
    const highPower = this.power(high);
    if (lowPower < LEAST_POWER || highPower < LEAST_POWER) return NOTHING;
    if (lowPower > highPower * MOST_LOW_OVER_HIGH || highPower > lowPower * MOST_HIGH_OVER_LOW) return NOTHING;
    if (lowPower + highPower < LEAST_SHARE * (energy / (2 * this.halfSamples))) return NOTHING;
    return low * 4 + (high - 4);
  }

  private strongest(first: number): number {
    let strongest = first;
    let most = 0;
    for (let tone = first; tone < first + 4; tone++) {
      const magnitude = this.squareOf(this.before, tone) + this.squareOf(this.now, tone);
      if (magnitude > most) {
        most = magnitude;
        strongest = tone;
      }
    }
    return strongest;
  }

  /** Mean square of the tone in both halves; 0 when its frequency is too far off. */
  private power(tone: number): number {
    const { before, now, tones, halfSamples } = this;
    const real = before[2 * tone]!;
    const imaginary = before[2 * tone + 1]!;
    const cosine = tones[tone * 5 + 3]!;
    const sine = tones[tone * 5 + 4]!;
    // What this half would be, were the frequency right; and how far the phase is from that.
    const expectedReal = real * cosine - imaginary * sine;
    const expectedImaginary = real * sine + imaginary * cosine;
    const inPhase = now[2 * tone]! * expectedReal + now[2 * tone + 1]! * expectedImaginary;
    const ahead = now[2 * tone + 1]! * expectedReal - now[2 * tone]! * expectedImaginary;
    const offHz = (Math.atan2(ahead, inPhase) * 1000) / (2 * Math.PI * HALF_MS);
    if (Math.abs(offHz) > MOST_DEVIATION * frequencyOf(tone)) return 0;
    // A filter half a look long loses by the sinc of how far its tone is off.
    const angle = (Math.PI * offHz * HALF_MS) / 1000;
    const loss = angle === 0 ? 1 : Math.sin(angle) / angle;
    const amplitude =
      (Math.sqrt(this.squareOf(before, tone)) + Math.sqrt(this.squareOf(now, tone))) / (halfSamples * loss);
    return (amplitude * amplitude) / 2;
  }

  private squareOf(half: Float64Array, tone: number): number {
    return half[2 * tone]! * half[2 * tone]! + half[2 * tone + 1]! * half[2 * tone + 1]!;
  }

  private decide(key: number): boolean {
    this.hits = key !== NOTHING && key === this.candidate ? this.hits + 1 : key === NOTHING ? 0 : 1;
    this.candidate = key;
    if (this.down !== NOTHING) this.halvesDown++;
    this.misses = key === this.down ? 0 : this.misses + 1;
    let told = false;
    const another = this.hits >= HITS && key !== this.down;
    if (this.down !== NOTHING && (another || this.misses >= MISSES)) told = this.letGo();
    if (this.hits >= HITS && this.down === NOTHING) {
      this.down = key;
      this.misses = 0;
      this.halvesDown = HITS + 1;
    }
    return told;
  }

  private letGo(): boolean {
    if (this.down === NOTHING) return false;
    this.key = KEYS[this.down]!;
    this.durationMs = Math.max(HITS, this.halvesDown - this.misses) * HALF_MS;
    this.down = NOTHING;
    return true;
  }
}

function frequencyOf(tone: number): number {
  return tone < 4 ? LOW_HZ[tone]! : HIGH_HZ[tone - 4]!;
}
