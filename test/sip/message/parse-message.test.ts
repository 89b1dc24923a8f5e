import { describe, expect, it } from 'vitest';
import { createMalformedResponse } from '../../../server/sip/message/create-message.ts';
import type { SipMessage } from '../../../server/sip/message/message.ts';
import type { ParseError } from '../../../server/sip/message/parse-error.ts';
import { parseMessage } from '../../../server/sip/message/parse-message.ts';

const FIELDS = {
  Via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKabc',
  From: '<sip:alice@example.com>;tag=a',
  To: '<sip:demo@example.com>',
  'Call-ID': 'call@192.0.2.1',
  CSeq: '1 OPTIONS',
  'Max-Forwards': '70',
};

/** An OPTIONS in which some fields are others, missing (null) or added. */
function options(
  changes: Record<string, string | null> = {},
  tail = '\r\n',
  start = 'OPTIONS sip:demo@example.com SIP/2.0',
) {
  const fields = Object.entries({ ...FIELDS, ...changes }).filter(([, value]) => value !== null);
  return Buffer.from(`${start}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}${tail}`);
}

function accepted(bytes: Uint8Array): SipMessage {
  const parsed = parseMessage(bytes);
  if (!parsed.ok) throw new Error(parsed.error.reason);
  return parsed.message;
}

function refused(bytes: Uint8Array): ParseError {
  const parsed = parseMessage(bytes);
  if (parsed.ok) throw new Error('accepted');
  return parsed.error;
}

describe('a message is framed (RFC 3261 §18.3)', () => {
  it('a body without Content-Length goes to the end of the datagram', () => {
    expect(Buffer.from(accepted(options({}, '\r\nbody')).body).toString()).toBe('body');
  });

  it('a longer body is cut, a shorter one is an error', () => {
    expect(Buffer.from(accepted(options({ 'Content-Length': '2' }, '\r\nbody')).body).toString()).toBe('bo');
    expect(refused(options({ 'Content-Length': '5' }, '\r\nbody'))).toMatchObject({
      code: 'body-too-short',
      status: 400,
    });
  });

  it('empty lines before the start line do not count', () => {
    expect(accepted(Buffer.concat([Buffer.from('\r\n\r\n'), options()])).kind).toBe('request');
  });

  it('lines may end with LF alone; a CR within a line ends nothing and is refused', () => {
    expect(accepted(Buffer.from(options().toString().replaceAll('\r\n', '\n'))).kind).toBe('request');
    expect(refused(options({ Subject: 'a\rVia: x' })).reason).toBe('Bad Subject');
    expect(refused(options({}, '\r\n', 'SIP/2.0 200 O\rK')).code).toBe('bad-start-line');
  });

  it('without the empty line at its end it is refused', () => {
    expect(refused(options({}, '')).code).toBe('unfinished-header');
  });
});

describe('names and values (RFC 3261 §7.3)', () => {
  it('fields may be folded, repeated, compact and in any case', () => {
    const message = accepted(
      options({ s: 'one\r\n two\r\n\t three', m: '<sip:a@b>, "C, D" <sip:c@d>', cAlL: 'x', K: '100rel' }),
    );
    expect(message.headers.get('Subject')).toBe('one two three');
    expect(message.headers.get('supported')).toBe('100rel');
  });

  it('UTF-8 is read as such, and what is not is replaced instead of breaking the message', () => {
    expect(accepted(options({ Subject: 'Grüße ☎' })).headers.get('subject')).toBe('Grüße ☎');
    const broken = Buffer.from(options({ Subject: 'Gr\u00fc\u00dfe' }).toString('utf8'), 'latin1');
    expect(accepted(broken).headers.get('subject')).toContain('Gr');
    const latin1 = Buffer.from(options({ Subject: 'Gr\u00fc\u00dfe' }).toString(), 'latin1');
    expect(accepted(latin1).callId).toBe('call@192.0.2.1');
  });

  it('a CSeq may have all of 32 bits, as it is only at first that it is below 2^31 (§8.1.1.5)', () => {
    expect(accepted(options({ CSeq: '4294967295 OPTIONS' })).cseq.number).toBe(2 ** 32 - 1);
  });

  it('fields that we do not know are kept as they are', () => {
    expect(accepted(options({ 'X-Odd': '"unbalanced <;;,, \\' })).headers.get('x-odd')).toBe('"unbalanced <;;,, \\');
  });
});

describe('what every message must have (RFC 3261 §8.1.1)', () => {
  it.each(['Via', 'From', 'To', 'Call-ID', 'CSeq'])('%s', (name) => {
    expect(refused(options({ [name]: null }))).toMatchObject({
      code: 'missing-field',
      status: 400,
      reason: `Missing ${name}`,
    });
  });

  it.each([
    ['Via', 'SIP/2.0/UDP'],
    ['From', 'sip:'],
    ['To', '"x <sip:a@b>'],
    ['Call-ID', 'two words'],
    ['Call-ID', ''],
    ['CSeq', 'OPTIONS'],
    ['CSeq', '1'],
    ['CSeq', '4294967296 OPTIONS'],
    ['CSeq', '-1 OPTIONS'],
    ['Content-Length', 'five'],
    ['Content-Length', ''],
    ['Max-Forwards', '256'],
    ['Contact', '<sip:a@b>,,<sip:c@d>'],
    ['Route', '<sip:a@b;lr'],
    ['Record-Route', 'x'],
  ])('%s not as %o', (name, value) => {
    expect(refused(options({ [name]: value }))).toMatchObject({
      code: 'bad-field',
      status: 400,
      reason: `Bad ${name}`,
    });
  });

  it.each(['From', 'To', 'Call-ID', 'CSeq', 'Content-Length', 'Max-Forwards'])('%s but once', (name) => {
    const value = name === 'Content-Length' ? '0' : FIELDS[name as keyof typeof FIELDS];
    const bytes = options({ [name]: `${value}\r\n${name}: ${value}` });
    expect(refused(bytes)).toMatchObject({ code: 'repeated-field', reason: `Repeated ${name}` });
  });

  it('the greatest CSeq is let through, and one method in CSeq and start line', () => {
    expect(accepted(options({ CSeq: '2147483647   OPTIONS' })).cseq.number).toBe(2_147_483_647);
    expect(refused(options({ CSeq: '1 INVITE' })).code).toBe('cseq-method-mismatch');
    expect(refused(options({ CSeq: '1 options' })).code).toBe('cseq-method-mismatch');
  });

  it('Max-Forwards is not asked for, as RFC 2543 had none', () => {
    expect(accepted(options({ 'Max-Forwards': null })).kind).toBe('request');
  });
});

describe('start lines', () => {
  it.each([
    ['OPTIONS sip:a@b SIP/3.0', 'unsupported-version', 505],
    ['OPTIONS sip:a@b SIP/2.1', 'unsupported-version', 505],
    ['OPTIONS sip:a@b HTTP/1.1', 'not-sip', 400],
    ['OPTIONS sip:a@b', 'not-sip', 400],
    ['OPTIONS', 'not-sip', 400],
    ['OPT(IONS sip:a@b SIP/2.0', 'not-sip', 400],
    ['OPTIONS sip:a @b SIP/2.0', 'bad-request-uri', 400],
    ['OPTIONS  SIP/2.0', 'bad-request-uri', 400],
    ['OPTIONS a@b SIP/2.0', 'bad-request-uri', 400],
    ['OPTIONS sip:a@b:x SIP/2.0', 'bad-request-uri', 400],
    ['OPTIONS sip:a@b?Subject=x SIP/2.0', 'bad-request-uri', 400],
    ['SIP/2.0 99 Too Small', 'bad-status', 400],
    ['SIP/2.0 700 Too Large', 'bad-status', 400],
    ['SIP/2.0 20 Short', 'bad-status', 400],
    ['SIP/2.0', 'bad-status', 400],
    ['SIP/7.0 200 OK', 'unsupported-version', 505],
  ])('%s: %s', (start, code, status) => {
    expect(refused(options({}, '\r\n', start))).toMatchObject({ code, status });
  });

  it('a version may be in lower case, a URI of any scheme', () => {
    expect(accepted(options({}, '\r\n', 'OPTIONS tel:+15551234 sip/2.0'))).toMatchObject({
      uri: null,
      requestUri: 'tel:+15551234',
    });
    expect(accepted(options({}, '\r\n', 'SIP/2.0 200'))).toMatchObject({ kind: 'response', status: 200, reason: '' });
  });
});

describe('limits', () => {
  it('a message over 64 KiB gets 513', () => {
    const error = refused(options({}, `\r\n${'x'.repeat(65_536)}`));
    expect(error).toMatchObject({ code: 'message-too-large', status: 513 });
    expect(error.responseTo).not.toBeNull();
  });

  it('256 fields are enough, and a line of 8 KiB', () => {
    expect(refused(options({}, `${'a: b\r\n'.repeat(251)}\r\n`)).code).toBe('too-many-fields');
    expect(accepted(options({}, `${'a: b\r\n'.repeat(250)}\r\n`)).kind).toBe('request');
    expect(refused(options({ Subject: 'x'.repeat(8_192) })).code).toBe('line-too-long');
    expect(accepted(options({ Subject: 'x'.repeat(8_000) })).kind).toBe('request');
  });
});

describe('who is answered', () => {
  it('the one error says where it stands', () => {
    const bytes = options({ Subject: 'ü', 'Max-Forwards': 'many' });
    const { offset } = refused(bytes);
    expect(bytes.subarray(offset).toString()).toMatch(/^Max-Forwards: many/);
  });

  it('a request that is wrong gets an answer with its Via lines, and the same To tag each time', () => {
    const bytes = options({ Via: `${FIELDS.Via}, SIP/2.0/TCP 192.0.2.9`, 'Max-Forwards': 'many' });
    const answer = Buffer.from(createMalformedResponse(refused(bytes))!).toString();
    expect(answer).toMatch(
      /^SIP\/2\.0 400 Bad Max-Forwards\r\nVia: SIP\/2\.0\/UDP 192\.0\.2\.1;branch=z9hG4bKabc, SIP\/2\.0\/TCP 192\.0\.2\.9\r\n/,
    );
    expect(answer).toMatch(/\r\nTo: <sip:demo@example\.com>;tag=[0-9a-f]{16}\r\n/);
    expect(answer).toContain('\r\nCSeq: 1 OPTIONS\r\n');
    expect(Buffer.from(createMalformedResponse(refused(bytes))!).toString()).toBe(answer);
  });

  it.each([
    ['an ACK', options({ CSeq: '1 ACK', 'Max-Forwards': 'x' }, '\r\n', 'ACK sip:a@b SIP/2.0')],
    ['a response', options({ CSeq: 'x' }, '\r\n', 'SIP/2.0 200 OK')],
    ['a response of another version', options({}, '\r\n', 'SIP/3.0 200 OK')],
    ['what has no Via', options({ Via: null })],
    ['what has neither CSeq nor Call-ID', options({ CSeq: null, 'Call-ID': null })],
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\nVia: x\r\nCSeq: 1\r\n\r\n')],
    ['noise', Buffer.from([0, 1, 2, 255, 254])],
    ['nothing', Buffer.alloc(0)],
  ])('not %s', (_what, bytes) => {
    const error = refused(bytes);
    expect(error.responseTo).toBeNull();
    expect(createMalformedResponse(error)).toBeNull();
  });
});
