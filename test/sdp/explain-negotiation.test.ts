import { expect, it } from 'vitest';
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
