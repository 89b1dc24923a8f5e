import { describe, expect, test } from 'vitest';
import type { MediaSession } from '../../server/sdp/media-session.ts';
import { agreed, linesOf, PORTS, SOUND, sectionOf, theirs, videoSession } from './video-call.ts';

/** Our later offers carry what was agreed with a phone (RFC 3264 §8), under the same payload types (§8.3.2). */

const FEEDBACK = ['a=rtcp-fb:* nack', 'a=rtcp-fb:* nack pli', 'a=rtcp-fb:* ccm fir'];
const H264_AND_VP8 = [
  'm=video 5000 RTP/AVPF 125 107 102 122 96 97',
  'a=rtpmap:125 H264/90000',
  'a=fmtp:125 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1',
  'a=rtpmap:107 rtx/90000',
  'a=fmtp:107 apt=125;rtx-time=3000',
  'a=rtpmap:102 H264/90000',
  'a=fmtp:102 profile-level-id=64001f;packetization-mode=1;level-asymmetry-allowed=1',
  'a=rtpmap:122 rtx/90000',
  'a=fmtp:122 apt=102',
  'a=rtpmap:96 VP8/90000',
  'a=rtpmap:97 rtx/90000',
  'a=fmtp:97 apt=96',
  ...FEEDBACK,
];

function inCall(stream: readonly string[] = H264_AND_VP8): MediaSession {
  const session = videoSession({}, ['main']);
  agreed(session.answer(theirs(SOUND, ...stream)));
  return session;
}

const formatsOf = (offer: string): string[] =>
  sectionOf(offer, 1).filter((line) => /^(m=|a=rtpmap|a=fmtp:\d+ apt)/.test(line));

const WITH_RTX = [
  ...['m=video 22000 RTP/AVPF 125 104 96 107 97', 'a=rtpmap:125 H264/90000', 'a=rtpmap:104 H264/90000'],
  ...['a=rtpmap:96 VP8/90000', 'a=rtpmap:107 rtx/90000', 'a=fmtp:107 apt=125'],
  ...['a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=96'],
];

describe('RTX that was agreed (RFC 4588)', () => {
  test('is in the offer that tells other ports', () => {
    const session = inCall();
    session.bindVideo('main', { rtpPort: 22000, rtcpPort: 22001 });
    const offer = session.offer();
    expect(formatsOf(offer)).toEqual(WITH_RTX);
    expect(linesOf(offer, 'a=rtcp-fb')).toEqual([...FEEDBACK, 'a=rtcp-fb:* ccm tmmbr', 'a=rtcp-fb:* goog-remb']);
    const { video } = agreed(session.acceptAnswer(theirs(SOUND, ...H264_AND_VP8)));
    expect(video!.send).toMatchObject({ payloadType: 125, rtxPayloadType: 107 });
    expect(video!.receive.map((format) => [format.payloadType, format.rtxPayloadType])).toEqual([
      [125, 107],
      [96, 97],
    ]);
    // And again in the next one.
    session.bindVideo('main', { rtpPort: 22000, rtcpPort: 22001 });
    expect(formatsOf(session.offer())).toEqual(WITH_RTX);
  });

  test('is in the offer by which video is given back', () => {
    const session = inCall();
    session.wantVideo(null);
    session.offer();
    agreed(session.acceptAnswer(theirs(SOUND, 'm=video 0 RTP/AVPF 125')));
    session.wantVideo('720p');
    session.bindVideo('main', { rtpPort: 22000, rtcpPort: 22001 });
    expect(formatsOf(session.offer()).slice(1)).toEqual(WITH_RTX.slice(1));
  });

  test('is not in the first offer, nor for a phone that has none', () => {
    expect(videoSession().offer()).not.toContain('rtx');
    const without = inCall(H264_AND_VP8.filter((line) => !/rtx|apt/.test(line)));
    without.bindVideo('main', PORTS.main);
    expect(without.offer()).not.toContain('rtx');
  });

  test('is no more, when an answer leaves it out', () => {
    const session = inCall();
    session.offer();
    const answer = theirs(SOUND, ...H264_AND_VP8.filter((line) => !/rtx|apt/.test(line)));
    const { video } = agreed(session.acceptAnswer(answer));
    expect([video!.send, ...video!.receive].map(({ rtxPayloadType }) => rtxPayloadType)).toEqual([null, null, null]);
    expect(session.offer()).not.toContain('rtx');
  });
});

describe('a format that our first offers do not have', () => {
  const highAlone = [
    ...['m=video 5000 RTP/AVP 102 122', 'a=rtpmap:102 H264/90000', 'a=rtpmap:122 rtx/90000', 'a=fmtp:122 apt=102'],
    'a=fmtp:102 profile-level-id=64001f;packetization-mode=1;sprop-parameter-sets=AAAA',
    'a=rtcp-fb:102 nack',
  ];

  test('is in later ones, first, where nothing else was agreed', () => {
    const session = inCall(highAlone);
    const offer = session.offer();
    expect(linesOf(offer, 'm=video')).toEqual(['m=video 20002 RTP/AVP 102 103 104 105 122']);
    expect(sectionOf(offer, 1).filter((line) => line.startsWith('a=fmtp:102'))).toEqual([
      'a=fmtp:102 profile-level-id=64001f;packetization-mode=1',
    ]);
    const { video } = agreed(session.acceptAnswer(theirs(SOUND, ...highAlone)));
    expect(video).toMatchObject({ send: { payloadType: 102 }, receive: [{ payloadType: 102, rtxPayloadType: 122 }] });
  });

  test('is left out where something of ours was', () => {
    expect(linesOf(inCall().offer(), 'm=video')[0]).not.toContain(' 102');
  });
});
