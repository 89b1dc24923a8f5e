import { describe, expect, test } from 'vitest';
import { MediaSession } from '../../server/sdp/media-session.ts';
import { agreed, CAMERA, linesOf, PORTS, SLIDES, SOUND, sectionOf, theirs, videoSession } from './video-call.ts';

const streams = (sdp: string): string[] => linesOf(sdp, 'm=');

describe('ports', () => {
  test('an offer is foreseen without any, and a stream that has none is then refused', () => {
    const session = videoSession({}, []);
    const offer = theirs(SOUND, ...CAMERA, ...SLIDES);
    expect(agreed(session.foresee(offer))).toMatchObject({ video: {}, slides: {} });
    expect(session.media).toBeNull();
    session.bindVideo('slides', PORTS.slides);
    const { sdp, video, slides } = agreed(session.answer(offer));
    expect(streams(sdp)).toEqual(['m=audio 20000 RTP/AVP 0', 'm=video 0 RTP/AVP 97', 'm=video 20004 RTP/AVP 97']);
    expect([video, slides === null]).toEqual([null, false]);
    expect(session.video).toEqual({ video, slides });
  });

  test('without video in the options nothing of it is taken, said or offered', () => {
    const plain = new MediaSession({ address: '203.0.113.10', rtpPort: 20000, rtcpPort: 20001, sessionId: 7 });
    plain.bindVideo('main', PORTS.main);
    plain.wantVideo('720p');
    expect(streams(plain.offer())).toHaveLength(1);
    expect(agreed(plain.foresee(theirs(SOUND, ...CAMERA))).video).toBeNull();
    expect(streams(agreed(plain.answer(theirs(SOUND, ...CAMERA))).sdp)[1]).toBe('m=video 0 RTP/AVP 97');
  });

  test('an RTCP port of its own is told', () => {
    const session = videoSession({}, []);
    session.bindVideo('main', { rtpPort: 21000, rtcpPort: 21005 });
    expect(sectionOf(agreed(session.answer(theirs(SOUND, ...CAMERA))).sdp, 1)).toContain('a=rtcp:21005');
  });

  test('others are told by the next offer', () => {
    const session = videoSession();
    session.answer(theirs(SOUND, ...CAMERA));
    session.bindVideo('main', { rtpPort: 22000, rtcpPort: 22001 });
    expect(streams(session.offer())[1]).toBe('m=video 22000 RTP/AVP 103 104 97');
  });
});

describe('our offer', () => {
  test('has the video that has ports', () => {
    expect(streams(videoSession({}, []).offer())).toHaveLength(1);
    expect(sectionOf(videoSession({}, ['main']).offer(), 1)).toEqual([
      'm=video 20002 RTP/AVP 103 104 105',
      'b=AS:2084',
      'b=TIAS:2000000',
      'a=rtpmap:103 H264/90000',
      'a=fmtp:103 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1',
      'a=rtpmap:104 H264/90000',
      'a=fmtp:104 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=0',
      'a=rtpmap:105 VP8/90000',
      'a=fmtp:105 max-fr=30;max-fs=3600',
      'a=rtcp-fb:* nack',
      'a=rtcp-fb:* nack pli',
      'a=rtcp-fb:* ccm fir',
      'a=rtcp-fb:* ccm tmmbr',
      'a=rtcp-fb:* goog-remb',
      'a=sendrecv',
      'a=rtcp-mux',
    ]);
  });

  test('says which stream is which where there are two', () => {
    const offer = videoSession().offer();
    expect(linesOf(offer, 'a=content')).toEqual(['a=content:main', 'a=content:slides']);
    expect(linesOf(offer, 'a=label')).toEqual(['a=label:11', 'a=label:12']);
  });

  test('has keys of its own for each stream, and their profile', () => {
    const offer = videoSession({ srtp: 'required' }).offer();
    expect(streams(offer).map((line) => line.split(' ')[2])).toEqual(['RTP/SAVP', 'RTP/SAVP', 'RTP/SAVP']);
    const keys = linesOf(offer, 'a=crypto').map((line) => line.split('inline:')[1]);
    expect([keys.length, new Set(keys).size]).toEqual([9, 9]);
  });

  test('has the codecs and the size that are configured', () => {
    const offer = videoSession({ video: { codecs: ['VP8', 'H264'], maxReceive: '1080p' } }, ['main']).offer();
    expect(streams(offer)[1]).toBe('m=video 20002 RTP/AVP 105 103');
    expect(offer).toContain('profile-level-id=42e028;');
    expect(offer).toContain('max-fs=8160');
  });
});

describe('the answer to our offer', () => {
  function accept(...streamLines: string[]) {
    const session = videoSession();
    session.offer();
    return agreed(session.acceptAnswer(theirs(SOUND, ...streamLines)));
  }

  const vp8 = ['m=video 5000 RTP/AVP 120', 'a=rtpmap:120 VP8/90000', 'a=fmtp:120 max-fs=1200'];

  test('settles each stream: we send with its payload types, and receive with ours', () => {
    const { video, slides } = accept(
      ...vp8,
      'a=rtcp-mux',
      'a=rtcp-fb:120 nack',
      'm=video 5002 RTP/AVP 105',
      'a=rtpmap:105 VP8/90000',
    );
    expect(video).toEqual({
      remote: { address: '192.0.2.1', rtpPort: 5000, rtcpPort: 5000 },
      rtcpMux: true,
      direction: 'sendrecv',
      send: {
        codec: 'VP8',
        payloadType: 120,
        parameters: { 'max-fs': '1200' },
        rtxPayloadType: null,
        feedback: { nack: true, pli: false, fir: false, tmmbr: false, remb: false },
      },
      receive: [
        {
          codec: 'VP8',
          payloadType: 105,
          parameters: { 'max-fr': '30', 'max-fs': '3600' },
          rtxPayloadType: null,
          feedback: { nack: true, pli: false, fir: false, tmmbr: false, remb: false },
        },
      ],
      limits: {
        ...{ maxWidth: 1552, maxHeight: 1552, maxPixels: 1200 * 256, maxPixelsPerSecond: 60 * 1200 * 256 },
        ...{ maxFps: 30, maxBitrateBps: null },
      },
      crypto: null,
    });
    expect(slides).toMatchObject({ remote: { rtpPort: 5002 }, send: { payloadType: 105 } });
  });

  test.each([
    ['refuses it', ['m=video 0 RTP/AVP 103', 'm=video 0 RTP/AVP 103']],
    ['has other codecs', ['m=video 5000 RTP/AVP 96', 'a=rtpmap:96 VP9/90000', 'm=video 0 RTP/AVP 103']],
    ['secures it, unasked', ['m=video 5000 RTP/SAVP 105', 'a=rtpmap:105 VP8/90000', 'm=video 0 RTP/AVP 103']],
    ['makes it something else', ['m=image 5000 udptl t38', 'm=video 0 RTP/AVP 103']],
    ['knows of sound alone', []],
    ['leaves out the second', ['m=video 0 RTP/AVP 103']],
  ])('that %s leaves the call with sound', (_, lines) => {
    expect(accept(...lines)).toMatchObject({ media: { send: { codec: 'PCMU' } }, video: null, slides: null });
  });

  test('with more streams than were offered is refused', () => {
    const session = videoSession({}, ['main']);
    session.offer();
    const result = session.acceptAnswer(theirs(SOUND, ...vp8, ...vp8));
    expect(result).toMatchObject({ ok: false, status: 488, warning: expect.stringMatching(/^399 /) });
  });

  test('may have feedback in its profile, or not: it is the same RTP', () => {
    expect(accept('m=video 5000 RTP/AVPF 105', 'a=rtpmap:105 VP8/90000').video).not.toBeNull();
    const session = videoSession();
    session.offer();
    const result = session.acceptAnswer(theirs('m=audio 4000 RTP/AVPF 0'));
    expect(agreed(result).media.send.codec).toBe('PCMU');
  });

  test('is secured by the line that it picks, each stream for itself', () => {
    const session = videoSession({ srtp: 'required' });
    const offer = session.offer();
    const key = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp1CnVubGVz';
    const line = `a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:${key}`;
    const plain = ['m=video 5000 RTP/SAVP 105', 'a=rtpmap:105 VP8/90000'];
    const answer = theirs('m=audio 4000 RTP/SAVP 0', line, ...plain, line, ...plain);
    const { media, video, slides } = agreed(session.acceptAnswer(answer));
    const offered = linesOf(offer, 'a=crypto:3').map((text) => text.split('inline:')[1]);
    expect([media.crypto!.sendKey, video!.crypto!.sendKey]).toEqual(offered.slice(0, 2));
    expect(slides).toBeNull();
  });
});

describe('video comes and goes (RFC 3264 §8)', () => {
  test('they add it, hold it and drop it; lines keep their places', () => {
    const session = videoSession();
    expect(agreed(session.answer(theirs(SOUND))).video).toBeNull();
    session.bindVideo('main', PORTS.main);
    expect(agreed(session.answer(theirs(SOUND, ...CAMERA))).video!.direction).toBe('sendrecv');
    const held = agreed(session.answer(theirs(SOUND, ...CAMERA, 'a=inactive')));
    expect([held.video!.direction, held.media.direction]).toEqual(['inactive', 'sendrecv']);
    const dropped = agreed(session.answer(theirs(SOUND, 'm=video 0 RTP/AVP 97')));
    expect(streams(dropped.sdp)).toEqual(['m=audio 20000 RTP/AVP 0', 'm=video 0 RTP/AVP 97']);
    expect(session.video).toEqual({ video: null, slides: null });
    expect(linesOf(dropped.sdp, 'o=')).toEqual(['o=- 7 4 IN IP4 203.0.113.10']);
  });

  test('what was dropped has lost its ports', () => {
    const session = videoSession();
    session.answer(theirs(SOUND, ...CAMERA));
    session.answer(theirs(SOUND, 'm=video 0 RTP/AVP 97'));
    expect(streams(session.offer())[1]).toBe('m=video 0 RTP/AVP 97');
    expect(agreed(session.answer(theirs(SOUND, ...CAMERA))).video).toBeNull();
  });

  test('we add it to a call that has none: behind the last line', () => {
    const session = videoSession({}, []);
    session.answer(theirs(SOUND, 'm=image 4002 udptl t38'));
    session.bindVideo('main', PORTS.main);
    const offer = session.offer();
    expect(streams(offer).slice(1)).toEqual(['m=image 0 udptl t38', 'm=video 20002 RTP/AVP 103 104 105']);
    expect(session.video.video).toBeNull();
    const answer = theirs(SOUND, 'm=image 0 udptl t38', 'm=video 5000 RTP/AVP 105', 'a=rtpmap:105 VP8/90000');
    expect(agreed(session.acceptAnswer(answer)).video!.send.payloadType).toBe(105);
  });

  test('of who has offered to be sent again, our offers have it too, on their payload types; of others none', () => {
    const again = ['m=video 5000 RTP/AVP 97 98', ...CAMERA.slice(1), 'a=rtpmap:98 rtx/90000', 'a=fmtp:98 apt=97'];
    const phone = theirs(SOUND, ...again, 'a=rtcp-fb:97 nack');
    const session = videoSession({}, ['main']);
    agreed(session.answer(phone));
    const offer = sectionOf(session.offer(), 1);
    expect(offer[0]).toBe('m=video 20002 RTP/AVP 103 104 97 98');
    expect(offer).toEqual(expect.arrayContaining(['a=rtpmap:98 rtx/90000', 'a=fmtp:98 apt=97']));
    const { send, receive } = agreed(session.acceptAnswer(phone)).video!;
    expect([send.rtxPayloadType, receive[0]!.rtxPayloadType]).toEqual([98, 98]);
    const plain = videoSession({}, ['main']);
    agreed(plain.answer(theirs(SOUND, ...CAMERA)));
    expect(plain.offer()).not.toContain('rtx');
  });

  test('the place of one that is gone, or was refused, is used again, and lines do not pile up', () => {
    const session = videoSession();
    session.answer(theirs(SOUND, ...CAMERA));
    for (let i = 0; i < 40; i++) {
      session.wantVideo(null);
      expect(streams(session.offer())[1]).toMatch(/^m=video 0 /);
      agreed(session.acceptAnswer(theirs(SOUND, 'm=video 0 RTP/AVP 97')));
      session.wantVideo('720p');
      session.bindVideo('main', PORTS.main);
      const offer = session.offer();
      expect(streams(offer)).toHaveLength(2);
      expect(streams(offer)[1]).toMatch(/^m=video 20002 /);
      agreed(session.acceptAnswer(theirs(SOUND, i % 2 === 0 ? 'm=video 0 RTP/AVP 103' : CAMERA.join('\r\n'))));
    }
  });

  test('a line of another kind is not made into video', () => {
    const session = videoSession({}, ['slides']);
    session.answer(theirs('m=video 0 RTP/AVP 31', SOUND, 'm=video 0 RTP/AVP 31', ...SLIDES));
    session.bindVideo('main', PORTS.main);
    expect(streams(session.offer()).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'm=video 20002',
      'm=audio 20000',
      'm=video 0',
      'm=video 20004',
    ]);
  });

  test('of a room with larger pictures a phone that has one level for both ways may use all of its own', () => {
    const session = videoSession();
    const offer = theirs(
      SOUND,
      'm=video 5000 RTP/AVP 96',
      'a=rtpmap:96 H264/90000',
      'a=fmtp:96 profile-level-id=42e028',
    );
    const levelIn = (sdp: string): string | undefined => /profile-level-id=42e0(..)/.exec(sdp)?.[1];
    session.wantVideo('1080p');
    const large = agreed(session.answer(offer));
    expect([levelIn(large.sdp), large.video!.limits.maxPixels]).toEqual(['28', 8192 * 256]);
    session.wantVideo('720p');
    const small = agreed(session.answer(offer));
    expect([levelIn(small.sdp), small.video!.limits.maxPixels]).toEqual(['1f', 3600 * 256]);
  });

  test('switched off, it is refused in answers, and foreseen so', () => {
    const session = videoSession();
    const offer = theirs(SOUND, ...CAMERA);
    session.wantVideo(null);
    expect(agreed(session.foresee(offer)).video).toBeNull();
    expect(agreed(session.answer(offer)).video).toBeNull();
    session.wantVideo('720p');
    session.bindVideo('main', PORTS.main);
    expect(agreed(session.answer(offer)).video).not.toBeNull();
  });

  test('the stream in use stays in use, even when one before it could be taken now', () => {
    const session = videoSession();
    const second = ['m=video 5004 RTP/AVP 97', 'a=rtpmap:97 VP8/90000'];
    session.answer(theirs(SOUND, 'm=video 0 RTP/AVP 97', ...second));
    const { sdp } = agreed(session.answer(theirs(SOUND, ...CAMERA, ...second)));
    expect(streams(sdp).slice(1)).toEqual(['m=video 0 RTP/AVP 97', 'm=video 20002 RTP/AVP 97']);
  });

  test('an offer that cannot be taken, or is never answered, leaves all as it was', () => {
    const session = videoSession();
    const first = agreed(session.answer(theirs(SOUND, ...CAMERA)));
    expect(session.answer(theirs('m=audio 4000 RTP/AVP 18')).ok).toBe(false);
    session.offer();
    expect(session.acceptAnswer(theirs('m=audio 0 RTP/AVP 0')).ok).toBe(false);
    expect(session.video).toEqual({ video: first.video, slides: null });
    expect(agreed(session.answer(theirs(SOUND, ...CAMERA))).video).toEqual(first.video);
  });

  test('a later offer of ours keeps profile and place', () => {
    const session = videoSession();
    session.answer(theirs('m=audio 4000 RTP/AVPF 0', 'm=video 5000 RTP/AVPF 97', 'a=rtpmap:97 VP8/90000'));
    expect(streams(session.offer())[1]).toBe('m=video 20002 RTP/AVPF 103 104 97');
    const added = videoSession();
    added.answer(theirs('m=audio 4000 RTP/AVPF 0'));
    added.bindVideo('main', PORTS.main);
    expect(streams(added.offer())[1]).toMatch(/^m=video 20002 RTP\/AVPF /);
  });

  test('keys that were in use are not used again for a stream that comes back', () => {
    const session = videoSession({ srtp: 'optional' });
    const key = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp1CnVubGVz';
    const offer = theirs(SOUND, ...CAMERA, `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key}`);
    const first = agreed(session.answer(offer)).video!.crypto!.sendKey;
    expect(agreed(session.answer(offer)).video!.crypto!.sendKey).toBe(first);
    session.answer(theirs(SOUND, 'm=video 0 RTP/AVP 97'));
    session.bindVideo('main', PORTS.main);
    expect(agreed(session.answer(offer)).video!.crypto!.sendKey).not.toBe(first);
  });
});

describe('payload types (RFC 3264 §8.3.2)', () => {
  const h264 = (payloadType: number, fmtp: string) => [
    `a=rtpmap:${payloadType} H264/90000`,
    `a=fmtp:${payloadType} ${fmtp}`,
  ];

  test('theirs become ours, told apart by mode and profile', () => {
    const session = videoSession({}, ['main']);
    session.answer(
      theirs(
        SOUND,
        'm=video 5000 RTP/AVP 96 97 98 104',
        ...h264(96, 'profile-level-id=42e01f'),
        ...h264(97, 'profile-level-id=4d801f;packetization-mode=1'),
        ...h264(98, 'profile-level-id=640c1f;packetization-mode=1'),
        ...h264(104, 'profile-level-id=640c1f'),
      ),
    );
    expect(sectionOf(session.offer(), 1).filter((line) => /^(m=|a=fmtp.*H264|a=fmtp.*mode)/.test(line))).toEqual([
      'm=video 20002 RTP/AVP 97 96 105',
      'a=fmtp:97 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1',
      'a=fmtp:96 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=0',
    ]);
  });

  test('one that meant something else is given to nothing, in this stream', () => {
    const session = videoSession();
    const foreign = [
      'm=video 5000 RTP/AVP 97 103 105',
      'a=rtpmap:97 VP8/90000',
      'a=rtpmap:103 VP9/90000',
      ...h264(105, 'x=1'),
    ];
    session.answer(theirs(SOUND, ...foreign, ...SLIDES));
    session.answer(theirs(SOUND, ...CAMERA, ...SLIDES));
    const [main, slides] = streams(session.offer()).slice(1);
    expect(main).toBe('m=video 20002 RTP/AVP 96 104 97');
    expect(slides).toBe('m=video 20004 RTP/AVP 103 104 97');
  });

  test('sound and video may have the same, each for its own', () => {
    const session = videoSession();
    const offer = theirs('m=audio 4000 RTP/AVP 97', 'a=rtpmap:97 opus/48000/2', ...CAMERA);
    expect(agreed(session.answer(offer))).toMatchObject({
      media: { send: { codec: 'opus', payloadType: 97 } },
      video: { send: { codec: 'VP8', payloadType: 97 } },
    });
  });

  test('a codec for which none is left is not offered', () => {
    const session = videoSession();
    const all = Array.from({ length: 32 }, (_, i) => 96 + i);
    const maps = all.map(
      (payloadType) => `a=rtpmap:${payloadType} ${payloadType === 96 ? 'VP8' : `X${payloadType}`}/90000`,
    );
    session.answer(theirs(SOUND, `m=video 5000 RTP/AVP ${all.join(' ')}`, ...maps));
    expect(streams(session.offer())[1]).toBe('m=video 20002 RTP/AVP 96');
    const two = videoSession({ video: { codecs: ['H264'] } });
    const h264First = ['m=video 5000 RTP/AVP', ...all].join(' ');
    two.answer(theirs(SOUND, h264First, ...maps.slice(1), ...h264(96, 'profile-level-id=640c1f;packetization-mode=1')));
    expect(streams(two.offer())[1]).toBe('m=video 20002 RTP/AVP 96');
  });
});

describe('two of us', () => {
  test.each(['off', 'optional', 'required'] as const)('agree on all streams, srtp %s', (srtp) => {
    const us = videoSession({ srtp });
    const them = videoSession({ srtp, address: '203.0.113.20', video: { codecs: ['VP8', 'H264/0'] } });
    const answered = agreed(them.answer(us.offer()));
    const accepted = agreed(us.acceptAnswer(answered.sdp));
    for (const name of ['video', 'slides'] as const) {
      const [ours, their] = [accepted[name]!, answered[name]!];
      expect(ours.send).toEqual(their.receive[0]);
      expect(ours.send.codec).toBe('VP8');
      expect(ours.receive.map(({ payloadType }) => payloadType).sort()).toEqual([104, 105]);
      expect(ours.send.feedback).toEqual({ nack: true, pli: true, fir: true, tmmbr: true, remb: true });
      expect(ours.crypto?.sendKey).toBe(their.crypto?.receiveKey);
      expect(ours.limits.maxBitrateBps).toBe(2_000_000);
    }
    expect(agreed(us.answer(them.offer()))).toMatchObject({ video: {}, slides: {} });
  });
});
