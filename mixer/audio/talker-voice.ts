import { AutomaticGain, type AutomaticGainMode } from './automatic-gain.ts';
import { DcBlocker } from './dc-blocker.ts';
import { Gain } from './gain.ts';
import type { VoiceActivity } from './voice-activity.ts';

/** Short enough not to soften a word's beginning, long enough not to click where it begins in the middle of sound. */
const FADE_IN_MS = 3;
/** Who leaves does so in the 20 ms after their last. What resamplers and limiter have in hand is silence by then. */
const FADE_OUT_MS = 14;

/** Where a frame lies in the talk that it is part of; `cut`: its end, without more ado. */
export type TalkPhase = 'entering' | 'talking' | 'leaving' | 'cut';

/** What is done to the sound of one who is heard, on the way into the mix: offset, loudness, volume, fades. In place. */
export class TalkerVoice {
  readonly volume: Gain;
  private readonly automaticGain: AutomaticGain | null;
  private readonly dcBlocker: DcBlocker;
  private readonly fadeInSamples: number;
  private readonly fadeOutSamples: number;

  constructor(sampleRateHz: number, gainDb: number, automaticGain: AutomaticGainMode) {
    this.volume = new Gain(sampleRateHz, gainDb);
    this.automaticGain = automaticGain === 'off' ? null : new AutomaticGain(sampleRateHz, automaticGain);
    this.dcBlocker = new DcBlocker(sampleRateHz);
    this.fadeInSamples = (sampleRateHz * FADE_IN_MS) / 1000;
    this.fadeOutSamples = (sampleRateHz * FADE_OUT_MS) / 1000;
  }

  process(pcm: Int16Array, activity: VoiceActivity, phase: TalkPhase): void {
    if (phase === 'entering') this.dcBlocker.reset(pcm[0]!);
    this.dcBlocker.process(pcm, 0, pcm.length);
    this.automaticGain?.process(pcm, 0, pcm.length, activity.speaking && activity.settled, activity.noiseDb);
    this.volume.process(pcm, 0, pcm.length);
    if (phase === 'entering') fadeIn(pcm, this.fadeInSamples);
    else if (phase === 'leaving') fadeOut(pcm, this.fadeOutSamples);
    else if (phase === 'cut') fadeOut(pcm, this.fadeInSamples);
  }
}

function fadeIn(pcm: Int16Array, samples: number): void {
  for (let i = 0; i < samples; i++) pcm[i] = Math.round((pcm[i]! * i) / samples);
}

function fadeOut(pcm: Int16Array, samples: number): void {
  for (let i = 0; i < samples; i++) pcm[i] = Math.round((pcm[i]! * (samples - i)) / samples);
  pcm.fill(0, samples);
}
