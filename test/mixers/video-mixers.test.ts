import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { StreamKey, VideoMixerEvent, VideoScene } from '../../mixer/video-protocol.ts';
import { VideoMixers } from '../../server/mixers/video-mixers.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';
import { FakeVideoProcess, type FakeVideoWorld } from './fake-video-process.ts';
import { someMedia, someScene } from './some-video.ts';

const world = vi.hoisted((): FakeVideoWorld => ({ processes: [], native: ['engine'] }));
vi.mock('../../server/mixers/mixer-process.ts', () => ({
  MixerProcess: function MixerProcess(options: ConstructorParameters<typeof FakeVideoProcess>[0]) {
    return new FakeVideoProcess(options, world);
  },
}));

const alice: StreamKey = { leg: 'alice', stream: 'main' };
const bob: StreamKey = { leg: 'bob', stream: 'main' };
const slides: StreamKey = { leg: 'alice', stream: 'slides' };

const settled = () => new Promise((resolve) => setImmediate(resolve));

async function started(count = 1) {
  const events: VideoMixerEvent[] = [];
  const logged: [level: string, text: string][] = [];
  const lost: { room: string; recording: string }[] = [];
  const timers = new VirtualTimers();
  const scenes = new Map<string, VideoScene>();
  const note = (level: string) => (_fields: unknown, text: string) => void logged.push([level, text]);
  const log = { error: note('error'), info: note('info'), warn: note('warn'), debug: note('debug') };
  const mixers = new VideoMixers({
    ...{ count, program: 'main.js', rtpPortMin: 20_000, rtpPortMax: 29_999, timers },
    log: log as unknown as ConstructorParameters<typeof VideoMixers>[0]['log'],
    settings: {} as ConstructorParameters<typeof VideoMixers>[0]['settings'],
    sceneOf: (room) => scenes.get(room) ?? someScene(),
    event: (event) => void events.push(event),
    recordingsLost: (recordings) => void lost.push(...recordings),
  });
  await mixers.start();
  await settled();
  return { mixers, events, timers, scenes, logged, lost };
}

beforeEach(() => {
  world.processes.length = 0;
  world.native = ['engine'];
});

const open = (mixers: VideoMixers, room: string, key: StreamKey, media = someMedia()) =>
  mixers.openStream(room, key, { cname: key.leg, media });

describe('video', () => {
  it('is not there where none is wanted: no process is started, and nothing waits for one', async () => {
    const { mixers } = await started(0);
    expect(world.processes).toHaveLength(0);
    expect([mixers.available, mixers.isUp]).toEqual([false, false]);
    await expect(open(mixers, 'demo', alice)).rejects.toMatchObject({ code: 'mixer-gone' });
  });

  it('is off, with one line that says why, where the library is missing; the process ends', async () => {
    world.native = ['sockets'];
    const { mixers, logged, timers } = await started(2);
    expect([mixers.available, mixers.isUp]).toEqual([false, false]);
    expect(logged).toEqual([['warn', 'no video: the library that it needs is not installed']]);
    for (const process of world.processes) expect([process.gone, process.settings]).toEqual([true, null]);
    for (const process of world.processes) process.die('ended with code 0');
    timers.advance(60_000);
    expect(world.processes).toHaveLength(2);
  });

  it('comes when a process starts after all, which is tried ever more seldom; nothing else waits for it', async () => {
    world.native = null;
    const { mixers, timers, logged } = await started();
    expect([mixers.available, mixers.isUp]).toEqual([true, false]);
    expect(logged).toEqual([['error', 'video mixer could not be started']]);
    for (let second = 0; second < 60; second++) {
      timers.advance(1000);
      await settled();
    }
    // After 1, 2, 4, 8 and 16 s, and 29 s of the next 30 are over.
    expect(world.processes).toHaveLength(6);
    world.native = ['engine'];
    timers.advance(2000);
    await settled();
    expect(mixers.isUp).toBe(true);
  });
});

describe('rooms on video mixers', () => {
  it('are opened with their scene for the first stream, on the emptiest one, and closed after the last', async () => {
    const { mixers, scenes } = await started(2);
    scenes.set('demo', someScene({ title: 'Board' }));
    expect(world.processes[1]!.settings).toMatchObject({ rtpPortMin: 25_000, rtpPortMax: 29_999 });
    expect(await open(mixers, 'demo', alice)).toEqual({ rtpPort: 30_002, rtcpPort: 30_003 });
    await open(mixers, 'demo', slides);
    await open(mixers, 'other', bob);
    const [first, second] = world.processes;
    expect(first!.methods).toEqual(['openRoom', 'openStream', 'openStream']);
    expect(first!.of('openRoom')[0]).toMatchObject({ room: 'demo', scene: { title: 'Board' } });
    expect(second!.of('openRoom')[0]).toMatchObject({ room: 'other' });
    await mixers.closeStream(alice);
    expect([mixers.has('demo'), first!.methods.at(-1)]).toEqual([true, 'closeStream']);
    await mixers.closeStream(slides);
    expect([mixers.has('demo'), first!.methods.at(-1)]).toEqual([false, 'closeRoom']);
    expect(await mixers.closeStream(slides)).toBeNull();
  });

  it('stay open for a stream that is asked for a second time while it is being opened', async () => {
    const { mixers } = await started();
    const first = open(mixers, 'demo', alice);
    await expect(open(mixers, 'demo', alice)).rejects.toMatchObject({ code: 'already-exists' });
    await first;
    expect(mixers.has('demo')).toBe(true);
    expect(world.processes[0]!.methods).toEqual(['openRoom', 'openStream']);
    await mixers.updateStream(alice, someMedia());
  });

  it('are closed again when their first stream finds no ports', async () => {
    const { mixers } = await started();
    world.processes[0]!.refuses.add('openStream');
    await expect(open(mixers, 'demo', alice)).rejects.toMatchObject({ code: 'no-ports' });
    expect(world.processes[0]!.methods).toEqual(['openRoom', 'openStream', 'closeRoom']);
    await expect(mixers.updateStream(alice, someMedia())).rejects.toMatchObject({ code: 'no-such-stream' });
  });

  it('are told their scene once for all that happens in a turn, and only when it is another one', async () => {
    const { mixers, scenes, timers } = await started();
    const [process] = world.processes;
    mixers.sceneChanged('demo');
    timers.advance(0);
    await open(mixers, 'demo', alice);
    mixers.sceneChanged('demo');
    timers.advance(0);
    expect(process!.of('updateRoom')).toEqual([]);
    for (const speaker of ['alice', 'bob', 'carl']) {
      scenes.set('demo', someScene({ speaker }));
      mixers.sceneChanged('demo');
    }
    expect(process!.of('updateRoom')).toEqual([]);
    timers.advance(0);
    expect(process!.of('updateRoom')).toEqual([{ room: 'demo', scene: someScene({ speaker: 'carl' }) }]);
  });

  it('keep streams that move with all they have, within a mixer; to one of another they cannot', async () => {
    const { mixers } = await started(2);
    await open(mixers, 'demo', alice);
    await open(mixers, 'other', bob);
    expect(await mixers.moveStream(alice, 'aside')).toBe('moved');
    expect(world.processes[0]!.methods).toEqual(['openRoom', 'openStream', 'openRoom', 'moveStream', 'closeRoom']);
    expect(await mixers.moveStream(alice, 'other')).toBe('elsewhere');
    expect([mixers.has('demo'), mixers.has('aside')]).toEqual([false, true]);
  });

  it('have a picture while they are open', async () => {
    const { mixers } = await started();
    await expect(mixers.picture('demo', 640)).rejects.toMatchObject({ code: 'no-such-room' });
    await open(mixers, 'demo', alice);
    expect(Buffer.from(await mixers.picture('demo', 640)).toString()).toBe('picture');
    expect(world.processes[0]!.of('picture')).toEqual([{ room: 'demo', width: 640 }]);
  });
});

it('logs who sent a packet that could not be handled, and goes on', async () => {
  const { mixers, logged, events } = await started();
  await open(mixers, 'demo', alice);
  const fault = { address: '198.51.100.7', port: 7000, faults: 1, reason: 'Error: no' };
  const before = events.length;
  world.processes[0]!.tell({ event: 'packetFault', ...alice, ...fault });
  expect(logged.at(-1)).toEqual(['error', expect.stringContaining('a media packet could not be handled')]);
  expect(events.length).toBe(before);
});

describe('a video mixer that dies', () => {
  it('is started again and gets rooms, ports, scenes and where media really comes from', async () => {
    const { mixers, scenes, logged } = await started();
    const [dead] = world.processes;
    const ports = await open(mixers, 'demo', alice);
    await mixers.openStream('demo', bob, { cname: 'bob' });
    dead!.tell({ event: 'streamLatched', ...alice, address: '198.51.100.7', rtpPort: 7000 });
    await mixers.updateStream(bob, someMedia({ direction: 'recvonly' }));
    dead!.die();
    scenes.set('demo', someScene({ speaker: 'bob' }));
    mixers.sceneChanged('demo');
    // Nothing is lost that was said meanwhile.
    await expect(mixers.streamStatistics(alice)).resolves.toBeNull();
    await settled();
    const next = world.processes[1]!;
    expect([world.processes.length, mixers.restarts, mixers.isUp]).toEqual([2, 1, true]);
    expect(next.methods).toEqual(['openRoom', 'openStream', 'openStream']);
    expect(next.of('openRoom')[0]).toMatchObject({ scene: { speaker: 'bob' } });
    const [first, second] = next.of('openStream');
    expect(first).toMatchObject({ ...alice, ports });
    expect(first).toHaveProperty('media.remote', { address: '198.51.100.7', rtpPort: 7000, rtcpPort: 5001 });
    expect(second).toMatchObject({ ...bob, media: { direction: 'recvonly' } });
    expect(logged).toContainEqual(['info', 'video mixer has its rooms back']);
  });

  it('has no pictures meanwhile, which is told of those that it had', async () => {
    const { mixers, events } = await started();
    await open(mixers, 'demo', alice);
    await open(mixers, 'demo', bob);
    world.processes[0]!.tell({ event: 'streamPicture', ...alice, size: { width: 640, height: 360 } });
    world.processes[0]!.die();
    expect(events.slice(1)).toEqual([{ event: 'streamPicture', ...alice, size: null }]);
  });

  it('answers nobody any more: what waits is rejected, and what is wanted meanwhile finds none', async () => {
    const { mixers } = await started();
    const [dead] = world.processes;
    dead!.silentOn.add('openStream');
    const waiting = open(mixers, 'demo', alice);
    dead!.die();
    const tooSoon = open(mixers, 'demo', bob);
    expect([mixers.available, mixers.isUp]).toEqual([true, false]);
    for (const refused of [waiting, tooSoon]) await expect(refused).rejects.toMatchObject({ code: 'mixer-gone' });
    await settled();
    await open(mixers, 'demo', alice);
  });

  it('that does not answer is taken for dead', async () => {
    const { mixers, timers, logged } = await started();
    world.processes[0]!.silentOn.add('openStream');
    const waiting = open(mixers, 'demo', alice);
    await settled();
    timers.advance(5000);
    await expect(waiting).rejects.toMatchObject({ code: 'deadline' });
    expect(logged).toContainEqual(['error', 'video mixer failed']);
    await settled();
    expect(world.processes).toHaveLength(2);
  });

  it('loses what it recorded, which is told; a room that was open for that alone is closed', async () => {
    const { mixers, lost } = await started();
    const params = { directory: '/', part: 1, originMs: 0, paused: false, key: null };
    await mixers.startRecording({ ...params, room: 'demo', recording: 'r1' });
    expect(mixers.has('demo')).toBe(true);
    world.processes[0]!.die();
    await settled();
    expect([lost, mixers.has('demo')]).toEqual([[{ room: 'demo', recording: 'r1' }], false]);
    await expect(mixers.stopRecording('demo', 'r1')).rejects.toMatchObject({ code: 'no-such-recording' });
  });
});

it('what only helps is lost in silence: key frames, delays, of streams that are not there either', async () => {
  const { mixers, logged } = await started();
  mixers.sendKeyFrame(alice);
  mixers.soundDelay('alice', 40, null);
  await open(mixers, 'demo', alice);
  mixers.sendKeyFrame(alice);
  mixers.soundDelay('alice', 40, -3);
  const [process] = world.processes;
  expect(process!.asked.slice(2)).toEqual([
    { method: 'sendKeyFrame', params: alice },
    { method: 'soundDelay', params: { leg: 'alice', delayMs: 40, senderNtpMs: -3 } },
  ]);
  process!.refuses.add('sendKeyFrame');
  mixers.sendKeyFrame(alice);
  await settled();
  expect(logged.filter(([level]) => level === 'error' || level === 'warn')).toEqual([]);
});
