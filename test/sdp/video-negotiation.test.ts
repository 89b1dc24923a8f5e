import { describe, expect, test } from 'vitest';
import type { VideoMedia } from '../../mixer/video-protocol.ts';
import type { MediaSessionOptions } from '../../server/sdp/media-session.ts';
import { agreed, CAMERA, linesOf, SLIDES, SOUND, sectionOf, theirs, videoSession } from './video-call.ts';

function answerTo(streamLines: string[], options: Partial<MediaSessionOptions> = {}) {
  return agreed(videoSession(options).answer(theirs(SOUND, ...streamLines)));
}

function videoOf(streamLines: string[], options?: Partial<MediaSessionOptions>): VideoMedia {
  const { video } = answerTo(streamLines, options);
  if (video === null) throw new Error('no video was agreed upon');
  return video;
}

const KEY = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp1CnVubGVz';
const CRYPTO = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`;

describe('formats', () => {
  const all = [
    'm=video 5000 RTP/AVP 34 97 98 99',
    ...['a=rtpmap:97 vp8/90000', 'a=rtpmap:98 h264/90000', 'a=fmtp:98 profile-level-id=42e01f'],
    ...['a=rtpmap:99 H264/90000', 'a=fmtp:99 profile-level-id=42e01f;packetization-mode=1'],
  ];

  test('the order of the answer is ours: H.264 in mode 1, in mode 0, VP8', () => {
    const { sdp, video } = answerTo(all);
    expect(linesOf(sdp, 'm=video')).toEqual(['m=video 20002 RTP/AVP 99 98 97']);
    expect(video!.send).toMatchObject({ codec: 'H264', payloadType: 99 });
    expect(video!.receive.map(({ codec }) => codec)).toEqual(['H264', 'H264', 'VP8']);
  });

  test('the order can be configured, and codecs left out', () => {
    const { sdp, video } = answerTo(all, { video: { codecs: ['VP8', 'H264/0'] } });
    expect(linesOf(sdp, 'm=video')).toEqual(['m=video 20002 RTP/AVP 97 98']);
    expect(video!.send.codec).toBe('VP8');
    expect(linesOf(answerTo(all, { video: { codecs: ['H264'] } }).sdp, 'm=video')[0]).toMatch(/ 99$/);
  });

  test('each side is told its own parameters', () => {
    const { send, receive } = videoOf([...CAMERA, 'a=fmtp:97 max-fs=1200;max-fr=15']);
    expect([send.parameters, receive[0]!.parameters]).toEqual([
      { 'max-fs': '1200', 'max-fr': '15' },
      { 'max-fr': '30', 'max-fs': '3600' },
    ]);
    const large = videoOf(CAMERA, { video: { maxReceive: '1080p' } });
    expect(large.receive[0]!.parameters).toEqual({ 'max-fr': '30', 'max-fs': '8160' });
  });

  test.each([
    ['of other codecs', ['m=video 5000 RTP/AVP 31 34 100', 'a=rtpmap:100 VP9/90000']],
    ['with another clock', ['m=video 5000 RTP/AVP 97', 'a=rtpmap:97 VP8/8000']],
    ['without a meaning', ['m=video 5000 RTP/AVP 97']],
    ['of RTX alone', ['m=video 5000 RTP/AVP 97', 'a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=96']],
    [
      'of a profile that we lack',
      ['m=video 5000 RTP/AVP 97', 'a=rtpmap:97 H264/90000', 'a=fmtp:97 profile-level-id=6e001f'],
    ],
  ])('a stream %s is refused, and the call goes on with sound', (_, lines) => {
    const { sdp, video, media } = answerTo(lines);
    expect([video, media.send.codec]).toEqual([null, 'PCMU']);
    expect(linesOf(sdp, 'm=video')[0]).toMatch(/^m=video 0 /);
  });
});

describe('what is sent again (RFC 4588)', () => {
  const rtx = [
    'm=video 5000 RTP/AVP 97 98',
    'a=rtpmap:97 VP8/90000',
    'a=rtpmap:98 rtx/90000',
    'a=fmtp:98 apt=97;rtx-time=200',
  ];

  test('goes by the format that it belongs to, where there are negative acknowledgements', () => {
    const { sdp, video } = answerTo([...rtx, 'a=rtcp-fb:97 nack']);
    expect([video!.send.rtxPayloadType, video!.receive[0]!.rtxPayloadType]).toEqual([98, 98]);
    expect(linesOf(sdp, 'm=video')).toEqual(['m=video 20002 RTP/AVP 97 98']);
    expect(linesOf(sdp, 'a=fmtp:98')).toEqual(['a=fmtp:98 apt=97']);
    expect(linesOf(sdp, 'a=rtpmap:98')).toEqual(['a=rtpmap:98 rtx/90000']);
  });

  test('is nothing without them, and nothing for a format that is not there', () => {
    expect(videoOf(rtx).send.rtxPayloadType).toBeNull();
    const astray = [...rtx.slice(0, 3), 'a=rtcp-fb:97 nack'];
    for (const fmtp of ['a=fmtp:98 apt=96', 'a=fmtp:98 apt=', 'a=fmtp:98 rtx-time=3']) {
      expect(videoOf([...astray, fmtp]).send.rtxPayloadType).toBeNull();
    }
  });
});

describe('feedback (RFC 4585 §4.2)', () => {
  const two = ['m=video 5000 RTP/AVPF 97 98', 'a=rtpmap:97 VP8/90000', 'a=rtpmap:98 H264/90000'];
  const asked = (lines: string[]) => {
    const { sdp, video } = answerTo(lines);
    const { feedback } = video!.receive.find(({ codec }) => codec === 'VP8')!;
    const names = Object.entries(feedback).flatMap(([name, negotiated]) => (negotiated ? [name] : []));
    return [names.join(' '), ...linesOf(sdp, 'a=rtcp-fb')];
  };

  test('the answer has what the offer said, as far as we know it', () => {
    const known = ['nack', 'nack pli', 'ccm fir', 'ccm tmmbr', 'goog-remb'].map((text) => `a=rtcp-fb:* ${text}`);
    const foreign = [
      'a=rtcp-fb:* transport-cc',
      'a=rtcp-fb:* trr-int 100',
      'a=rtcp-fb:* ack rpsi',
      'a=rtcp-fb:* nack sli',
    ];
    expect(asked([...two, ...foreign, ...known])).toEqual(['nack pli fir tmmbr remb', ...known]);
    expect(asked([...two, ...foreign])).toEqual(['']);
    expect(asked(two)).toEqual(['']);
  });

  test('is said for each format where they are not alike', () => {
    expect(asked([...two, 'a=rtcp-fb:97 nack pli', 'a=rtcp-fb:97 ccm fir', 'a=rtcp-fb:98 ccm fir'])).toEqual([
      'pli fir',
      'a=rtcp-fb:98 ccm fir',
      'a=rtcp-fb:97 nack pli',
      'a=rtcp-fb:97 ccm fir',
    ]);
  });

  test('is read with its parameters, in one line, and in any case', () => {
    expect(asked([...two, 'a=rtcp-fb:* ccm fir tmmbr', 'a=rtcp-fb:* NACK PLI'])[0]).toBe('pli fir tmmbr');
    expect(asked([...two, 'a=rtcp-fb:* ccm tmmbr smaxpr=120'])[0]).toBe('tmmbr');
  });

  test.each(['', '*', '* ', 'nack', '300 nack', '* nack2 pli', '97 ccm', '9 nack'])('%j says nothing', (value) => {
    expect(asked([...two, `a=rtcp-fb:${value}`])).toEqual(['']);
  });
});

describe('profiles and SRTP', () => {
  test.each(['RTP/AVP', 'RTP/AVPF'])('%s is answered in kind', (profile) => {
    const { sdp, video } = answerTo([`m=video 5000 ${profile} 97`, 'a=rtpmap:97 VP8/90000']);
    expect(linesOf(sdp, 'm=video')).toEqual([`m=video 20002 ${profile} 97`]);
    expect(video!.crypto).toBeNull();
  });

  test.each(['RTP/AVP', 'RTP/AVPF', 'RTP/SAVP', 'RTP/SAVPF'])('%s with keys gets keys of its own', (profile) => {
    const session = videoSession({ srtp: 'optional' });
    const video = [`m=video 5000 ${profile} 97`, 'a=rtpmap:97 VP8/90000', CRYPTO];
    const slides = [`m=video 5002 ${profile} 97`, 'a=rtpmap:97 VP8/90000', 'a=content:slides', CRYPTO];
    const offer = theirs(`m=audio 4000 ${profile} 0`, CRYPTO, ...video, ...slides);
    const foreseen = agreed(session.foresee(offer));
    const result = agreed(session.answer(offer));
    expect(result).toMatchObject({ media: foreseen.media, video: foreseen.video!, slides: foreseen.slides! });
    const keys = [result.media, result.video, result.slides].map((media) => media!.crypto!.sendKey);
    expect(new Set(keys).size).toBe(3);
    expect(result.video!.crypto).toMatchObject({ suite: 'AES_CM_128_HMAC_SHA1_80', receiveKey: KEY, receiveMki: null });
    expect(linesOf(result.sdp, 'a=crypto')).toEqual(
      keys.map((key) => `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key}`),
    );
  });

  test('a stream that may not be secured, or must be and is not, costs video alone', () => {
    const secured = ['m=video 5000 RTP/SAVP 97', 'a=rtpmap:97 VP8/90000', CRYPTO];
    expect(answerTo(secured, { srtp: 'off' }).video).toBeNull();
    const session = videoSession({ srtp: 'required' });
    const result = agreed(session.answer(theirs('m=audio 4000 RTP/SAVP 0', CRYPTO, ...CAMERA)));
    expect(result.video).toBeNull();
    expect(linesOf(result.sdp, 'm=')).toEqual(['m=audio 20000 RTP/SAVP 0', 'm=video 0 RTP/AVP 97']);
  });

  test('of one that is secured and one that is not, the secured one is taken', () => {
    const both = [...CAMERA, 'm=video 5004 RTP/SAVP 97', 'a=rtpmap:97 VP8/90000', CRYPTO];
    const { sdp } = answerTo(both, { srtp: 'optional' });
    expect(linesOf(sdp, 'm=video')).toEqual(['m=video 0 RTP/AVP 97', 'm=video 20002 RTP/SAVP 97']);
  });

  test('keys from DTLS are refused', () => {
    expect(answerTo(['m=video 5000 UDP/TLS/RTP/SAVPF 97', 'a=rtpmap:97 VP8/90000']).video).toBeNull();
  });
});

describe('which stream is which (RFC 4796)', () => {
  test('the one marked slides is for slides; both then say what they are', () => {
    const { sdp, video, slides } = answerTo([...SLIDES, ...CAMERA]);
    expect([video!.remote!.rtpPort, slides!.remote!.rtpPort]).toEqual([5000, 5002]);
    expect(linesOf(sdp, 'm=video')).toEqual(['m=video 20004 RTP/AVP 97', 'm=video 20002 RTP/AVP 97']);
    expect(sectionOf(sdp, 1).slice(-2)).toEqual(['a=content:slides', 'a=label:12']);
    expect(sectionOf(sdp, 2).slice(-2)).toEqual(['a=content:main', 'a=label:11']);
  });

  test('a single one says nothing of it', () => {
    const { sdp } = answerTo([...CAMERA, 'a=content:main', 'a=label:1']);
    expect(sdp).not.toMatch(/a=(content|label)/);
  });

  test('slides alone are taken too', () => {
    expect(answerTo(SLIDES)).toMatchObject({ video: null, slides: { remote: { rtpPort: 5002 } } });
  });

  test('a label that the floor control stream names is that of the slides', () => {
    const floor = ['m=application 3000 UDP/BFCP *', 'a=floorctrl:c-s'];
    const shown = (...lines: string[]) => answerTo([...CAMERA, 'a=label:7', ...floor, ...lines]).slides !== null;
    expect(shown('a=floorid:2 mstrm:7')).toBe(true);
    expect(shown('a=floorid:2 m-stream:3 7')).toBe(true);
    expect(shown('a=floorid:2 mstrm:8')).toBe(false);
    expect(shown('a=floorid:2')).toBe(false);
  });

  test('several kinds of content count, and other kinds are for people', () => {
    const slides = (content: string) => answerTo([...CAMERA, `a=content:${content}`]).slides !== null;
    expect(['slides', 'SLIDES', 'alt,slides', 'slides main'].map(slides)).toEqual([true, true, true, true]);
    expect(['main', 'speaker', 'alt', 'sl', ''].map(slides)).toEqual([false, false, false, false, false]);
  });

  test('of two for people one is taken', () => {
    const { sdp } = answerTo([...CAMERA, ...CAMERA]);
    expect(linesOf(sdp, 'm=video')).toEqual(['m=video 20002 RTP/AVP 97', 'm=video 0 RTP/AVP 97']);
  });

  test('slides can be switched off', () => {
    const { sdp, slides, video } = answerTo([...CAMERA, ...SLIDES], { video: { slides: false } });
    expect([slides, video !== null]).toEqual([null, true]);
    expect(linesOf(sdp, 'm=video')).toEqual(['m=video 20002 RTP/AVP 97', 'm=video 0 RTP/AVP 97']);
  });
});

describe('the rest of a stream', () => {
  test.each([
    ['sendrecv', 'sendrecv'],
    ['sendonly', 'recvonly'],
    ['recvonly', 'sendonly'],
    ['inactive', 'inactive'],
  ])('%s is answered %s, whatever the sound does', (theirDirection, ourDirection) => {
    const { sdp, video, media } = answerTo([...CAMERA, `a=${theirDirection}`]);
    expect([video!.direction, media.direction]).toEqual([ourDirection, 'sendrecv']);
    expect(sectionOf(sdp, 1)).toContain(`a=${ourDirection}`);
  });

  test('its address, RTCP port and multiplexing are its own', () => {
    const { remote, rtcpMux } = videoOf([...CAMERA.slice(0, 1), 'c=IN IP4 192.0.2.77', CAMERA[1]!, 'a=rtcp:6000']);
    expect([remote, rtcpMux]).toEqual([{ address: '192.0.2.77', rtpPort: 5000, rtcpPort: 6000 }, false]);
    const { sdp, video } = answerTo([...CAMERA, 'a=rtcp-mux']);
    expect(video).toMatchObject({ rtcpMux: true, remote: { rtcpPort: 5000 } });
    expect(sectionOf(sdp, 1)).toContain('a=rtcp-mux');
  });

  test('in another address family it is found by what it sends', () => {
    expect(videoOf([CAMERA[0]!, 'c=IN IP6 2001:db8::1', CAMERA[1]!]).remote).toBeNull();
    expect(answerTo([CAMERA[0]!, 'c=IN IP6 2001:db8::1', CAMERA[1]!, 'a=recvonly']).video).toBeNull();
  });

  test('our bandwidth is by the size that we take, or as configured', () => {
    const said = (options: MediaSessionOptions['video']) =>
      sectionOf(answerTo(CAMERA, { video: options ?? {} }).sdp, 1).filter((line) => line.startsWith('b='));
    expect(said({})).toEqual(['b=AS:2084', 'b=TIAS:2000000']);
    expect(said({ maxReceive: '1080p' })).toEqual(['b=AS:4167', 'b=TIAS:4000000']);
    expect(said({ maxReceiveBps: 512_000 })).toEqual(['b=AS:534', 'b=TIAS:512000']);
  });

  test('without sound there is no call, whatever the video', () => {
    expect(videoSession().answer(theirs(...CAMERA))).toMatchObject({
      ok: false,
      status: 488,
      warning: expect.stringMatching(/^304 /),
    });
  });
});
