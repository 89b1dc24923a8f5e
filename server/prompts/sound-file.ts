import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { extname } from 'node:path';

/** What a file must be, so that a mixer can play it. */
export const PLAYABLE = 'WAV (PCM, 16 bit, mono, 8, 16 or 48 kHz) or raw G.722 at 64 kbit/s (.g722)';

/** As far as other chunks may reach before a WAV file's samples. */
const HEAD_BYTES = 64 * 1024;
const FORMAT_BYTES = 16;
const PCM = 1;
/** WAVE_FORMAT_EXTENSIBLE: the format is in the first two octets of its GUID. */
const EXTENSIBLE = 0xfffe;
const SAMPLING_RATES_HZ = [8000, 16_000, 48_000];

/** Why a file cannot be played, in words that go after its name; null when it can. Reads its beginning only. */
export function soundFileProblem(path: string): string | null {
  try {
    return problemOf(path);
  } catch (error) {
    return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function problemOf(path: string): string | null {
  const stat = statSync(path);
  // To open a pipe would wait for its other end.
  if (!stat.isFile()) return 'is no file';
  const { size } = stat;
  if (size === 0) return 'is empty';
  const fd = openSync(path, 'r');
  try {
    // Raw G.722 has nothing to be known by; but some give its name to a file that says what it is.
    const head = Buffer.alloc(Math.min(size, HEAD_BYTES));
    const isWav = isWavHead(head.subarray(0, readSync(fd, head, 0, head.length, 0)));
    if (extname(path) === '.g722') return isWav ? 'is a WAV file, so must be called .wav' : null;
    return isWav ? wavProblem(head, size) : 'is not a WAV file';
  } finally {
    closeSync(fd);
  }
}

const isWavHead = (head: Buffer): boolean =>
  head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WAVE';

function wavProblem(head: Buffer, fileBytes: number): string | null {
  let format: Buffer | null = null;
  for (let at = 12; at + 8 <= head.length; ) {
    const chunk = head.toString('latin1', at, at + 4);
    const bytes = head.readUInt32LE(at + 4);
    const start = at + 8;
    if (chunk === 'fmt ') format = head.subarray(start, start + bytes);
    if (chunk === 'data') {
      if (format === null || format.length < FORMAT_BYTES) return 'has no format before its samples';
      return Math.min(bytes, fileBytes - start) < 2 ? 'has no samples' : formatProblem(format);
    }
    at = start + bytes + (bytes & 1);
  }
  return 'has no samples';
}

function formatProblem(format: Buffer): string | null {
  const tag = format.readUInt16LE(0);
  const channels = format.readUInt16LE(2);
  const sampleRateHz = format.readUInt32LE(4);
  const bits = format.readUInt16LE(14);
  const isPcm = tag === PCM || (tag === EXTENSIBLE && format.length >= 26 && format.readUInt16LE(24) === PCM);
  if (!isPcm || bits !== 16) return `has samples of format ${tag} with ${bits} bits, and must have PCM with 16`;
  if (channels !== 1) return `has ${channels} channels, and must be mono`;
  if (!SAMPLING_RATES_HZ.includes(sampleRateHz)) return `has ${sampleRateHz} Hz, and must have 8000, 16000 or 48000`;
  return null;
}
