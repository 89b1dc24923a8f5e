import { describe, expect, it } from 'vitest';
import {
  type Meaning,
  OfferAnswer,
  type Refusal,
  type SessionMessage,
  type Side,
} from '../../../server/sip/dialog/offer-answer.ts';

type Line = [by: Side, message: SessionMessage, sdp: Meaning | null] | Refusal;

/** Plays messages; those with a meaning have SDP, which must be taken for that. */
function play(lines: readonly Line[]): OfferAnswer {
  const state = new OfferAnswer();
  for (const line of lines) {
    if (typeof line === 'string') state.takeBack(line);
    else expect(state.take(line[1], line[0], line[2] !== null), line.join(' ')).toBe(line[2] ?? 'nothing');
  }
  return state;
}

const flipped = (lines: readonly Line[]): Line[] =>
  lines.map((line) => (typeof line === 'string' ? line : [line[0] === 'us' ? 'them' : 'us', line[1], line[2]]));

/** Each with the caller on our side; tests run them with the sides changed too. */
const PATTERNS: Record<string, Line[]> = {
  'pattern 1: offer in INVITE, answer in 2xx': [
    ['us', 'INVITE', 'offer'],
    ['them', '2xx-INVITE', 'answer'],
    ['us', 'ACK', null],
  ],
  'pattern 2: offer in 2xx, answer in ACK': [
    ['us', 'INVITE', null],
    ['them', '2xx-INVITE', 'offer'],
    ['us', 'ACK', 'answer'],
  ],
  'pattern 3: offer in INVITE, answer in a reliable 1xx': [
    ['us', 'INVITE', 'offer'],
    ['them', '1xx-rel', 'answer'],
    ['us', 'PRACK', null],
    ['them', '2xx-PRACK', null],
    ['them', '2xx-INVITE', null],
    ['us', 'ACK', null],
  ],
  'pattern 4: offer in a reliable 1xx, answer in PRACK': [
    ['us', 'INVITE', null],
    ['them', '1xx-rel', 'offer'],
    ['us', 'PRACK', 'answer'],
    ['them', '2xx-PRACK', null],
    ['them', '2xx-INVITE', null],
    ['us', 'ACK', null],
  ],
  'pattern 5: offer in PRACK, answer in its 2xx': [
    ['us', 'INVITE', 'offer'],
    ['them', '1xx-rel', 'answer'],
    ['us', 'PRACK', 'offer'],
    ['them', '2xx-PRACK', 'answer'],
    ['them', '2xx-INVITE', null],
    ['us', 'ACK', null],
  ],
  'pattern 6: offer in UPDATE, answer in its 2xx': [
    ['us', 'UPDATE', 'offer'],
    ['them', '2xx-UPDATE', 'answer'],
  ],
  'UPDATE by the called one, before the answer to the INVITE': [
    ['us', 'INVITE', 'offer'],
    ['them', '1xx-rel', 'answer'],
    ['us', 'PRACK', null],
    ['them', 'UPDATE', 'offer'],
    ['us', '2xx-UPDATE', 'answer'],
    ['them', '2xx-INVITE', null],
    ['us', 'ACK', null],
  ],
  'a preview of the answer in an unreliable 1xx': [
    ['us', 'INVITE', 'offer'],
    ['them', '1xx', 'preview'],
    ['them', '1xx', 'preview'],
    ['them', '2xx-INVITE', 'answer'],
    ['us', 'ACK', null],
  ],
  'SDP after the answer means nothing': [
    ['us', 'INVITE', 'offer'],
    ['them', '1xx-rel', 'answer'],
    ['us', 'PRACK', null],
    ['them', '1xx', 'nothing'],
    ['them', '1xx-rel', 'nothing'],
    ['us', 'PRACK', null],
    ['them', '2xx-INVITE', 'nothing'],
    ['us', 'ACK', 'nothing'],
  ],
  'an answer that never comes leaves no offer behind': [
    ['us', 'INVITE', 'offer'],
    ['them', '2xx-INVITE', null],
    ['us', 'ACK', null],
    ['them', 'UPDATE', 'offer'],
    ['us', '2xx-UPDATE', null],
    ['us', 'INVITE', null],
    ['them', '2xx-INVITE', 'offer'],
    ['us', 'ACK', null],
  ],
  'a refused INVITE takes its offer back': [
    ['us', 'INVITE', 'offer'],
    'refused-INVITE',
    ['them', 'UPDATE', 'offer'],
    ['us', '2xx-UPDATE', 'answer'],
  ],
  'a refused INVITE takes back the offer of its 1xx too': [
    ['us', 'INVITE', null],
    ['them', '1xx-rel', 'offer'],
    'refused-INVITE',
    ['us', 'UPDATE', 'offer'],
    ['them', '2xx-UPDATE', 'answer'],
  ],
  'a refused UPDATE takes its offer back': [
    ['us', 'UPDATE', 'offer'],
    'refused-UPDATE',
    ['them', 'INVITE', 'offer'],
    ['us', '2xx-INVITE', 'answer'],
  ],
  'a refused PRACK takes its offer back': [
    ['us', 'INVITE', 'offer'],
    ['them', '1xx-rel', 'answer'],
    ['us', 'PRACK', 'offer'],
    'refused-PRACK',
    ['us', 'PRACK', 'offer'],
    ['them', '2xx-PRACK', 'answer'],
  ],
  'a session is refreshed in the middle of an offer': [
    ['us', 'INVITE', 'offer'],
    ['them', 'UPDATE', null],
    ['us', '2xx-UPDATE', null],
    ['them', '2xx-INVITE', 'answer'],
  ],
};

describe('offer and answer (RFC 6337)', () => {
  it.each(Object.entries(PATTERNS))('%s', (_name, lines) => {
    expect(play(lines).waiting).toBeNull();
    expect(play(flipped(lines)).waiting).toBeNull();
  });

  it.each<[SessionMessage, Line[]]>([
    ['INVITE', []],
    ['UPDATE', []],
    ['2xx-INVITE', [['them', 'INVITE', null]]],
    ['1xx-rel', [['them', 'INVITE', null]]],
    [
      'PRACK',
      [
        ['us', 'INVITE', 'offer'],
        ['them', '1xx-rel', 'answer'],
      ],
    ],
  ])('while our offer in %s waits: theirs is glare, another of ours may not be sent', (message, before) => {
    const state = play(before);
    state.take(message, 'us', true);
    expect(state.waiting).toBe('us');
    for (const other of ['INVITE', 'UPDATE'] as const) {
      expect(state.meaningOf(other, 'them')).toBe('glare');
      expect(state.meaningOf(other, 'us')).toBe('busy');
    }
  });

  it('knows an answer only in its place', () => {
    const state = play([['us', 'UPDATE', 'offer']]);
    for (const message of ['1xx', '1xx-rel', '2xx-INVITE', 'ACK', '2xx-PRACK'] as const) {
      expect(state.meaningOf(message, 'them')).toBe('nothing');
    }
    expect(state.meaningOf('2xx-UPDATE', 'us')).toBe('nothing');
    expect(state.meaningOf('2xx-UPDATE', 'them')).toBe('answer');
  });

  it('does not take our own refresh for the answer to theirs', () => {
    const state = play([
      ['us', 'UPDATE', 'offer'],
      ['them', 'UPDATE', null],
      ['us', '2xx-UPDATE', null],
    ]);
    expect(state.waiting).toBe('us');
  });
});
