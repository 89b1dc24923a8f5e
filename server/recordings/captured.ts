import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';

const CAPTURE = /^((mix|track)-.*\.mka|video-.*\.mkv)(\.sealed)?$/;

/** Whether a file of a recording's directory is what a mixer wrote. */
export function isCapture(name: string): boolean {
  return CAPTURE.test(name);
}

/** What was captured into a recording's directory: octets of all files, and when the last was written (0: there is none). */
export async function capturedIn(directory: string): Promise<{ bytes: number; lastWriteMs: number }> {
  const names = (await readdir(directory).catch(() => [])).filter(isCapture);
  const files = await Promise.all(names.map((name) => stat(join(directory, name)).catch(() => null)));
  let bytes = 0;
  let lastWriteMs = 0;
  for (const file of files) {
    bytes += file?.size ?? 0;
    lastWriteMs = Math.max(lastWriteMs, Math.round(file?.mtimeMs ?? 0));
  }
  return { bytes, lastWriteMs };
}

/** Octets of what was captured and what was made of it. */
export async function keptBytesIn(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  const kept = names.filter((name) => isCapture(name) || name.startsWith('finished-'));
  const sizes = kept.map((name) =>
    stat(join(directory, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Octets that are free on the disk of a directory, for us. */
export async function freeBytesOf(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}
