import { linearGain } from '../audio/gain.ts';
import type { Limiter } from '../audio/limiter.ts';
import type { MixBus, MixSource } from '../audio/mix-bus.ts';
import { SoundQueue } from './sound-queue.ts';
import { TickRamp } from './tick-ramp.ts';

/** How far the mix is turned down under a sound, how soon, and how soon it comes back. */
const DUCKED_DB = -12;
const DUCK_TICKS = 3;
const RETURN_TICKS = 10;
const VOLUME_TICKS = 3;
/** 20 ms at 48 kHz. */
const LONGEST_FRAME = 960;

/** For all: it holds nothing from one call to the next. */
const sum = new Int32Array(LONGEST_FRAME);

/**
 * What one participant hears and nobody else: the mix, at their volume, and over it what is played to them alone and who
 * speaks to them alone. There is one only as long as it differs from what others hear.
 */
export class PrivateMix {
  readonly sounds = new SoundQueue();
  /** Who speaks to this participant, and not to all, in this tick. */
  readonly whispers: MixSource[] = [];
  private readonly mixGain: TickRamp;
  private readonly soundGain: TickRamp;
  private volume: number;
  private leaves = false;
  private wasDucked = false;

  /** @param volumeDb until now */
  constructor(volumeDb: number) {
    this.volume = linearGain(volumeDb);
    this.mixGain = new TickRamp(this.volume);
    this.soundGain = new TickRamp(this.volume);
  }

  setVolume(volumeDb: number): void {
    this.volume = linearGain(volumeDb);
  }

  /** Fades all out in the next tick, before the participant goes to another room, or to an encoder of another kind. */
  leave(): void {
    this.leaves = true;
  }

  /** Comes back in the next tick. */
  enter(): void {
    this.leaves = false;
  }

  /** The last tick was the one that `leave` announced, or another after it. */
  get hasLeft(): boolean {
    return this.leaves && this.mixGain.to === 0;
  }

  /** False when there is no more need of it. */
  tick(): boolean {
    const { sounds, mixGain, soundGain, volume } = this;
    if (!sounds.idle) sounds.tick();
    const ducked = sounds.sounding.length > 0;
    if (this.leaves) mixGain.set(0, 1);
    else if (mixGain.to === 0) mixGain.set(volume, 1);
    else if (ducked) mixGain.set(volume * linearGain(DUCKED_DB), DUCK_TICKS);
    else mixGain.set(volume, this.wasDucked ? RETURN_TICKS : VOLUME_TICKS);
    this.wasDucked = ducked;
    soundGain.set(volume, VOLUME_TICKS);
    mixGain.tick();
    soundGain.tick();
    return this.isHeard || !sounds.idle;
  }

  /** Whether it differs, in this tick, from what others hear. */
  get isHeard(): boolean {
    return this.sounds.sounding.length > 0 || this.whispers.length > 0 || !this.mixGain.is(1);
  }

  /**
   * @param own the participant, if part of the last `mix` of `bus`
   * @param hearsRoom false: only what is played
   */
  mix(bus: MixBus, own: MixSource | null, hearsRoom: boolean, limiter: Limiter, out: Int16Array): void {
    const { sampleRateHz, frameSamples } = bus;
    if (hearsRoom) bus.sumWithout(own, sum);
    else for (let index = 0; index < frameSamples; index++) sum[index] = bus.silence[index]!;
    for (let index = 0; index < this.whispers.length; index++) {
      add(this.whispers[index]!.frameAt(sampleRateHz), frameSamples);
    }
    this.turnDown(frameSamples);
    const { sounding } = this.sounds;
    for (let index = 0; index < sounding.length; index++) {
      this.addSound(sounding[index]!.frameAt(sampleRateHz), frameSamples);
    }
    limiter.process(sum, null, out, frameSamples);
  }

  private turnDown(samples: number): void {
    const { from, to } = this.mixGain;
    if (from === 1 && to === 1) return;
    const step = (to - from) / samples;
    for (let index = 0; index < samples; index++) sum[index] = Math.round(sum[index]! * (from + step * index));
  }

  private addSound(frame: Int16Array, samples: number): void {
    const { from, to } = this.soundGain;
    const step = (to - from) / samples;
    for (let index = 0; index < samples; index++) sum[index]! += Math.round(frame[index]! * (from + step * index));
  }
}

function add(frame: Int16Array, samples: number): void {
  for (let index = 0; index < samples; index++) sum[index]! += frame[index]!;
}
