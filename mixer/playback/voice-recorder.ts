import { Resampler } from '../audio/resampler.ts';
import { TICK_MS } from '../room-clock.ts';

export const VOICE_RATE_HZ = 16_000;
const TICK_SAMPLES = (VOICE_RATE_HZ * TICK_MS) / 1000;
/** Kept before the first word and after the last. */
const MARGIN_TICKS = 200 / TICK_MS;
/** The beginning of a key's tone is in the sound before it is known to be one. */
const KEY_TICKS = 100 / TICK_MS;

export interface VoiceRecorderOptions {
  maxMs: number;
  endsAtSilenceMs: number;
  /** Told once: what was said. */
  ended(pcm: Int16Array): void;
}

/** Records what one participant says, in memory, until they have said it. */
export class VoiceRecorder {
  private readonly options: VoiceRecorderOptions;
  private readonly pcm: Int16Array;
  private readonly maxTicks: number;
  private resampler: Resampler | null = null;
  private rateHz = VOICE_RATE_HZ;
  private ticks = 0;
  private firstSpoken = -1;
  private lastSpoken = -1;
  /** One that was down at the beginning ends nothing. */
  private keyWasUp = false;

  constructor(options: VoiceRecorderOptions) {
    this.options = options;
    this.maxTicks = Math.ceil(options.maxMs / TICK_MS);
    this.pcm = new Int16Array(this.maxTicks * TICK_SAMPLES);
  }

  /**
   * Takes a tick's 20 ms; returns true when that was the end.
   * @param frame null: there is no sound
   */
  take(frame: Int16Array | null, sampleRateHz: number, speaking: boolean, keyDown: boolean): boolean {
    if (keyDown && this.keyWasUp) {
      this.lastSpoken = Math.min(this.lastSpoken, this.ticks - KEY_TICKS);
      this.end();
      return true;
    }
    if (!keyDown) this.keyWasUp = true;
    if (frame) this.add(frame, sampleRateHz);
    if (speaking && !keyDown) {
      if (this.firstSpoken < 0) this.firstSpoken = this.ticks;
      this.lastSpoken = this.ticks;
    }
    this.ticks++;
    const silentMs = this.firstSpoken < 0 ? 0 : (this.ticks - 1 - this.lastSpoken) * TICK_MS;
    if (this.ticks < this.maxTicks && silentMs < this.options.endsAtSilenceMs) return false;
    this.end();
    return true;
  }

  /** With what there is. */
  end(): void {
    const begin = Math.max(0, this.firstSpoken - MARGIN_TICKS);
    const end = Math.min(this.ticks, this.lastSpoken + 1 + MARGIN_TICKS);
    const spoken = this.firstSpoken >= 0 && this.lastSpoken >= this.firstSpoken;
    this.options.ended(spoken ? this.pcm.subarray(begin * TICK_SAMPLES, end * TICK_SAMPLES) : new Int16Array(0));
  }

  private add(frame: Int16Array, sampleRateHz: number): void {
    const at = this.ticks * TICK_SAMPLES;
    if (sampleRateHz !== this.rateHz) {
      this.rateHz = sampleRateHz;
      this.resampler = sampleRateHz === VOICE_RATE_HZ ? null : new Resampler(sampleRateHz, VOICE_RATE_HZ);
    }
    if (this.resampler) this.resampler.process(frame, 0, frame.length, this.pcm, at);
    else this.pcm.set(frame, at);
  }
}
