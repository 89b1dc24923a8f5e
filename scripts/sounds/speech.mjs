// Speech by SVOX Pico (`pico2wave`), cut to the words.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FRAME, frameLevels, levelled, padded, readWav, SAMPLE_RATE_HZ } from './pcm.mjs';

/** A voice, and a word without stops in it to follow a part of a sentence. */
const VOICES = { en: { name: 'en-GB', following: 'nine' }, de: { name: 'de-DE', following: 'neun' } };

/** Percent of Pico's usual speed, which is a little fast for a telephone. */
const SPEED = 92;
/** RFC 7874 §4: active speech at an RMS of 2600, which is −22 dBov. */
const SPEECH_DB = -22;
/** Quieter than Pico's softest consonants, louder than its own noise. */
const SILENT_RMS = 30 / 32768;
/** What belongs to a word around its silent frames. */
const MARGIN_FRAMES = 2;
/** Pico pauses longer at a comma; a stop within a word is shorter. */
const COMMA_FRAMES = 8;

function say(voice, text) {
  const folder = mkdtempSync(join(tmpdir(), 'prompts-'));
  try {
    const file = join(folder, 'said.wav');
    execFileSync('pico2wave', ['-l', voice, '-w', file, `<speed level="${SPEED}">${text}</speed>`]);
    return readWav(readFileSync(file));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * The words of a text, as sound with hardly any silence around it. A text that ends with a comma is a part that another
 * one follows: it is spoken so, with a word behind it, which is cut off at the pause between them.
 */
export function speech(language, text) {
  const { name, following } = VOICES[language];
  const unfinished = text.endsWith(',');
  const sound = say(name, unfinished ? `${text} ${following}.` : text);
  const sounding = frameLevels(sound).map((level) => level > SILENT_RMS);
  const first = sounding.indexOf(true);
  const last = unfinished ? endBeforeComma(sounding, text) : sounding.lastIndexOf(true);
  const from = Math.max(0, first - MARGIN_FRAMES) * FRAME;
  const words = sound.subarray(from, Math.min(sound.length, (last + 1 + MARGIN_FRAMES) * FRAME));
  return padded(levelled(words, SPEECH_DB), 0.02, unfinished ? 0.02 : 0.2);
}

/** The last sounding frame before the last long pause within the sound. */
function endBeforeComma(sounding, text) {
  let silent = 0;
  for (let i = sounding.lastIndexOf(true); i >= 0; i--) {
    if (!sounding[i]) silent++;
    else if (silent >= COMMA_FRAMES) return i;
    else silent = 0;
  }
  throw new Error(`no pause after "${text}" of ${(sounding.length * FRAME) / SAMPLE_RATE_HZ} s`);
}
