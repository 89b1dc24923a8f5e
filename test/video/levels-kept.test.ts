import { expect, it, vi } from 'vitest';
import type { VideoMedia } from '../../mixer/video-protocol.ts';
import { agreed, SOUND, theirs, videoSession } from '../sdp/video-call.ts';
import { SimulatedVideoMixer, scene } from './simulated-video-mixer.ts';

vi.mock('../../mixer/net/media-sockets.ts', async () => {
  const { simulatedSockets } = await import('./simulated-sockets.ts');
  return simulatedSockets();
});

/** H.264 table A-1: macroblocks a picture and a second, kbit/s. */
const LEVEL_1 = [99, 1485, 64] as const;
const LEVEL_1B = [99, 1485, 128] as const;
const LEVEL_1_1 = [396, 3000, 192] as const;
const LEVEL_1_2 = [396, 6000, 384] as const;
const LEVEL_1_3 = [396, 11_880, 768] as const;
const LEVEL_2_1 = [792, 19_800, 4000] as const;
const LEVEL_2_2 = [1620, 20_250, 4000] as const;
const LEVEL_3 = [1620, 40_500, 10_000] as const;
const LEVEL_3_1 = [3600, 108_000, 14_000] as const;

const CANVASES = [360, 540, 720, 1080].map((height) => ({ width: (height * 16) / 9, height }));
const RATES = [5, 10, 15, 24, 25, 29, 30];

function mediaOf(codec: string, fmtp: string, ...lines: string[]): VideoMedia {
  const format = [`a=rtpmap:97 ${codec}/90000`, ...(fmtp === '' ? [] : [`a=fmtp:97 ${fmtp}`])];
  return agreed(videoSession().answer(theirs(SOUND, 'm=video 5000 RTP/AVP 97', ...format, ...lines))).video!;
}

/** What they are sent in rooms of all sizes and rates. */
async function sentTo(media: VideoMedia) {
  const mixer = new SimulatedVideoMixer();
  for (const canvas of CANVASES) {
    for (const fps of RATES) {
      const room = `${canvas.height}/${fps}`;
      await mixer.request('openRoom', { room, scene: scene([room], { canvas, fps }) });
      await mixer.open(room, room, media);
    }
  }
  await mixer.pass(300);
  const rooms = CANVASES.flatMap(({ height }) => RATES.map((fps) => `${height}/${fps}`));
  const sent = rooms.map(async (leg) => (await mixer.request('streamStatistics', { leg, stream: 'main' })).sent!);
  return { sent: await Promise.all(sent), encoders: mixer.engine.encoders };
}

const macroblocks = ({ width, height }: { width: number; height: number }): number =>
  Math.ceil(width / 16) * Math.ceil(height / 16);

it.each([
  ['nothing', '', LEVEL_3_1],
  ['level 1', 'profile-level-id=42e00a;packetization-mode=1', LEVEL_1],
  ['level 1b', 'profile-level-id=42f00b;packetization-mode=1', LEVEL_1B],
  ['level 1b of high', 'profile-level-id=640009;packetization-mode=1', LEVEL_1B],
  ['level 1.1', 'profile-level-id=42e00b;packetization-mode=1', LEVEL_1_1],
  ['level 1.2', 'profile-level-id=42e00c', LEVEL_1_2],
  ['level 1.3', 'profile-level-id=42e00d', LEVEL_1_3],
  ['level 2.1', 'profile-level-id=42e015', LEVEL_2_1],
  ['level 2.2', 'profile-level-id=42e016', LEVEL_2_2],
  ['level 3', 'profile-level-id=42e01e', LEVEL_3],
  ['level 3.1', 'profile-level-id=42e01f', LEVEL_3_1],
  ['level 1 and more', 'profile-level-id=42e00a;max-fs=920;max-mbps=23000;max-br=1000', [920, 23_000, 1000]],
  ['level 1.3 and large pictures', 'profile-level-id=42e00d;max-fs=3600', [3600, 11_880, 768]],
] as const)('who says %s of H.264 is sent no more (RFC 6184 §8.1)', async (_, fmtp, [maxFs, maxMbps, maxBr]) => {
  const { sent, encoders } = await sentTo(mediaOf('H264', fmtp));
  for (const picture of sent) {
    const what = JSON.stringify(picture);
    expect(macroblocks(picture), what).toBeLessThanOrEqual(maxFs);
    expect(macroblocks(picture) * picture.fps, what).toBeLessThanOrEqual(maxMbps);
    expect(picture.bitrateBps, what).toBeLessThanOrEqual(maxBr * 1000);
    expect(Math.max(picture.width ** 2, picture.height ** 2) / 256, what).toBeLessThanOrEqual(8 * maxFs);
  }
  // What the stream says of itself is no more, either.
  const level = Number.parseInt(/profile-level-id=....(..)$|;/.exec(fmtp.split(';')[0]!)?.[1] ?? '1f', 16);
  if (!fmtp.includes('max-')) {
    for (const { h264 } of encoders) expect(h264!.level).toBeLessThanOrEqual(level === 9 ? 10 : level);
  }
});

it.each([
  ['max-fs=99;max-fr=15', 99, 15],
  ['max-fs=240;max-fr=30', 240, 30],
  ['max-fs=900', 900, 30],
  ['max-fs=3600;max-fr=12', 3600, 12],
  ['max-fr=7', 8160, 7],
])('who says %s of VP8 is sent no more (RFC 7741 §6.1)', async (fmtp, maxFs, maxFr) => {
  const { sent } = await sentTo(mediaOf('VP8', fmtp));
  for (const picture of sent) {
    expect(macroblocks(picture), JSON.stringify(picture)).toBeLessThanOrEqual(maxFs);
    expect(picture.fps, JSON.stringify(picture)).toBeLessThanOrEqual(maxFr);
  }
});

it('is as large and quick as the level allows', async () => {
  const best = async (fmtp: string) => {
    const { sent } = await sentTo(mediaOf('H264', fmtp));
    // Of 720p, 25 and 30 a second.
    return [18, 20].map((index) => `${sent[index]!.height}p${sent[index]!.fps}`);
  };
  expect(await best('profile-level-id=42e00a')).toEqual(['90p12.5', '90p15']);
  expect(await best('profile-level-id=42e00b')).toEqual(['180p12.5', '180p10']);
  expect(await best('profile-level-id=42e00d')).toEqual(['180p12.5', '180p15']);
  expect(await best('profile-level-id=42e00d;max-fs=3600')).toEqual(['360p12.5', '360p10']);
  expect(await best('profile-level-id=42e01e')).toEqual(['360p25', '360p30']);
  expect(await best('profile-level-id=42e01f')).toEqual(['720p25', '720p30']);
});

it.each([
  ['a=framerate:12.5', 12.5, [5, 10, 7.5, 12, 12.5, 9.67, 10]],
  ['a=framerate:7.5', 7.5, [5, 5, 7.5, 6, 6.25, 7.25, 7.5]],
  ['a=framerate:29.97', 30, [5, 10, 15, 24, 25, 29, 30]],
  ['a=framerate:0.5', 1, [1, 1, 1, 1, 1, 1, 1]],
])('%s is kept in rooms of any rate (RFC 8866 §6.13)', async (line, most, expected) => {
  const { sent } = await sentTo(mediaOf('H264', 'profile-level-id=42e01f;packetization-mode=1', line));
  const of720p = sent.slice(2 * RATES.length, 3 * RATES.length).map(({ fps }) => Math.round(fps * 100) / 100);
  expect(of720p).toEqual(expected);
  for (const { fps } of sent) expect(fps).toBeLessThanOrEqual(most);
});
