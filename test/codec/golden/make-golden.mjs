/**
 * Makes the golden files of G.711 and G.722 again, with the ffmpeg in PATH: `node test/codec/golden/make-golden.mjs`.
 *
 * g722.input.pcm       16 kHz signed 16-bit little-endian: our own test signals, one after the other
 * g722.encoded.bin     ffmpeg's encoding of it. Without its `-trellis` option, ffmpeg quantizes as the Recommendation does
 * g722.decoded.pcm     ffmpeg's decoding of that; the filters' delay is left in, as a decoder puts it out
 * g722.random.bin      octets from a generator, which drive the predictors to places that sound never takes them
 * g722.random.pcm      ffmpeg's decoding of them
 * pcmu.encoded.bin.gz  PCMU of every 16-bit value, from -32768 up
 * pcma.encoded.bin.gz  PCMA of the same
 * pcmu.decoded.pcm     every octet, decoded
 * pcma.decoded.pcm     the same
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const RATE = 16000;
const PART = 3200;

/** Numerical Recipes' generator, in 32 bits. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function part(sampleAt) {
  return Array.from({ length: PART }, (_, i) => Math.max(-32768, Math.min(32767, Math.round(sampleAt(i, i / RATE)))));
}

function signals() {
  const random = generator(722);
  const sine = (hz, t) => Math.sin(2 * Math.PI * hz * t);
  return [
    part(() => 0),
    part((_, t) => 10000 * sine(440, t)),
    part((_, t) => 8000 * sine(2 * Math.PI, t) + 8000 * sine(5000, t)),
    part((_, t) => 20000 * Math.sin(2 * Math.PI * (50 * t + (7900 / 2 / 0.2) * t * t))),
    part(() => 30000 * (random() - 0.5)),
    // Like speech: a glottal pulse train through two decaying resonances, in syllables, with breath.
    part((i, t) => {
      const sinceGlottis = (i % 133) / RATE;
      const voice = Math.exp(-300 * sinceGlottis) * (sine(700, sinceGlottis) + 0.6 * sine(2300, sinceGlottis));
      return Math.abs(sine(4, t)) * (9000 * voice + 600 * (random() - 0.5));
    }),
    // Full scale, and beyond what the predictors can follow.
    part((i) => (Math.floor(i / 37) % 2 ? 32767 : -32768)),
    part(() => (random() < 0.5 ? -32768 : 32767)),
    part((_, t) => 3 * sine(300, t)),
  ].flat();
}

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

function ffmpeg(input, from, to) {
  const options = { input, maxBuffer: 1 << 24, stdio: ['pipe', 'pipe', 'inherit'] };
  return execFileSync('ffmpeg', ['-v', 'error', ...from, '-i', 'pipe:0', ...to, 'pipe:1'], options);
}

const raw = (rate) => ['-f', 's16le', '-ar', String(rate), '-ac', '1'];

const input = Buffer.from(Int16Array.from(signals()).buffer);
writeFileSync(here('g722.input.pcm'), input);
writeFileSync(here('g722.encoded.bin'), ffmpeg(input, raw(RATE), ['-c:a', 'g722', '-f', 'g722']));
const fromG722 = (octets) => ffmpeg(octets, ['-f', 'g722'], raw(RATE));
writeFileSync(here('g722.decoded.pcm'), fromG722(readFileSync(here('g722.encoded.bin'))));
const random = generator(64000);
const octets = Buffer.from(Array.from({ length: 4000 }, () => Math.floor(random() * 256)));
writeFileSync(here('g722.random.bin'), octets);
writeFileSync(here('g722.random.pcm'), fromG722(octets));

const everySample = Buffer.from(Int16Array.from({ length: 65536 }, (_, i) => i - 32768).buffer);
const everyOctet = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
for (const [name, format] of Object.entries({ pcmu: 'mulaw', pcma: 'alaw' })) {
  const encoded = ffmpeg(everySample, raw(8000), ['-f', format]);
  writeFileSync(here(`${name}.encoded.bin.gz`), gzipSync(encoded, { level: 9 }));
  writeFileSync(here(`${name}.decoded.pcm`), ffmpeg(everyOctet, ['-f', format, '-ar', '8000', '-ac', '1'], raw(8000)));
}
