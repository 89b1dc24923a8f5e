import { describe, expect, test } from 'vitest';
import type { MediaCrypto } from '../../mixer/protocol.ts';
import { type AcceptResult, type AnswerResult, MediaSession } from '../../server/sdp/media-session.ts';
import type { SrtpPolicy } from '../../server/sdp/srtp-policy.ts';

const KEY = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp1CnVubGVz';
const OTHER_KEY = 'NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj';
const KEY_256 = Buffer.alloc(46, 1).toString('base64');
const GCM_KEY = Buffer.alloc(28, 2).toString('base64');
const GCM_KEY_256 = Buffer.alloc(44, 3).toString('base64');

function newSession(srtp: SrtpPolicy): MediaSession {
  return new MediaSession({ address: '203.0.113.10', rtpPort: 20000, rtcpPort: 20001, sessionId: 7, srtp });
}

function theirs(...streamLines: string[]): string {
  return ['v=0', 'o=bob 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', ...streamLines, ''].join('\r\n');
}

function answer(srtp: SrtpPolicy, ...streamLines: string[]): AnswerResult {
  return newSession(srtp).answer(theirs(...streamLines));
}

function linesOf(result: AnswerResult, start: string): string[] {
  if (!result.ok) throw new Error(result.warning);
  return result.sdp.split('\r\n').filter((line) => line.startsWith(start));
}

function cryptoOf(result: AnswerResult | AcceptResult): MediaCrypto | null {
  if (!result.ok) throw new Error(result.warning);
  return result.media.crypto ?? null;
}

/** Its suite, null for plain RTP, or the code of the warning. */
function outcome(result: AnswerResult | AcceptResult): string | null {
  return result.ok ? (result.media.crypto?.suite ?? null) : `${result.status}/${result.warning.split(' ')[0]}`;
}

const LINE = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`;

describe('what becomes of an offer, by policy', () => {
  const SUITE = 'AES_CM_128_HMAC_SHA1_80';

  test.each([
    ['RTP/AVP without keys', ['m=audio 4000 RTP/AVP 0'], null, null, '488/302'],
    ['RTP/AVP with keys', ['m=audio 4000 RTP/AVP 0', LINE], null, SUITE, SUITE],
    ['RTP/AVPF with keys', ['m=audio 4000 RTP/AVPF 0', LINE], null, SUITE, SUITE],
    ['RTP/AVP with keys of no use', ['m=audio 4000 RTP/AVP 0', `${LINE} KDR=1`], null, null, '488/302'],
    ['RTP/SAVP with keys', ['m=audio 4000 RTP/SAVP 0', LINE], '488/302', SUITE, SUITE],
    ['RTP/SAVPF with keys', ['m=audio 4000 RTP/SAVPF 0', LINE], '488/302', SUITE, SUITE],
    ['RTP/SAVP without keys', ['m=audio 4000 RTP/SAVP 0'], '488/302', '488/302', '488/302'],
    ['RTP/SAVP with keys of no use', ['m=audio 4000 RTP/SAVP 0', `${LINE} KDR=1`], '488/302', '488/302', '488/302'],
    ['keys from DTLS', ['m=audio 4000 UDP/TLS/RTP/SAVPF 0', LINE], '488/302', '488/302', '488/302'],
    ['a codec that we lack', ['m=audio 4000 RTP/SAVP 18', LINE], '488/302', '488/305', '488/305'],
    ['plain, or secured', ['m=audio 4000 RTP/AVP 0', 'm=audio 4002 RTP/SAVP 0', LINE], null, SUITE, SUITE],
  ])('%s', (_, offer, off, optional, required) => {
    const policies = ['off', 'optional', 'required'] as const;
    expect(policies.map((policy) => outcome(answer(policy, ...offer)))).toEqual([off, optional, required]);
  });

  test('of a plain and a secured stream the secured one is taken, and the other refused', () => {
    const result = answer('optional', 'm=audio 4000 RTP/AVP 0', 'm=audio 4002 RTP/SAVP 0', LINE);
    expect(linesOf(result, 'm=')).toEqual(['m=audio 0 RTP/AVP 0', 'm=audio 20000 RTP/SAVP 0']);
  });
});

describe('the answer', () => {
  test('keeps the profile, and has the tag and suite of the offer with a key of our own', () => {
    for (const profile of ['RTP/AVP', 'RTP/SAVP', 'RTP/SAVPF']) {
      const result = answer('optional', `m=audio 4000 ${profile} 0`, LINE.replace(':1 ', ':17 '));
      const crypto = cryptoOf(result)!;
      expect(linesOf(result, 'm=')).toEqual([`m=audio 20000 ${profile} 0`]);
      expect(linesOf(result, 'a=crypto')).toEqual([`a=crypto:17 AES_CM_128_HMAC_SHA1_80 inline:${crypto.sendKey}`]);
      expect(crypto).toMatchObject({ receiveKey: KEY, receiveMki: null });
      expect(Buffer.from(crypto.sendKey, 'base64')).toHaveLength(30);
      expect(crypto.sendKey).not.toBe(KEY);
    }
  });

  test('has another key in each call', () => {
    const keys = [1, 2, 3].map(() => cryptoOf(answer('optional', 'm=audio 4000 RTP/SAVP 0', LINE))!.sendKey);
    expect(new Set(keys).size).toBe(3);
  });

  test('takes the strongest suite, whatever the order', () => {
    const lines = [
      `a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:${KEY}`,
      `a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`,
      `a=crypto:3 AES_256_CM_HMAC_SHA1_80 inline:${KEY_256}`,
      `a=crypto:4 AEAD_AES_128_GCM inline:${GCM_KEY}`,
      `a=crypto:5 AEAD_AES_256_GCM inline:${GCM_KEY_256}`,
      'a=crypto:6 F8_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp1CnVubGVz',
    ];
    const taken = [6, 5, 4, 3, 2, 1].map((count) => {
      const result = answer('optional', 'm=audio 4000 RTP/SAVP 0', ...lines.slice(0, count));
      return linesOf(result, 'a=crypto')[0]!.split(' ')[0];
    });
    expect(taken).toEqual([5, 5, 4, 3, 2, 1].map((tag) => `a=crypto:${tag}`));
  });

  test('repeats the name that an old phone has for a suite', () => {
    const result = answer(
      'optional',
      'm=audio 4000 RTP/SAVP 0',
      `a=crypto:1 AES_CM_256_HMAC_SHA1_80 inline:${KEY_256}`,
    );
    expect(cryptoOf(result)!.suite).toBe('AES_256_CM_HMAC_SHA1_80');
    expect(linesOf(result, 'a=crypto')[0]).toMatch(/^a=crypto:1 AES_CM_256_HMAC_SHA1_80 inline:/);
  });
});

describe('an a=crypto line', () => {
  const parametersOf = (text: string) => `a=crypto:1 AES_CM_128_HMAC_SHA1_80 ${text}`;

  test.each([
    ['with a lifetime', parametersOf(`inline:${KEY}|2^20`), null],
    ['with the longest lifetime', parametersOf(`inline:${KEY}|2^48`), null],
    ['with a lifetime in full', parametersOf(`inline:${KEY}|1048576`), null],
    ['with lifetime and identifier', parametersOf(`inline:${KEY}|2^20|1:4`), '00000001'],
    ['with an identifier alone', parametersOf(`inline:${KEY}|66051:3`), '010203'],
    ['with a window size hint', parametersOf(`inline:${KEY} WSH=1024`), null],
    ['with an optional extension', parametersOf(`inline:${KEY} -X-FOO=1`), null],
    ['with more spaces', `a=crypto:001  AES_CM_128_HMAC_SHA1_80\tinline:${KEY} `, null],
    ['in lower case', `a=crypto:1 aes_cm_128_hmac_sha1_80 INLINE:${KEY}`, null],
    ['without padding', `a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:${KEY_256.replace(/=/g, '')}`, null],
  ])('%s is taken', (_, line, mki) => {
    expect(cryptoOf(answer('required', 'm=audio 4000 RTP/SAVP 0', line))).toMatchObject({ receiveMki: mki });
  });

  test.each([
    ['a suite that we do not have', `a=crypto:1 F8_128_HMAC_SHA1_80 inline:${KEY}`],
    ['a suite called like a property', `a=crypto:1 constructor inline:${KEY}`],
    ['no key', 'a=crypto:1 AES_CM_128_HMAC_SHA1_80'],
    ['a key that is too short', parametersOf('inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp1CnVubGQ=')],
    ['a key for another suite', `a=crypto:1 AEAD_AES_256_GCM inline:${KEY}`],
    ['a key that is not base64', parametersOf('inline:WVNfX19zZW1jdGwg*CkgewkyMjA7fQp1CnVubGVz')],
    ['another key method', parametersOf(`uri:${KEY}`)],
    ['no tag', `a=crypto:AES_CM_128_HMAC_SHA1_80 inline:${KEY}`],
    ['a tag that is no number', `a=crypto:x AES_CM_128_HMAC_SHA1_80 inline:${KEY}`],
    ['a lifetime of nothing', parametersOf(`inline:${KEY}|0`)],
    ['a lifetime beyond what there is', parametersOf(`inline:${KEY}|2^49`)],
    ['an identifier that is longer than it says', parametersOf(`inline:${KEY}|2^20|256:1`)],
    ['an identifier of no length', parametersOf(`inline:${KEY}|2^20|1:0`)],
    ['an identifier beyond 128 octets', parametersOf(`inline:${KEY}|2^20|1:129`)],
    ['several keys', parametersOf(`inline:${KEY}|2^20|1:4;inline:${OTHER_KEY}|2^20|2:4`)],
    ['no encryption', parametersOf(`inline:${KEY} UNENCRYPTED_SRTP`)],
    ['no encryption of RTCP', parametersOf(`inline:${KEY} UNENCRYPTED_SRTCP`)],
    ['no authentication', parametersOf(`inline:${KEY} UNAUTHENTICATED_SRTP`)],
    ['a key derivation rate', parametersOf(`inline:${KEY} KDR=0`)],
    ['forward error correction', parametersOf(`inline:${KEY} FEC_ORDER=FEC_SRTP`)],
    ['an extension that is not optional', parametersOf(`inline:${KEY} X-FOO`)],
  ])('with %s is passed over', (_, line) => {
    expect(outcome(answer('required', 'm=audio 4000 RTP/SAVP 0', line))).toBe('488/302');
    const second = `a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:${OTHER_KEY}`;
    expect(outcome(answer('required', 'm=audio 4000 RTP/SAVP 0', line, second))).toBe('AES_CM_128_HMAC_SHA1_32');
  });
});

describe('our offer', () => {
  test.each([
    ['off', 'RTP/AVP', 0],
    ['optional', 'RTP/AVP', 3],
    ['required', 'RTP/SAVP', 3],
  ] as const)('with policy %s is %s with %i suites', (policy, profile, suites) => {
    const offer = newSession(policy).offer();
    expect(offer).toContain(`m=audio 20000 ${profile} 96 9 8 0 13 102 101`);
    expect(offer.match(/^a=crypto:\d+ \S+ inline:\S+\r$/gm) ?? []).toHaveLength(suites);
  });

  function accept(policy: SrtpPolicy, ...streamLines: string[]): { result: AcceptResult; offer: string } {
    const session = newSession(policy);
    const offer = session.offer();
    return { offer, result: session.acceptAnswer(theirs(...streamLines)) };
  }

  test('is answered with the key that belongs to the tag', () => {
    const { offer, result } = accept('required', 'm=audio 4000 RTP/SAVP 0', LINE.replace(':1 ', ':3 '));
    const ours = /^a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:(\S+)/m.exec(offer)![1];
    expect(cryptoOf(result)).toEqual({
      suite: 'AES_CM_128_HMAC_SHA1_80',
      sendKey: ours,
      receiveKey: KEY,
      receiveMki: null,
    });
  });

  test.each([
    ['optional', 'plain', 'RTP/AVP', [], null],
    ['optional', 'secured', 'RTP/AVP', [LINE.replace(':1 ', ':3 ')], 'AES_CM_128_HMAC_SHA1_80'],
    ['optional', 'with another profile', 'RTP/SAVP', [LINE.replace(':1 ', ':3 ')], '488/302'],
    ['optional', 'with a tag of another suite', 'RTP/AVP', [LINE], '488/302'],
    ['optional', 'with a tag that was not offered', 'RTP/AVP', [LINE.replace(':1 ', ':9 ')], '488/302'],
    ['optional', 'with two lines', 'RTP/AVP', [LINE.replace(':1 ', ':3 '), LINE.replace(':1 ', ':3 ')], '488/302'],
    ['optional', 'with a key of no use', 'RTP/AVP', [`${LINE.replace(':1 ', ':3 ')} KDR=2`], '488/302'],
    ['required', 'without keys', 'RTP/SAVP', [], '488/302'],
    ['required', 'plain', 'RTP/AVP', [], '488/302'],
    ['off', 'with keys that nobody asked for', 'RTP/AVP', [LINE], null],
  ] as const)('with policy %s, when the answer is %s', (policy, _, profile, lines, expected) => {
    expect(outcome(accept(policy, `m=audio 4000 ${profile} 0`, ...lines).result)).toBe(expected);
  });

  test('repeated is the same, word for word', () => {
    const session = newSession('optional');
    expect(session.offer()).toBe(session.offer());
  });

  test("two of us agree on the strongest suite and on each other's keys", () => {
    const us = newSession('optional');
    const them = newSession('required');
    const answered = them.answer(us.offer());
    const ours = cryptoOf(us.acceptAnswer(answered.ok ? answered.sdp : ''))!;
    const other = cryptoOf(answered)!;
    expect(ours.suite).toBe('AEAD_AES_256_GCM');
    expect(ours).toEqual({ ...other, sendKey: other.receiveKey, receiveKey: other.sendKey });
  });
});

describe('later offers', () => {
  const secured = theirs('m=audio 4000 RTP/SAVP 0', LINE);

  test('hold and resume leave both keys, and the answer word for word but for the direction', () => {
    const session = newSession('optional');
    const first = session.answer(secured);
    const held = session.answer(secured.replace(LINE, `${LINE}\r\na=sendonly`));
    expect(cryptoOf(held)).toEqual(cryptoOf(first));
    expect(linesOf(held, 'a=crypto')).toEqual(linesOf(first, 'a=crypto'));
    expect(cryptoOf(session.answer(secured))).toEqual(cryptoOf(first));
  });

  test('a new key of theirs is taken, ours stays', () => {
    const session = newSession('optional');
    const first = cryptoOf(session.answer(secured))!;
    const second = cryptoOf(session.answer(secured.replace(KEY, OTHER_KEY)))!;
    expect(second).toEqual({ ...first, receiveKey: OTHER_KEY });
  });

  test('ours that was replaced never comes back: neither after another suite nor after plain RTP', () => {
    const session = newSession('optional');
    const suites = [
      secured,
      theirs('m=audio 4000 RTP/SAVP 0', `a=crypto:1 AEAD_AES_128_GCM inline:${GCM_KEY}`),
      secured,
      theirs('m=audio 4000 RTP/AVP 0'),
      secured,
    ];
    const keys = suites.map((offer) => cryptoOf(session.answer(offer))?.sendKey);
    expect(keys[3]).toBeUndefined();
    expect(new Set(keys).size).toBe(5);
  });

  test('an offer that cannot be taken leaves the keys', () => {
    const session = newSession('required');
    const first = cryptoOf(session.answer(secured));
    expect(outcome(session.answer(theirs('m=audio 4000 RTP/AVP 0')))).toBe('488/302');
    expect(session.media?.crypto).toEqual(first);
    expect(cryptoOf(session.answer(secured))).toEqual(first);
  });

  test('our own has the profile, and first the suite and the key that are in use', () => {
    const session = newSession('optional');
    const { sendKey } = cryptoOf(session.answer(secured))!;
    const offer = session.offer();
    expect(offer).toContain('m=audio 20000 RTP/SAVP ');
    expect(offer).toContain(`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${sendKey}\r\n`);
    const again = session.acceptAnswer(theirs('m=audio 4000 RTP/SAVP 0', LINE));
    expect(cryptoOf(again)).toMatchObject({ sendKey, receiveKey: KEY });
  });
});

test('a refusal says nothing of keys', () => {
  const refused = answer('off', 'm=audio 4000 RTP/SAVP 0', LINE);
  expect(refused).toEqual({ ok: false, status: 488, warning: '302 203.0.113.10 "Incompatible transport protocol"' });
});
