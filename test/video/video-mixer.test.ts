import { expect, it, vi } from 'vitest';
import { writeNack, writePictureLoss } from '../../mixer/rtp/rtcp-feedback.ts';
import { writeReceiverReport } from '../../mixer/rtp/rtcp-packet.ts';
import type { RtpPacket } from '../../mixer/rtp/rtp-packet.ts';
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

/** What a key frame of the pretended engine begins with: its parameter sets in one packet. */
const STAP_A = 24;

const payload = ({ buffer, payloadOffset, payloadLength }: RtpPacket): Uint8Array =>
  buffer.subarray(payloadOffset, payloadOffset + payloadLength);

function keyFrames(packets: readonly RtpPacket[]): number {
  return packets.filter((packet) => (payload(packet)[0]! & 0x1f) === STAP_A).length;
}

async function room(legs: readonly string[]): Promise<{ mixer: SimulatedVideoMixer; peers: SimulatedPeer[] }> {
  const mixer = new SimulatedVideoMixer();
  await mixer.request('openRoom', { room: 'r', scene: scene(legs) });
  const peers: SimulatedPeer[] = [];
  for (const leg of legs) peers.push(await mixer.open('r', leg));
  return { mixer, peers };
}

/** Until it has been read, which is soon. */
async function lost(mixer: SimulatedVideoMixer, peer: SimulatedPeer, sequenceNumber: number): Promise<void> {
  const out = new Uint8Array(100);
  const ssrc = peer.received[0]!.ssrc;
  const begin = writeReceiverReport(out, 0, 77, null);
  peer.sendRtcp(out, writeNack(out, begin, 77, ssrc, Uint16Array.of(sequenceNumber), 1));
  await mixer.pass(20);
}

it('encodes once for all who see the same, each in a stream of their own', async () => {
  const { mixer, peers } = await room(['a', 'b', 'c']);
  await mixer.pass(1000, () => peers[0]!.sendFrames());
  const statistics = await mixer.request('statistics', {});
  expect(statistics).toMatchObject({ encoders: 1, streams: 3 });
  expect(statistics.encodesUnshared).toBe(3 * statistics.encodes);
  const [a, b] = peers.map(({ received }) => received) as [RtpPacket[], RtpPacket[]];
  expect(a.length).toBeGreaterThan(50);
  expect(a[0]!.ssrc).not.toBe(b[0]!.ssrc);
  expect(a.map((packet) => Buffer.from(payload(packet)).toString('hex'))).toEqual(
    b.map((packet) => Buffer.from(payload(packet)).toString('hex')),
  );
  a.forEach((packet, index) => {
    expect(packet.sequenceNumber).toBe((a[0]!.sequenceNumber + index) & 0xffff);
  });
});

it('gives a newcomer a key frame at once, and makes no storm of ten of them', async () => {
  const { mixer, peers } = await room(['a']);
  await mixer.pass(2000);
  const before = keyFrames(peers[0]!.received);
  const newcomers: SimulatedPeer[] = [];
  for (let index = 0; index < 10; index++) {
    newcomers.push(await mixer.open('r', `n${index}`));
    await mixer.request('updateRoom', { room: 'r', scene: scene(['a', ...newcomers.map((_, i) => `n${i}`)]) });
    await mixer.pass(100);
  }
  await mixer.pass(600);
  for (const { received } of newcomers) expect(keyFrames(received.slice(0, 1))).toBe(1);
  // A second and a half, and never closer than 300 ms.
  expect(keyFrames(peers[0]!.received) - before).toBeLessThanOrEqual(5);
});

it('answers a hostile flood of picture losses with a key frame a second', async () => {
  const { mixer, peers } = await room(['a', 'b']);
  await mixer.pass(1000);
  const before = keyFrames(peers[1]!.received);
  const out = new Uint8Array(100);
  await mixer.pass(5000, () => {
    const begin = writeReceiverReport(out, 0, 77, null);
    peers[0]!.sendRtcp(out, writePictureLoss(out, begin, 77, peers[0]!.received[0]!.ssrc));
  });
  expect(keyFrames(peers[1]!.received) - before).toBeLessThanOrEqual(7);
  expect(keyFrames(peers[1]!.received) - before).toBeGreaterThanOrEqual(3);
});

it('sends a lost packet again, as it was', async () => {
  const { mixer, peers } = await room(['a']);
  await mixer.pass(1000);
  const [peer] = peers as [SimulatedPeer];
  const missing = peer.received.at(-5)!;
  const count = peer.received.length;
  await lost(mixer, peer, missing.sequenceNumber);
  const again = peer.received.slice(count).find(({ sequenceNumber }) => sequenceNumber === missing.sequenceNumber);
  expect(again).toBeDefined();
  expect(payload(again!)).toEqual(payload(missing));
  expect(again!.timestamp).toBe(missing.timestamp);
});

it('sends it again in a stream of its own where RTX was agreed (RFC 4588)', async () => {
  const mixer = new SimulatedVideoMixer();
  await mixer.request('openRoom', { room: 'r', scene: scene(['a']) });
  const peer = await mixer.open('r', 'a', videoMedia({ send: { ...H264, rtxPayloadType: 97 } }));
  await mixer.pass(1000);
  const missing = peer.received.at(-5)!;
  await lost(mixer, peer, missing.sequenceNumber);
  const again = peer.received.find(({ payloadType }) => payloadType === 97)!;
  expect(again.ssrc).not.toBe(missing.ssrc);
  const [high = 0, low = 0, ...original] = payload(again);
  expect((high << 8) | low).toBe(missing.sequenceNumber);
  expect(Uint8Array.from(original)).toEqual(payload(missing));
});

it('looks no more often than it must for packets of who only watches, and never where none can come', async () => {
  const { mixer, peers } = await room(['a']);
  const watcher = await mixer.open('r', 'b', videoMedia({ direction: 'sendonly', rtcpMux: true }));
  await mixer.pass(1000, () => peers[0]!.sendFrames());
  expect(watcher.reads.rtcp).toBe(0);
  expect(watcher.reads.rtp).toBeLessThanOrEqual(51);
  expect(peers[0]!.reads.rtp).toBeGreaterThan(80);
  const missing = watcher.received.at(-5)!;
  const count = watcher.received.length;
  await lost(mixer, watcher, missing.sequenceNumber);
  const again = watcher.received.slice(count).filter(({ sequenceNumber }) => sequenceNumber === missing.sequenceNumber);
  expect(again).toHaveLength(1);
});

it('makes a smaller picture for who loses much, and keeps it for the others', async () => {
  const { mixer, peers } = await room(['a', 'b', 'c']);
  await mixer.pass(1000);
  for (let report = 0; report < 12; report++) {
    await mixer.pass(1000);
    peers[0]!.report(0.4);
    peers[1]!.report(0);
  }
  const [bad, good] = await Promise.all(
    ['a', 'b'].map((leg) => mixer.request('streamStatistics', { leg, stream: 'main' })),
  );
  expect(bad!.sent!.height).toBeLessThan(720);
  expect(good!.sent).toMatchObject({ width: 1280, height: 720, fps: 25 });
  expect((await mixer.request('statistics', {})).encoders).toBe(2);
});

it('keeps to what each said that they take', async () => {
  const mixer = new SimulatedVideoMixer();
  await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b', 'c']) });
  const small = {
    ...{ maxWidth: 640, maxHeight: 480, maxPixels: 640 * 480, maxPixelsPerSecond: 30 * 640 * 480 },
    ...{ maxFps: 30, maxBitrateBps: 384_000 },
  };
  await mixer.open('r', 'a', videoMedia({ limits: small }));
  await mixer.open('r', 'b');
  await mixer.open('r', 'c', videoMedia({ limits: { ...small, maxFps: 15, maxPixels: 100_000 } }));
  await mixer.pass(1000);
  const sent = await Promise.all(
    ['a', 'b', 'c'].map(async (leg) => (await mixer.request('streamStatistics', { leg, stream: 'main' })).sent),
  );
  expect(sent[0]).toMatchObject({ width: 640, height: 360 });
  expect(sent[0]!.bitrateBps).toBeLessThanOrEqual(384_000);
  expect(sent[1]).toMatchObject({ width: 1280, height: 720 });
  expect(sent[2]).toMatchObject({ width: 320, height: 180 });
  expect(sent[2]!.fps).toBeLessThanOrEqual(15);
});

it('encodes anew for who does not want to see themselves, and for who chose a layout', async () => {
  const { mixer } = await room(['a', 'b', 'c', 'd']);
  const own = [participant('a', { hideSelf: true }), participant('b', { layout: 'speaker' }), 'c', 'd'];
  await mixer.request('updateRoom', { room: 'r', scene: scene(own) });
  await mixer.pass(1000);
  expect((await mixer.request('statistics', {})).encoders).toBe(3);
  await mixer.request('updateRoom', { room: 'r', scene: scene(['a', 'b', 'c', 'd']) });
  await mixer.pass(1000);
  expect((await mixer.request('statistics', {})).encoders).toBe(1);
});

it('decodes only whom somebody sees', async () => {
  const { mixer, peers } = await room(['a', 'b', 'c']);
  await mixer.request('updateRoom', { room: 'r', scene: scene(['a', 'b', 'c'], { layout: 'single', speaker: 'b' }) });
  await mixer.pass(1000, () => {
    for (const peer of peers) peer.sendFrames();
  });
  const before = (await mixer.request('statistics', {})).decodes;
  await mixer.pass(2000, () => {
    for (const peer of peers) peer.sendFrames();
  });
  const decodes = (await mixer.request('statistics', {})).decodes - before;
  expect(decodes).toBeGreaterThan(40);
  expect(decodes).toBeLessThanOrEqual(51);
});

it('sends a picture in which nothing moves five times a second', async () => {
  const { mixer } = await room(['a', 'b']);
  await mixer.pass(1000);
  const before = (await mixer.request('statistics', {})).encodes;
  await mixer.pass(2000);
  const encodes = (await mixer.request('statistics', {})).encodes - before;
  expect(encodes).toBeGreaterThanOrEqual(8);
  expect(encodes).toBeLessThanOrEqual(12);
});

it('tells that nothing comes any more', async () => {
  const { mixer } = await room(['a']);
  await mixer.pass(11_000);
  expect(mixer.events).toContainEqual(expect.objectContaining({ event: 'streamSilent', leg: 'a', stream: 'main' }));
});

it('refuses what cannot be', async () => {
  const { mixer } = await room(['a']);
  const again = mixer.request('openStream', { room: 'r', leg: 'a', stream: 'main', cname: 'a' });
  await expect(again).rejects.toMatchObject({ code: 'already-exists' });
  const elsewhere = mixer.request('openStream', { room: 'x', leg: 'b', stream: 'main', cname: 'b' });
  await expect(elsewhere).rejects.toMatchObject({ code: 'no-such-room' });
  await expect(mixer.request('closeStream', { leg: 'z', stream: 'main' })).rejects.toMatchObject({
    code: 'no-such-leg',
  });
  await expect(mixer.request('stopRecording', { recording: 'z' })).rejects.toMatchObject({ code: 'no-such-recording' });
});

it('moves a stream to another room, and closes what nobody watches', async () => {
  const { mixer } = await room(['a', 'b']);
  await mixer.request('openRoom', { room: 'q', scene: scene(['b']) });
  await mixer.pass(500);
  await mixer.request('moveStream', { leg: 'b', stream: 'main', room: 'q' });
  await mixer.pass(500);
  expect((await mixer.request('statistics', {})).encoders).toBe(2);
  await mixer.request('closeRoom', { room: 'q' });
  await mixer.pass(500);
  expect(await mixer.request('statistics', {})).toMatchObject({ rooms: 1, streams: 1, encoders: 1 });
});
