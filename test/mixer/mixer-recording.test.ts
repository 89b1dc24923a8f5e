import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Mixer } from '../../mixer/mixer.ts';
import type {
  FromMixer,
  MixerEvent,
  MixerMethod,
  MixerParams,
  MixerResult,
  MixerSettings,
  RecordingPosition,
  RecordingToStart,
} from '../../mixer/protocol.ts';
import { readSealed } from '../../sealed/read-sealed.ts';
import { readMatroska } from '../recording/matroska-blocks.ts';
import { rest } from '../recording/memory-disk.ts';
import { PLAIN_CONTROL } from './simulated-room.ts';

vi.mock('../../mixer/net/media-sockets.ts', () => ({
  MediaSockets: {
    open: async (_address: string, rtpPort: number) => {
      const none = (): void => undefined;
      return {
        ...{ rtpPort, rtcpPort: rtpPort + 1, errors: 0, sendRtp: none, sendRtcp: none, receiveRtp: none },
        ...{ receiveRtcp: none, connectRtp: none, openRtp: none, close: none },
      };
    },
  },
}));

const settings: MixerSettings = {
  ...{ bindAddress: '127.0.0.1', rtpPortMin: 20000, rtpPortMax: 20099, portQuarantineMs: 0 },
  ...{ silenceTimeoutMs: 60_000, opusComplexity: 5, maxTalkers: 4, automaticGain: 'off', comfortNoiseDb: -65 },
};

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'parley-mixer-recording-'));
});
const benches: Bench[] = [];
afterEach(async () => {
  for (const { mixer } of benches.splice(0)) await mixer.close();
  await rm(directory, { recursive: true, force: true });
});

/** What the machine's clock says when the mixer's own is 0. */
const MACHINE_MS = 1e6;

/** A mixer in virtual time, and the server's side of its channel. */
class Bench {
  nowMs = 0;
  readonly events: MixerEvent[] = [];
  readonly mixer: Mixer;
  private readonly replies = new Map<number, (message: FromMixer) => void>();
  private lastId = 0;

  constructor() {
    this.mixer = new Mixer(settings, {
      send: (message) => this.received(message),
      now: () => this.nowMs,
      wallClock: () => this.nowMs,
      machineNow: () => MACHINE_MS + this.nowMs,
      utilization: () => 0,
      wake: () => undefined,
    });
  }

  request<M extends MixerMethod>(method: M, params: MixerParams<M>): Promise<MixerResult<M>> {
    return new Promise((resolve, reject) => {
      const id = ++this.lastId;
      this.replies.set(id, (message) => {
        if (message.type === 'reply') resolve(message.result as MixerResult<M>);
        else reject(message);
      });
      this.mixer.request(id, method, params);
    });
  }

  start(changed: Partial<RecordingToStart> = {}): Promise<RecordingPosition> {
    const plain = { tracks: false, paused: false, key: null };
    return this.request('startRecording', { room: 'demo', recording: 'r', directory, part: 1, ...plain, ...changed });
  }

  /** Until the promise is settled, at least. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    promise.then(done, done);
    while (!settled) await this.run(1);
    return promise;
  }

  async run(ms: number): Promise<void> {
    for (const untilMs = this.nowMs + ms; this.nowMs < untilMs; this.nowMs++) {
      this.mixer.run(this.nowMs);
      if (this.nowMs % 20 === 0) await rest();
    }
    await rest();
  }

  failures(): MixerEvent[] {
    return this.events.filter(({ event }) => event === 'recordingFailed');
  }

  private received(message: FromMixer): void {
    if (message.type === 'reply' || message.type === 'error') this.replies.get(message.id)?.(message);
    if (message.type === 'event') this.events.push(message);
  }
}

async function openBench(): Promise<Bench> {
  const bench = new Bench();
  benches.push(bench);
  await bench.request('openRoom', { room: 'demo' });
  await bench.run(100);
  return bench;
}

const blocksOf = async (name: string) => readMatroska(await readFile(join(directory, name))).blocks;

describe('a recording that the server asks for', () => {
  it('is answered when its time line runs, and is as long as that said', async () => {
    const bench = await openBench();
    const { positionMs, originMs } = await bench.until(bench.start({ part: 4 }));
    expect(positionMs).toBe(20);
    const startedMs = originMs! - MACHINE_MS;
    expect(bench.nowMs - startedMs).toBeLessThanOrEqual(20);
    await bench.run(1990);
    const lengthMs = bench.nowMs - startedMs;
    const { durationMs, bytes } = await bench.until(bench.request('stopRecording', { recording: 'r' }));
    expect(Math.abs(durationMs - lengthMs)).toBeLessThanOrEqual(20);
    const octets = await readFile(join(directory, 'mix-4.mka'));
    expect(octets.length).toBe(bytes);
    expect(await blocksOf('mix-4.mka')).toHaveLength(durationMs / 20);
    await expect(bench.request('stopRecording', { recording: 'r' })).rejects.toMatchObject({
      code: 'no-such-recording',
    });
    expect((await bench.request('statistics', {})).recordings).toBe(0);
  });

  it('says exactly where it was paused, and where it goes on', async () => {
    const bench = await openBench();
    const begun = await bench.until(bench.start());
    await bench.run(1000);
    const again = await bench.request('controlRecording', { recording: 'r', paused: false });
    expect(again.originMs).toBe(begun.originMs);
    const paused = await bench.request('controlRecording', { recording: 'r', paused: true });
    expect(paused).toEqual({ positionMs: again.positionMs, originMs: null });
    await bench.run(5000);
    expect(await bench.request('controlRecording', { recording: 'r', paused: true })).toEqual(paused);
    // Ticks come at whole steps of 20 ms, and one of them is the first again.
    expect(await bench.until(bench.request('controlRecording', { recording: 'r', paused: false }))).toEqual({
      positionMs: paused.positionMs + 20,
      originMs: begun.originMs! + 5000,
    });
    await bench.run(500);
    const { durationMs } = await bench.until(bench.request('stopRecording', { recording: 'r' }));
    expect(Math.abs(durationMs - paused.positionMs - 500)).toBeLessThanOrEqual(20);
    expect(await blocksOf('mix-1.mka')).toHaveLength(durationMs / 20);
  });

  it('may begin paused, and is answered at once then', async () => {
    const bench = await openBench();
    expect(await bench.start({ paused: true })).toEqual({ positionMs: 0, originMs: null });
    await bench.run(500);
    expect(await bench.request('stopRecording', { recording: 'r' })).toMatchObject({ durationMs: 0 });
    expect(await blocksOf('mix-1.mka')).toHaveLength(0);
  });

  it('is sealed with its key, which is said nowhere', async () => {
    const bench = await openBench();
    const key = Buffer.alloc(32, 9);
    await bench.until(bench.start({ key: key.toString('base64') }));
    await bench.run(1000);
    const { durationMs } = await bench.until(bench.request('stopRecording', { recording: 'r' }));
    expect(await readdir(directory)).toEqual(['mix-1.mka.sealed']);
    const pieces: Buffer[] = [];
    for await (const piece of readSealed(join(directory, 'mix-1.mka.sealed'), key)) pieces.push(piece);
    expect(readMatroska(Buffer.concat(pieces)).blocks).toHaveLength(durationMs / 20);
    const refused = bench.start({ recording: 'x', key: 'c2VjcmV0' });
    await expect(refused).rejects.toMatchObject({ code: 'bad-request' });
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining('c2VjcmV0') });
  });

  it('is refused where it cannot be', async () => {
    const bench = await openBench();
    await expect(bench.start({ room: 'nowhere' })).rejects.toMatchObject({ code: 'no-such-room' });
    await expect(bench.start({ directory: join(directory, 'no') })).rejects.toMatchObject({ code: 'cannot-write' });
    const first = bench.start();
    await expect(bench.start()).rejects.toMatchObject({ code: 'already-exists' });
    await bench.until(first);
    await expect(bench.start({ recording: 'other' })).rejects.toMatchObject({ code: 'cannot-write' });
    await expect(bench.request('controlRecording', { recording: 'x', paused: true })).rejects.toMatchObject({
      code: 'no-such-recording',
    });
  });

  it('ends with its room, as does one that is just being started', async () => {
    const bench = await openBench();
    await bench.until(bench.start());
    const starting = bench.start({ recording: 'late', part: 2 });
    await bench.request('closeRoom', { room: 'demo' });
    await expect(starting).rejects.toMatchObject({ code: 'no-such-room' });
    await bench.request('openRoom', { room: 'demo' });
    await bench.until(bench.start({ part: 3 }));
    expect((await readdir(directory)).sort()).toEqual(['mix-1.mka', 'mix-2.mka', 'mix-3.mka']);
  });

  it('that fails is told once, and the room goes on', async () => {
    const bench = await openBench();
    await bench.request('openLeg', { room: 'demo', leg: 'one', cname: 'one', control: PLAIN_CONTROL });
    await bench.until(bench.start());
    await bench.run(500);
    // What a real disk does takes real time: in that, more than ten seconds of the room pass.
    for (let tick = 0; tick < 1000; tick++) {
      bench.nowMs += 20;
      bench.mixer.run(bench.nowMs);
    }
    await bench.until(expect.poll(() => bench.failures()).toHaveLength(1));
    expect(bench.failures()).toMatchObject([{ recording: 'r', reason: expect.stringContaining('too slow') }]);
    await expect(bench.request('stopRecording', { recording: 'r' })).rejects.toMatchObject({
      code: 'no-such-recording',
    });
    expect((await bench.request('statistics', {})).recordings).toBe(0);
    await bench.until(bench.start({ recording: 'again', part: 2 }));
  });
});
