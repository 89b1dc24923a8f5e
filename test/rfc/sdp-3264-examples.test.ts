import { describe, expect, test } from 'vitest';
import { type AnswerResult, MediaSession } from '../../server/sdp/media-session.ts';

/** RFC 3264 §10, with the conference as Bob. It takes audio only, so Bob's other streams are refused. */

function bob(): MediaSession {
  return new MediaSession({ address: '192.0.2.2', rtpPort: 49920, rtcpPort: 49921, sessionId: 2890844730 });
}

function alice(version: number, ...streamLines: string[]): string {
  return [
    'v=0',
    `o=alice 2890844526 ${version} IN IP4 host.anywhere.com`,
    's=',
    'c=IN IP4 host.anywhere.com',
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

describe('RFC 3264 §10.1, basic exchange', () => {
  const first = [
    'm=audio 49170 RTP/AVP 0',
    'a=rtpmap:0 PCMU/8000',
    'm=video 51372 RTP/AVP 31',
    'a=rtpmap:31 H261/90000',
  ];
  const second = ['m=video 53000 RTP/AVP 32', 'a=rtpmap:32 MPV/90000'];

  test('one audio and two video streams: the audio is taken, its place and the refused ones kept', () => {
    const result = bob().answer(alice(2890844526, ...first, ...second));
    expect(streams(result)).toEqual(['m=audio 49920 RTP/AVP 0', 'm=video 0 RTP/AVP 31', 'm=video 0 RTP/AVP 32']);
    expect(said(result)[1]).toBe('o=- 2890844730 1 IN IP4 192.0.2.2');
    // The example names hosts, which are not resolved: latching finds Alice.
    expect(result).toMatchObject({ media: { remote: null, direction: 'sendrecv', send: { codec: 'PCMU' } } });
  });

  test('a port that changes and an audio stream of tones only that is added: a new version, four streams', () => {
    const session = bob();
    session.answer(alice(2890844526, ...first, ...second));
    const result = session.answer(
      alice(
        2890844527,
        'm=audio 65422 RTP/AVP 0',
        'a=rtpmap:0 PCMU/8000',
        'm=video 0 RTP/AVP 31',
        ...second,
        'm=audio 51434 RTP/AVP 110',
        'a=rtpmap:110 telephone-events/8000',
        'a=recvonly',
      ),
    );
    expect(said(result)[1]).toBe('o=- 2890844730 2 IN IP4 192.0.2.2');
    expect(streams(result)).toEqual([
      'm=audio 49920 RTP/AVP 0',
      'm=video 0 RTP/AVP 31',
      'm=video 0 RTP/AVP 32',
      'm=audio 0 RTP/AVP 110',
    ]);
  });
});

describe('RFC 3264 §10.2, one of N codecs', () => {
  test('an inactive offer of PCMU, G.723 and G.729 is answered inactive with what we have', () => {
    const session = bob();
    const result = session.answer(
      alice(
        2890844526,
        'm=audio 62986 RTP/AVP 0 4 18',
        'a=rtpmap:0 PCMU/8000',
        'a=rtpmap:4 G723/8000',
        'a=rtpmap:18 G729/8000',
        'a=inactive',
      ),
    );
    expect(streams(result)).toEqual(['m=audio 49920 RTP/AVP 0']);
    expect(said(result)).toContain('a=inactive');
  });

  test('the second offer, which chooses G.723 alone, leaves us nothing, and the call as it was', () => {
    const session = bob();
    session.answer(alice(2890844526, 'm=audio 62986 RTP/AVP 0 4', 'a=inactive'));
    const result = session.answer(alice(2890844527, 'm=audio 62986 RTP/AVP 4', 'a=rtpmap:4 G723/8000', 'a=sendrecv'));
    expect(result).toMatchObject({ ok: false, status: 488, warning: '305 192.0.2.2 "Incompatible media format"' });
    expect(session.media).toMatchObject({ direction: 'inactive', send: { codec: 'PCMU' } });
  });
});
