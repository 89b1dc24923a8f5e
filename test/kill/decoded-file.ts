import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFfmpeg } from '../../server/recordings/finishing/ffmpeg-binary.ts';
import { READ_RATE_HZ } from './coded-sound.ts';

const run = promisify(execFile);

async function ffmpeg(args: readonly string[]): Promise<Buffer> {
  const path = await findFfmpeg(process.env['PATH'] ?? '');
  if (path === null) throw new Error('there is no ffmpeg');
  const options = { encoding: 'buffer', maxBuffer: 1 << 30 } as const;
  const { stdout, stderr } = await run(path, ['-v', 'error', '-xerror', ...args], options);
  if (stderr.length > 0) throw new Error(`it does not play well: ${stderr.toString('utf8').slice(0, 300)}`);
  return stdout;
}

/** A stream of sound, mono at 8 kHz, as a player makes it. Rejects when anything is wrong with it. */
export async function decodedSound(path: string, stream = 0): Promise<Float32Array> {
  const { buffer, byteOffset, byteLength } = await ffmpeg([
    ...['-i', path, '-map', `0:a:${stream}`, '-ac', '1', '-ar', String(READ_RATE_HZ), '-f', 'f32le', '-'],
  ]);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

/** Of the samples alone, however they are packed. */
export async function sampleHash(path: string, stream = 0): Promise<string> {
  const samples = await ffmpeg(['-i', path, '-map', `0:a:${stream}`, '-f', 's16le', '-']);
  return createHash('sha256').update(samples).digest('hex');
}

/** The files of a zip in a new directory, which goes when `use` is settled. */
export async function unzipped<Result>(zip: string, use: (files: string[]) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-zip-'));
  try {
    await run('python3', ['-m', 'zipfile', '-e', zip, folder]);
    return await use(readdirSync(folder).map((name) => join(folder, name)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
