import { describe, expect, test } from 'vitest';
import { MediaSession } from '../../server/sdp/media-session.ts';
import { parseSdp } from '../../server/sdp/parse-sdp.ts';
import { writeSdp } from '../../server/sdp/write-sdp.ts';
import { PHONE_OFFERS } from './phone-offers.ts';
import { randomDescription, seededRandom } from './random-description.ts';

describe('writing and reading again', () => {
  test('gives back each of 2000 random descriptions', () => {
    for (let seed = 0; seed < 2000; seed++) {
      const description = randomDescription(seededRandom(seed));
      expect(parseSdp(writeSdp(description)), `seed ${seed}`).toEqual({ ok: true, description });
    }
  });

  test.each(PHONE_OFFERS)('leaves the lines of the offer of $from', ({ offer }) => {
    const result = parseSdp(offer);
    const written = result.ok ? writeSdp(result.description) : '';
    expect(written.split('\r\n').sort()).toEqual(offer.split('\n').sort());
  });
});

test('any two sessions, whatever they prefer, agree on the same codec for both directions', () => {
  const all = ['opus', 'G722', 'PCMA', 'PCMU'] as const;
  for (let seed = 0; seed < 500; seed++) {
    const random = seededRandom(seed);
    const choose = () => all.filter(() => random() < 0.6).sort(() => random() - 0.5);
    const us = new MediaSession({
      address: '192.0.2.1',
      rtpPort: 4000,
      rtcpPort: 4001,
      sessionId: 1,
      codecs: choose(),
    });
    const them = new MediaSession({
      address: '192.0.2.2',
      rtpPort: 6000,
      rtcpPort: 6001,
      sessionId: 2,
      codecs: choose(),
    });
    const offer = us.offer();
    const answer = parseSdp(offer).ok ? them.answer(offer) : null;
    if (answer === null || !answer.ok) continue;
    const accepted = us.acceptAnswer(answer.sdp);
    expect(accepted, `seed ${seed}`).toMatchObject({ ok: true, media: { send: { codec: answer.media.send.codec } } });
    expect(accepted.ok && accepted.media.receive.map(({ codec }) => codec)).toEqual(
      answer.media.receive.map(({ codec }) => codec),
    );
  }
});
