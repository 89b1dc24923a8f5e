import { describe, expect, test } from 'vitest';
import type { AudioMedia } from '../../mixer/protocol.ts';
import {
  type AcceptResult,
  type AnswerResult,
  MediaSession,
  type MediaSessionOptions,
} from '../../server/sdp/media-session.ts';

function newSession(options: Partial<MediaSessionOptions> = {}): MediaSession {
  return new MediaSession({ address: '203.0.113.10', rtpPort: 20000, rtcpPort: 20001, sessionId: 7n, ...options });
}

function theirs(...streamLines: string[]): string {
  return ['v=0', 'o=bob 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', ...streamLines, ''].join('\r\n');
}

function agreed(result: AnswerResult | AcceptResult): AudioMedia {
  if (!result.ok) throw new Error(result.warning);
  return result.media;
}

function said(result: AnswerResult): string[] {
  if (!result.ok) throw new Error(result.warning);
  return result.sdp.split('\r\n');
}

function streams(sdp: string): string[] {
  return sdp.split('\r\n').filter((line) => line.startsWith('m='));
}

function origin(sdp: string): string {
  return sdp.split('\r\n')[1]!;
}

describe('our offer', () => {
  test('has all that we can do', () => {
    expect(newSession().offer().split('\r\n')).toEqual([
      'v=0',
      'o=- 7 1 IN IP4 203.0.113.10',
      's=-',
      'c=IN IP4 203.0.113.10',
      't=0 0',
      'm=audio 20000 RTP/AVP 96 9 8 0 13 102 101',
      'a=rtpmap:96 opus/48000/2',
      'a=fmtp:96 minptime=10;useinbandfec=1',
      'a=rtpmap:9 G722/8000',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:13 CN/8000',
      'a=rtpmap:102 telephone-event/48000',
      'a=fmtp:102 0-16',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-16',
      'a=ptime:20',
      'a=maxptime:60',
      'a=sendrecv',
      'a=rtcp-mux',
      'a=extmap:1/recvonly urn:ietf:params:rtp-hdrext:ssrc-audio-level',
      'a=rtcp-xr:voip-metrics',
      '',
    ]);
  });

  test('without Opus has telephone-event for the clock of the others only', () => {
    expect(streams(newSession({ codecs: ['PCMU', 'PCMA'] }).offer())).toEqual(['m=audio 20000 RTP/AVP 0 8 13 101']);
  });
});

describe('the answer to our offer', () => {
  function accept(...streamLines: string[]): AcceptResult {
    const session = newSession();
    session.offer();
    return session.acceptAnswer(theirs(...streamLines));
  }

  test('settles what we send, which is what it has first (RFC 3264 §7)', () => {
    const media = agreed(accept('m=audio 4000 RTP/AVP 0 8 101', 'a=rtpmap:101 telephone-event/8000', 'a=ptime:30'));
    expect(media).toEqual({
      remote: { address: '192.0.2.1', rtpPort: 4000, rtcpPort: 4001 },
      rtcpMux: false,
      direction: 'sendrecv',
      send: { codec: 'PCMU', payloadType: 0, clockRateHz: 8000, parameters: {} },
      sendPtimeMs: 30,
      receive: [
        { codec: 'PCMU', payloadType: 0, clockRateHz: 8000, parameters: {} },
        { codec: 'PCMA', payloadType: 8, clockRateHz: 8000, parameters: {} },
      ],
      receiveTelephoneEvent: { payloadType: 101, clockRateHz: 8000 },
      sendComfortNoise: null,
      receiveAudioLevel: null,
      crypto: null,
      voipMetrics: false,
    });
  });

  test('says whether it wants our VoIP metrics (RFC 3611 §5.1)', () => {
    const wants = (...lines: string[]) => agreed(accept('m=audio 4000 RTP/AVP 0', ...lines)).voipMetrics;
    expect(wants('a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss voip-metrics')).toBe(true);
    expect(wants('a=rtcp-xr:rcvr-rtt=all')).toBe(false);
  });

  test('may have other payload types: we send with those, and receive with ours (RFC 3264 §5.1)', () => {
    const media = agreed(
      accept(
        'm=audio 4000 RTP/AVP 120 121',
        'a=rtpmap:120 opus/48000/2',
        'a=fmtp:120 maxaveragebitrate=20000',
        'a=rtpmap:121 telephone-event/48000',
        'a=rtcp-mux',
      ),
    );
    expect(media.send).toEqual({
      codec: 'opus',
      payloadType: 120,
      clockRateHz: 48000,
      parameters: { maxaveragebitrate: '20000' },
    });
    expect(media.receive).toEqual([
      { codec: 'opus', payloadType: 96, clockRateHz: 48000, parameters: { minptime: '10', useinbandfec: '1' } },
    ]);
    expect(media.receiveTelephoneEvent).toEqual({ payloadType: 102, clockRateHz: 48000 });
    expect(media).toMatchObject({ rtcpMux: true, remote: { rtcpPort: 4000 } });
  });

  test('that holds us is heeded', () => {
    expect(agreed(accept('m=audio 4000 RTP/AVP 0', 'a=sendonly')).direction).toBe('recvonly');
    expect(agreed(accept('m=audio 4000 RTP/AVP 0', 'c=IN IP4 0.0.0.0')).direction).toBe('recvonly');
  });

  test('may have formats that we did not offer, as long as there is one that we did', () => {
    expect(agreed(accept('m=audio 4000 RTP/AVP 18 0')).receive).toHaveLength(1);
  });

  test.each([
    ['has only formats that we did not offer', ['m=audio 4000 RTP/AVP 18'], 305],
    ['has fewer streams', [], 399],
    ['has more streams', ['m=audio 4000 RTP/AVP 0', 'm=video 0 RTP/AVP 96'], 399],
    ['refuses the stream', ['m=audio 0 RTP/AVP 0'], 304],
    ['makes it a video', ['m=video 4000 RTP/AVP 0'], 304],
    ['has another profile', ['m=audio 4000 RTP/SAVP 0'], 302],
    [
      'is of another address family and sends nothing',
      ['m=audio 4000 RTP/AVP 0', 'c=IN IP6 2001:db8::1', 'a=recvonly'],
      301,
    ],
  ])('that %s is refused', (_, streamLines, code) => {
    const result = accept(...streamLines);
    expect(result).toMatchObject({ ok: false, status: 488 });
    expect(!result.ok && Number(result.warning.split(' ')[0])).toBe(code);
  });

  test('that is not SDP is refused with 400', () => {
    const session = newSession();
    session.offer();
    expect(session.acceptAnswer('no')).toMatchObject({ ok: false, status: 400 });
  });

  test('with a codec of ours that was configured away is refused', () => {
    const session = newSession({ codecs: ['PCMU'] });
    session.offer();
    expect(session.acceptAnswer(theirs('m=audio 4000 RTP/AVP 8'))).toMatchObject({ ok: false });
  });

  test('without an offer before it is a mistake of the caller', () => {
    expect(() => newSession().acceptAnswer(theirs('m=audio 4000 RTP/AVP 0'))).toThrow('no offer');
  });
});

describe('later offers (RFC 3264 §8)', () => {
  test('a caller holds and comes back: the version goes up with each change, the rest of o= stays', () => {
    const session = newSession();
    const talk = theirs('m=audio 4000 RTP/AVP 0');
    const hold = theirs('m=audio 4000 RTP/AVP 0', 'a=sendonly');
    expect(said(session.answer(talk))[1]).toBe('o=- 7 1 IN IP4 203.0.113.10');
    expect(said(session.answer(talk))[1]).toBe('o=- 7 1 IN IP4 203.0.113.10');
    expect(said(session.answer(hold))[1]).toBe('o=- 7 2 IN IP4 203.0.113.10');
    expect(session.media?.direction).toBe('recvonly');
    expect(said(session.answer(hold))[1]).toBe('o=- 7 2 IN IP4 203.0.113.10');
    expect(said(session.answer(talk))[1]).toBe('o=- 7 3 IN IP4 203.0.113.10');
    expect(session.media?.direction).toBe('sendrecv');
  });

  test('a caller who moves is answered as before, and sent to where he is now', () => {
    const session = newSession();
    const before = said(session.answer(theirs('m=audio 4000 RTP/AVP 0')));
    expect(said(session.answer(theirs('m=audio 4800 RTP/AVP 0', 'c=IN IP4 192.0.2.99')))).toEqual(before);
    expect(session.media?.remote).toEqual({ address: '192.0.2.99', rtpPort: 4800, rtcpPort: 4801 });
  });

  test('streams that are added and closed are answered in their places', () => {
    const session = newSession();
    session.answer(theirs('m=audio 4000 RTP/AVP 0'));
    const added = said(session.answer(theirs('m=audio 4000 RTP/AVP 0', 'm=video 4002 RTP/AVP 31')));
    expect(streams(added.join('\r\n'))).toEqual(['m=audio 20000 RTP/AVP 0', 'm=video 0 RTP/AVP 31']);
    const closed = said(session.answer(theirs('m=audio 4000 RTP/AVP 0', 'm=video 0 RTP/AVP 31')));
    expect(closed).toEqual(added);
  });

  test('the stream in use stays in use, even when one before it could be taken now', () => {
    const session = newSession();
    session.answer(theirs('m=audio 4000 RTP/SAVP 0', 'm=audio 4002 RTP/AVP 0'));
    const result = session.answer(theirs('m=audio 4000 RTP/AVP 0', 'm=audio 4002 RTP/AVP 0'));
    expect(streams(said(result).join('\r\n'))).toEqual(['m=audio 0 RTP/AVP 0', 'm=audio 20000 RTP/AVP 0']);
  });

  test('when the stream in use is closed, another is taken', () => {
    const session = newSession();
    session.answer(theirs('m=audio 4000 RTP/AVP 0'));
    const result = session.answer(theirs('m=audio 0 RTP/AVP 0', 'm=audio 4002 RTP/AVP 8'));
    expect(streams(said(result).join('\r\n'))).toEqual(['m=audio 0 RTP/AVP 0', 'm=audio 20000 RTP/AVP 8']);
  });

  test('an offer that cannot be taken leaves all as it was', () => {
    const session = newSession();
    const first = session.answer(theirs('m=audio 4000 RTP/AVP 0'));
    expect(session.answer(theirs('m=audio 4000 RTP/AVP 18')).ok).toBe(false);
    expect(session.answer('nonsense').ok).toBe(false);
    expect(session.media).toEqual(agreed(first));
    expect(session.answer(theirs('m=audio 4000 RTP/AVP 0'))).toEqual(first);
  });

  test('our own later offer has the same streams, and the payload types of before', () => {
    const session = newSession();
    session.answer(
      theirs(
        'm=video 4002 RTP/AVP 31',
        'm=audio 4000 RTP/AVPF 107 0 98',
        'a=rtpmap:107 opus/48000/2',
        'a=rtpmap:98 telephone-event/48000',
      ),
    );
    const offer = session.offer();
    expect(streams(offer)).toEqual(['m=video 0 RTP/AVP 31', 'm=audio 20000 RTP/AVPF 107 9 8 0 13 98 101']);
    expect(origin(offer)).toBe('o=- 7 2 IN IP4 203.0.113.10');
  });

  test('a payload type that once meant something else is not given a new meaning (RFC 3264 §8.3.2)', () => {
    const session = newSession();
    session.answer(theirs('m=audio 4000 RTP/AVP 0 96 101', 'a=rtpmap:96 iLBC/8000', 'a=rtpmap:101 CN/16000'));
    session.answer(theirs('m=audio 4000 RTP/AVP 0'));
    const offer = session.offer();
    expect(streams(offer)).toEqual(['m=audio 20000 RTP/AVP 97 9 8 0 13 102 98']);
    expect(offer).toContain('a=rtpmap:97 opus/48000/2');
    expect(offer).toContain('a=rtpmap:98 telephone-event/8000');
  });

  test('after an asymmetric answer our next offer keeps our payload types', () => {
    const session = newSession();
    session.offer();
    session.acceptAnswer(theirs('m=audio 4000 RTP/AVP 120', 'a=rtpmap:120 opus/48000/2'));
    expect(streams(session.offer())).toEqual(['m=audio 20000 RTP/AVP 96 9 8 0 13 102 101']);
  });

  test('an answer that calls something else by our payload type does not change what ours means', () => {
    const session = newSession();
    session.offer();
    const maps = ['a=rtpmap:120 opus/48000/2', 'a=rtpmap:96 telephone-event/48000'];
    session.acceptAnswer(theirs('m=audio 4000 RTP/AVP 120 96', ...maps));
    expect(streams(session.offer())).toEqual(['m=audio 20000 RTP/AVP 96 9 8 0 13 102 101']);
  });

  test('one who gives a payload type a new meaning is followed, and no payload type is offered twice', () => {
    const session = newSession();
    session.answer(theirs('m=audio 4000 RTP/AVP 96', 'a=rtpmap:96 opus/48000/2'));
    session.answer(theirs('m=audio 4000 RTP/AVP 0 96', 'a=rtpmap:96 telephone-event/8000'));
    expect(streams(session.offer())).toEqual(['m=audio 20000 RTP/AVP 97 9 8 0 13 102 96']);
  });

  test('one who gives a static payload type to something else is followed, but our offers keep to RFC 3551', () => {
    const session = newSession();
    session.answer(theirs('m=audio 4000 RTP/AVP 0 8', 'a=rtpmap:8 opus/48000/2', 'a=rtpmap:0 telephone-event/8000'));
    expect(session.media?.send).toMatchObject({ codec: 'opus', payloadType: 8 });
    expect(streams(session.offer())).toEqual(['m=audio 20000 RTP/AVP 96 9 8 0 13 102 101']);
  });

  test('a codec for which no payload type is left is not offered', () => {
    const session = newSession();
    const dynamic = Array.from({ length: 32 }, (_, i) => 96 + i);
    const maps = dynamic.map((payloadType) => `a=rtpmap:${payloadType} X${payloadType}/8000`);
    session.answer(theirs(`m=audio 4000 RTP/AVP 0 ${dynamic.join(' ')}`, ...maps));
    expect(streams(session.offer())).toEqual(['m=audio 20000 RTP/AVP 9 8 0 13']);
  });

  test('late re-INVITE on hold: our offer asks for sendrecv again, so that the call can resume', () => {
    const session = newSession();
    session.answer(theirs('m=audio 4000 RTP/AVP 0', 'a=inactive'));
    expect(session.offer()).toContain('a=sendrecv');
    expect(agreed(session.acceptAnswer(theirs('m=audio 4000 RTP/AVP 0'))).direction).toBe('sendrecv');
  });

  test('an offer of ours that was never answered leaves what was agreed, but has used its version', () => {
    const session = newSession();
    const first = agreed(session.answer(theirs('m=audio 4000 RTP/AVP 0')));
    expect(origin(session.offer())).toBe('o=- 7 2 IN IP4 203.0.113.10');
    expect(session.media).toEqual(first);
    expect(said(session.answer(theirs('m=audio 4000 RTP/AVP 0')))[1]).toBe('o=- 7 3 IN IP4 203.0.113.10');
    expect(() => session.acceptAnswer(theirs('m=audio 4000 RTP/AVP 0'))).toThrow('no offer');
  });

  test('two of us agree with each other on everything', () => {
    const us = newSession();
    const them = newSession({ address: '203.0.113.20', rtpPort: 30000, rtcpPort: 30001, codecs: ['PCMU', 'G722'] });
    const answer = them.answer(us.offer());
    const ours = agreed(us.acceptAnswer(said(answer).join('\r\n')));
    expect(ours.send).toEqual(agreed(answer).receive[0]);
    expect(ours.receive[0]).toEqual(agreed(answer).send);
    expect(ours).toMatchObject({ send: { codec: 'PCMU' }, rtcpMux: true, receiveTelephoneEvent: { payloadType: 101 } });
  });
});
