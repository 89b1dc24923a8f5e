import { existsSync, readFileSync } from 'node:fs';
import { Resampler } from '../../mixer/audio/resampler.ts';
import { createG722Decoder } from '../../mixer/codec/g722.ts';

/** Speech of two synthetic voices with pauses, made by `make-speech.mjs`. */
export type Voice = 'low' | 'high';

/** Some seconds of speech, which begin and end with half a second of silence. */
export function speech(voice: Voice, sampleRateHz: 8000 | 16000 | 48000): Int16Array {
  const coded = readFileSync(sourceFile(`${voice}.g722`));
  const samples = Math.floor((coded.length * 2) / 320) * 320;
  const pcm = new Int16Array(coded.length * 2);
  createG722Decoder().decode(coded, pcm, 0);
  if (sampleRateHz === 16000) return pcm.subarray(0, samples);
  const resampled = new Int16Array((samples * sampleRateHz) / 16000);
  new Resampler(16000, sampleRateHz).process(pcm, 0, samples, resampled, 0);
  return resampled;
}

/** Beside this file; when it runs compiled, in `dist/test/speech`, beside its source. */
function sourceFile(name: string): URL {
  const here = new URL(name, import.meta.url);
  return existsSync(here) ? here : new URL(`../../../test/speech/${name}`, import.meta.url);
}
