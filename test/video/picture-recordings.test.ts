import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { recordedScene } from '../../mixer/video/recorded-scene.ts';
import type { VideoFileOptions } from '../../mixer/video/video-file.ts';
import type { VideoRecordingToStart } from '../../mixer/video-protocol.ts';
import { openPlain } from '../../server/recordings/finishing/source.ts';
import { placedBlocks } from '../../server/recordings/finishing/video-index.ts';
import { participant, SimulatedVideoMixer, scene, videoMedia } from './simulated-video-mixer.ts';

vi.mock('../../mixer/net/media-sockets.ts', async () => {
  const { simulatedSockets } = await import('./simulated-sockets.ts');
  return simulatedSockets();
});

/** Those of this test. */
const files = vi.hoisted(() => new Set<{ readonly idle: boolean }>());
vi.mock('../../mixer/video/video-file.ts', async (original) => {
  const { VideoFile } = await original<typeof import('../../mixer/video/video-file.ts')>();
  return {
    VideoFile: class extends VideoFile {
      constructor(options: VideoFileOptions) {
        super(options);
        files.add(this);
      }
    },
  };
});

/** What the system's clock says when that of the mixer says 0. */
const SYSTEM_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

let directory = '';
let mixer: SimulatedVideoMixer;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'parley-pictures-'));
  mixer = new SimulatedVideoMixer();
  files.clear();
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const toStart = (more: Partial<VideoRecordingToStart> = {}): VideoRecordingToStart => ({
  ...{ room: 'r', recording: 'rec', directory, part: 1, originMs: SYSTEM_MS + mixer.nowMs, paused: false, key: null },
  ...more,
});

/** Their positions, as the server finds them. */
async function frames(part = 1): Promise<{ ms: number; key: boolean }[]> {
  const found: { ms: number; key: boolean }[] = [];
  const files = [{ path: join(directory, `video-${part}.mkv`), startMs: 0 }];
  for await (const { ms, block } of placedBlocks(files, openPlain)) found.push({ ms, key: block.key });
  return found;
}

/** The disk knows of no virtual time: it is waited for, as ten seconds of it are soon over. */
async function pass(ms: number, each?: () => void): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    await mixer.pass(Math.min(500, ms - passed), each);
    do await new Promise((resolve) => setImmediate(resolve));
    while ([...files].some(({ idle }) => !idle));
  }
}

const statistics = () => mixer.request('statistics', {});

/** A room of two, of whom the first sends. */
async function room(): Promise<() => void> {
  await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
  const a = await mixer.open('r', 'a');
  await mixer.open('r', 'b');
  await pass(500, () => a.sendFrames());
  return () => a.sendFrames();
}

describe('a picture that is recorded', () => {
  it('has the frames that viewers get, from a key frame on, each at its place in the recording', async () => {
    const sends = await room();
    // The sound has been recorded for a minute.
    await mixer.request('startRecording', toStart({ originMs: SYSTEM_MS + mixer.nowMs - 60_000 }));
    await pass(4000, sends);
    expect(await statistics()).toMatchObject({ encoders: 1, recordings: 1 });
    expect((await mixer.request('stopRecording', { recording: 'rec' })).bytes).toBeGreaterThan(100_000);
    const all = await frames();
    expect(all[0]!.key).toBe(true);
    expect(all[0]!.ms).toBeGreaterThanOrEqual(60_000);
    expect(all[0]!.ms).toBeLessThan(60_400);
    expect(all.length).toBeGreaterThan(85);
    for (const [index, { ms }] of all.slice(1).entries())
      expect(Math.abs(ms - all[index]!.ms - 40)).toBeLessThanOrEqual(6);
    expect(await statistics()).toMatchObject({ recordings: 0 });
  });

  it('has nothing of pauses, and goes on with a key frame at the place that is said', async () => {
    const sends = await room();
    const control = (paused: boolean, originMs: number) =>
      mixer.request('controlRecording', { recording: 'rec', paused, originMs });
    await mixer.request('startRecording', toStart());
    await pass(2000, sends);
    await control(true, 0);
    await pass(5000, sends);
    const goesOnMs = 2003;
    await control(false, SYSTEM_MS + mixer.nowMs - goesOnMs);
    await pass(2000, sends);
    await mixer.request('stopRecording', { recording: 'rec' });
    const all = await frames();
    const after = all.findIndex(({ ms }) => ms > 2000);
    expect(all[after - 1]!.ms).toBeGreaterThan(1900);
    expect(all[after]).toMatchObject({ key: true });
    expect(all[after]!.ms).toBeGreaterThanOrEqual(goesOnMs);
    expect(all[after]!.ms).toBeLessThan(goesOnMs + 400);
    expect(all.at(-1)!.ms).toBeLessThanOrEqual(4003);
    expect(all.at(-1)!.ms).toBeGreaterThan(3900);
  });

  it('has a key frame each ten seconds at least, for who seeks in it', async () => {
    const sends = await room();
    await mixer.request('startRecording', toStart());
    await pass(35_000, sends);
    await mixer.request('stopRecording', { recording: 'rec' });
    const keys = (await frames()).filter(({ key }) => key).map(({ ms }) => ms);
    expect(keys.length).toBeGreaterThanOrEqual(4);
    expect(keys.length).toBeLessThanOrEqual(6);
    for (const [index, ms] of keys.slice(1).entries()) expect(ms - keys[index]!).toBeLessThanOrEqual(10_100);
  });

  it('is made for the recording alone where nobody looks', async () => {
    await mixer.request('openRoom', { room: 'r', scene: scene([participant('a')]) });
    await mixer.request('startRecording', toStart());
    await pass(2000);
    expect(await statistics()).toMatchObject({ encoders: 1, streams: 0 });
    await mixer.request('stopRecording', { recording: 'rec' });
    // A card, in which nothing moves.
    expect((await frames()).length).toBeGreaterThan(7);
    await pass(500);
    expect(await statistics()).toMatchObject({ encoders: 0 });
  });

  it('is not begun twice, nor where it cannot be written', async () => {
    await room();
    await mixer.request('startRecording', toStart());
    await expect(mixer.request('startRecording', toStart())).rejects.toMatchObject({ code: 'already-exists' });
    const nowhere = toStart({ recording: 'other', directory: join(directory, 'not', 'there') });
    await expect(mixer.request('startRecording', nowhere)).rejects.toMatchObject({ code: 'cannot-write' });
    const wrongKey = toStart({ recording: 'other', key: 'AAAA' });
    await expect(mixer.request('startRecording', wrongKey)).rejects.toMatchObject({ code: 'bad-request' });
    expect(await statistics()).toMatchObject({ recordings: 1 });
    await mixer.request('stopRecording', { recording: 'rec' });
    expect(await readdir(directory)).toEqual(['video-1.mkv']);
  });

  it('is sealed where there is a key', async () => {
    const sends = await room();
    await mixer.request('startRecording', toStart({ key: Buffer.alloc(32, 7).toString('base64') }));
    await pass(1000, sends);
    await mixer.request('stopRecording', { recording: 'rec' });
    const sealed = await readFile(join(directory, 'video-1.mkv.sealed'));
    expect(sealed.subarray(0, 14).toString()).toBe('PARLEY-SEALED1');
    expect(sealed.includes(Buffer.alloc(64, 0xab))).toBe(false);
  });
});

describe('who may not be recorded', () => {
  it('is in a picture of their own for the others, until they may again', async () => {
    const sends = await room();
    await mixer.request('startRecording', toStart());
    await mixer.request('updateRoom', { room: 'r', scene: scene([participant('a', { recorded: false }), 'b']) });
    await pass(1000, sends);
    expect((await statistics()).encoders).toBe(2);
    await mixer.request('updateRoom', { room: 'r', scene: scene(['a', 'b']) });
    await pass(1000, sends);
    expect((await statistics()).encoders).toBe(1);
    await mixer.request('stopRecording', { recording: 'rec' });
    expect((await frames()).length).toBeGreaterThan(25);
  });

  it('is not even decoded where nobody else looks', async () => {
    for (const [recorded, isDecoded] of [
      [true, true],
      [false, false],
    ] as const) {
      const name = `r-${recorded}`;
      const leg = `a-${recorded}`;
      await mixer.request('openRoom', { room: name, scene: scene([participant(leg, { recorded }), 'b']) });
      const sender = await mixer.open(name, leg, videoMedia({ direction: 'recvonly' }));
      await mixer.request('startRecording', toStart({ room: name, recording: name, part: recorded ? 1 : 2 }));
      // It is decoded until it is known that nobody looks.
      await pass(100, () => sender.sendFrames());
      const before = (await statistics()).decodes;
      await pass(1000, () => sender.sendFrames());
      expect((await statistics()).decodes - before > 0, name).toBe(isDecoded);
      await mixer.request('stopRecording', { recording: name });
      await mixer.request('closeStream', { leg, stream: 'main' });
    }
  });

  it('has no place, does not speak, and shows nothing', () => {
    const hidden = participant('b', { recorded: false });
    const told = { speaker: 'b', slides: 'b', spotlight: ['b', 'a'], places: ['a', null, 'b'] };
    expect(recordedScene(scene(['a', hidden], told))).toEqual(
      scene(['a'], { speaker: null, slides: null, spotlight: ['a'], places: ['a', null, null] }),
    );
  });
});
