import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** Files that another implementation made: see golden/make-golden.mjs. */

export function goldenOctets(name: string): Uint8Array {
  const file = readFileSync(new URL(`./golden/${name}`, import.meta.url));
  return new Uint8Array(name.endsWith('.gz') ? gunzipSync(file) : file);
}

export function goldenPcm(name: string): Int16Array {
  const octets = goldenOctets(name);
  return new Int16Array(octets.buffer, 0, octets.length >> 1);
}

/** Index of the first difference; −1 if there is none. */
export function firstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  for (let i = 0; i < Math.max(actual.length, expected.length); i++) if (actual[i] !== expected[i]) return i;
  return -1;
}
