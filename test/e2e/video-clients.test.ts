import { afterEach, describe, expect, test } from 'vitest';
import { shortly } from '../long-tests.ts';
import { pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { codedSource, FPS, PICTURES } from './clients/video/coded-source.ts';
import { pictureLateMs, spreadOf } from './clients/video/lip-sync.ts';
import { MediaClock } from './clients/video/media-clock.ts';
import { MediaSocket } from './clients/video/media-socket.ts';
import { readRtcp } from './clients/video/rtcp.ts';
import { type PatternVoice, ToneStream } from './clients/video/tone-stream.ts';
import { VideoReceiver } from './clients/video/video-receiver.ts';
import { VideoSender } from './clients/video/video-sender.ts';

/** What the tests see and measure with is tried on itself: one video end calls another, with no server between. */

const VOICE: PatternVoice = { name: 'sender', frequencyHz: 600, otherFrequencyHz: 1_000, levelDbfs: -12 };

const stopAll: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stopAll.splice(0).reverse()) await stop();
});

async function socket(): Promise<MediaSocket> {
  const opened = await MediaSocket.open();
  stopAll.push(() => opened.close());
  return opened;
}

function join(one: MediaSocket, other: MediaSocket): void {
  one.connect(other.port, other.port + 1);
  other.connect(one.port, one.port + 1);
}

interface Ends {
  sender: VideoSender;
  receiver: VideoReceiver;
  from: MediaSocket;
  to: MediaSocket;
}

async function videoEnds(codec: 'H264' | 'VP8', packetizationMode: 0 | 1, rtx: boolean): Promise<Ends> {
  const encodings = await codedSource({ sender: 3, codec, packetizationMode });
  const from = await socket();
  const to = await socket();
  join(from, to);
  const format = { codec, payloadType: 97, rtxPayloadType: rtx ? 98 : null, nack: true, pli: true };
  const sender = new VideoSender(from, encodings, format, 'sender');
  const receiver = await VideoReceiver.start(to, format, 1, 'receiver');
  stopAll.push(
    () => sender.stop(),
    () => receiver.stop(),
  );
  from.onRtcp = (packet) => {
    for (const report of readRtcp(packet)) sender.heard(report);
  };
  to.onRtcp = (packet) => {
    for (const report of readRtcp(packet)) receiver.heard(report);
  };
  to.onRtp = (packet, timeMs) => receiver.put(packet, timeMs);
  return { sender, receiver, from, to };
}

describe.runIf(peersPresent('ffmpeg'))('a sender and a receiver of video', () => {
  test.each(
    shortly(
      [
        ['H264', 1],
        ['H264', 0],
        ['VP8', 1],
      ] as const,
      1,
    ),
  )('%s, packetization mode %i: every picture is seen, in order', async (codec, mode) => {
    const { sender, receiver } = await videoEnds(codec, mode, false);
    sender.start(new MediaClock(performance.now()));
    await receiver.seen('picture 60', ({ codes }) => codes[0]?.counter === 60, 12_000);
    const counters = receiver.pictures.map(({ codes }) => codes.map(({ sender, counter }) => `${sender}#${counter}`));
    expect(counters).toEqual(Array.from({ length: 61 }, (_, index) => [`3#${index}`]));
    expect(receiver.pictures.at(-1)).toMatchObject({ width: 640, height: 360 });
    expect(receiver.pictures.at(-1)!.codes[0]!.rect).toEqual({ x: 0, y: 0, width: 1, height: 1 });
  });

  test('each encoding is the same pictures, and begins again where it ends', async () => {
    const encodings = await codedSource({ sender: 3, codec: 'H264', packetizationMode: 1 });
    expect(encodings.map((pictures) => pictures.length)).toEqual(encodings.map(() => PICTURES));
    expect(PICTURES % (2 * FPS)).toBe(0);
    for (const pictures of encodings) expect(pictures[0]!.key).toBe(true);
  });

  test.each(
    shortly<[string, boolean]>(
      [
        ['as they were', false],
        ['by RTX', true],
      ],
      1,
    ),
  )('with every tenth packet lost no picture is missing: packets are sent again %s', async (_, rtx) => {
    const { sender, receiver, to } = await videoEnds('VP8', 1, rtx);
    sender.start(new MediaClock(performance.now()));
    await receiver.seen('the first picture', () => true, 12_000);
    to.loss = { received: 0.1, sent: 0 };
    await receiver.seen('picture 75', ({ codes }) => codes[0]?.counter === 75, 12_000);
    expect(to.lost.received).toBeGreaterThan(3);
    expect(sender.resent).toBeGreaterThan(3);
    const counters = new Set(receiver.pictures.map(({ codes }) => codes[0]?.counter));
    expect(counters.size).toBeGreaterThan(72);
  });

  test('a key frame comes within half a second of being asked for', async () => {
    const { sender, receiver } = await videoEnds('H264', 1, false);
    sender.start(new MediaClock(performance.now()));
    await receiver.seen('picture 12', ({ codes }) => codes[0]?.counter === 12, 12_000);
    const sent = sender.keyFramesSent;
    receiver.askForKeyFrame();
    await pause(500);
    expect(sender.keyFramesWanted).toBe(1);
    expect(sender.keyFramesSent).toBe(sent + 1);
    await receiver.seen('a later picture', ({ codes }) => (codes[0]?.counter ?? 0) > 30, 12_000);
    expect(receiver.pictures.map(({ codes }) => codes.length)).not.toContain(0);
  });

  test.each(shortly([0, 150, -150], 1))('the picture %i ms late is measured so, within 5 ms', async (lateMs) => {
    const { sender, receiver } = await videoEnds('VP8', 1, false);
    const [from, to] = [await socket(), await socket()];
    join(from, to);
    const tone = new ToneStream(from, VOICE, 'sender');
    const heard = new ToneStream(to, VOICE, 'receiver');
    stopAll.push(() => tone.stop());
    const nowMs = performance.now();
    // Late in its timestamps, too: the two streams begin at different times and say that they are the same.
    sender.start(new MediaClock(nowMs));
    tone.start(new MediaClock(nowMs));
    await pause(4_500);
    const voice = VOICE;
    const straight = spreadOf(pictureLateMs(heard, receiver, { voice, sender: 3 }));
    expect(Math.max(Math.abs(straight.least), Math.abs(straight.most))).toBeLessThan(5);
    const shifted = receiver.pictures.map((picture) => ({
      ...picture,
      rtpTimestamp: (picture.rtpTimestamp + 90 * lateMs) >>> 0,
    }));
    receiver.pictures.splice(0, receiver.pictures.length, ...shifted);
    const { least, most } = spreadOf(pictureLateMs(heard, receiver, { voice, sender: 3 }));
    expect(least).toBeGreaterThan(lateMs - 5);
    expect(most).toBeLessThan(lateMs + 5);
  });

  test('garbage is not seen', async () => {
    const { sender, receiver } = await videoEnds('H264', 1, false);
    sender.garbage = 'random';
    sender.start(new MediaClock(performance.now()));
    await pause(1_500);
    expect(receiver.packets).toBeGreaterThan(20);
    expect(receiver.pictures.flatMap(({ codes }) => codes)).toEqual([]);
  });
});
