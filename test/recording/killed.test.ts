import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readSealed } from '../../sealed/read-sealed.ts';
import { readMatroska } from './matroska-blocks.ts';
import { opusTone, play, toneDb } from './tone.ts';

const TONE = opusTone(440, 1);
const KEY = Buffer.alloc(32, 3);

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'parley-killed-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Records in real time, plain and sealed, in a process that is killed when `ms` are recorded; returns how much that was. */
function recordUntilKilled(name: string, ms: number): Promise<number> {
  // As built: a process of its own has no one to strip types for it.
  const module = new URL('../../dist/mixer/recording/track-file.js', import.meta.url).href;
  const program = `
    import { TrackFile } from ${JSON.stringify(module)};
    const packets = ${JSON.stringify(TONE.map((packet) => [...packet]))}.map((octets) => Uint8Array.from(octets));
    const options = { codec: 'opus', title: 'killed', startedAt: new Date(), diskSync: null,
      failed: (reason) => { throw new Error(reason); } };
    const files = [
      new TrackFile({ ...options, path: ${JSON.stringify(join(directory, `${name}.mka`))}, key: null }),
      new TrackFile({ ...options, path: ${JSON.stringify(join(directory, `${name}.mka.sealed`))},
        key: Buffer.alloc(32, 3) }),
    ];
    for (const file of files) await file.open();
    const begunMs = performance.now();
    let ticks = 0;
    setInterval(() => {
      for (; ticks * 20 < performance.now() - begunMs; ticks++) {
        const packet = packets[ticks % packets.length];
        for (const file of files) {
          file.write(packet, packet.length, ticks * 20);
          file.flushIfDue(ticks * 20 + 20);
        }
      }
      process.send(ticks * 20);
    }, 5);`;
  const recorder = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let recordedMs = 0;
  return new Promise((resolve, reject) => {
    recorder.once('exit', () => resolve(recordedMs)).once('error', reject);
    recorder.on('message', (now: number) => {
      recordedMs = now;
      if (now >= ms) recorder.kill('SIGKILL');
    });
  });
}

it('a process that is killed with SIGKILL while it records leaves files that play, at most a second short', async () => {
  const moments = Array.from({ length: 6 }, () => 1500 + Math.random() * 2500);
  await Promise.all(
    moments.map(async (ms, index) => {
      const recordedMs = await recordUntilKilled(`${index}`, ms);
      expect(recordedMs).toBeGreaterThanOrEqual(ms);
      const path = join(directory, `${index}.mka`);
      const { blocks } = readMatroska(await readFile(path));
      expect(blocks.length * 20, `of ${recordedMs} ms`).toBeGreaterThan(recordedMs - 1000);
      expect(blocks.map(({ atMs }) => atMs)).toEqual(blocks.map((_, block) => block * 20));
      const samples = await play(path);
      expect(Math.abs(samples.length / 48 - blocks.length * 20)).toBeLessThanOrEqual(20);
      expect(toneDb(samples, 440)).toBeGreaterThan(-12);
      const pieces: Buffer[] = [];
      for await (const piece of readSealed(`${path}.sealed`, KEY, { unfinished: true })) pieces.push(piece);
      const sealed = readMatroska(Buffer.concat(pieces)).blocks;
      expect(sealed.length * 20, `sealed, of ${recordedMs} ms`).toBeGreaterThan(recordedMs - 1000);
    }),
  );
});
