// Makes the sounds in assets/ again: `npm run build && node scripts/make-prompts.mjs`, with pico2wave installed for the
// speech. `node scripts/make-prompts.mjs enter-pin join` makes only those. docs/prompts.md says more.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createG722Encoder } from '../dist/mixer/codec/g722.js';
import { sounds } from './sounds/chimes.mjs';
import { music } from './sounds/music.mjs';
import { g722, SAMPLE_RATE_HZ } from './sounds/pcm.mjs';
import { speech } from './sounds/speech.mjs';

const assets = join(dirname(fileURLToPath(import.meta.url)), '../assets');
const wanted = new Set(process.argv.slice(2));

function make(folder, id, sound) {
  if (wanted.size > 0 && !wanted.has(id)) return;
  const made = sound();
  mkdirSync(join(assets, folder), { recursive: true });
  writeFileSync(join(assets, folder, `${id}.g722`), g722(made, createG722Encoder()));
  console.log(`${folder}/${id}.g722: ${(made.length / SAMPLE_RATE_HZ).toFixed(2)} s`);
}

for (const language of ['en', 'de']) {
  const texts = JSON.parse(readFileSync(join(assets, 'prompts', language, 'prompts.json'), 'utf8'));
  for (const [id, text] of Object.entries(texts)) make(`prompts/${language}`, id, () => speech(language, text));
}
for (const [id, sound] of Object.entries(sounds)) make('sounds', id, sound);
make('music', 'waiting', music);
