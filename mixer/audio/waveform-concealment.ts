/**
 * Conceals missing pieces of a waveform by repeating its last pitch periods, in the manner of ITU-T G.711 Appendix I.
 *
 * Deviation: Appendix I delays all output by 3.75 ms so that it can blend the repetition into sound not yet played. Here
 * nothing is delayed: the first repetition is shifted to begin where the last sample was, and the shift fades away.
 */

/** Pitch of 66–200 Hz, as Appendix I. */
const MIN_PITCH_MS = 5;
const MAX_PITCH_MS = 15;
const CORRELATION_MS = 20;
/** After each so many milliseconds one more period joins the repetition, up to three, which sounds less like a buzz. */
const PERIOD_GROWTH_MS = 10;
const MAX_PERIODS = 3;
/** Full level at first, then linearly to silence. */
const FADE_START_MS = 10;
const FADE_END_MS = 70;
const OVERLAP_MIN_MS = 4;
const OVERLAP_MAX_MS = 10;

/** What is needed as long as something is missing. */
interface Repetition {
  /** The last samples that were put out before the loss, oldest first. */
  readonly before: Int16Array;
  /** `periods * pitch` samples whose end leads into their beginning. */
  readonly template: Int16Array;
  readonly overlap: Int16Array;
}

/** By samples a millisecond: for the next loss, whoever has it. */
const IDLE = new Map<number, Repetition[]>();
const MOST_IDLE = 32;

export class WaveformConcealment {
  private readonly samplesPerMs: number;
  /** The last samples that were put out, oldest first. */
  private readonly history: Int16Array;
  private readonly idle: Repetition[];
  private repetition: Repetition | null = null;
  private pitch = 0;
  private periods = 0;
  private position = 0;
  /** Samples made since the loss began; 0 as long as nothing is missing. */
  private concealed = 0;
  /** What is still added so that the repetition begins where the last sample was. */
  private shift = 0;
  private shiftStep = 0;

  constructor(sampleRateHz: number) {
    this.samplesPerMs = sampleRateHz / 1000;
    const maxPitch = MAX_PITCH_MS * this.samplesPerMs;
    this.history = new Int16Array(MAX_PERIODS * maxPitch + (maxPitch >> 2));
    const idle = IDLE.get(this.samplesPerMs) ?? [];
    IDLE.set(this.samplesPerMs, idle);
    this.idle = idle;
  }

  /** Takes note of decoded samples; right after a loss it blends the repetition into them, in place. */
  received(pcm: Int16Array, offset: number, samples: number): void {
    if (this.concealed > 0 && samples > 0) {
      this.blend(pcm, offset, samples);
      this.concealed = 0;
      if (this.idle.length < MOST_IDLE) this.idle.push(this.repetition!);
      this.repetition = null;
    }
    this.remember(pcm, offset, samples);
  }

  /** Writes `samples` samples in place of missing ones. */
  conceal(samples: number, out: Int16Array, offset: number): void {
    if (this.concealed === 0) this.begin();
    this.repeat(samples, out, offset);
    this.remember(out, offset, samples);
  }

  private begin(): void {
    this.repetition = this.idle.pop() ?? this.newRepetition();
    const { before } = this.repetition;
    before.set(this.history);
    this.pitch = this.findPitch(before);
    this.periods = 1;
    this.position = 0;
    this.fillTemplate();
    const end = before.length;
    this.shift = before[end - 1]! - before[end - 1 - this.pitch]!;
    this.shiftStep = this.shift / (this.pitch >> 2);
  }

  private newRepetition(): Repetition {
    return {
      before: new Int16Array(this.history.length),
      template: new Int16Array(MAX_PERIODS * MAX_PITCH_MS * this.samplesPerMs),
      overlap: new Int16Array(OVERLAP_MAX_MS * this.samplesPerMs),
    };
  }

  /** The lag at which the last 20 ms are most like what was before them: coarse steps first, then every lag. */
  private findPitch(before: Int16Array): number {
    const coarse = Math.max(1, this.samplesPerMs >> 2);
    const minimum = MIN_PITCH_MS * this.samplesPerMs;
    const maximum = MAX_PITCH_MS * this.samplesPerMs;
    const rough = this.bestLag(before, minimum, maximum, coarse, coarse);
    return this.bestLag(
      before,
      Math.max(minimum, rough - coarse + 1),
      Math.min(maximum, rough + coarse - 1),
      1,
      coarse >> 1 || 1,
    );
  }

  private bestLag(before: Int16Array, from: number, to: number, lagStep: number, sampleStep: number): number {
    const end = before.length;
    const start = end - CORRELATION_MS * this.samplesPerMs;
    let best = from;
    let bestLikeness = Number.NEGATIVE_INFINITY;
    for (let lag = from; lag <= to; lag += lagStep) {
      let product = 0;
      let energy = 1;
      for (let i = start; i < end; i += sampleStep) {
        const delayed = before[i - lag]!;
        product += before[i]! * delayed;
        energy += delayed * delayed;
      }
      const likeness = product / Math.sqrt(energy);
      if (likeness > bestLikeness) {
        bestLikeness = likeness;
        best = lag;
      }
    }
    return best;
  }

  /** The last `periods` periods; their last quarter period turns into what came before them, so that they can go round. */
  private fillTemplate(): void {
    const { before, template } = this.repetition!;
    const length = this.periods * this.pitch;
    const start = before.length - length;
    for (let i = 0; i < length; i++) template[i] = before[start + i]!;
    const quarter = this.pitch >> 2;
    for (let i = 0; i < quarter; i++) {
      const weight = (i + 1) / (quarter + 1);
      const at = length - quarter + i;
      template[at] = Math.round(template[at]! * (1 - weight) + before[start - quarter + i]! * weight);
    }
  }

  private repeat(samples: number, out: Int16Array, offset: number): void {
    const { template } = this.repetition!;
    const fadeStart = FADE_START_MS * this.samplesPerMs;
    const fadeEnd = FADE_END_MS * this.samplesPerMs;
    for (let i = 0; i < samples; i++) {
      const at = this.concealed++;
      if (at >= fadeEnd) {
        out[offset + i] = 0;
        continue;
      }
      if (this.position === this.periods * this.pitch) this.goRound(at);
      const gain = at < fadeStart ? 1 : (fadeEnd - at) / (fadeEnd - fadeStart);
      const value = (template[this.position++]! + this.shift) * gain;
      out[offset + i] = value > 32767 ? 32767 : Math.max(value, -32768);
      if (this.shift !== 0) {
        const next = this.shift - this.shiftStep;
        this.shift = next * this.shift <= 0 ? 0 : next;
      }
    }
  }

  /** Grows the template where due. Its second period begins with the sample that the smaller one began with. */
  private goRound(at: number): void {
    this.position = 0;
    if (this.periods < MAX_PERIODS && at >= this.periods * PERIOD_GROWTH_MS * this.samplesPerMs) {
      this.periods++;
      this.fillTemplate();
      this.position = this.pitch;
    }
  }

  /** Overlap-add: a longer loss has drifted further, so the repetition lasts on for longer. */
  private blend(pcm: Int16Array, offset: number, samples: number): void {
    const lostMs = this.concealed / this.samplesPerMs;
    const overlapMs = Math.min(OVERLAP_MAX_MS, Math.max(OVERLAP_MIN_MS, 0.4 * lostMs));
    const length = Math.min(samples, Math.floor(overlapMs * this.samplesPerMs));
    const { overlap } = this.repetition!;
    this.repeat(length, overlap, 0);
    for (let i = 0; i < length; i++) {
      const weight = (i + 1) / (length + 1);
      pcm[offset + i] = Math.round(overlap[i]! * (1 - weight) + pcm[offset + i]! * weight);
    }
  }

  private remember(pcm: Int16Array, offset: number, samples: number): void {
    const history = this.history;
    const length = history.length;
    if (samples < length) history.copyWithin(0, samples);
    const kept = Math.min(samples, length);
    let from = offset + samples - kept;
    for (let at = length - kept; at < length; at++) history[at] = pcm[from++]!;
  }
}
