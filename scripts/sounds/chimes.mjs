// Short sounds: two notes for who comes and goes, tones for recordings.
import { levelled, padded, rms, SAMPLE_RATE_HZ, samplesIn } from './pcm.mjs';

/** A struck bar: it dies away, the overtone sooner. */
function note(frequencyHz, seconds, decaySeconds) {
  return Float64Array.from({ length: samplesIn(seconds) }, (_, i) => {
    const t = i / SAMPLE_RATE_HZ;
    const wave = (harmonic, decay) => Math.sin(2 * Math.PI * frequencyHz * harmonic * t) * Math.exp(-t / decay);
    return Math.min(1, t / 0.005) * (wave(1, decaySeconds) + 0.25 * wave(2, decaySeconds / 2));
  });
}

function chime(first, second) {
  const out = new Float64Array(samplesIn(0.75));
  for (const [frequencyHz, at] of [
    [first, 0],
    [second, 0.16],
  ]) {
    const tone = note(frequencyHz, 0.55, 0.13);
    for (let i = 0; i < tone.length; i++) out[samplesIn(at) + i] += tone[i];
  }
  return padded(levelled(out, -26), 0.02, 0.04);
}

const tone = (frequencyHz, seconds, levelDb) => {
  const sine = Float64Array.from({ length: samplesIn(seconds) }, (_, i) =>
    Math.sin((2 * Math.PI * frequencyHz * i) / SAMPLE_RATE_HZ),
  );
  return padded(
    levelled(sine, levelDb, (sound) => 20 * Math.log10(rms(sound))),
    0.02,
    0.04,
  );
};

const E5 = 659.26;
const A5 = 880;

export const sounds = {
  join: () => chime(E5, A5),
  leave: () => chime(A5, E5),
  // As in the United States' rules for recorders: half a second of 1400 Hz, as loud as speech (FS-1037C).
  'recording-tone': () => tone(1400, 0.5, -22),
  beep: () => tone(1000, 0.25, -25),
  pause: () => new Float64Array(samplesIn(0.4)),
};
