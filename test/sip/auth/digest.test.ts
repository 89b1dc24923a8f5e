import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseAuthValue, writeDigest } from '../../../server/sip/auth/auth-parameters.ts';
import {
  type DigestAlgorithm,
  digestAlgorithm,
  digestResponse,
  hashedPassword,
  hashedUsername,
  type Qop,
} from '../../../server/sip/auth/digest.ts';

const NO_BODY = new Uint8Array(0);

describe('the examples of RFC 7616 §3.9.1: Mufasa, /dir/index.html', () => {
  it.each<[DigestAlgorithm, string]>([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('%s', (algorithm, response) => {
    const ha1 = hashedPassword(algorithm, 'Mufasa', 'http-auth@example.org', 'Circle of Life');
    const nonce = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v';
    const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';
    const protection = { qop: 'auth' as const, nc: '00000001', cnonce };
    const input = { algorithm, ha1, nonce, method: 'GET', uri: '/dir/index.html', protection, body: NO_BODY };
    expect(digestResponse(input)).toBe(response);
  });
});

describe('the example of RFC 7616 §3.9.2: Jäsøn Doe, SHA-512-256 and userhash, as its erratum 4897 has it', () => {
  const username = 'J\u00e4s\u00f8n Doe';
  const realm = 'api@example.org';

  it('hides the name', () => {
    const hidden = hashedUsername('SHA-512-256', username, realm);
    expect(hidden).toBe('793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b');
    // What the RFC prints is SHA-512, cut off: the mistake that the erratum is about.
    const printed = '488869477bf257147b804c45308cd62ac4e25eb717b12b298c79e62dcea254ec';
    expect(createHash('sha512').update(`${username}:${realm}`).digest('hex').slice(0, 64)).toBe(printed);
  });

  it('answers', () => {
    const algorithm = 'SHA-512-256';
    const ha1 = hashedPassword(algorithm, username, realm, 'Secret, or not?');
    const nonce = '5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK';
    const cnonce = 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v';
    const protection = { qop: 'auth' as const, nc: '00000001', cnonce };
    const input = { algorithm, ha1, nonce, method: 'GET', uri: '/doe.json', protection, body: NO_BODY } as const;
    expect(digestResponse(input)).toBe('3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5');
  });
});

/** RFC 7616 §3.4.1–3.4.3 written out with `createHash`, apart from our code. */
function byTheBook(hashName: string, qop: Qop | null, body: string): string {
  const h = (text: string) => createHash(hashName).update(text).digest('hex');
  const a1 = h('bob:example.com:zanzibar');
  const a2 = h(`INVITE:sip:bob@example.com${qop === 'auth-int' ? `:${h(body)}` : ''}`);
  return qop === null ? h(`${a1}:n:${a2}`) : h(`${a1}:n:0000000a:c:${qop}:${a2}`);
}

describe('the response by algorithm and quality of protection (RFC 8760)', () => {
  const hashNames = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' };
  for (const algorithm of ['MD5', 'SHA-256', 'SHA-512-256'] as const) {
    it.each([null, 'auth', 'auth-int'] as const)(`${algorithm}, %s`, (qop) => {
      const response = digestResponse({
        algorithm,
        ha1: hashedPassword(algorithm, 'bob', 'example.com', 'zanzibar'),
        nonce: 'n',
        method: 'INVITE',
        uri: 'sip:bob@example.com',
        protection: qop === null ? null : { qop, nc: '0000000a', cnonce: 'c' },
        body: Buffer.from('v=0\r\n'),
      });
      expect(response).toBe(byTheBook(hashNames[algorithm], qop, 'v=0\r\n'));
    });
  }
});

describe('the name of an algorithm', () => {
  it.each([
    [undefined, 'MD5'],
    ['md5', 'MD5'],
    ['Sha-256', 'SHA-256'],
    ['SHA-512-256', 'SHA-512-256'],
    ['SHA-1', null],
    ['SHA-256-sess', null],
  ])('%s is %s', (name, algorithm) => expect(digestAlgorithm(name)).toBe(algorithm));
});

describe('challenges and credentials as text', () => {
  it('are read with quotes, without, with white space anyhow, and names in any case', () => {
    const text = 'DIGEST  Username = "a \\"b\\"" ,realm="x, y",, NC=00000001,uri=sip:a@b;c=d\t,  qop=auth';
    expect(parseAuthValue(text)).toEqual({
      scheme: 'digest',
      parameters: new Map([
        ['username', 'a "b"'],
        ['realm', 'x, y'],
        ['nc', '00000001'],
        ['uri', 'sip:a@b;c=d'],
        ['qop', 'auth'],
      ]),
    });
  });

  it.each([
    '',
    '"Digest"',
    'Digest realm',
    'Digest realm=',
    'Digest realm="x',
    'Digest realm="x" nonce="y"',
    'Digest realm="x", realm="y"',
    'Digest ="x"',
  ])('%j is malformed', (text) => expect(parseAuthValue(text)).toBeNull());

  it('are written so that they read back the same', () => {
    const parameters = new Map([
      ['username', 'a"b\\c'],
      ['nc', '00000001'],
      ['qop', 'auth'],
      ['algorithm', 'SHA-256'],
    ]);
    const written = writeDigest('credentials', parameters);
    expect(written).toBe('Digest username="a\\"b\\\\c", nc=00000001, qop=auth, algorithm=SHA-256');
    expect(parseAuthValue(written)?.parameters).toEqual(parameters);
    expect(writeDigest('challenge', new Map([['qop', 'auth,auth-int']]))).toBe('Digest qop="auth,auth-int"');
  });
});
