import { describe, expect, it } from 'vitest';
import { parseAuthValue } from '../../../server/sip/auth/auth-parameters.ts';
import { hashedPassword } from '../../../server/sip/auth/digest.ts';
import { DigestClient } from '../../../server/sip/auth/digest-client.ts';
import { DigestServer } from '../../../server/sip/auth/digest-server.ts';
import { Nonces } from '../../../server/sip/auth/nonces.ts';
import { request, response } from './messages.ts';

const find = (realm: string) => (realm === 'nowhere' ? null : { username: 'alice', password: 'secret' });

function client(): DigestClient {
  let cnonces = 0;
  return new DigestClient(find, () => `c${++cnonces}`);
}

const challenge = (text: string) => ['WWW-Authenticate', `Digest realm="r", nonce="n1"${text}`] as const;

function parametersOf(digest: DigestClient): Map<string, string> {
  const [field] = digest.credentials(request());
  return new Map(parseAuthValue(field![1])!.parameters);
}

describe('a client against our own server', () => {
  it.each(['SHA-256', 'SHA-512-256', 'MD5'] as const)('signs in with %s, auth and auth-int', (algorithm) => {
    for (const qop of ['auth', 'auth-int'] as const) {
      const server = new DigestServer({
        realm: 'example.com',
        users: { hashedPassword: (user, hash) => hashedPassword(hash, user, 'example.com', 'secret') },
        nonces: new Nonces(),
        algorithms: [algorithm],
        qop: [qop],
      });
      const digest = client();
      expect(digest.challenged(response(401, server.challenge('192.0.2.1', 0, false)))).toBe('retry');
      for (let time = 0; time < 3; time++) {
        const first = request({ method: 'MESSAGE', uri: 'sip:bob@example.com', body: 'hello' });
        const headers = digest.credentials(first);
        const signed = request({ method: 'MESSAGE', uri: 'sip:bob@example.com', body: 'hello', headers });
        expect(server.verify(signed, '192.0.2.1', 0)).toEqual({ kind: 'authenticated', user: 'alice' });
      }
    }
  });
});

describe('the choice of a challenge', () => {
  it('is the strongest that is known, whatever the order', () => {
    const md5 = challenge(', algorithm=MD5, qop="auth"');
    const strong = challenge(', algorithm=SHA-256, qop="auth"');
    const unknown = challenge(', algorithm=SHA3-512, qop="auth"');
    for (const order of [
      [md5, unknown, strong],
      [strong, md5],
    ]) {
      const digest = client();
      expect(digest.challenged(response(401, order))).toBe('retry');
      expect(parametersOf(digest).get('algorithm')).toBe('SHA-256');
    }
  });

  it('is none when nothing is known', () => {
    const digest = client();
    const unknown = [challenge(', algorithm=SHA3-512'), ['WWW-Authenticate', 'Basic realm="r"'] as const];
    expect(digest.challenged(response(401, unknown))).toBe('unsupported');
    expect(digest.challenged(response(401, [challenge(', qop="auth-conf"')]))).toBe('unsupported');
    expect(digest.credentials(request())).toEqual([]);
  });

  it('is auth before auth-int, auth-int where it is all, and RFC 2069 without qop', () => {
    const chosen = (qop: string) => {
      const digest = client();
      digest.challenged(response(401, [challenge(qop)]));
      return parametersOf(digest);
    };
    expect(chosen(', qop="auth-int, auth"').get('qop')).toBe('auth');
    expect(chosen(', qop="auth-int"').get('qop')).toBe('auth-int');
    expect([...chosen('').keys()]).toEqual(['username', 'realm', 'nonce', 'uri', 'response', 'algorithm']);
  });

  it('gives back opaque, and hides the name where that is asked', () => {
    const digest = client();
    digest.challenged(response(401, [challenge(', opaque="o", userhash=true, algorithm=SHA-256, qop="auth"')]));
    const parameters = parametersOf(digest);
    expect(parameters.get('opaque')).toBe('o');
    expect(parameters.get('userhash')).toBe('true');
    expect(parameters.get('username')).toMatch(/^[0-9a-f]{64}$/);
  });

  it('answers a proxy and a server at once (RFC 3261 §22.3)', () => {
    const digest = client();
    expect(digest.challenged(response(407, [['Proxy-Authenticate', 'Digest realm="p", nonce="n"']]))).toBe('retry');
    expect(digest.challenged(response(401, [challenge('')]))).toBe('retry');
    expect(digest.credentials(request()).map(([field]) => field)).toEqual(['Proxy-Authorization', 'Authorization']);
  });

  it('knows -sess', () => {
    const digest = client();
    digest.challenged(response(401, [challenge(', algorithm=MD5-sess, qop="auth"')]));
    expect(parametersOf(digest).get('algorithm')).toBe('MD5-sess');
  });
});

describe('the next request', () => {
  it('counts up on the same nonce, with a cnonce of its own', () => {
    const digest = client();
    digest.challenged(response(401, [challenge(', qop="auth"')]));
    const [first, second] = [parametersOf(digest), parametersOf(digest)];
    expect([first.get('nc'), second.get('nc')]).toEqual(['00000001', '00000002']);
    expect(first.get('cnonce')).not.toBe(second.get('cnonce'));
  });

  it('uses nextnonce, from 1 (RFC 7616 §3.5)', () => {
    const digest = client();
    digest.challenged(response(401, [challenge(', qop="auth"')]));
    parametersOf(digest);
    digest.answered(response(200, [['Authentication-Info', 'nextnonce="n2", qop=auth']]));
    const next = parametersOf(digest);
    expect([next.get('nonce'), next.get('nc')]).toEqual(['n2', '00000001']);
  });
});

describe('a challenge to what was signed already', () => {
  function signedOnce(): DigestClient {
    const digest = client();
    digest.challenged(response(401, [challenge('')]));
    digest.credentials(request());
    return digest;
  }

  it('is final: the password is wrong', () => {
    const digest = signedOnce();
    expect(digest.challenged(response(401, [challenge('')]))).toBe('refused');
    expect(digest.credentials(request())).toEqual([]);
  });

  it('is tried again once when the nonce was stale', () => {
    const digest = signedOnce();
    expect(digest.challenged(response(401, [challenge(', stale=TRUE')]))).toBe('retry');
    digest.credentials(request());
    expect(digest.challenged(response(401, [challenge(', stale=true')]))).toBe('refused');
  });

  it('is tried again once when the same password had been accepted before', () => {
    const digest = signedOnce();
    digest.answered(response(200));
    expect(digest.challenged(response(401, [challenge('')]))).toBe('retry');
    digest.credentials(request());
    expect(digest.challenged(response(401, [challenge('')]))).toBe('refused');
  });

  it('is no refusal where it comes from another server, which nobody has answered yet', () => {
    const digest = signedOnce();
    digest.moved();
    expect(digest.credentials(request()), 'what the first one asked for').toEqual([]);
    expect(digest.challenged(response(401, [challenge('')]))).toBe('retry');
    digest.credentials(request());
    expect(digest.challenged(response(401, [challenge('')])), 'but the second time').toBe('refused');
  });

  it('keeps what was accepted, as the next server may be of the same cluster', () => {
    const digest = signedOnce();
    digest.answered(response(200));
    digest.moved();
    expect(parametersOf(digest).get('nonce')).toBe('n1');
  });

  it('for a realm that we have no password for is final', () => {
    const nowhere = ['WWW-Authenticate', 'Digest realm="nowhere", nonce="n"'] as const;
    expect(client().challenged(response(401, [nowhere]))).toBe('refused');
  });
});
