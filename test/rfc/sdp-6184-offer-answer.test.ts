import { describe, expect, test } from 'vitest';
import type { VideoFormat, VideoMedia } from '../../mixer/video-protocol.ts';
import { h264Level, lowerLevel, readProfileLevelId, withLevel } from '../../server/sdp/h264-profile.ts';
import { MediaSession } from '../../server/sdp/media-session.ts';
import type { VideoOptions } from '../../server/sdp/video-options.ts';

/** H.264 in offer and answer: RFC 6184 §8.1 (table 5), §8.2.2, and the cases of §8.3. */

/** 1280×720, 30 times a second, in macroblocks of 256 luma samples. */
const HD_30 = { maxPixels: 3600 * 256, maxPixelsPerSecond: 108_000 * 256 };

describe('table 5: one profile in several forms', () => {
  test.each([
    ['constrained-baseline', '42', 'x1xx0000'],
    ['constrained-baseline', '4d', '1xxx0000'],
    ['constrained-baseline', '58', '11xx0000'],
    ['baseline', '42', 'x0xx0000'],
    ['baseline', '58', '10xx0000'],
    ['main', '4d', '0x0x0000'],
    ['high', '64', '00000000'],
    // Extended, which we do not have.
    [null, '58', '00xx0000'],
    // High 10, high 4:2:2, high 4:4:4 predictive, and their intra profiles; CAVLC 4:4:4 intra.
    [null, '6e', '00000000'],
    [null, '7a', '00000000'],
    [null, 'f4', '00000000'],
    [null, '6e', '00010000'],
    [null, '7a', '00010000'],
    [null, 'f4', '00010000'],
    [null, '2c', '00010000'],
  ])('%s: %s %s', (profile, idc, pattern) => {
    for (const iop of expanded(pattern)) {
      const text = `${idc}${iop.toString(16).padStart(2, '0')}1e`;
      expect(readProfileLevelId(text), text).toMatchObject({ profile });
      expect(readProfileLevelId(text.toUpperCase()), text).toMatchObject({ profile });
    }
  });

  test('subsets of high that later editions of H.264 mark are high', () => {
    expect(['640c1f', '64081f'].map((text) => readProfileLevelId(text)?.profile)).toEqual(['high', 'high']);
  });

  test('constraint_set3 makes level 1.1 into 1b in baseline, main and extended, and high has its own number', () => {
    const levels = ['42f00b', '42e00b', '4d100b', '58c00b', '58f00b', '640009', '64000b'];
    expect(levels.map((text) => readProfileLevelId(text)?.level.maxBr)).toEqual([128, 192, 128, 192, 128, 128, 192]);
  });

  test('nothing said is baseline, and by our deviation level 3.1; nonsense is nothing', () => {
    expect(readProfileLevelId(undefined)).toMatchObject({ profile: 'baseline', level: { idc: 31 } });
    for (const text of ['', '42e', '42e0', '42e01f0', 'xxe01f', '-42e01', '42 e1f']) {
      expect(readProfileLevelId(text), text).toBeNull();
    }
  });
});

describe('levels (H.264 table A-1)', () => {
  test.each([
    [10, 1485, 99, 64],
    [13, 11880, 396, 768],
    [20, 11880, 396, 2000],
    [22, 20250, 1620, 4000],
    [31, 108000, 3600, 14000],
    [40, 245760, 8192, 20000],
    [51, 983040, 36864, 240000],
    [62, 16711680, 139264, 800000],
  ])('%i', (idc, maxMbps, maxFs, maxBr) => {
    expect(h264Level(idc)).toEqual({ idc, maxMbps, maxFs, maxBr });
  });

  test('between two it is the lower one, below the lowest that', () => {
    expect([0, 5, 14, 33, 255].map((idc) => h264Level(idc).idc)).toEqual([10, 10, 13, 32, 62]);
  });

  test('1b is between 1 and 1.1', () => {
    const [one, oneB, oneOne] = [h264Level(10), h264Level(9), h264Level(11)];
    expect([lowerLevel(one, oneB), lowerLevel(oneOne, oneB)]).toEqual([one, oneB]);
  });

  test('another level in the same words is no 1b', () => {
    const written = ['42f00b', '42E00B', '640C28', '4d0028'].map((text) =>
      withLevel(readProfileLevelId(text)!, h264Level(31)),
    );
    expect(written).toEqual(['42e01f', '42E01f', '640C1f', '4d001f']);
  });
});

describe('an answer (§8.2.2)', () => {
  test.each([
    ['the level is kept', '42e01e', '42e01e', 1620, '720p'],
    ['a lower one too, though we could do more', '42800d', '42800d', 396, '720p'],
    ['a higher one comes down to ours', '42e028', '42e01f', 3600, '720p'],
    ['and not, where we can do it', '42e028', '42e028', 8192, '1080p'],
    ['beyond that as well', '640033', '640028', 8192, '1080p'],
    ['the profile stays in the words of the offer', '58C01E', '58C01E', 1620, '720p'],
  ] as const)('%s', (_, offered, answered, macroblocks, maxReceive) => {
    const { fmtp, video } = answerTo([`packetization-mode=1;profile-level-id=${offered}`], { maxReceive });
    expect(fmtp).toEqual([`98 profile-level-id=${answered};packetization-mode=1`]);
    // Both directions keep to it, so ours to them as well.
    expect(video.limits.maxPixels).toBe(macroblocks * 256);
  });

  test('says our level, where both may have their own', () => {
    const { fmtp, video } = answerTo(['profile-level-id=42e028;level-asymmetry-allowed=1;packetization-mode=1']);
    expect(fmtp).toEqual(['98 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1']);
    expect(video.limits.maxPixels).toBe(8192 * 256);
    const upwards = answerTo(['profile-level-id=42e00c;level-asymmetry-allowed=1']);
    expect(upwards.fmtp).toEqual(['98 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=0']);
    expect(upwards.video.limits.maxPixels).toBe(396 * 256);
    expect(answerTo(['profile-level-id=42e028;level-asymmetry-allowed=0']).fmtp[0]).not.toContain('asymmetry');
  });

  test('has each mode as a format of its own, and not the interleaved one (§8.3)', () => {
    const { formats, fmtp, video } = answerTo([
      'profile-level-id=42A01E;packetization-mode=0;sprop-parameter-sets=AAAA',
      'profile-level-id=42A01E;packetization-mode=1;sprop-parameter-sets=BBBB',
      'profile-level-id=42A01E;packetization-mode=2;sprop-interleaving-depth=45;sprop-deint-buf-req=64000',
    ]);
    expect(formats).toEqual(['99', '98']);
    expect(fmtp).toEqual([
      '99 profile-level-id=42A01E;packetization-mode=1',
      '98 profile-level-id=42A01E;packetization-mode=0',
    ]);
    expect(video.receive.map(({ payloadType, parameterSets }) => [payloadType, parameterSets])).toEqual([
      [99, 'BBBB'],
      [98, 'AAAA'],
    ]);
  });

  test('has each profile as a format of its own, with that first which all have', () => {
    const profiles = ['640c1f', '4d001f', '42801f', '42e01f', '42801e', '6e001f', '4d801f'];
    const { formats } = answerTo(profiles.map((text) => `packetization-mode=1;profile-level-id=${text}`));
    expect(formats).toEqual(['101', '100', '99', '98']);
  });

  test('to nothing said is baseline at level 3.1', () => {
    const { fmtp, video } = answerTo(['packetization-mode=1']);
    expect(fmtp).toEqual(['98 profile-level-id=42001F;packetization-mode=1']);
    expect(video.limits).toMatchObject({ maxPixels: 3600 * 256, maxBitrateBps: 14_000_000 });
  });

  test('says that we can do more than the level to those who do so too', () => {
    const { fmtp, video } = answerTo(['profile-level-id=42800d;max-fs=3600;max-mbps=108000;max-br=4000']);
    expect(fmtp).toEqual(['98 profile-level-id=42800d;packetization-mode=0;max-mbps=108000;max-fs=3600']);
    expect(video.limits).toMatchObject({ ...HD_30, maxBitrateBps: 4_000_000 });
  });

  test.each([
    ['less than the level', 'max-fs=99;max-mbps=1;max-br=1'],
    ['nonsense', 'max-fs=x;max-mbps=-5;max-br=0'],
  ])('to max-fs and its like that say %s goes by the level', (_, parameters) => {
    const { video } = answerTo([`profile-level-id=42e01f;${parameters}`]);
    expect(video.limits).toMatchObject({ ...HD_30, maxBitrateBps: 14_000_000 });
  });

  test('max-recv-level lets us send more, and never less (§8.1)', () => {
    const sizes = ['e028', 'e00a', 'zz28', 'e0281'].map(
      (text) => answerTo([`profile-level-id=42e01f;max-recv-level=${text}`]).video.limits.maxPixels / 256,
    );
    expect(sizes).toEqual([8192, 3600, 3600, 3600]);
  });
});

describe('an answer to our offer', () => {
  test('tells the parameter sets of each format that it takes', () => {
    const video = accept(
      ...['m=video 5000 RTP/AVP 104 103', 'a=rtpmap:103 H264/90000', 'a=rtpmap:104 H264/90000'],
      'a=fmtp:103 profile-level-id=42e01f;packetization-mode=1;sprop-parameter-sets=AAAA',
      'a=fmtp:104 profile-level-id=42e01f;packetization-mode=0;sprop-parameter-sets=BBBB',
    )!;
    expect(video.receive.map(({ payloadType, parameterSets }) => [payloadType, parameterSets])).toEqual([
      [103, 'AAAA'],
      [104, 'BBBB'],
    ]);
  });

  test.each([
    ['the very same', 'profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1', 3600],
    ['a lower level', 'profile-level-id=42e00d;packetization-mode=1', 396],
    ['a higher level, each its own', 'profile-level-id=42e028;level-asymmetry-allowed=1;packetization-mode=1', 8192],
    ['a higher level, against the rules', 'profile-level-id=42e028;packetization-mode=1', 3600],
    ['the profile in other words', 'profile-level-id=4d801f;packetization-mode=1', 3600],
    ['baseline, as many say', 'profile-level-id=42801F;packetization-mode=1', 3600],
    ['nothing of the mode', 'profile-level-id=42801F', 3600],
  ])('may have %s', (_, parameters, macroblocks) => {
    const video = accept('m=video 5000 RTP/AVP 103', 'a=rtpmap:103 H264/90000', `a=fmtp:103 ${parameters}`)!;
    expect(video.send).toMatchObject({ codec: 'H264', payloadType: 103 });
    expect(video.receive).toContainEqual(
      expect.objectContaining({ payloadType: 103, parameters: expect.objectContaining({ 'packetization-mode': '1' }) }),
    );
    expect(video.limits.maxPixels).toBe(macroblocks * 256);
  });

  test.each([
    ['main', 'profile-level-id=4d001f;packetization-mode=1'],
    ['high', 'profile-level-id=64001f;packetization-mode=1'],
    ['the interleaved mode', 'profile-level-id=42e01f;packetization-mode=2'],
  ])('with %s, which was not offered, is of no use', (_, parameters) => {
    const video = accept('m=video 5000 RTP/AVP 103', 'a=rtpmap:103 H264/90000', `a=fmtp:103 ${parameters}`);
    expect(video).toBeNull();
  });

  test('may have other payload types: the mode says which of ours each is', () => {
    const video = accept(
      'm=video 5000 RTP/AVP 96 97',
      ...['a=rtpmap:96 H264/90000', 'a=fmtp:96 packetization-mode=0;profile-level-id=42e01f'],
      ...['a=rtpmap:97 H264/90000', 'a=fmtp:97 packetization-mode=1;profile-level-id=42e01f'],
    )!;
    expect(video.send.payloadType).toBe(96);
    expect(modesOf(video.receive)).toEqual([
      [103, '1'],
      [104, '0'],
    ]);
  });
});

/** All octets of a pattern of eight 0, 1 and x. */
function expanded(pattern: string): number[] {
  const at = pattern.indexOf('x');
  if (at === -1) return [Number.parseInt(pattern, 2)];
  const [before, after] = [pattern.slice(0, at), pattern.slice(at + 1)];
  return [...expanded(`${before}0${after}`), ...expanded(`${before}1${after}`)];
}

function newSession(video: VideoOptions): MediaSession {
  const session = new MediaSession({ address: '203.0.113.10', rtpPort: 20000, rtcpPort: 20001, sessionId: 7, video });
  session.bindVideo('main', { rtpPort: 20002, rtcpPort: 20003 });
  return session;
}

function theirs(...streamLines: string[]): string {
  const session = ['v=0', 'o=bob 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0'];
  return [...session, 'm=audio 4000 RTP/AVP 0', ...streamLines, ''].join('\r\n');
}

/** H.264 with these parameters, on payload types from 98 on. */
function answerTo(
  fmtps: string[],
  options: VideoOptions = {},
): { formats: string[]; fmtp: string[]; video: VideoMedia } {
  const maps = fmtps.flatMap((fmtp, index) => [`a=rtpmap:${98 + index} H264/90000`, `a=fmtp:${98 + index} ${fmtp}`]);
  const result = newSession(options).answer(
    theirs(`m=video 5000 RTP/AVP ${fmtps.map((_, index) => 98 + index).join(' ')}`, ...maps),
  );
  if (!result.ok || result.video === null) throw new Error('no video was agreed upon');
  const lines = result.sdp.slice(result.sdp.indexOf('m=video')).split('\r\n');
  return {
    formats: lines[0]!.split(' ').slice(3),
    fmtp: lines.flatMap((line) => (line.startsWith('a=fmtp:') ? [line.slice('a=fmtp:'.length)] : [])),
    video: result.video,
  };
}

function accept(...streamLines: string[]): VideoMedia | null {
  const session = newSession({});
  session.offer();
  const result = session.acceptAnswer(theirs(...streamLines));
  if (!result.ok) throw new Error(result.warning);
  return result.video;
}

function modesOf(formats: readonly VideoFormat[]): [number, string | undefined][] {
  return formats.map(({ payloadType, parameters }) => [payloadType, parameters['packetization-mode']]);
}
