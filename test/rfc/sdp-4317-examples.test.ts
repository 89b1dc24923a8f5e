import { describe, expect, test } from 'vitest';
import { type AnswerResult, MediaSession } from '../../server/sdp/media-session.ts';

/**
 * RFC 4317, with the conference as the one who answers; where an example rests upon iLBC alone, which we do not have, a
 * codec that we do have stands in its place, with the same payload type.
 */

function bob(): MediaSession {
  return new MediaSession({ address: '192.0.2.2', rtpPort: 49172, rtcpPort: 49173, sessionId: 2808844564 });
}

function offer(version: number, streamLines: string[], connection = 'c=IN IP4 host.atlanta.example.com'): string {
  return [
    'v=0',
    `o=alice 2890844526 ${version} IN IP4 host.atlanta.example.com`,
    's=',
    connection,
    't=0 0',
    ...streamLines,
    '',
  ].join('\r\n');
}

function said(result: AnswerResult): string[] {
  if (!result.ok) throw new Error(result.warning);
  return result.sdp.split('\r\n');
}

function streams(result: AnswerResult): string[] {
  return said(result).filter((line) => line.startsWith('m='));
}

const PCMU = 'a=rtpmap:0 PCMU/8000';
const OPUS = 'a=rtpmap:97 opus/48000/2';
const TONES = ['m=audio 49172 RTP/AVP 98', 'a=rtpmap:98 telephone-event/8000', 'a=sendonly'];
const AUDIO = ['m=audio 49170 RTP/AVP 0 8 97', PCMU, 'a=rtpmap:8 PCMA/8000', 'a=rtpmap:97 iLBC/8000'];
const VIDEO = ['m=video 51372 RTP/AVP 31 32', 'a=rtpmap:31 H261/90000', 'a=rtpmap:32 MPV/90000'];

describe('§2 codec negotiation and selection', () => {
  test('2.1 of PCMU, PCMA and iLBC the first two are taken; the video is refused', () => {
    expect(streams(bob().answer(offer(2890844526, [...AUDIO, ...VIDEO])))).toEqual([
      'm=audio 49172 RTP/AVP 8 0',
      'm=video 0 RTP/AVP 31 32',
    ]);
  });

  test('2.2 a second offer with one codec only; the refused stream is still there, the version goes up by one', () => {
    const session = bob();
    const first = said(session.answer(offer(2890844526, [...AUDIO, ...VIDEO])));
    const second = session.answer(
      offer(2890844527, ['m=audio 51372 RTP/AVP 0', PCMU, 'm=video 0 RTP/AVP 31', 'a=rtpmap:31 H261/90000']),
    );
    expect(first[1]).toBe('o=- 2808844564 1 IN IP4 192.0.2.2');
    expect(said(second)[1]).toBe('o=- 2808844564 2 IN IP4 192.0.2.2');
    expect(streams(second)).toEqual(['m=audio 49172 RTP/AVP 0', 'm=video 0 RTP/AVP 31']);
  });

  test('2.3 the answer to our offer may call the codec by another payload type', () => {
    const session = bob();
    session.offer();
    const result = session.acceptAnswer(offer(1, ['m=audio 49172 RTP/AVP 99', 'a=rtpmap:99 opus/48000/2']));
    expect(result).toMatchObject({ ok: true, media: { send: { payloadType: 99 }, receive: [{ payloadType: 96 }] } });
  });

  test('2.4 of two audio streams, voice and tones, the voice is taken', () => {
    const result = bob().answer(offer(2890844526, ['m=audio 49170 RTP/AVP 0 97', PCMU, OPUS, ...TONES]));
    expect(streams(result)).toEqual(['m=audio 49172 RTP/AVP 97 0', 'm=audio 0 RTP/AVP 98']);
  });

  test('2.5 the other side moves; our answer is the same, and so is its version', () => {
    const session = bob();
    const audio = (port: number) => [`m=audio ${port} RTP/AVP 97`, OPUS, 'm=video 51372 RTP/AVP 31'];
    const first = said(session.answer(offer(2890844526, audio(49174))));
    const moved = offer(2890844527, audio(49178), 'c=IN IP4 newhost.biloxi.example.com');
    expect(said(session.answer(moved))).toEqual(first);
  });

  test('2.6 either of two audio streams: the first that we can take, the other refused', () => {
    const tones = ['m=audio 51372 RTP/AVP 97 101', OPUS, 'a=rtpmap:101 telephone-event/8000'];
    expect(streams(bob().answer(offer(2890844526, ['m=audio 49170 RTP/AVP 0', PCMU, ...tones])))).toEqual([
      'm=audio 49172 RTP/AVP 0',
      'm=audio 0 RTP/AVP 97 101',
    ]);
    expect(streams(bob().answer(offer(2890844526, ['m=audio 49170 RTP/AVP 18', ...tones])))).toEqual([
      'm=audio 0 RTP/AVP 18',
      'm=audio 49172 RTP/AVP 97 101',
    ]);
  });
});

describe('§3 hold and resume', () => {
  test('3.1 the answer to our offer holds us; the offer that follows takes us off', () => {
    const session = bob();
    session.offer();
    const placeholder = 'c=IN IP4 placeholder.biloxi.example.com';
    const held = session.acceptAnswer(offer(1, ['m=audio 49172 RTP/AVP 97', OPUS, 'a=sendonly'], placeholder));
    expect(held).toMatchObject({ ok: true, media: { direction: 'recvonly' } });
    const resumed = session.answer(offer(2, ['m=audio 49170 RTP/AVP 97', OPUS]));
    expect(resumed).toMatchObject({ ok: true, media: { direction: 'sendrecv' } });
    expect(said(resumed)[1]).toBe('o=- 2808844564 2 IN IP4 192.0.2.2');
  });

  test('3.2 of two streams the voice is held, the tones are not', () => {
    const session = bob();
    const voice = ['m=audio 49172 RTP/AVP 97', OPUS];
    session.answer(offer(1, [...voice, ...TONES]));
    const held = session.answer(offer(2, [...voice, 'a=sendonly', ...TONES]));
    expect(streams(held)).toEqual(['m=audio 49172 RTP/AVP 97', 'm=audio 0 RTP/AVP 98']);
    expect(held).toMatchObject({ media: { direction: 'recvonly' } });
  });
});

describe('§4 addition and deletion of streams', () => {
  const audio = ['m=audio 49170 RTP/AVP 0', PCMU];
  const video = (port: number) => [`m=video ${port} RTP/AVP 31`, 'a=rtpmap:31 H261/90000'];

  test('4.1 and 4.2 a stream that is added is refused, and the audio goes on', () => {
    const session = bob();
    expect(streams(session.answer(offer(1, audio)))).toEqual(['m=audio 49172 RTP/AVP 0']);
    const added = session.answer(offer(2, [...audio, ...video(49172)]));
    expect(streams(added)).toEqual(['m=audio 49172 RTP/AVP 0', 'm=video 0 RTP/AVP 31']);
    expect(said(added)[1]).toBe('o=- 2808844564 2 IN IP4 192.0.2.2');
  });

  test('4.3 a stream that is deleted stays in its place with port 0', () => {
    const session = bob();
    session.answer(offer(1, [...audio, ...video(51372)]));
    const deleted = session.answer(offer(2, [...audio, ...video(0)]));
    expect(streams(deleted)).toEqual(['m=audio 49172 RTP/AVP 0', 'm=video 0 RTP/AVP 31']);
  });
});

describe('§5 third party call control', () => {
  test('5.1 no media: a conference without sound is none, hence 488', () => {
    expect(bob().answer(offer(2890844526, []))).toMatchObject({ ok: false, status: 488 });
  });

  test('5.2 the address 0.0.0.0, where nothing can be sent, then a real one', () => {
    const session = bob();
    const audio = ['m=audio 23442 RTP/AVP 97', OPUS];
    const black = session.answer(offer(1, audio, 'c=IN IP4 0.0.0.0'));
    expect(black).toMatchObject({ ok: true, media: { remote: null, direction: 'recvonly' } });
    const found = session.answer(offer(2, audio, 'c=IN IP4 192.0.2.1'));
    expect(found).toMatchObject({ media: { remote: { address: '192.0.2.1', rtpPort: 23442 }, direction: 'sendrecv' } });
  });
});
