import { describe, expect, test } from 'vitest';
import type { VideoFormat, VideoMedia } from '../../mixer/video-protocol.ts';
import { MediaSession } from '../../server/sdp/media-session.ts';
import { parseSdp } from '../../server/sdp/parse-sdp.ts';
import { type ExpectedVideo, VIDEO_PHONE_OFFERS, type VideoPhoneOffer } from './video-phone-offers.ts';

function newSession(): MediaSession {
  const address = '203.0.113.10';
  const session = new MediaSession({ address, rtpPort: 20000, rtcpPort: 20001, sessionId: 7, video: {} });
  session.bindVideo('main', { rtpPort: 20002, rtcpPort: 20003 });
  session.bindVideo('slides', { rtpPort: 20004, rtcpPort: 20005 });
  session.bindFloorControl({ tcpPort: 5071, udpPort: 5070, conferenceId: 40, userId: 8, floorId: 1 });
  return session;
}

function answerTo({ offer }: VideoPhoneOffer) {
  const result = newSession().answer(offer.replace(/\n/g, '\r\n'));
  if (!result.ok) throw new Error(result.warning);
  return result;
}

function receiveOf({ payloadType, parameters, rtxPayloadType }: VideoFormat): [number, string] {
  const written = Object.entries(parameters);
  const rtx = rtxPayloadType === null ? '' : ` rtx=${rtxPayloadType}`;
  return [payloadType, `${written.map(([name, value]) => `${name}=${value}`).join(';')}${rtx}`];
}

function summaryOf(media: VideoMedia | null): ExpectedVideo | null {
  if (media === null) return null;
  const { codec, payloadType, parameters, feedback } = media.send;
  const h264 = ` ${parameters['packetization-mode'] ?? 0} ${parameters['profile-level-id']}`;
  const { maxPixels, maxPixelsPerSecond, maxFps, maxBitrateBps } = media.limits;
  const asked = Object.entries(feedback).flatMap(([name, negotiated]) => (negotiated ? [name] : []));
  return {
    send: `${codec}/${payloadType}${codec === 'H264' ? h264 : ''}`,
    receive: Object.fromEntries(media.receive.map(receiveOf)),
    limits: [maxPixels, maxPixelsPerSecond / 256, maxFps, maxBitrateBps],
    feedback: asked.join(' '),
  };
}

describe('the offer of', () => {
  test.each(VIDEO_PHONE_OFFERS)('$from', (phone) => {
    const { sdp, video, slides } = answerTo(phone);
    expect({
      streams: sdp.split('\r\n').filter((line) => line.startsWith('m=')),
      main: summaryOf(video),
      slides: summaryOf(slides),
    }).toEqual({ streams: phone.streams, main: phone.main, slides: phone.slides });
    expect(parseSdp(sdp).ok).toBe(true);
  });

  test('each of them, sent again unchanged, is answered word for word alike (RFC 3264 §8)', () => {
    for (const { offer } of VIDEO_PHONE_OFFERS) {
      const session = newSession();
      const first = session.answer(offer);
      session.bindVideo('main', { rtpPort: 20002, rtcpPort: 20003 });
      session.bindVideo('slides', { rtpPort: 20004, rtcpPort: 20005 });
      expect(session.answer(offer)).toEqual(first);
    }
  });

  test('each of them is foreseen as it is answered, though no ports are bound yet', () => {
    for (const { offer } of VIDEO_PHONE_OFFERS) {
      const address = '203.0.113.10';
      const unbound = new MediaSession({ address, rtpPort: 0, rtcpPort: 0, sessionId: 7, video: {} });
      const { sdp: _sdp, floorControl: _floor, ...answered } = answerTo({ offer } as VideoPhoneOffer);
      expect(unbound.foresee(offer)).toMatchObject(answered);
    }
  });
});

test('the whole answer to baresip, as it goes out', () => {
  const { sdp } = answerTo(VIDEO_PHONE_OFFERS.find((phone) => phone.from.startsWith('baresip'))!);
  const lines = sdp.split('\r\n');
  expect(lines.slice(lines.findIndex((line) => line.startsWith('m=video')))).toEqual([
    'm=video 20002 RTP/AVP 97 96 100',
    'b=AS:2084',
    'b=TIAS:2000000',
    'a=rtpmap:97 H264/90000',
    'a=fmtp:97 profile-level-id=42e01f;packetization-mode=1',
    'a=rtpmap:96 H264/90000',
    'a=fmtp:96 profile-level-id=42e01f;packetization-mode=0',
    'a=rtpmap:100 VP8/90000',
    'a=fmtp:100 max-fr=30;max-fs=3600',
    'a=rtcp-fb:* nack pli',
    'a=sendrecv',
    '',
  ]);
});

test('their parameter sets come with their parameters, and do not go into our answer (RFC 6184 §8.1)', () => {
  const { sdp, video } = answerTo(VIDEO_PHONE_OFFERS.find((phone) => phone.from.startsWith('pjsua'))!);
  expect(video!.send.parameters['sprop-parameter-sets']).toBe('Z0LAHtkDxWhAAAADAEAAAAwDxYuS,aMuMsg==');
  expect(sdp).not.toContain('sprop');
});
