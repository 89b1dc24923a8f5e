import { beforeEach, describe, expect, it, vi } from 'vitest';
import { writeSenderReport } from '../../mixer/rtp/rtcp-packet.ts';
import type { VideoStreamStatistics } from '../../mixer/video-protocol.ts';
import { H264, participant, SimulatedVideoMixer, scene, videoMedia } from './simulated-video-mixer.ts';

vi.mock('../../mixer/net/media-sockets.ts', async () => {
  const { simulatedSockets } = await import('./simulated-sockets.ts');
  return simulatedSockets();
});

let mixer: SimulatedVideoMixer;
beforeEach(() => {
  mixer = new SimulatedVideoMixer();
});

const statisticsOf = (leg: string): Promise<VideoStreamStatistics> =>
  mixer.request('streamStatistics', { leg, stream: 'main' });

/** What was told of somebody's pictures last; undefined: nothing yet. */
function toldOf(leg: string, stream = 'main'): unknown {
  const told = mixer.events.filter((event) => event.event === 'streamPicture');
  return told.filter((event) => event.leg === leg && event.stream === stream).at(-1)?.size;
}

async function decodes(ms: number, each: () => void): Promise<number> {
  const before = (await mixer.request('statistics', {})).decodes;
  await mixer.pass(ms, each);
  return (await mixer.request('statistics', {})).decodes - before;
}

it('shows a card some seconds after the last picture, and the picture again when it comes', async () => {
  await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
  const peer = await mixer.open('r', 'a');
  await mixer.pass(1000, () => peer.sendFrames());
  expect(toldOf('a')).toEqual({ width: 64, height: 36 });
  await mixer.pass(4500);
  expect(toldOf('a')).toEqual({ width: 64, height: 36 });
  await mixer.pass(1000);
  expect(toldOf('a')).toBeNull();
  await mixer.pass(8000, () => peer.sendFrames());
  expect(toldOf('a')).toEqual({ width: 64, height: 36 });
});

it('tells how many pictures come a second, and how much of them', async () => {
  await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
  const peer = await mixer.open('r', 'a');
  await mixer.pass(2500, () => peer.sendFrames());
  const { received, bytesReceived } = await statisticsOf('a');
  expect(received).toMatchObject({ width: 64, height: 36 });
  expect(received!.fps).toBeCloseTo(25, -0.5);
  expect(received!.bitrateBps).toBeCloseTo((8 * bytesReceived) / 2.5, -5);
});

it('has the sound wait for pictures that come later, as long as some come', async () => {
  await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
  const peer = await mixer.open('r', 'a');
  await mixer.pass(500, () => peer.sendFrames());
  // What comes now was captured 200 ms ago; its sound is in the mix after 60 ms, 40 of them here. Its clock is as ours.
  const [out, ntpMs] = [new Uint8Array(100), 1_700_000_000_000 + mixer.nowMs - 200];
  const ntp = { ntpSeconds: Math.floor(ntpMs / 1000) + 2_208_988_800, ntpFraction: ((ntpMs % 1000) / 1000) * 2 ** 32 };
  const info = { ...ntp, rtpTimestamp: mixer.nowMs * 90, packetCount: 0, octetCount: 0 };
  peer.sendRtcp(out, writeSenderReport(out, 0, 77, info, null));
  await mixer.request('soundDelay', { leg: 'a', delayMs: 40, senderNtpMs: 60 });
  const delays = () =>
    mixer.events.splice(0).flatMap((event) => (event.event === 'soundTooEarly' ? [[event.leg, event.delayMs]] : []));
  await mixer.pass(3000, () => peer.sendFrames());
  // And the half of a picture's time.
  expect(delays()).toEqual([['a', 40 + 140 + 20]]);
  await mixer.pass(4500);
  expect(delays()).toEqual([]);
  await mixer.pass(1000);
  expect(delays()).toEqual([['a', 0]]);
  peer.beginAnew();
  await mixer.pass(3000, () => peer.sendFrames());
  expect(delays()).toEqual([['a', 40 + 140 + 20]]);
});

it('shows a card, not the last picture for ever, of who sends what nobody can decode any more', async () => {
  await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
  const peer = await mixer.open('r', 'a');
  await mixer.pass(1000, () => peer.sendFrames());
  mixer.engine.understands = false;
  await mixer.pass(6000, () => peer.sendFrames());
  expect(toldOf('a')).toBeNull();
  mixer.engine.understands = true;
  await mixer.pass(1000, () => peer.sendFrames());
  expect(toldOf('a')).toEqual({ width: 64, height: 36 });
});

it('goes on to show who has lost something, while a key frame is asked for', async () => {
  mixer.engine.damaged = true;
  await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
  const peer = await mixer.open('r', 'a');
  // The first is a key frame, the next one comes after four seconds.
  expect(await decodes(3000, () => peer.sendFrames())).toBeGreaterThan(70);
  const { keyFramesAsked } = await statisticsOf('a');
  expect(keyFramesAsked).toBeGreaterThanOrEqual(5);
  expect(keyFramesAsked).toBeLessThanOrEqual(7);
});

it('asks nobody for a key frame who sends nothing', async () => {
  const withoutFeedback = { nack: false, pli: false, fir: false, tmmbr: false, remb: false };
  const media = videoMedia({ receive: [{ ...H264, feedback: withoutFeedback }] });
  await mixer.request('openRoom', { room: 'r', scene: scene(['b']) });
  const peer = await mixer.open('r', 'a', media);
  await mixer.open('r', 'b');
  await mixer.pass(1000);
  await mixer.request('updateRoom', { room: 'r', scene: scene(['a', 'b']) });
  await mixer.pass(5000);
  const wanted = () => mixer.events.filter(({ event }) => event === 'keyFrameWanted').length;
  expect(wanted()).toBe(0);
  // Their first key frame is lost on the way.
  let first = true;
  await mixer.pass(100, () => {
    if (first) peer.skipFrame();
    first = false;
    peer.sendFrames();
  });
  expect(wanted()).toBeGreaterThan(0);
});

describe('who is on hold', () => {
  it('is neither seen nor sees anything, and does both again at once', async () => {
    expect((await mixer.request('statistics', {})).effort).toBe(2);
    await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
    expect((await mixer.request('statistics', {})).effort).toBe(1);
    const [a, b] = [await mixer.open('r', 'a'), await mixer.open('r', 'b')];
    const both = () => {
      a.sendFrames();
      b.sendFrames();
    };
    await mixer.pass(1000, both);
    const key = { leg: 'a', stream: 'main' } as const;
    await mixer.request('updateStream', { ...key, media: videoMedia({ direction: 'inactive' }) });
    const sent = a.received.length;
    await mixer.pass(1000, both);
    expect(a.received.length).toBe(sent);
    expect(await statisticsOf('a')).toMatchObject({ received: null, sent: null });
    expect((await mixer.request('statistics', {})).encoders).toBe(1);
    await mixer.pass(5000, both);
    await mixer.request('updateStream', { ...key, media: videoMedia() });
    a.beginAnew();
    await mixer.pass(300, both);
    expect(a.received.length).toBeGreaterThan(sent);
    expect(await statisticsOf('a')).toMatchObject({ received: { width: 64 }, sent: { width: 1280 } });
    const [before, after] = [a.received[sent - 1]!, a.received[sent]!];
    expect((after.sequenceNumber - before.sequenceNumber) & 0xffff).toBeLessThanOrEqual(2);
    expect((after.timestamp - before.timestamp) >>> 0).toBeGreaterThan(5 * 90_000);
    expect((after.timestamp - before.timestamp) >>> 0).toBeLessThan(8 * 90_000);
  });
});

it('decodes slides until it is known that there are some, and again when they are shown', async () => {
  await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
  const slides = await mixer.open('r', 'a', videoMedia({ direction: 'recvonly' }), 'slides');
  await mixer.open('r', 'b');
  await mixer.pass(500);
  await mixer.pass(500, () => slides.sendFrames());
  expect(toldOf('a', 'slides')).toEqual({ width: 64, height: 36 });
  await mixer.pass(4000, () => slides.sendFrames());
  expect(await decodes(2000, () => slides.sendFrames())).toBe(0);
  expect(toldOf('a', 'slides')).toEqual({ width: 64, height: 36 });
  await mixer.request('updateRoom', { room: 'r', scene: scene(['a', 'b'], { slides: 'a' }) });
  await mixer.pass(100);
  slides.beginAnew();
  expect(await decodes(2000, () => slides.sendFrames())).toBeGreaterThan(40);
});

it('does not decode a camera that a moderator has turned off', async () => {
  await mixer.request('openRoom', { room: 'r', scene: scene([participant('a', { camera: false }), 'b']) });
  const peer = await mixer.open('r', 'a');
  await mixer.open('r', 'b');
  await mixer.pass(100, () => peer.sendFrames());
  expect(await decodes(2000, () => peer.sendFrames())).toBe(0);
});

it('goes on with pictures of who is moved to another room, without a key frame', async () => {
  await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
  await mixer.request('openRoom', { room: 'q', scene: scene(['a', 'c']) });
  const a = await mixer.open('r', 'a');
  await mixer.open('r', 'b');
  await mixer.open('q', 'c');
  await mixer.pass(1000, () => a.sendFrames());
  await mixer.request('moveStream', { leg: 'a', stream: 'main', room: 'q' });
  expect(await decodes(1000, () => a.sendFrames())).toBeGreaterThanOrEqual(24);
  expect((await statisticsOf('a')).keyFramesAsked).toBe(0);
});
