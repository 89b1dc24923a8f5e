import { describe, expect, test } from 'vitest';
import type { VideoLimits } from '../../mixer/video-protocol.ts';
import { agreed, SOUND, theirs, videoSession } from './video-call.ts';

/** Of a VP8 stream, unless `fmtp` is of H.264. */
function limits(lines: string[], fmtp = '', session: string[] = []): VideoLimits {
  const codec = fmtp.includes('profile-level-id') ? 'H264' : 'VP8';
  const format = [`a=rtpmap:97 ${codec}/90000`, ...(fmtp === '' ? [] : [`a=fmtp:97 ${fmtp}`])];
  const stream = ['m=video 5000 RTP/AVP 97', ...lines, ...format];
  return agreed(videoSession().answer(theirs(...session, SOUND, ...stream))).video!.limits;
}

const UNSAID: VideoLimits = {
  maxWidth: 4080,
  maxHeight: 4080,
  maxPixels: 8160 * 256,
  maxPixelsPerSecond: 60 * 8160 * 256,
  maxFps: 30,
  maxBitrateBps: null,
};

describe('of VP8 (RFC 7741 §6.1)', () => {
  test('nothing said is 1920×1080, 30 times a second', () => {
    expect(limits([])).toEqual(UNSAID);
  });

  test.each([
    ['max-fs=3600;max-fr=15', { maxPixels: 3600 * 256, maxFps: 15, maxWidth: 2704, maxHeight: 2704 }],
    ['max-fs=396', { maxPixels: 396 * 256, maxWidth: 896, maxHeight: 896 }],
    ['max-fr=60', { maxFps: 60, maxPixels: 8160 * 256 }],
    ['max-fr=500', { maxFps: 60 }],
    ['max-fs=99;max-fr=12', { maxPixels: 99 * 256, maxPixelsPerSecond: 60 * 99 * 256, maxFps: 12 }],
    ['max-fr=5', { maxFps: 5, maxPixels: 8160 * 256 }],
    ['max-fs=99999999', { maxPixels: 36_864 * 256 }],
    ['max-fs=0;max-fr=0', UNSAID],
    ['max-fs=-1;max-fr=x', UNSAID],
    ['max-fs=99999999999999999999', UNSAID],
    ['max-fs=1', { maxPixels: 256, maxWidth: 32, maxHeight: 32 }],
  ])('%s', (fmtp, expected) => {
    expect(limits([], fmtp)).toMatchObject(expected);
  });
});

describe('of H.264, by level', () => {
  test.each([
    ['42e00a', 99, 1485, 64_000],
    ['42f00b', 99, 1485, 128_000],
    ['42e00b', 396, 3000, 192_000],
    ['42e00d', 396, 11_880, 768_000],
    ['42e015', 792, 19_800, 4_000_000],
    ['42e016', 1620, 20_250, 4_000_000],
    ['42e01e', 1620, 40_500, 10_000_000],
    ['42e01f', 3600, 108_000, 14_000_000],
    ['42e028', 8192, 245_760, 20_000_000],
    ['42e034', 36_864, 2_073_600, 240_000_000],
    ['42e03e', 36_864, 60 * 36_864, 800_000_000],
  ])('%s', (level, macroblocks, perSecond, maxBitrateBps) => {
    const allowed = limits([], `profile-level-id=${level};level-asymmetry-allowed=1`);
    const [maxPixels, maxPixelsPerSecond] = [macroblocks * 256, perSecond * 256];
    expect(allowed).toMatchObject({ maxPixels, maxPixelsPerSecond, maxFps: 60, maxBitrateBps });
  });

  test('max-fps is in hundredths (H.241)', () => {
    const fps = (text: string) => limits([], `profile-level-id=42e01f;max-fps=${text}`).maxFps;
    expect(['3000', '1500', '750', '50', '6000', '0', 'x'].map(fps)).toEqual([30, 15, 7.5, 1, 60, 60, 60]);
  });
});

describe('the picture that they want (RFC 6236)', () => {
  const size = (...attributes: string[]) => {
    const { maxWidth, maxHeight } = limits(attributes.map((text) => `a=imageattr:${text}`));
    return [maxWidth, maxHeight];
  };

  test.each([
    ['97 recv [x=640,y=360]', [640, 360]],
    ['* recv [x=640,y=360]', [640, 360]],
    ['97 send [x=320,y=240] recv [x=640,y=480]', [640, 480]],
    ['97 recv [x=640,y=480] send [x=1280,y=720]', [640, 480]],
    ['97 recv [x=800,y=480,q=0.60] [x=1280,y=720,q=0.50]', [1280, 720]],
    ['97 recv [x=[32:1:1280],y=[18:1:720],par=1.7778,q=1.00]', [1280, 720]],
    ['97 recv [x=[176:704],y=[144:576]]', [704, 576]],
    ['97 recv [x=[480,800,320],y=[320,480,240],sar=[1.0,1.1]]', [800, 480]],
    ['97 RECV [x=360,y=640]', [360, 640]],
    ['97 recv [x=7680,y=4320]', [4080, 4080]],
  ])('%s', (text, expected) => {
    expect(size(text)).toEqual(expected);
  });

  test.each([
    '98 recv [x=640,y=360]',
    '97 send [x=640,y=360]',
    '97 recv *',
    '* recv * send *',
    '97 recv [x=640]',
    '97 recv [x=0,y=0]',
    '97 recv [y=360,x=640]',
    '97 recv [x=,y=]',
    '97 recv [x=[,],y=[:]]',
    '97',
    '',
  ])('%j says nothing', (text) => {
    expect(size(text)).toEqual([UNSAID.maxWidth, UNSAID.maxHeight]);
  });

  test('that of this format counts, and the first that says something', () => {
    expect(size('98 recv [x=160,y=90]', '97 recv *', '97 recv [x=640,y=360]', '* recv [x=320,y=180]')).toEqual([
      640, 360,
    ]);
  });
});

test.each([
  ['15', 15],
  ['25.00', 25],
  ['14.99', 14.99],
  ['12.5', 12.5],
  ['0.5', 1],
  ['0', 30],
  ['120', 30],
  ['fast', 30],
])('a=framerate:%s (RFC 8866 §6.13)', (text, maxFps) => {
  expect(limits([`a=framerate:${text}`]).maxFps).toBe(maxFps);
});

describe('bandwidth', () => {
  const bps = (stream: string[], session: string[] = []) => limits(stream, '', session).maxBitrateBps;

  test.each([
    [['b=TIAS:256000'], 256_000],
    [['b=AS:1000'], 960_000],
    [['b=tias:256000'], 256_000],
    [['b=CT:500'], 480_000],
    [['b=TIAS:1'], 64_000],
    [['b=AS:0'], null],
    [['b=RR:5000'], null],
    [['b=TIAS:x'], null],
    [['b=AS:99999999999'], null],
  ])('%j of the stream', (lines, expected) => {
    expect(bps(lines)).toBe(expected);
  });

  test('of the session it is that of the sound too, and counts where the stream says none', () => {
    expect(bps([], ['b=AS:512'])).toBe(411_520);
    expect(bps([], ['b=TIAS:512000'])).toBe(432_000);
    expect(bps([], ['b=AS:64'])).toBe(64_000);
    expect(bps(['b=TIAS:448000'], ['b=AS:100'])).toBe(448_000);
  });

  test('is not above that of the level', () => {
    expect(limits(['b=TIAS:5000000'], 'profile-level-id=42e00d').maxBitrateBps).toBe(768_000);
    expect(limits(['b=TIAS:500000'], 'profile-level-id=42e00d').maxBitrateBps).toBe(500_000);
  });
});
