import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type FeedbackHandler,
  writeBitrateEstimate,
  writeBitrateLimit,
  writeLimitNotification,
  writeNack,
} from '../../mixer/rtp/rtcp-feedback.ts';
import { RtcpCompound, writeReceiverReport } from '../../mixer/rtp/rtcp-packet.ts';
import { readUint16 } from '../../mixer/rtp/rtp-packet.ts';
import type { VideoFeedback } from '../../mixer/video-protocol.ts';
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

const NOTHING: VideoFeedback = { nack: false, pli: false, fir: false, tmmbr: false, remb: false };
/** Of who sends, in `SimulatedPeer`. */
const THEIR_SSRC = 77;

const withFeedback = (feedback: Partial<VideoFeedback>) => {
  const format = { ...H264, feedback: { ...NOTHING, ...feedback } };
  return videoMedia({ send: format, receive: [format] });
};

interface Said {
  kind: 'pli' | 'fir' | 'tmmbr' | 'tmmbn' | 'remb';
  /** Command of FIR; else sender or owner, bitrate and overhead. */
  values: number[];
}

/** All feedback that was sent to them about their stream. */
function saidTo(peer: SimulatedPeer): Said[] {
  const said: Said[] = [];
  const note = (kind: Said['kind'], ...values: number[]): void => void said.push({ kind, values });
  const handler: FeedbackHandler = {
    packetLost: () => undefined,
    pictureLost: () => note('pli'),
    intraRequested: (_sender, command) => note('fir', command),
    bitrateLimited: (sender, bps, overhead) => note('tmmbr', sender, bps, overhead),
    limitNotified: (owner, bps, overhead) => note('tmmbn', owner, bps, overhead),
    bitrateEstimated: (bps) => note('remb', bps),
  };
  const compound = new RtcpCompound();
  for (const data of peer.receivedRtcp) {
    if (!compound.parse(data, data.length)) throw new Error('not RTCP');
    while (compound.next()) if (compound.kind === 'feedback') compound.readFeedback(THEIR_SSRC, handler);
  }
  return said;
}

function senderReportsTo(peer: SimulatedPeer): { ssrc: number; packetCount: number }[] {
  const reports: { ssrc: number; packetCount: number }[] = [];
  const compound = new RtcpCompound();
  for (const data of peer.receivedRtcp) {
    if (!compound.parse(data, data.length)) throw new Error('not RTCP');
    while (compound.next()) {
      const { kind, ssrc, senderInfo } = compound;
      if (kind === 'senderReport') reports.push({ ssrc, packetCount: senderInfo.packetCount });
    }
  }
  return reports;
}

const valuesOf = (peer: SimulatedPeer, kind: Said['kind']) =>
  saidTo(peer).flatMap((said) => (said.kind === kind ? [said.values] : []));

let mixer: SimulatedVideoMixer;
beforeEach(async () => {
  mixer = new SimulatedVideoMixer();
  await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
});

const sentTo = async (leg: string) => (await mixer.request('streamStatistics', { leg, stream: 'main' })).sent;

type WriteMessage = (out: Uint8Array, begin: number) => number;

/** Theirs, after an empty report, as all compound packets begin with one. */
function send(peer: SimulatedPeer, write: WriteMessage): void {
  const out = new Uint8Array(200);
  peer.sendRtcp(out, write(out, writeReceiverReport(out, 0, THEIR_SSRC, null)));
}

describe('a key frame is asked for by FIR (RFC 5104 §4.3.1)', () => {
  it('where there is no PLI: again with the same number until one comes, and the next time with the next', async () => {
    const peer = await mixer.open('r', 'a', withFeedback({ fir: true }));
    await mixer.open('r', 'b');
    // Nothing but the middle of a picture comes.
    peer.skipFrame();
    await mixer.pass(1800, () => peer.sendFrames());
    const first = valuesOf(peer, 'fir').map(([command]) => command);
    expect(first.length).toBeGreaterThanOrEqual(3);
    expect(new Set(first).size).toBe(1);
    peer.beginAnew();
    await mixer.pass(1000, () => peer.sendFrames());
    const answered = valuesOf(peer, 'fir').length;
    await mixer.pass(1000, () => peer.sendFrames());
    expect(valuesOf(peer, 'fir')).toHaveLength(answered);
    peer.loseFrame();
    await mixer.pass(1200, () => peer.sendFrames());
    const next = valuesOf(peer, 'fir').slice(answered);
    expect(next.length).toBeGreaterThanOrEqual(2);
    for (const [command] of next) expect(command).toBe((first[0]! + 1) & 0xff);
    expect(valuesOf(peer, 'pli')).toEqual([]);
  });

  it('or by PLI alone where both were agreed', async () => {
    const peer = await mixer.open('r', 'a', withFeedback({ fir: true, pli: true }));
    await mixer.open('r', 'b');
    peer.skipFrame();
    await mixer.pass(1800, () => peer.sendFrames());
    expect(valuesOf(peer, 'pli').length).toBeGreaterThanOrEqual(3);
    expect(valuesOf(peer, 'fir')).toEqual([]);
  });
});

it('of several formats, that which comes says how a key frame is asked for', async () => {
  const fir = { ...H264, feedback: { ...NOTHING, fir: true } };
  const pli = { ...H264, payloadType: 100, feedback: { ...NOTHING, pli: true } };
  const peer = await mixer.open('r', 'a', videoMedia({ send: pli, receive: [pli, fir] }));
  await mixer.open('r', 'b');
  peer.skipFrame();
  await mixer.pass(1000, () => peer.sendFrames());
  expect(valuesOf(peer, 'fir').length).toBeGreaterThanOrEqual(1);
  expect(valuesOf(peer, 'pli')).toEqual([]);
});

it('what is sent again has a source and numbers of its own, of which no report tells (RFC 4588 §4)', async () => {
  const format = { ...H264, rtxPayloadType: 97 };
  const peer = await mixer.open('r', 'a', videoMedia({ send: format, receive: [format] }));
  await mixer.open('r', 'b');
  await mixer.pass(500);
  const lost: number[] = [];
  for (let round = 0; round < 40; round++) {
    const media = peer.received.filter(({ payloadType }) => payloadType === 96);
    const { ssrc, sequenceNumber } = media.at(-1)!;
    lost.push(sequenceNumber);
    send(peer, (out, begin) =>
      writeNack(out, begin, THEIR_SSRC, ssrc, Uint16Array.of((sequenceNumber - 1) & 0xffff, sequenceNumber), 2),
    );
    await mixer.pass(200);
  }
  const media = peer.received.filter(({ payloadType }) => payloadType === 96);
  const rtx = peer.received.filter(({ payloadType }) => payloadType === 97);
  expect(rtx.length).toBeGreaterThan(40);
  expect(new Set(rtx.map(({ ssrc }) => ssrc)).size).toBe(1);
  expect(rtx[0]!.ssrc).not.toBe(media[0]!.ssrc);
  for (const [index, { sequenceNumber }] of rtx.slice(1).entries()) {
    expect((sequenceNumber - rtx[index]!.sequenceNumber) & 0xffff).toBe(1);
  }
  const originals = new Set(rtx.map(({ buffer, payloadOffset }) => readUint16(buffer, payloadOffset)));
  for (const number of lost) expect(originals).toContain(number);
  // No number of the stream itself was used twice, or left out.
  for (const [index, { sequenceNumber }] of media.slice(1).entries()) {
    expect((sequenceNumber - media[index]!.sequenceNumber) & 0xffff).toBe(1);
  }
  const reports = senderReportsTo(peer);
  expect(reports.length).toBeGreaterThan(4);
  for (const { ssrc } of reports) expect(ssrc).toBe(media[0]!.ssrc);
  expect(reports.at(-1)!.packetCount).toBeLessThanOrEqual(media.length);
});

describe('a limit of theirs (TMMBR, RFC 5104 §4.2)', () => {
  const limit = (peer: SimulatedPeer, bps: number, overhead: number, media = peer.received[0]!.ssrc) =>
    send(peer, (out, begin) => writeBitrateLimit(out, begin, THEIR_SSRC, media, bps, overhead));

  it('is confirmed with who asked, how much and with which overhead, once for each that came', async () => {
    const [a] = [await mixer.open('r', 'a'), await mixer.open('r', 'b')];
    await mixer.pass(1000);
    limit(a, 600_000, 40);
    await mixer.pass(300);
    expect(valuesOf(a, 'tmmbn')).toEqual([[THEIR_SSRC, 600_000, 40]]);
    limit(a, 600_000, 40);
    limit(a, 300_000, 58);
    await mixer.pass(300);
    expect(valuesOf(a, 'tmmbn').slice(1)).toEqual([[THEIR_SSRC, 300_000, 58]]);
  });

  it('is kept, headers and all, and so is a higher one', async () => {
    const [a] = [await mixer.open('r', 'a')];
    await mixer.pass(1000);
    for (const bps of [600_000, 300_000, 100_000, 70_000, 55_000, 1_000_000]) {
      limit(a, bps, 40);
      await mixer.pass(6000);
      const { bitrateBps } = (await sentTo('a'))!;
      expect(bitrateBps, `${bps}`).toBeLessThanOrEqual((bps * 1100) / 1140);
      expect(bitrateBps, `${bps}`).toBeGreaterThan(bps / 4);
    }
  });

  it('of less than any picture needs, or of 0, stops it; a later one brings it back with a key frame', async () => {
    const [a, b] = [await mixer.open('r', 'a'), await mixer.open('r', 'b')];
    await mixer.pass(1000, () => b.sendFrames());
    for (const bps of [0, 20_000]) {
      limit(a, bps, 40);
      await mixer.pass(500, () => b.sendFrames());
      const before = a.received.length;
      await mixer.pass(2000, () => b.sendFrames());
      expect(a.received).toHaveLength(before);
      expect(await sentTo('a')).toBeNull();
      expect(valuesOf(a, 'tmmbn').at(-1)).toEqual([THEIR_SSRC, bps, 40]);
      limit(a, 2_000_000, 40);
      await mixer.pass(500, () => b.sendFrames());
      const { buffer, payloadOffset } = a.received[before]!;
      // A STAP-A with the parameter sets.
      expect(buffer[payloadOffset]! & 0x1f).toBe(24);
    }
  });

  it('of another stream than ours is nothing to us', async () => {
    const [a] = [await mixer.open('r', 'a')];
    await mixer.pass(1000);
    limit(a, 100_000, 40, 4711);
    await mixer.pass(1000);
    expect((await sentTo('a'))!.bitrateBps).toBeGreaterThan(1_000_000);
    expect(valuesOf(a, 'tmmbn')).toEqual([]);
  });
});

describe('an estimate of theirs (REMB)', () => {
  const estimate = (peer: SimulatedPeer, bps: number, media = peer.received[0]!.ssrc) =>
    send(peer, (out, begin) => writeBitrateEstimate(out, begin, THEIR_SSRC, media, bps));

  it('lowers what is sent at once, size and all, and lets it rise again', async () => {
    const a = await mixer.open('r', 'a');
    await mixer.pass(1000);
    const full = (await sentTo('a'))!;
    estimate(a, 200_000);
    await mixer.pass(500);
    expect(await sentTo('a')).toMatchObject({ height: 180 });
    expect((await sentTo('a'))!.bitrateBps).toBeLessThanOrEqual(200_000);
    estimate(a, 700_000);
    await mixer.pass(10_000);
    expect((await sentTo('a'))!.bitrateBps).toBeGreaterThan(300_000);
    expect((await sentTo('a'))!.bitrateBps).toBeLessThanOrEqual(700_000);
    estimate(a, 4_000_000);
    await mixer.pass(11_000);
    expect(await sentTo('a')).toEqual(full);
    expect(valuesOf(a, 'tmmbn')).toEqual([]);
  });

  it('of another stream than ours is nothing to us', async () => {
    const a = await mixer.open('r', 'a');
    await mixer.pass(1000);
    const before = await sentTo('a');
    estimate(a, 100_000, 4711);
    await mixer.pass(1000);
    expect(await sentTo('a')).toEqual(before);
  });
});

describe('what a camera is asked to send', () => {
  /** They are seen in a fourth of the picture, and b sees nothing else. */
  const open = async (feedback: Partial<VideoFeedback>) => {
    const a = await mixer.open('r', 'a', withFeedback({ pli: true, ...feedback }));
    await mixer.open('r', 'b');
    return a;
  };
  const unseen = () =>
    mixer.request('updateRoom', { room: 'r', scene: scene([participant('a', { camera: false }), 'b']) });
  const seen = () => mixer.request('updateRoom', { room: 'r', scene: scene(['a', 'b']) });
  const values = (peer: SimulatedPeer, kind: 'remb' | 'tmmbr') => valuesOf(peer, kind).map((all) => all.slice(-2));

  it('is as much as their place needs: by TMMBR where that was agreed, until they confirm it', async () => {
    const a = await open({ tmmbr: true });
    await mixer.pass(5000, () => a.sendFrames());
    const [[sender, bps, overhead], ...more] = valuesOf(a, 'tmmbr') as [number[], ...number[][]];
    expect(bps).toBeGreaterThan(500_000);
    expect(bps).toBeLessThanOrEqual(4_000_000);
    expect(overhead).toBe(40);
    expect(more.length).toBeGreaterThanOrEqual(1);
    expect(more.length).toBeLessThanOrEqual(4);
    expect(valuesOf(a, 'remb')).toEqual([]);
    send(a, (out, begin) => writeLimitNotification(out, begin, THEIR_SSRC, sender!, bps!, overhead!));
    await mixer.pass(100, () => a.sendFrames());
    const asked = valuesOf(a, 'tmmbr').length;
    await mixer.pass(10_000, () => a.sendFrames());
    expect(valuesOf(a, 'tmmbr')).toHaveLength(asked);
  });

  it('by REMB where that was agreed, and by nothing where neither was', async () => {
    const a = await open({ remb: true, tmmbr: true });
    await mixer.pass(3000, () => a.sendFrames());
    expect(valuesOf(a, 'remb').length).toBeGreaterThanOrEqual(2);
    expect(valuesOf(a, 'tmmbr')).toEqual([]);
    await mixer.request('updateStream', { leg: 'a', stream: 'main', media: withFeedback({ pli: true }) });
    const before = saidTo(a).length;
    await mixer.pass(5000, () => a.sendFrames());
    expect(saidTo(a).slice(before)).toEqual([]);
  });

  it('is little when nobody sees them, by TMMBR, and at once much again with a key frame when somebody does', async () => {
    const a = await open({ tmmbr: true });
    await mixer.pass(1000, () => a.sendFrames());
    await unseen();
    await mixer.pass(2000, () => a.sendFrames());
    expect(values(a, 'tmmbr').at(-1)![0]).toBeGreaterThan(500_000);
    await mixer.pass(3000, () => a.sendFrames());
    expect(values(a, 'tmmbr').at(-1)).toEqual([128_000, 40]);
    const keyFrames = valuesOf(a, 'pli').length;
    await mixer.pass(10_000, () => a.sendFrames());
    expect(valuesOf(a, 'pli')).toHaveLength(keyFrames);
    await seen();
    await mixer.pass(100, () => a.sendFrames());
    expect(values(a, 'tmmbr').at(-1)![0]).toBeGreaterThan(500_000);
    expect(valuesOf(a, 'pli').length).toBeGreaterThan(keyFrames);
  });

  it('is not lowered by REMB when nobody sees them: it rises but slowly again', async () => {
    const a = await open({ remb: true, tmmbr: true });
    await mixer.pass(1000, () => a.sendFrames());
    await unseen();
    await mixer.pass(6000, () => a.sendFrames());
    expect(valuesOf(a, 'tmmbr')).toEqual([]);
    for (const [bps] of valuesOf(a, 'remb')) expect(bps).toBeGreaterThan(500_000);
  });
});
