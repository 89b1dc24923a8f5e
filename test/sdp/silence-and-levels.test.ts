import { describe, expect, it, test } from 'vitest';
import type { AudioMedia } from '../../mixer/protocol.ts';
import { MediaSession, type MediaSessionOptions } from '../../server/sdp/media-session.ts';

const LEVEL = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';
const MID = 'urn:ietf:params:rtp-hdrext:sdes:mid';

function newSession(options: Partial<MediaSessionOptions> = {}): MediaSession {
  return new MediaSession({ address: '203.0.113.10', rtpPort: 20000, rtcpPort: 20001, sessionId: 7n, ...options });
}

function theirs(formats: string, ...lines: string[]): string {
  const head = ['v=0', 'o=bob 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0'];
  return [...head, `m=audio 4000 RTP/AVP ${formats}`, ...lines, ''].join('\r\n');
}

function answered(formats: string, ...lines: string[]): { media: AudioMedia; sdp: string[] } {
  const result = newSession().answer(theirs(formats, ...lines));
  if (!result.ok) throw new Error(result.warning);
  return { media: result.media, sdp: result.sdp.split('\r\n') };
}

function accepted(formats: string, ...lines: string[]): AudioMedia {
  const session = newSession();
  session.offer();
  const result = session.acceptAnswer(theirs(formats, ...lines));
  if (!result.ok) throw new Error(result.warning);
  return result.media;
}

describe('comfort noise (RFC 3389)', () => {
  it('is answered to one who offers it with G.711, and then sent', () => {
    const { media, sdp } = answered('0 8 13 101', 'a=rtpmap:101 telephone-event/8000');
    expect(sdp).toContain('m=audio 20000 RTP/AVP 8 0 13 101');
    expect(sdp).toContain('a=rtpmap:13 CN/8000');
    expect(media.sendComfortNoise).toBe(13);
  });

  it('goes with G.711 only: with G.722 and Opus it is not answered', () => {
    for (const [formats, ...lines] of [
      ['9 0 8 13'],
      ['96 0 13', 'a=rtpmap:96 opus/48000/2'],
      ['96 13', 'a=rtpmap:96 L16/8000'],
    ] as const) {
      const { media, sdp } = answered(formats, ...lines);
      expect(media.sendComfortNoise).toBeNull();
      expect(sdp.some((line) => line.includes('CN/'))).toBe(false);
      expect(sdp.find((line) => line.startsWith('m='))?.split(' ')).not.toContain('13');
    }
  });

  it('is not answered to one who does not offer it, or gives 13 to something else, or wants another clock', () => {
    expect(answered('0 8').media.sendComfortNoise).toBeNull();
    expect(answered('0 13', 'a=rtpmap:13 CN/16000').media.sendComfortNoise).toBeNull();
    expect(answered('0 98', 'a=rtpmap:98 CN/8000').media.sendComfortNoise).toBeNull();
  });

  it('is not sent to one who says that silence is to be sent, though it may come from there', () => {
    const { media, sdp } = answered('0 13', 'a=silenceSupp:off - - - -');
    expect(media.sendComfortNoise).toBeNull();
    expect(sdp).toContain('m=audio 20000 RTP/AVP 0 13');
    expect(answered('0 13', 'a=silenceSupp:on - - - -').media.sendComfortNoise).toBe(13);
  });

  it('is in our offers, and sent when the answer has it and G.711 first', () => {
    expect(accepted('0 13').sendComfortNoise).toBe(13);
    expect(accepted('0').sendComfortNoise).toBeNull();
    expect(accepted('9 0 13').sendComfortNoise).toBeNull();
    expect(accepted('96 0 13', 'a=rtpmap:96 opus/48000/2').sendComfortNoise).toBeNull();
    expect(newSession({ codecs: ['opus', 'G722'] }).offer()).not.toContain('CN/8000');
  });
});

describe('the level of packets (RFC 6464)', () => {
  it.each([
    [`1 ${LEVEL}`, { id: 1, vad: true }, `1/recvonly ${LEVEL}`],
    [`14 ${LEVEL} vad=on`, { id: 14, vad: true }, `14/recvonly ${LEVEL}`],
    [`3/sendonly ${LEVEL} vad=off`, { id: 3, vad: false }, `3/recvonly ${LEVEL} vad=off`],
    [`2/sendrecv ${LEVEL}`, { id: 2, vad: true }, `2/recvonly ${LEVEL}`],
    // Beyond 14 it comes in the two-byte form.
    [`200 ${LEVEL}`, { id: 200, vad: true }, `200/recvonly ${LEVEL}`],
    // One of those that stand for a place that the answer finds.
    [`4096 ${LEVEL}`, { id: 1, vad: true }, `1/recvonly ${LEVEL}`],
  ])('is asked for when it is offered as %s', (offered, level, answer) => {
    const { media, sdp } = answered('0', `a=extmap:${offered}`);
    expect(media.receiveAudioLevel).toEqual(level);
    expect(sdp.filter((line) => line.startsWith('a=extmap'))).toEqual([`a=extmap:${answer}`]);
  });

  it.each([
    `1/recvonly ${LEVEL}`,
    `1/inactive ${LEVEL}`,
    `15 ${LEVEL}`,
    `0 ${LEVEL}`,
    `256 ${LEVEL}`,
    `9999 ${LEVEL}`,
    `1/sideways ${LEVEL}`,
    LEVEL,
    `1 ${MID}`,
  ])('is not for %s', (offered) => {
    const { media, sdp } = answered('0', `a=extmap:${offered}`);
    expect(media.receiveAudioLevel).toBeNull();
    expect(sdp.some((line) => line.startsWith('a=extmap'))).toBe(false);
  });

  it('is left alone where its identifier stands for something else as well', () => {
    expect(answered('0', `a=extmap:1 ${MID}`, `a=extmap:1 ${LEVEL}`).media.receiveAudioLevel).toBeNull();
  });

  it('takes the place of one that had none in the offer without a clash', () => {
    const { media } = answered('0', `a=extmap:1 ${MID}`, `a=extmap:4097 ${LEVEL}`);
    expect(media.receiveAudioLevel).toEqual({ id: 2, vad: true });
  });

  it('may be said for the whole session', () => {
    const offer = theirs('0').replace('t=0 0\r\n', `t=0 0\r\na=extmap:5 ${LEVEL}\r\n`);
    const result = newSession().answer(offer);
    expect(result.ok && result.media.receiveAudioLevel).toEqual({ id: 5, vad: true });
  });

  test('our offers ask for it, and it comes if the answer says so, under our identifier', () => {
    expect(accepted('0', `a=extmap:1/sendonly ${LEVEL}`).receiveAudioLevel).toEqual({ id: 1, vad: true });
    expect(accepted('0', `a=extmap:1 ${LEVEL} vad=off`).receiveAudioLevel).toEqual({ id: 1, vad: false });
    expect(accepted('0', `a=extmap:2/sendonly ${LEVEL}`).receiveAudioLevel).toBeNull();
    expect(accepted('0', `a=extmap:1/recvonly ${LEVEL}`).receiveAudioLevel).toBeNull();
    expect(accepted('0').receiveAudioLevel).toBeNull();
  });

  test('our later offers keep the identifier of the session (RFC 8285 §6)', () => {
    const session = newSession();
    session.answer(theirs('0', `a=extmap:7 ${LEVEL}`));
    expect(session.offer()).toContain(`a=extmap:7/recvonly ${LEVEL}`);
  });
});
