import { describe, expect, it } from 'vitest';
import { parseAuthValue } from '../../../server/sip/auth/auth-parameters.ts';
import { type DigestAlgorithm, digestResponse, hashedPassword, type Qop } from '../../../server/sip/auth/digest.ts';
import { DigestServer, type DigestServerOptions } from '../../../server/sip/auth/digest-server.ts';
import { Nonces } from '../../../server/sip/auth/nonces.ts';
import { request } from './messages.ts';

const ADDRESS = '192.0.2.1';
const REALM = 'example.com';

function server(options: Partial<DigestServerOptions> = {}): DigestServer {
  return new DigestServer({
    realm: REALM,
    users: {
      hashedPassword: (user, algorithm, withRealm) =>
        user === 'alice' ? hashedPassword(algorithm, withRealm ? `${user}@${REALM}` : user, REALM, 'secret') : null,
    },
    nonces: new Nonces({ lifetimeMs: 60_000 }),
    algorithms: ['SHA-256', 'SHA-512-256', 'MD5'],
    qop: ['auth'],
    ...options,
  });
}

interface Answer {
  username?: string;
  password?: string;
  realm?: string;
  algorithm?: DigestAlgorithm | null;
  qop?: Qop | null;
  nc?: string;
  method?: string;
  uri?: string;
  requestUri?: string;
  body?: string;
  sentBody?: string;
  nonce?: string;
  field?: string;
  edit?: (text: string) => string;
}

/** A request with credentials made by the test itself. */
function signed(digest: DigestServer, answer: Answer = {}) {
  const { username = 'alice', password = 'secret', realm = REALM, algorithm = 'SHA-256', qop = 'auth' } = answer;
  const { nc = '00000001', method = 'REGISTER', uri = 'sip:example.com', body = '', edit = (text) => text } = answer;
  const nonce = answer.nonce ?? nonceOf(digest);
  const ha1 = hashedPassword(algorithm ?? 'MD5', username, realm, password);
  const protection = qop === null ? null : { qop, nc, cnonce: 'cc' };
  const bytes = Buffer.from(body);
  const input = { algorithm: algorithm ?? 'MD5', ha1, nonce, method, uri, protection, body: bytes } as const;
  const parts = [`username="${username}"`, `realm="${realm}"`, `nonce="${nonce}"`, `uri="${uri}"`];
  parts.push(`response="${digestResponse(input)}"`);
  if (algorithm !== null) parts.push(`algorithm=${algorithm}`);
  if (qop !== null) parts.push(`qop=${qop}`, `nc=${nc}`, 'cnonce="cc"');
  return request({
    method,
    uri: answer.requestUri ?? uri,
    body: answer.sentBody ?? body,
    headers: [[answer.field ?? 'Authorization', edit(`Digest ${parts.join(', ')}`)]],
  });
}

function nonceOf(digest: DigestServer, nowMs = 0): string {
  return parseAuthValue(digest.challenge(ADDRESS, nowMs, false)[0]![1])!.parameters.get('nonce')!;
}

describe('the challenge', () => {
  it('is one field for each algorithm, in the order configured (RFC 8760 §2.3)', () => {
    const fields = server({ qop: ['auth', 'auth-int'] }).challenge(ADDRESS, 0, false);
    expect(fields.map(([name]) => name)).toEqual(Array(3).fill('WWW-Authenticate'));
    const values = fields.map(([, value]) => parseAuthValue(value)!.parameters);
    expect(values.map((parameters) => parameters.get('algorithm'))).toEqual(['SHA-256', 'SHA-512-256', 'MD5']);
    for (const parameters of values) {
      expect(parameters.get('realm')).toBe(REALM);
      expect(parameters.get('qop')).toBe('auth,auth-int');
      expect(parameters.has('stale')).toBe(false);
    }
    expect(fields[0]![1]).toMatch(
      /^Digest realm="example.com", nonce="[\w-]{36}", algorithm=SHA-256, qop="auth,auth-int"$/,
    );
  });

  it('is that of MD5 alone for clients that give up at others, unless MD5 is not wanted', () => {
    const algorithms = (digest: DigestServer, userAgent: string) =>
      digest.challenge(ADDRESS, 0, false, userAgent).map(([, value]) => /algorithm=([\w-]+)/.exec(value)?.[1]);
    expect(algorithms(server(), 'baresip v1.0.0 (x86_64/linux)')).toEqual(['MD5']);
    expect(algorithms(server(), 'baresip v3.5.0 (x86_64/linux)')).toEqual(['SHA-256', 'SHA-512-256', 'MD5']);
    expect(algorithms(server({ algorithms: ['SHA-256'] }), 'baresip v1.0.0')).toEqual(['SHA-256']);
  });

  it('says stale where the nonce was all that was wrong', () => {
    expect(server().challenge(ADDRESS, 0, true)[0]![1]).toMatch(/, stale=true$/);
  });
});

describe('credentials', () => {
  it.each(['SHA-256', 'SHA-512-256', 'MD5', null] as const)('are taken with %s', (algorithm) => {
    const digest = server();
    for (const qop of ['auth', 'auth-int', null] as const) {
      const verdict = digest.verify(signed(digest, { algorithm, qop, body: 'x' }), ADDRESS, 0);
      expect(verdict).toEqual({ kind: 'authenticated', user: 'alice' });
    }
  });

  it('are taken from Proxy-Authorization too, and with a name that has the realm', () => {
    const digest = server();
    const accepted = { kind: 'authenticated', user: 'alice' };
    expect(digest.verify(signed(digest, { field: 'Proxy-Authorization' }), ADDRESS, 0)).toEqual(accepted);
    expect(digest.verify(signed(digest, { username: 'alice@example.com' }), ADDRESS, 0)).toEqual(accepted);
  });

  it('are refused alike for a wrong password and an unknown user', () => {
    const digest = server();
    const wrong = digest.verify(signed(digest, { password: 'guess' }), ADDRESS, 0);
    expect(wrong).toEqual({ kind: 'failed', username: 'alice' });
    const unknown = digest.verify(signed(digest, { username: 'mallory' }), ADDRESS, 0);
    expect(unknown).toEqual({ kind: 'failed', username: 'mallory' });
  });

  it('for another realm or scheme do not concern us', () => {
    const digest = server();
    expect(digest.verify(request(), ADDRESS, 0)).toEqual({ kind: 'none' });
    expect(digest.verify(signed(digest, { realm: 'elsewhere' }), ADDRESS, 0)).toEqual({ kind: 'none' });
    const basic = request({ headers: [['Authorization', 'Basic realm="example.com"']] });
    expect(digest.verify(basic, ADDRESS, 0)).toEqual({ kind: 'none' });
    const both = signed(digest);
    both.headers.prepend('Authorization', 'Digest realm="elsewhere", username="x"');
    expect(digest.verify(both, ADDRESS, 0).kind).toBe('authenticated');
  });

  it('of other schemes are as none in whatever form', () => {
    const digest = server();
    for (const value of ['Bearer eyJhbGciOiJ.e30.x-y_z==', 'Basic dXNlcjpwYXNz', 'Digester =,=', '']) {
      expect(digest.verify(signed(digest, { edit: () => value }), ADDRESS, 0)).toEqual({ kind: 'none' });
    }
    expect(digest.verify(signed(digest, { edit: () => 'DIGEST =,=' }), ADDRESS, 0)).toMatchObject({
      kind: 'malformed',
    });
  });

  it('that prove less than is asked for are as none: nobody on the way can take auth-int out of the challenge', () => {
    const digest = server({ qop: ['auth-int'] });
    for (const qop of ['auth', null] as const) {
      expect(digest.verify(signed(digest, { qop }), ADDRESS, 0)).toEqual({ kind: 'none' });
    }
    expect(digest.verify(signed(digest, { qop: 'auth-int' }), ADDRESS, 0)).toEqual({
      kind: 'authenticated',
      user: 'alice',
    });
  });

  it('with an algorithm that is not offered are as none', () => {
    const digest = server({ algorithms: ['SHA-256'] });
    expect(digest.verify(signed(digest, { algorithm: 'MD5' }), ADDRESS, 0)).toEqual({ kind: 'none' });
  });

  it.each([
    ['response', /response="\w+"/],
    ['username', /username="\w+"/],
    ['nonce', /nonce="[^"]+"/],
    ['uri', /uri="[^"]+"/],
    ['nc', /nc=\w+/],
    ['cnonce', /cnonce="\w+"/],
  ])('are malformed without %s', (_name, parameter) => {
    const digest = server();
    const edited = signed(digest, { edit: (text) => text.replace(parameter, 'x=y') });
    expect(digest.verify(edited, ADDRESS, 0).kind).toBe('malformed');
  });

  it.each(['qop=auth-conf', 'qop=auth, nc=1', 'qop=auth, qop=auth'])('are malformed with %s', (qop) => {
    const digest = server();
    expect(digest.verify(signed(digest, { edit: (t) => t.replace('qop=auth', qop) }), ADDRESS, 0).kind).toBe(
      'malformed',
    );
  });

  it('are bound to method, body (auth-int) and user', () => {
    const digest = server();
    const other = signed(digest, { method: 'INVITE', uri: 'sip:demo@example.com' });
    expect(digest.verify({ ...other, method: 'BYE' }, ADDRESS, 0).kind).toBe('failed');
    const changed = signed(digest, { qop: 'auth-int', body: 'v=0', sentBody: 'v=1' });
    expect(digest.verify(changed, ADDRESS, 0).kind).toBe('failed');
    const elsewhere = signed(digest, { method: 'INVITE', uri: 'sip:a@example.com', requestUri: 'sip:b@example.com' });
    expect(digest.verify(elsewhere, ADDRESS, 0).kind).toBe('malformed');
  });

  it.each([
    ['sip:192.0.2.9', 'sip:example.com'],
    ['sip:example.com', 'sip:example.com:5060;transport=tcp'],
    ['sip:demo@192.0.2.9:5070', 'sip:demo@example.com'],
  ])('for %s are taken for %s: hosts are written anyhow', (uri, requestUri) => {
    const digest = server();
    expect(digest.verify(signed(digest, { uri, requestUri }), ADDRESS, 0).kind).toBe('authenticated');
  });
});

describe('a nonce in credentials', () => {
  it('serves again and again with higher counts, and never twice with the same', () => {
    const digest = server();
    const nonce = nonceOf(digest);
    const kind = (nc: string) => digest.verify(signed(digest, { nonce, nc }), ADDRESS, 0).kind;
    expect(['00000001', '00000002', '00000002', '00000003', '00000001'].map(kind)).toEqual([
      'authenticated',
      'authenticated',
      'stale',
      'authenticated',
      'stale',
    ]);
  });

  it('is stale after its time, from another address, and when it is not ours; the password stays open', () => {
    const digest = server();
    const nonce = nonceOf(digest);
    for (const password of ['secret', 'guess']) {
      expect(digest.verify(signed(digest, { nonce, password }), ADDRESS, 60_000).kind).toBe('stale');
      expect(digest.verify(signed(digest, { nonce, password }), '192.0.2.2', 0).kind).toBe('stale');
      expect(digest.verify(signed(digest, { nonce: 'made-up', password }), ADDRESS, 0).kind).toBe('stale');
    }
  });

  it('is not used up by a wrong password: nobody can lock others out', () => {
    const digest = server();
    const nonce = nonceOf(digest);
    expect(digest.verify(signed(digest, { nonce, password: 'guess' }), ADDRESS, 0).kind).toBe('failed');
    expect(digest.verify(signed(digest, { nonce }), ADDRESS, 0).kind).toBe('authenticated');
  });
});
