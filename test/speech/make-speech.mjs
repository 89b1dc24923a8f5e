// Makes the speech that tests use: `node test/speech/make-speech.mjs`, with espeak-ng and ffmpeg installed.
// Kept as G.722 at 64 kbit/s, which our own decoder reads.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const VOICES = [
  [
    'low',
    'en-us+m3',
    'Good morning. This is the weekly call; please mute yourself when you do not talk. ... Shall we begin?',
  ],
  [
    'high',
    'en-gb+f2',
    'Yes, I can hear you well. ... The figures of last month are fine, fifteen percent above the plan. Thank you.',
  ],
];

const folder = mkdtempSync(join(tmpdir(), 'speech-'));
for (const [name, voice, text] of VOICES) {
  const wav = join(folder, `${name}.wav`);
  execFileSync('espeak-ng', ['-v', voice, '-s', '150', '-g', '8', '-w', wav, text]);
  const filter = 'adelay=500,apad=pad_dur=0.5,volume=-6dB';
  const out = join(here, `${name}.g722`);
  execFileSync('ffmpeg', [
    '-v',
    'error',
    '-y',
    '-i',
    wav,
    '-af',
    filter,
    '-ar',
    '16000',
    '-ac',
    '1',
    '-f',
    'g722',
    out,
  ]);
}
rmSync(folder, { recursive: true });
