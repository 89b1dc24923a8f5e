import { beforeEach, describe, expect, it, vi } from 'vitest';
import { writeBitrateLimit } from '../../mixer/rtp/rtcp-feedback.ts';
import { writeReceiverReport } from '../../mixer/rtp/rtcp-packet.ts';
import type { RtpPacket } from '../../mixer/rtp/rtp-packet.ts';
import type { VideoFormat } from '../../mixer/video-protocol.ts';
import {
  H264,
  participant,
  type SimulatedPeer,
  SimulatedVideoMixer,
  scene,
  videoMedia,
} from './simulated-video-mixer.ts';

vi.mock('../../mixer/net/media-sockets.ts', async () => {
  const { simulatedSockets } = await import('./simulated-sockets.ts');
  return simulatedSockets();
});

const VP8: VideoFormat = { ...H264, codec: 'VP8', payloadType: 98, parameters: {} };

let mixer: SimulatedVideoMixer;
beforeEach(() => {
  mixer = new SimulatedVideoMixer();
});

const sentTo = async (leg: string) => (await mixer.request('streamStatistics', { leg, stream: 'main' })).sent;

function limit(peer: SimulatedPeer, bitrateBps: number): void {
  const out = new Uint8Array(200);
  const begin = writeReceiverReport(out, 0, 77, null);
  peer.sendRtcp(out, writeBitrateLimit(out, begin, 77, peer.received[0]!.ssrc, bitrateBps, 40));
}

/** No number is left out but one where a frame was broken off; time only goes on, and never by much. */
function expectToGoOn(packets: readonly RtpPacket[]): void {
  for (const [index, packet] of packets.slice(1).entries()) {
    const before = packets[index]!;
    const numbers = (packet.sequenceNumber - before.sequenceNumber) & 0xffff;
    const ticks = (packet.timestamp - before.timestamp) >>> 0;
    expect(numbers).toBeGreaterThanOrEqual(1);
    expect(numbers).toBeLessThanOrEqual(before.marker ? 1 : 2);
    expect(ticks).toBeLessThanOrEqual(90_000);
    if (before.marker) expect(ticks).toBeGreaterThan(0);
  }
}

describe('who is given another encoder', () => {
  it('sees its key frame at once, in the numbers and times of the same stream', async () => {
    await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
    const peer = await mixer.open('r', 'a');
    const b = await mixer.open('r', 'b');
    const each = () => b.sendFrames();
    await mixer.pass(997, each);
    for (const [changed, canvas] of [
      [{ layout: 'speaker' }, undefined],
      [{ hideSelf: true }, undefined],
      [{}, { width: 640, height: 360 }],
    ] as const) {
      const of = scene([participant('a', changed), 'b'], canvas === undefined ? {} : { canvas });
      await mixer.request('updateRoom', { room: 'r', scene: of });
      const before = peer.received.length;
      await mixer.pass(500, each);
      const after = peer.received.slice(before);
      const first = after.find(({ buffer, payloadOffset }) => (buffer[payloadOffset]! & 0x1f) === 24)!;
      expect((first.timestamp - peer.received[before - 1]!.timestamp) >>> 0).toBeLessThanOrEqual(0.4 * 90_000);
    }
    expectToGoOn(peer.received);
  });

  it('of another format gets nothing of the one before under its payload type', async () => {
    await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
    const peer = await mixer.open('r', 'a');
    const b = await mixer.open('r', 'b');
    await mixer.pass(1000, () => b.sendFrames());
    for (let change = 0; change < 20; change++) {
      await mixer.pass(35, () => b.sendFrames());
      const send = change % 2 === 0 ? VP8 : H264;
      await mixer.request('updateStream', { leg: 'a', stream: 'main', media: videoMedia({ send }) });
      await mixer.pass(400, () => b.sendFrames());
    }
    const { received } = peer;
    // Of VP8, a payload descriptor with a picture number begins each packet; of H.264, a NAL unit's first octet does.
    const isVp8 = ({ buffer, payloadOffset }: RtpPacket) => (buffer[payloadOffset]! & 0xef) === 0x80;
    expect(received.some(({ payloadType }) => payloadType === 98)).toBe(true);
    for (const packet of received) expect(isVp8(packet)).toBe(packet.payloadType === 98);
    expectToGoOn(received);
  });
});

describe('a room whose pictures change their rate', () => {
  it('encodes at the new one', async () => {
    await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
    await mixer.open('r', 'a');
    const b = await mixer.open('r', 'b');
    await mixer.pass(500, () => b.sendFrames());
    await mixer.request('updateRoom', { room: 'r', scene: scene(['a', 'b'], { fps: 10 }) });
    await mixer.pass(500, () => b.sendFrames());
    expect(await sentTo('a')).toMatchObject({ fps: 10, width: 1280 });
    expect(mixer.engine.encoders.at(-1)).toMatchObject({ fps: 10 });
    const before = (await mixer.request('statistics', {})).encodes;
    await mixer.pass(2000, () => b.sendFrames());
    expect((await mixer.request('statistics', {})).encodes - before).toBe(20);
  });
});

describe('who asks for nothing (TMMBR 0)', () => {
  it('gets nothing, and costs nobody else anything', async () => {
    await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
    const [a, b] = [await mixer.open('r', 'a'), await mixer.open('r', 'b')];
    await mixer.pass(1000, () => b.sendFrames());
    limit(a, 0);
    const before = a.received.length;
    await mixer.pass(2000, () => b.sendFrames());
    expect(a.received.length).toBe(before);
    expect([await sentTo('a'), (await sentTo('b'))!.bitrateBps > 1_000_000]).toEqual([null, true]);
    limit(a, 2_000_000);
    await mixer.pass(500, () => b.sendFrames());
    expect(a.received.length).toBeGreaterThan(before);
    expect((a.received[before]!.buffer[a.received[before]!.payloadOffset]! & 0x1f) === 24).toBe(true);
  });
});

describe('who takes much less than the others', () => {
  it('lowers what they get for some seconds, not for ever', async () => {
    await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b', 'c']) });
    const [slow] = [await mixer.open('r', 'a'), await mixer.open('r', 'b'), await mixer.open('r', 'c')];
    await mixer.pass(1000);
    limit(slow, 800_000);
    await mixer.pass(1000);
    expect((await sentTo('b'))!.bitrateBps).toBeLessThan(800_000);
    await mixer.pass(4000);
    expect((await sentTo('b'))!.bitrateBps).toBeGreaterThan(1_200_000);
    expect(await sentTo('a')).toMatchObject({ width: 640, height: 360 });
    await mixer.pass(30_000);
    expect(await sentTo('a')).toMatchObject({ width: 640, height: 360 });
  });
});

it('makes another encoder in place of one that fails', async () => {
  await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
  const [a, b] = [await mixer.open('r', 'a'), await mixer.open('r', 'b')];
  await mixer.pass(1000, () => b.sendFrames());
  mixer.engine.encodes = false;
  await mixer.pass(200, () => b.sendFrames());
  const before = a.received.length;
  mixer.engine.encodes = true;
  await mixer.pass(100, () => b.sendFrames());
  const [first] = a.received.slice(before);
  expect(first!.buffer[first!.payloadOffset]! & 0x1f).toBe(24);
  expect(a.received.length).toBeGreaterThan(before + 5);
});

it('makes nothing where nobody looks', async () => {
  await mixer.request('openRoom', { room: 'r', scene: scene(['a']) });
  const peer = await mixer.open('r', 'a', videoMedia({ direction: 'recvonly' }));
  await mixer.pass(200, () => peer.sendFrames());
  const before = await mixer.request('statistics', {});
  await mixer.pass(2000, () => peer.sendFrames());
  const { composed, encodes, decodes } = await mixer.request('statistics', {});
  expect([composed, encodes, decodes]).toEqual([before.composed, before.encodes, before.decodes]);
  expect(mixer.engine.canvases.size).toBe(0);
});

it('spreads the pictures of rooms over time, also of rooms that were opened at once', async () => {
  const times: number[] = [];
  mixer.engine.encoded = () => void times.push(mixer.nowMs);
  for (let index = 0; index < 16; index++) {
    await mixer.request('openRoom', { room: `r${index}`, scene: scene([`a${index}`]) });
    const peer = await mixer.open(`r${index}`, `a${index}`);
    await mixer.pass(0, () => peer.sendFrames());
  }
  await mixer.pass(200);
  times.length = 0;
  await mixer.pass(400);
  const inStep = new Map<number, number>();
  for (const ms of times) inStep.set(ms % 40, (inStep.get(ms % 40) ?? 0) + 1);
  expect(inStep.size).toBe(8);
  expect(Math.max(...inStep.values())).toBeLessThanOrEqual(times.length / 4);
});

it('paints many pictures of a room in several steps, so that packets do not wait for all of them', async () => {
  const legs = Array.from({ length: 9 }, (_, index) => `l${index}`);
  await mixer.request('openRoom', { room: 'r', scene: scene(legs.map((leg) => participant(leg, { hideSelf: true }))) });
  const peers: SimulatedPeer[] = [];
  for (const leg of legs) peers.push(await mixer.open('r', leg));
  const inStep: number[] = [0];
  await mixer.pass(1000, () => peers[0]!.sendFrames());
  mixer.engine.drawn = () => {
    inStep[inStep.length - 1]!++;
    mixer.nowMs += 2;
  };
  const before = peers.map(({ received }) => received.length);
  await mixer.pass(2000, () => {
    inStep.push(0);
    peers[0]!.sendFrames();
  });
  expect(Math.max(...inStep)).toBeLessThanOrEqual(6);
  // All but the first, who sees cards alone, have each picture.
  for (const [index, { received }] of peers.slice(1).entries()) {
    const times = new Set(received.slice(before[index + 1]).map(({ timestamp }) => timestamp));
    expect(times.size).toBeGreaterThan(40);
  }
});

it('closes all that it has made when rooms are closed', async () => {
  await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
  const [a] = [await mixer.open('r', 'a'), await mixer.open('r', 'b')];
  await mixer.pass(1000, () => a.sendFrames());
  await mixer.request('picture', { room: 'r', width: 320 });
  expect(mixer.engine.canvases.size).toBe(2);
  await mixer.request('closeRoom', { room: 'r' });
  await mixer.pass(100);
  expect(mixer.engine.canvases.size).toBe(0);
  expect(await mixer.request('statistics', {})).toMatchObject({ rooms: 0, streams: 0, encoders: 0, portsInUse: 0 });
});

describe('the picture of a room', () => {
  const taken = async (width: number, room = 'r') =>
    Buffer.from((await mixer.request('picture', { room, width })).jpeg, 'base64').toString();

  it('is as wide as asked for, within sense, also when several ask for several at once', async () => {
    await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
    expect(await Promise.all([taken(320), taken(641), taken(320), taken(1), taken(99_999)])).toEqual([
      ...['320x180', '642x362', '320x180', '64x36', '1280x720'],
    ]);
    expect(mixer.engine.canvases.size).toBe(1);
    await expect(taken(320, 'other')).rejects.toMatchObject({ code: 'no-such-room' });
  });

  it('is finished though its room is closed, and nothing of it stays', async () => {
    await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
    const picture = taken(320);
    await mixer.request('closeRoom', { room: 'r' });
    expect(await picture).toBe('320x180');
    expect(mixer.engine.canvases.size).toBe(0);
  });

  it('has those decoded whom nobody else sees, for as long as somebody looks now and then', async () => {
    await mixer.request('openRoom', { room: 'r', scene: scene(['a']) });
    const peer = await mixer.open('r', 'a', videoMedia({ direction: 'recvonly' }));
    const decodesIn = async (ms: number) => {
      const before = (await mixer.request('statistics', {})).decodes;
      await mixer.pass(ms, () => peer.sendFrames());
      return (await mixer.request('statistics', {})).decodes - before;
    };
    await decodesIn(200);
    expect(await decodesIn(1000)).toBe(0);
    await taken(320);
    expect(await decodesIn(9000)).toBeGreaterThan(100);
    await decodesIn(5000);
    expect(await decodesIn(1000)).toBe(0);
    expect(mixer.engine.canvases.size).toBe(0);
  });
});
