import { describe, expect, it } from 'vitest';
import { MediaSession, type MediaSessionOptions } from '../../server/sdp/media-session.ts';

const session = (options: Partial<MediaSessionOptions> = {}) =>
  new MediaSession({ address: '192.0.2.1', rtpPort: 20_000, rtcpPort: 20_001, sessionId: 1, ...options });

const offer = (...lines: string[]) =>
  ['v=0', 'o=- 1 1 IN IP4 192.0.2.7', 's=-', 'c=IN IP4 192.0.2.7', 't=0 0', ...lines, ''].join('\r\n');

const explained = (text: string, options: Partial<MediaSessionOptions> = {}) => {
  const one = session(options);
  one.answer(text);
  return one.explain()!;
};
const reasons = (text: string, options: Partial<MediaSessionOptions> = {}) =>
  explained(text, options).streams.map(({ taken, reason }) => [taken, reason]);

it('says of each format what became of it', () => {
  const { theirs, streams, notNamed } = explained(
    offer(
      'm=audio 4000 RTP/AVP 18 0 8 97 98 99 101 102 13 100 0',
      ...[
        'a=rtpmap:97 opus/48000/2',
        'a=rtpmap:98 L16/16000',
        'a=rtpmap:99 opus/16000',
        'a=rtpmap:101 telephone-event/8000',
      ],
      ...['a=rtpmap:102 telephone-event/48000', 'a=rtpmap:100 speex/16000'],
    ),
    { codecs: ['opus', 'G722', 'PCMA'] },
  );
  expect([theirs, notNamed]).toEqual(['offer', ['G722']]);
  expect(streams[0]!.formats.map(({ name, verdict, reason }) => [name, verdict, reason])).toEqual([
    ['G729/8000', 'lost', 'we do not have this codec'],
    ['PCMU/8000', 'lost', 'switched off here: it is not among the configured `codecs`'],
    ['PCMA/8000', 'accepted', 'they may send it; we send opus, which comes before it'],
    ['opus/48000/2', 'sent', 'the first of our codecs, in our order of quality, that they have'],
    ['L16/16000', 'lost', 'taken only by those who have nothing else in common with us'],
    ['opus/16000', 'lost', 'we have it only with 48000 Hz'],
    ['telephone-event/8000', 'lost', 'for keys; that with 48000 Hz is used'],
    ['telephone-event/48000', 'auxiliary', 'for keys'],
    ['CN/8000', 'auxiliary', 'comfort noise in place of silence, no codec'],
    ['speex/16000', 'lost', 'we do not have this codec'],
    ['PCMU/8000', 'lost', 'the same codec stands before it'],
  ]);
});

it('says of each stream why it was not taken', () => {
  expect(
    reasons(
      offer('m=video 5000 RTP/AVP 96', 'm=audio 4000 RTP/AVP 0', 'm=audio 4002 RTP/AVP 8', 'm=audio 0 RTP/AVP 0'),
    ),
  ).toEqual([
    [false, 'video is not wanted in this call'],
    [true, 'taken, without encryption'],
    [false, 'another stream was taken; there is one for each call'],
    [false, 'they have switched it off (port 0)'],
  ]);
});

it('says so where there was nothing to be agreed upon', () => {
  const why = (options: Partial<MediaSessionOptions>, ...lines: string[]) => {
    const one = session(options);
    expect(one.foresee(offer(...lines)).ok).toBe(false);
    return one.explain()!.streams[0]!.reason;
  };
  expect(why({}, 'm=audio 4000 RTP/AVP 18')).toBe('no codec of it is one of ours');
  expect(why({ srtp: 'required' }, 'm=audio 4000 RTP/AVP 0')).toBe('it is not encrypted, and `srtp` is required here');
  expect(why({}, 'm=audio 4000 RTP/SAVP 0')).toBe('it is encrypted, and `srtp` is off here');
  expect(why({ srtp: 'optional' }, 'm=audio 4000 RTP/SAVP 0', 'a=crypto:1 X inline:y')).toBe(
    'none of its a=crypto lines has a suite of ours',
  );
  expect(why({}, 'm=audio 4000 UDP/TLS/RTP/SAVPF 0')).toBe('we do not do UDP/TLS/RTP/SAVPF');
});

it('knows an answer to our offer from an offer, and nothing before either', () => {
  const one = session();
  expect(one.explain()).toBeNull();
  one.offer();
  one.acceptAnswer(offer('m=audio 4000 RTP/AVP 8'));
  const { theirs, streams } = one.explain()!;
  expect([theirs, streams[0]!.formats[0]!.verdict]).toEqual(['answer', 'sent']);
});

describe('of video', () => {
  const withVideo = (options: Partial<MediaSessionOptions> = {}) => {
    const one = session({ video: {}, ...options });
    one.bindVideo('main', { rtpPort: 20_002, rtcpPort: 20_003 });
    return one;
  };
  const vp8 = ['m=video 5000 RTP/AVP 97', 'a=rtpmap:97 VP8/90000'];
  const sound = 'm=audio 4000 RTP/AVP 0';

  it('says of each format what became of it', () => {
    const one = withVideo({ video: { codecs: ['H264', 'H264/0'] } });
    one.answer(
      offer(
        sound,
        'm=video 5000 RTP/AVPF 34 97 98 99 100 101 102 103 104 105 106',
        ...['a=rtpmap:97 VP8/90000', 'a=rtpmap:98 H264/90000', 'a=fmtp:98 profile-level-id=42e01f'],
        ...['a=rtpmap:99 H264/90000', 'a=fmtp:99 profile-level-id=42e01f;packetization-mode=1'],
        ...['a=rtpmap:100 H264/90000', 'a=fmtp:100 profile-level-id=42e01e;packetization-mode=1'],
        ...['a=rtpmap:101 H264/90000', 'a=fmtp:101 profile-level-id=6e001f;packetization-mode=1'],
        ...['a=rtpmap:102 H264/90000', 'a=fmtp:102 profile-level-id=42e01f;packetization-mode=2'],
        ...['a=rtpmap:103 H264/90000', 'a=fmtp:103 profile-level-id=level1', 'a=rtpmap:104 H265/90000'],
        ...['a=rtpmap:105 rtx/90000', 'a=fmtp:105 apt=99', 'a=rtcp-fb:99 nack'],
        ...['a=rtpmap:106 rtx/90000', 'a=fmtp:106 apt=104'],
      ),
    );
    const [audio, video] = one.explain()!.streams;
    expect([audio!.taken, video!.taken, video!.reason]).toEqual([true, true, 'taken, without encryption']);
    expect(video!.formats.map(({ name, verdict, reason }) => [name, verdict, reason])).toEqual([
      ['H263/90000', 'lost', 'we do not have this codec'],
      ['VP8/90000', 'lost', 'switched off here: VP8 is not among our video codecs'],
      ['H264/90000', 'accepted', 'they may send it; we send payload type 99'],
      ['H264/90000', 'sent', 'the first of our codecs, in our order, that they have'],
      ['H264/90000', 'lost', 'the same codec, mode and profile stands before it'],
      ['H264/90000', 'lost', 'we do not have this profile: baseline, main and high only'],
      ['H264/90000', 'lost', 'we do packetization modes 0 and 1 only'],
      ['H264/90000', 'lost', 'its profile-level-id is not six hexadecimal digits'],
      ['H265/90000', 'lost', 'we do not have this codec'],
      ['rtx/90000', 'auxiliary', 'what is sent again of payload type 99'],
      ['rtx/90000', 'lost', 'for what is sent again; not agreed upon'],
    ]);
  });

  it.each([
    ['video is not wanted in this call', { video: null }, vp8],
    ['a second video, for slides, is not taken here', { video: { slides: false } }, [...vp8, 'a=content:slides']],
    ['there was no video mixer for it', {}, [...vp8, 'a=content:slides']],
    ['they have switched it off (port 0)', {}, ['m=video 0 RTP/AVP 97']],
    ['we do not do UDP/TLS/RTP/SAVPF', {}, ['m=video 5000 UDP/TLS/RTP/SAVPF 97']],
    ['it is encrypted, and `srtp` is off here', {}, ['m=video 5000 RTP/SAVP 97', 'a=crypto:1 X inline:y']],
    ['no codec of it is one of ours', {}, ['m=video 5000 RTP/AVP 34']],
    ['there is no floor control in this call', {}, ['m=application 3000 UDP/BFCP *']],
    [
      'we are the floor control server, and they would not be its client',
      {},
      ['m=application 3000 UDP/BFCP *', 'a=floorctrl:s-only'],
    ],
    ['only audio, video and floor control (BFCP over TCP or UDP) are taken', {}, ['m=image 3000 udptl t38']],
  ] as const)('%s', (reason, options, lines) => {
    const one = withVideo(options);
    one.answer(offer(sound, ...lines));
    expect(one.explain()!.streams[1]).toMatchObject({ taken: false, reason });
  });

  it('says so of one too many, of slides, and of floor control that is taken', () => {
    const one = withVideo();
    one.bindVideo('slides', { rtpPort: 20_004, rtcpPort: 20_005 });
    one.bindFloorControl({ tcpPort: null, udpPort: 5070, conferenceId: 1, userId: 1, floorId: 1 });
    const floors = ['m=application 3000 TCP/BFCP *', 'm=application 3000 UDP/BFCP *'];
    one.answer(offer(sound, ...vp8, ...vp8, ...vp8, 'a=content:slides', ...floors));
    expect(
      one
        .explain()!
        .streams.map(({ taken, reason }) => [taken, reason])
        .slice(1),
    ).toEqual([
      [true, 'taken, without encryption'],
      [false, 'another stream was taken; there is one for each call'],
      [true, 'taken, without encryption'],
      [false, 'not over TCP here'],
      [true, 'taken, for who shows slides'],
    ]);
  });
});
