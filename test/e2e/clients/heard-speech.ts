import { pause } from './pause.ts';
import { toneLevelDbfs } from './tone-levels.ts';
import type { VoiceClient } from './voice-client.ts';

/** What is said is louder; noise under the mix is not. */
const SPEECH_DBFS = -40;
const STEP_MS = 250;
const LOOK_EVERY_MS = 500;
/** So long nothing is said between two words; in one of these steps, a busy machine may have made a noise. */
const PAUSE_STEPS = 5;

/** How loud all is that is none of these tones: speech, above all. */
function speechDbfs(client: VoiceClient, tonesHz: readonly number[], fromMs: number, toMs: number): number {
  const { pcm, sampleAt } = client.hearing();
  const [from, to] = [sampleAt(fromMs), sampleAt(toMs)];
  let energy = pcm.samples.subarray(from, to).reduce((sum, sample) => sum + sample * sample, 1e-12) / (to - from);
  for (const hz of tonesHz) energy -= 10 ** (toneLevelDbfs(pcm, hz, from, to) / 10) / 2;
  return 10 * Math.log10(Math.max(energy, 1e-12));
}

/** Settled when it has heard speech that began since then, to its end. */
export async function hearsSpeech(
  client: VoiceClient,
  tonesHz: readonly number[],
  sinceMs: number,
  withinMs = 15_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const levels: number[] = [];
    const untilMs = performance.now() - client.playoutDelayMs - STEP_MS;
    for (let ms = sinceMs; ms < untilMs; ms += STEP_MS) {
      levels.push(Math.round(speechDbfs(client, tonesHz, ms, ms + STEP_MS)));
    }
    const isLoud = (level: number): boolean => level > SPEECH_DBFS;
    if (levels.filter(isLoud).length >= 2 && levels.slice(-PAUSE_STEPS).filter(isLoud).length <= 1) return;
    if (performance.now() > deadline) {
      throw new Error(`${client.voice.name} hears nobody speak within ${withinMs} ms; levels: ${levels.join(' ')}`);
    }
    // Seldom: reading all that was heard takes the processor that the server needs.
    await pause(LOOK_EVERY_MS);
  }
}
