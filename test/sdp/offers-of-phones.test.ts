import { describe, expect, test } from 'vitest';
import { MediaSession } from '../../server/sdp/media-session.ts';
import { parseSdp } from '../../server/sdp/parse-sdp.ts';
import { PHONE_OFFERS, type PhoneOffer } from './phone-offers.ts';

function newSession(): MediaSession {
  return new MediaSession({ address: '203.0.113.10', rtpPort: 20000, rtcpPort: 20001, sessionId: 7 });
}

function answerTo({ offer }: PhoneOffer) {
  return newSession().answer(offer.replace(/\n/g, '\r\n'));
}

describe('the offer of', () => {
  test.each(PHONE_OFFERS)('$from', (phone) => {
    const result = answerTo(phone);
    if (!result.ok) {
      expect(result.status).toBe(488);
      expect({ warning: Number(result.warning.split(' ')[0]) }).toEqual(phone.expected);
      return;
    }
    const { media, sdp } = result;
    const event = media.receiveTelephoneEvent;
    expect({
      streams: sdp.split('\r\n').filter((line) => line.startsWith('m=')),
      send: `${media.send.codec}/${media.send.payloadType}`,
      sendPtimeMs: media.sendPtimeMs,
      direction: media.direction,
      telephoneEvent: event && `${event.payloadType}/${event.clockRateHz}`,
      remote: media.remote && `${media.remote.address} ${media.remote.rtpPort} ${media.remote.rtcpPort}`,
      rtcpMux: media.rtcpMux,
    }).toEqual(phone.expected);
    expect(media.receiveTelephoneEvent).toEqual(event);
    expect(parseSdp(sdp).ok).toBe(true);
  });

  test('each of them, sent again unchanged as a session refresh, is answered word for word alike (RFC 3264 §8)', () => {
    for (const phone of PHONE_OFFERS) {
      const session = newSession();
      expect(session.answer(phone.offer)).toEqual(session.answer(phone.offer));
    }
  });
});

test('the whole answer to baresip, as it goes out', () => {
  const result = answerTo(PHONE_OFFERS.find((phone) => phone.from.startsWith('baresip'))!);
  expect(result).toMatchObject({ ok: true });
  expect(result.ok && result.sdp.split('\r\n')).toEqual([
    'v=0',
    'o=- 7 1 IN IP4 203.0.113.10',
    's=-',
    'c=IN IP4 203.0.113.10',
    't=0 0',
    'm=audio 20000 RTP/AVP 96 9 8 0 101',
    'a=rtpmap:96 opus/48000/2',
    'a=fmtp:96 minptime=10;useinbandfec=1',
    'a=rtpmap:9 G722/8000',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    'a=ptime:20',
    'a=maxptime:60',
    'a=sendrecv',
    'a=rtcp-mux',
    '',
  ]);
  expect(result.ok && result.media.send).toEqual({
    codec: 'opus',
    payloadType: 96,
    clockRateHz: 48000,
    parameters: { stereo: '1', 'sprop-stereo': '1', maxaveragebitrate: '28000', useinbandfec: '1' },
  });
});
