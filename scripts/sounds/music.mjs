// A calm piece for who waits: twelve slow chords, a bell above them. It begins and ends in silence, so that it can begin
// again at once. Composed for Parley; all of it is in this file.
import { levelled, rms, SAMPLE_RATE_HZ, samplesIn } from './pcm.mjs';

const BAR_SECONDS = 4;
const LEVEL_DB = -30;
/** The last chord rings out, then a breath. */
const ENDING_SECONDS = 4;

/** Each bar: the chord's notes | the bell's, each with its beat of 0 to 4. Notes are MIDI numbers: 69 is 440 Hz. */
const BARS = [
  '50 57 64 66 | 78@0 76@2',
  '47 54 62 69 | 74@0 73@1.5 74@3',
  '43 50 59 66 | 71@1 74@2',
  '45 52 59 64 | 73@0 69@2',
  '50 57 64 66 | 78@1 81@2',
  '54 57 61 69 | 80@0 78@1.5 76@3',
  '43 50 57 66 | 74@0 78@2',
  '52 55 62 67 | 79@0.5 76@2.5',
  '47 54 61 69 | 78@0 74@2',
  '43 50 59 64 | 71@1 76@2 74@3',
  '45 52 62 67 | 73@0 76@2',
  '50 57 62 66 | 74@0',
].map((bar) => {
  const [chord, bells] = bar.split(' | ').map((part) => part.split(' '));
  return { chord: chord.map(Number), bells: bells.map((struck) => struck.split('@').map(Number)) };
});

const frequencyOf = (midi) => 440 * 2 ** ((midi - 69) / 12);

/** Adds a tone: `shape` gives its loudness at a time of it, `partials` the loudness of each harmonic. */
function add(out, atSeconds, seconds, frequencyHz, shape, partials) {
  const from = samplesIn(atSeconds);
  const length = Math.min(samplesIn(seconds), out.length - from);
  for (let i = 0; i < length; i++) {
    const t = i / SAMPLE_RATE_HZ;
    let value = 0;
    for (let k = 0; k < partials.length; k++) {
      value += partials[k] * Math.sin(2 * Math.PI * frequencyHz * (k + 1) * t);
    }
    out[from + i] += value * shape(t);
  }
}

/** Two voices a little apart, which swell and fade into the next chord; overtones as of a triangle, and the octave. */
function pad(out, bar, midi) {
  const seconds = BAR_SECONDS + 2;
  const shape = (t) =>
    Math.sin((Math.PI / 2) * Math.min(1, t / 1.5)) ** 2 * Math.cos(((Math.PI / 2) * Math.max(0, t - 3)) / 3) ** 2;
  for (const detune of [-1, 1]) {
    const frequencyHz = frequencyOf(midi) * (1 + detune * 0.0012);
    add(out, bar * BAR_SECONDS, seconds, frequencyHz, shape, [0.5, 0.1, 1 / 18, 0, 1 / 50]);
  }
}

function bell(out, bar, [midi, beat]) {
  const shape = (t) => Math.min(1, t / 0.008) * Math.exp(-t / 0.7) * Math.min(1, (3.5 - t) / 0.5);
  add(out, (bar + beat / 4) * BAR_SECONDS, 3.5, frequencyOf(midi), shape, [0.45, 0.12, 0, 0.03]);
}

export function music() {
  const out = new Float64Array(samplesIn(BARS.length * BAR_SECONDS + ENDING_SECONDS));
  BARS.forEach(({ chord, bells }, bar) => {
    for (const midi of chord) pad(out, bar, midi);
    for (const struck of bells) bell(out, bar, struck);
  });
  return levelled(out, LEVEL_DB, (sound) => 20 * Math.log10(rms(sound)));
}
