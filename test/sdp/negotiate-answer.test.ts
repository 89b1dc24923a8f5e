import { describe, expect, test } from 'vitest';
import type { AudioMedia } from '../../mixer/protocol.ts';
import { type AnswerResult, MediaSession, type MediaSessionOptions } from '../../server/sdp/media-session.ts';

const US: MediaSessionOptions = { address: '203.0.113.10', rtpPort: 20000, rtcpPort: 20001, sessionId: 7 };

/** An offer with these lines after `t=`; `c=` for the session can be another. */
function offerOf(streamLines: string[], connection = 'c=IN IP4 192.0.2.1'): string {
  const lines = ['v=0', 'o=alice 1 1 IN IP4 192.0.2.1', 's=-', connection, 't=0 0', ...streamLines];
  return `${lines.filter((line) => line !== '').join('\r\n')}\r\n`;
}

function answer(streamLines: string[], options: Partial<MediaSessionOptions> = {}, connection?: string): AnswerResult {
  return new MediaSession({ ...US, ...options }).answer(offerOf(streamLines, connection));
}

function agreed(result: AnswerResult): { sdp: string[]; media: AudioMedia } {
  if (!result.ok) throw new Error(result.warning);
  return { sdp: result.sdp.split('\r\n'), media: result.media };
}

function streamLines(result: AnswerResult): string[] {
  return agreed(result).sdp.filter((line) => line.startsWith('m='));
}

describe('codecs', () => {
  const all = ['m=audio 4000 RTP/AVP 0 8 9 111', 'a=rtpmap:111 OPUS/48000/2'];

  test('the order of the answer is ours, and we send its first', () => {
    const result = answer(all);
    expect(streamLines(result)).toEqual(['m=audio 20000 RTP/AVP 111 9 8 0']);
    expect(agreed(result).media.send).toMatchObject({ codec: 'opus', payloadType: 111 });
    expect(agreed(result).media.receive.map((format) => format.codec)).toEqual(['opus', 'G722', 'PCMA', 'PCMU']);
  });

  test('the order can be configured, and codecs left out', () => {
    const result = answer(all, { codecs: ['PCMU', 'opus'] });
    expect(streamLines(result)).toEqual(['m=audio 20000 RTP/AVP 0 111']);
    expect(agreed(result).media.send).toMatchObject({ codec: 'PCMU', payloadType: 0 });
  });

  test('a codec that is offered twice is answered once, with its first payload type', () => {
    const twice = ['m=audio 4000 RTP/AVP 100 111', 'a=rtpmap:100 opus/48000/2', 'a=rtpmap:111 opus/48000/2'];
    expect(streamLines(answer(twice))).toEqual(['m=audio 20000 RTP/AVP 100']);
  });

  test('G.711 on a dynamic payload type is G.711', () => {
    expect(streamLines(answer(['m=audio 4000 RTP/AVP 97', 'a=rtpmap:97 pcmu/8000/1']))).toEqual([
      'm=audio 20000 RTP/AVP 97',
    ]);
  });

  test('payload type 9 with the sampling rate for a clock is still G.722, answered with the right clock', () => {
    const result = agreed(answer(['m=audio 4000 RTP/AVP 9', 'a=rtpmap:9 G722/16000']));
    expect(result.media.send).toMatchObject({ codec: 'G722', clockRateHz: 8000 });
    expect(result.sdp).toContain('a=rtpmap:9 G722/8000');
  });

  test('uncompressed sound is for recorders and bots that have nothing else', () => {
    const bot = answer(['m=audio 4000 RTP/AVP 96 97', 'a=rtpmap:96 L16/16000', 'a=rtpmap:97 L16/44100']);
    expect(agreed(bot).media.send).toMatchObject({ codec: 'L16/16000', payloadType: 96, clockRateHz: 16000 });
    expect(agreed(bot).sdp).toContain('a=rtpmap:96 L16/16000');
    const phone = answer(['m=audio 4000 RTP/AVP 96 0', 'a=rtpmap:96 L16/16000/1']);
    expect(agreed(phone).media.receive.map(({ codec }) => codec)).toEqual(['PCMU']);
    const asked = answer(['m=audio 4000 RTP/AVP 0 96', 'a=rtpmap:96 L16/8000'], { codecs: ['L16/8000', 'PCMU'] });
    expect(agreed(asked).media.send.codec).toBe('L16/8000');
    expect(answer(['m=audio 4000 RTP/AVP 96', 'a=rtpmap:96 L16/48000/2']).ok).toBe(false);
  });

  test('VoIP metrics are said to be wanted to who wants ours (RFC 3611 §5.1)', () => {
    const wants = agreed(answer(['m=audio 4000 RTP/AVP 0', 'a=rtcp-xr:voip-metrics']));
    expect(wants.media.voipMetrics).toBe(true);
    expect(wants.sdp).toContain('a=rtcp-xr:voip-metrics');
    expect(agreed(answer(['m=audio 4000 RTP/AVP 0'])).sdp.join()).not.toContain('rtcp-xr');
  });

  test('a static payload type with an rtpmap that says nothing is what RFC 3551 says', () => {
    expect(streamLines(answer(['m=audio 4000 RTP/AVP 0', 'a=rtpmap:0 PCMU']))).toEqual(['m=audio 20000 RTP/AVP 0']);
  });

  test('each side is told its own format parameters', () => {
    const { media } = agreed(
      answer(['m=audio 4000 RTP/AVP 96', 'a=rtpmap:96 opus/48000/2', 'a=fmtp:96 CBR=1; Stereo=0 ;;=x;__proto__=1']),
    );
    expect(media.send.parameters).toEqual({ cbr: '1', stereo: '0' });
    expect(media.receive[0]!.parameters).toEqual({ minptime: '10', useinbandfec: '1' });
  });

  test.each([
    ['PCMU in stereo', ['m=audio 4000 RTP/AVP 97', 'a=rtpmap:97 PCMU/8000/2']],
    ['PCMU at 16000', ['m=audio 4000 RTP/AVP 97', 'a=rtpmap:97 PCMU/16000']],
    ['payload type 0 that means something else', ['m=audio 4000 RTP/AVP 0', 'a=rtpmap:0 GSM/8000']],
    ['a dynamic payload type without a meaning', ['m=audio 4000 RTP/AVP 96']],
    ['a payload type that does not exist', ['m=audio 4000 RTP/AVP 128 x -1', 'a=rtpmap:128 PCMU/8000']],
    ['telephone-event alone', ['m=audio 4000 RTP/AVP 101', 'a=rtpmap:101 telephone-event/8000']],
  ])('%s is nothing we have: 488 with Warning 305', (_, offer) => {
    expect(answer(offer)).toEqual({
      ok: false,
      status: 488,
      warning: '305 203.0.113.10 "Incompatible media format"',
    });
  });
});

describe('telephone-event', () => {
  const both = ['a=rtpmap:100 telephone-event/8000', 'a=rtpmap:101 telephone-event/48000', 'a=fmtp:100 0-11'];

  test('goes by the clock of the codec that is sent (RFC 4733 §2.1)', () => {
    const opus = answer(['m=audio 4000 RTP/AVP 0 96 100 101', 'a=rtpmap:96 opus/48000/2', ...both]);
    expect(streamLines(opus)).toEqual(['m=audio 20000 RTP/AVP 96 0 101']);
    const g711 = answer(['m=audio 4000 RTP/AVP 0 100 101', ...both]);
    expect(streamLines(g711)).toEqual(['m=audio 20000 RTP/AVP 0 100']);
    expect(agreed(g711).sdp).toContain('a=fmtp:100 0-16');
  });

  test('is null when it is not offered, or only for a clock of no use', () => {
    const { media } = agreed(answer(['m=audio 4000 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/16000']));
    expect(media).toMatchObject({ receiveTelephoneEvent: null });
  });
});

describe('streams', () => {
  test('all others are refused, in their order, with their formats (RFC 3264 §6)', () => {
    const result = answer([
      'm=message 7394 TCP/MSRP *',
      'm=audio 0 RTP/AVP 0',
      'm=audio 4000/2 RTP/AVPF 0',
      'm=audio 4002 RTP/AVP 0',
      'm=video 4004 RTP/AVP 96 97',
      'm=image 4006 udptl t38',
      'm=application 4008 UDP/BFCP *',
      'm=video 0 RTP/AVP',
    ]);
    expect(streamLines(result)).toEqual([
      'm=message 0 TCP/MSRP *',
      'm=audio 0 RTP/AVP 0',
      'm=audio 20000 RTP/AVPF 0',
      'm=audio 0 RTP/AVP 0',
      'm=video 0 RTP/AVP 96 97',
      'm=image 0 udptl t38',
      'm=application 0 UDP/BFCP *',
      'm=video 0 RTP/AVP 0',
    ]);
    expect(agreed(result).media.remote).toEqual({ address: '192.0.2.1', rtpPort: 4000, rtcpPort: 4001 });
  });

  test.each([
    ['no stream at all', [], 304],
    ['only video', ['m=video 4000 RTP/AVP 96'], 304],
    ['all audio closed', ['m=audio 0 RTP/AVP 0', 'm=audio 0 RTP/AVP 8'], 304],
    ['secured audio only', ['m=audio 4000 RTP/SAVP 0', 'm=audio 4002 UDP/TLS/RTP/SAVPF 0'], 302],
    ['a codec we lack, and a secured stream', ['m=audio 4000 RTP/AVP 18', 'm=audio 4002 RTP/SAVP 0'], 305],
  ])('%s: 488', (_, offer, code) => {
    const result = answer(offer);
    expect(result).toMatchObject({ ok: false, status: 488 });
    expect(!result.ok && result.warning).toMatch(new RegExp(`^${code} 203\\.0\\.113\\.10 "`));
  });

  test('text that is no SDP gets 400, and where it went wrong', () => {
    expect(new MediaSession(US).answer('hello')).toEqual({
      ok: false,
      status: 400,
      warning: '399 203.0.113.10 "SDP line 1: not of the form <letter>=<value>"',
    });
  });

  test('the times of the offer are repeated (RFC 3264 §6)', () => {
    const offer = offerOf(['m=audio 4000 RTP/AVP 0']).replace('t=0 0', 't=2873397496 2873404696\r\nr=7d 1h 0 25h');
    const { sdp } = agreed(new MediaSession(US).answer(offer));
    expect(sdp.slice(4, 6)).toEqual(['t=2873397496 2873404696', 'r=7d 1h 0 25h']);
  });
});

describe('hold (RFC 3264 §8.4)', () => {
  test.each([
    ['sendrecv', 'sendrecv'],
    ['sendonly', 'recvonly'],
    ['recvonly', 'sendonly'],
    ['inactive', 'inactive'],
  ])('%s is answered %s', (theirs, ours) => {
    const result = agreed(answer(['m=audio 4000 RTP/AVP 0', `a=${theirs}`]));
    expect(result.media.direction).toBe(ours);
    expect(result.sdp).toContain(`a=${ours}`);
  });

  test('the direction of the session holds for a stream without one, and not for one with', () => {
    expect(agreed(answer(['a=sendonly', 'm=audio 4000 RTP/AVP 0'])).media.direction).toBe('recvonly');
    expect(agreed(answer(['a=inactive', 'm=audio 4000 RTP/AVP 0', 'a=sendrecv'])).media.direction).toBe('sendrecv');
  });

  test.each([
    ['c=IN IP4 0.0.0.0', [], 'recvonly'],
    ['c=IN IP4 0.0.0.0', ['a=sendonly'], 'recvonly'],
    ['c=IN IP4 0.0.0.0', ['a=recvonly'], 'inactive'],
    ['c=IN IP4 0.0.0.0', ['a=inactive'], 'inactive'],
    ['c=IN IP6 ::', [], 'recvonly'],
    ['c=IN IP6 anonymous.invalid', [], 'recvonly'],
  ])('the old way, %s %s: nothing is sent, and the answer is %s', (connection, attributes, direction) => {
    const { media } = agreed(answer(['m=audio 4000 RTP/AVP 0', ...attributes], {}, connection));
    expect(media).toMatchObject({ remote: null, direction });
  });

  test('the old way within the stream only', () => {
    const { media } = agreed(answer(['m=audio 4000 RTP/AVP 0', 'c=IN IP4 0.0.0.0']));
    expect(media).toMatchObject({ remote: null, direction: 'recvonly' });
  });
});

describe('where to send', () => {
  test.each([
    ['a host name', 'c=IN IP4 phone.example.com'],
    ['multicast', 'c=IN IP4 224.2.1.1/127'],
    ['broadcast', 'c=IN IP4 255.255.255.255'],
    ['IPv6 multicast', 'c=IN IP6 ff15::101'],
    ['a link-local zone', 'c=IN IP6 fe80::1%eth0'],
    ['no c= at all', ''],
    ['another kind of network', 'c=ATM NSAP 47.0091.8100'],
  ])('%s: is left to latching, and the direction stays', (_, connection) => {
    const { media } = agreed(answer(['m=audio 4000 RTP/AVP 0'], {}, connection));
    expect(media).toMatchObject({ remote: null, direction: 'sendrecv' });
  });

  test('an IPv6 offer is answered by an IPv6 conference', () => {
    const result = agreed(answer(['m=audio 4000 RTP/AVP 0'], { address: '2001:db8::10' }, 'c=IN IP6 2001:DB8::1'));
    expect(result.media.remote).toEqual({ address: '2001:db8::1', rtpPort: 4000, rtcpPort: 4001 });
    expect(result.sdp).toContain('c=IN IP6 2001:db8::10');
    expect(result.sdp[1]).toBe('o=- 7 1 IN IP6 2001:db8::10');
  });

  test('of one stream in each address family, the one of ours is taken', () => {
    const result = answer(['m=audio 4000 RTP/AVP 0', 'c=IN IP6 2001:db8::1', 'm=audio 4002 RTP/AVP 0']);
    expect(streamLines(result)).toEqual(['m=audio 0 RTP/AVP 0', 'm=audio 20000 RTP/AVP 0']);
  });

  test.each(['sendrecv', 'sendonly'])(
    'in the other family alone, a stream that sends is %s from where will be seen',
    (direction) => {
      const result = agreed(answer(['m=audio 4000 RTP/AVP 0', 'c=IN IP6 2001:db8::1', `a=${direction}`]));
      expect(result.media).toMatchObject({
        remote: null,
        direction: direction === 'sendonly' ? 'recvonly' : 'sendrecv',
      });
      expect(result.sdp).toContainEqual(expect.stringMatching(/^c=IN IP4 /));
    },
  );

  test.each(['recvonly', 'inactive'])('in the other family alone, a stream that is %s is refused', (direction) => {
    const result = answer(['m=audio 4000 RTP/AVP 0', 'c=IN IP6 2001:db8::1', `a=${direction}`]);
    expect(result).toMatchObject({ ok: false, status: 488, warning: expect.stringMatching(/^301 /) });
  });

  test('an IPv6 agent warns in brackets', () => {
    const result = answer(['m=audio 4000 RTP/AVP 0', 'a=recvonly'], { address: '2001:db8::10' });
    expect(result).toMatchObject({ warning: '301 [2001:db8::10] "Incompatible network address formats"' });
  });
});

describe('RTCP', () => {
  test('goes to the next port, or where a=rtcp says (RFC 3605)', () => {
    expect(agreed(answer(['m=audio 4000 RTP/AVP 0'])).media.remote?.rtcpPort).toBe(4001);
    expect(agreed(answer(['m=audio 4000 RTP/AVP 0', 'a=rtcp:53020'])).media.remote?.rtcpPort).toBe(53020);
    const named = answer(['m=audio 4000 RTP/AVP 0', 'a=rtcp:53020 IN IP4 192.0.2.9']);
    expect(agreed(named).media.remote?.rtcpPort).toBe(53020);
    expect(agreed(answer(['m=audio 4000 RTP/AVP 0', 'a=rtcp:99999'])).media.remote?.rtcpPort).toBe(4001);
    expect(agreed(answer(['m=audio 65535 RTP/AVP 0'])).media.remote?.rtcpPort).toBe(65535);
  });

  test('shares the port when that is offered (RFC 5761), and not when it is not', () => {
    const muxed = agreed(answer(['m=audio 4000 RTP/AVP 0', 'a=rtcp:4001', 'a=rtcp-mux']));
    expect(muxed.media).toMatchObject({ rtcpMux: true, remote: { rtpPort: 4000, rtcpPort: 4000 } });
    expect(muxed.sdp).toContain('a=rtcp-mux');
    const apart = agreed(answer(['m=audio 4000 RTP/AVP 0']));
    expect(apart.media.rtcpMux).toBe(false);
    expect(apart.sdp).not.toContain('a=rtcp-mux');
  });

  test('does not share the port with payload types that look like RTCP (RFC 5761 §4)', () => {
    const { media } = agreed(answer(['m=audio 4000 RTP/AVP 0 72', 'a=rtpmap:72 speex/8000', 'a=rtcp-mux']));
    expect(media.rtcpMux).toBe(false);
  });

  test('is told to come to our RTCP port only where that is not the next one', () => {
    expect(agreed(answer(['m=audio 4000 RTP/AVP 0'], { rtcpPort: 21000 })).sdp).toContain('a=rtcp:21000');
    expect(agreed(answer(['m=audio 4000 RTP/AVP 0'])).sdp.join()).not.toContain('a=rtcp:');
  });
});

describe('packet time', () => {
  test.each([
    [[], 20],
    [['a=ptime:10'], 10],
    [['a=ptime:30'], 30],
    [['a=ptime:60'], 60],
    [['a=ptime:200'], 60],
    [['a=ptime:5'], 10],
    [['a=ptime:25'], 30],
    [['a=ptime:24'], 20],
    [['a=ptime:22.5'], 20],
    [['a=ptime:0'], 20],
    [['a=ptime:soon'], 20],
    [['a=ptime:-20'], 20],
    [['a=ptime:40', 'a=maxptime:30'], 30],
    [['a=ptime:40', 'a=maxptime:35'], 30],
    [['a=maxptime:10'], 10],
    [['a=maxptime:5'], 10],
    [['a=maxptime:150'], 20],
  ])('%j: we send %i ms', (attributes, sendPtimeMs) => {
    const result = agreed(answer(['m=audio 4000 RTP/AVP 0', ...attributes]));
    expect(result.media.sendPtimeMs).toBe(sendPtimeMs);
    expect(result.sdp).toContain('a=ptime:20');
  });

  test('said for the session, it holds for the stream', () => {
    expect(agreed(answer(['a=ptime:30', 'm=audio 4000 RTP/AVP 0'])).media.sendPtimeMs).toBe(30);
  });
});
