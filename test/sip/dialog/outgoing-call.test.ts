import { describe, expect, it } from 'vitest';
import { DigestClient } from '../../../server/sip/auth/digest-client.ts';
import { parseNameAddress } from '../../../server/sip/message/name-address.ts';
import { parseUri } from '../../../server/sip/message/uri.ts';
import type { Flow } from '../../../server/sip/transport/flow.ts';
import { ScriptedPeer, statuses } from './scripted-peer.ts';

const textOf = (body: Uint8Array | undefined) => Buffer.from(body ?? []).toString();

/** A call of ours that was answered. */
function answeredCall() {
  const peer = new ScriptedPeer();
  const call = peer.dial();
  peer.respond(peer.lastRequest, 200, { body: 'answer' });
  return { peer, call };
}

/** A request of the one whom we called, within the dialog. */
function requestFrom(
  peer: ScriptedPeer,
  method: string,
  { tag = 'ann', cseq = 1, headers = [] as string[], body = '' } = {},
) {
  const [invite] = peer.requests('INVITE');
  const lines = [
    `${method} sip:demo@parley.example.com SIP/2.0`,
    `Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK-theirs-${method}-${cseq}`,
    `From: <sip:ann@192.0.2.1:5070>;tag=${tag}`,
    `To: ${invite?.headers.get('From')}`,
    `Call-ID: ${invite?.callId}`,
    `CSeq: ${cseq} ${method}`,
    'Contact: <sip:ann@192.0.2.1:5070>',
    ...headers,
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${body.length}`,
  ];
  const before = peer.sent.length;
  peer.raw(`${lines.join('\r\n')}\r\n\r\n${body}`);
  return peer.sent.slice(before).filter((message) => message.kind === 'response');
}

describe('a call that we make', () => {
  it('sends an INVITE that says who we are, what we can, and what we offer', () => {
    const peer = new ScriptedPeer();
    peer.dial();
    const invite = peer.lastRequest;
    expect(invite).toMatchObject({ method: 'INVITE', requestUri: 'sip:ann@192.0.2.1:5070' });
    expect(invite.to.parameters.has('tag')).toBe(false);
    expect(invite.headers.get('Contact')).toBe('<sip:demo@parley.example.com:5060>');
    expect(invite.headers.get('Max-Forwards')).toBe('70');
    expect(invite.headers.get('Session-Expires')).toBe('1800');
    expect(invite.headers.get('Supported')).toBe('100rel, timer, replaces, join, norefersub');
    expect(textOf(invite.body)).toBe('offer');
    expect(peer.sentTo).toEqual(['192.0.2.1:5070']);
  });

  it('is told of ringing and of the answer, which is acknowledged each time that it comes', () => {
    const peer = new ScriptedPeer();
    peer.dial();
    const invite = peer.lastRequest;
    peer.respond(invite, 100);
    peer.respond(invite, 180);
    peer.respond(invite, 200, { body: 'answer' });
    peer.respond(invite, 200, { body: 'answer' });
    expect(peer.told).toEqual(['progressed 180 Whatever', 'confirmed answer']);
    expect(peer.transcript).toEqual(['INVITE', 'ACK', 'ACK']);
    expect(peer.lastRequest.cseq.number).toBe(invite.cseq.number);
    expect(peer.lastRequest.to.parameters.get('tag')).toBe('ann');
  });

  it('ends with their BYE, or with ours', () => {
    const { peer } = answeredCall();
    expect(statuses(requestFrom(peer, 'BYE', { headers: ['Reason: Q.850;cause=16'] }))).toEqual([200]);
    expect(peer.ends).toEqual([{ cause: 'remote-bye', reason: 'Q.850;cause=16' }]);
    expect(peer.clean).toBe(true);
    const { peer: other, call } = answeredCall();
    call.hangUp('enough');
    expect(other.lastRequest.method).toBe('BYE');
    expect(other.lastRequest.headers.get('Reason')).toBe('SIP;text="enough"');
    other.respond(other.lastRequest, 200);
    expect(other.ends).toEqual([{ cause: 'local-bye' }]);
    expect(other.clean).toBe(true);
  });

  it('goes to the Contact of the answer by its Record-Route, in reverse (RFC 3261 §12.1.2)', () => {
    const peer = new ScriptedPeer();
    peer.dial();
    const headers = ['Contact: <sip:ann@10.0.0.7>', 'Record-Route: <sip:198.51.100.1;lr>, <sip:198.51.100.2;lr>'];
    peer.respond(peer.lastRequest, 200, { headers, body: 'answer' });
    expect(peer.lastRequest).toMatchObject({ method: 'ACK', requestUri: 'sip:ann@10.0.0.7' });
    expect(peer.lastRequest.headers.all('Route')).toEqual(['<sip:198.51.100.2;lr>', '<sip:198.51.100.1;lr>']);
    expect(peer.sentTo.at(-1)).toBe('198.51.100.2:5060');
  });

  it('goes straight to the Contact when the proxy that it was sent to wants to see no more', () => {
    const peer = new ScriptedPeer();
    peer.dial();
    peer.respond(peer.lastRequest, 200, { headers: ['Contact: <sip:ann@203.0.113.9:5099>'], body: 'answer' });
    expect(peer.sentTo.at(-1)).toBe('203.0.113.9:5099');
  });

  it('lets a peer that it reaches over TLS use the connection too, and no other (RFC 5923 §8.1)', () => {
    const via = (protocol: Flow['protocol']) => {
      const peer: ScriptedPeer = new ScriptedPeer({
        ways: {
          find: (_uri, found) =>
            found([
              {
                open: (_bytes, opened) => opened({ ...peer.newFlow('192.0.2.1', 5061, true), protocol }),
                unavailable: () => {},
              },
            ]),
        },
      });
      peer.dial();
      return peer.lastRequest.headers.get('Via');
    };
    expect(via('tls')).toMatch(/;alias(;|$)/);
    expect(via('tcp')).not.toContain('alias');
  });

  it('goes by the proxies that it is told to', () => {
    const peer = new ScriptedPeer();
    peer.dial({ routes: [parseNameAddress('<sip:198.51.100.7:5080;lr>')!] });
    expect(peer.sentTo).toEqual(['198.51.100.7:5080']);
    expect(peer.lastRequest.headers.get('Route')).toBe('<sip:198.51.100.7:5080;lr>');
  });

  it.each([486, 404, 603])('is over when it is refused with %i', (status) => {
    const peer = new ScriptedPeer();
    peer.dial();
    peer.respond(peer.lastRequest, status);
    expect(peer.ends).toEqual([{ cause: 'rejected', status, reason: 'Whatever' }]);
    expect(peer.transcript).toEqual(['INVITE', 'ACK']);
    expect(peer.clean).toBe(true);
  });

  it('is over when nobody is there, or the name leads nowhere', () => {
    const peer = new ScriptedPeer();
    peer.dial();
    peer.timers.advance(32_000);
    expect(peer.ends).toEqual([{ cause: 'rejected', status: 408, reason: 'Request Timeout' }]);
    expect(peer.clean).toBe(true);
    const nowhere = new ScriptedPeer();
    nowhere.destinations = [];
    nowhere.dial();
    expect(nowhere.ends).toEqual([{ cause: 'rejected', status: 404, reason: 'Not Found' }]);
  });

  it('hears early media: the first SDP, and what the answer says different (RFC 3261 §13.2.1)', () => {
    const peer = new ScriptedPeer();
    peer.dial();
    const [invite] = peer.requests('INVITE');
    peer.respond(invite!, 183, { body: 'early' });
    peer.respond(invite!, 200, { body: 'early' });
    expect(peer.told).toEqual(['progressed 183 Whatever', 'answered early', 'confirmed null']);
    const other = new ScriptedPeer();
    other.dial();
    const [again] = other.requests('INVITE');
    other.respond(again!, 183, { body: 'early' });
    other.respond(again!, 200, { body: 'late' });
    expect(other.told).toEqual(['progressed 183 Whatever', 'answered early', 'confirmed late']);
  });
});

describe('giving up a call that we make (RFC 3261 §9.1)', () => {
  it('sends CANCEL once there was a provisional response', () => {
    const peer = new ScriptedPeer();
    const call = peer.dial();
    const invite = peer.lastRequest;
    call.hangUp('never mind');
    expect(peer.ends).toEqual([{ cause: 'cancelled' }]);
    expect(peer.transcript).toEqual(['INVITE']);
    peer.respond(invite, 100);
    const cancel = peer.lastRequest;
    expect(cancel).toMatchObject({ method: 'CANCEL', requestUri: invite.requestUri, callId: invite.callId });
    expect(cancel.via.branch).toBe(invite.via.branch);
    expect(cancel.headers.get('Reason')).toBe('SIP;text="never mind"');
    peer.respond(cancel, 200);
    peer.respond(invite, 487);
    expect(peer.transcript).toEqual(['INVITE', 'CANCEL', 'ACK']);
    expect(peer.told).toEqual(['ended cancelled']);
    expect(peer.clean).toBe(true);
  });

  it('says ACK and BYE to an answer that crosses the CANCEL', () => {
    const peer = new ScriptedPeer();
    const call = peer.dial();
    const invite = peer.lastRequest;
    peer.respond(invite, 180);
    call.hangUp();
    peer.respond(invite, 200, { body: 'answer' });
    expect(peer.transcript).toEqual(['INVITE', 'CANCEL', 'ACK', 'BYE']);
    peer.respond(invite, 200, { body: 'answer' });
    expect(peer.transcript.at(-1)).toBe('ACK');
    peer.respond(peer.requests('BYE')[0]!, 200);
    peer.respond(peer.requests('CANCEL')[0]!, 200);
    expect(peer.told).toEqual(['progressed 180 Whatever', 'ended cancelled']);
    expect(peer.clean).toBe(true);
  });

  it('does not wait for ever for what comes of the CANCEL', () => {
    const peer = new ScriptedPeer();
    const call = peer.dial();
    peer.respond(peer.lastRequest, 180);
    call.hangUp();
    expect(peer.clean).toBe(true);
  });

  it('happens by itself when nobody answers in time', () => {
    const peer = new ScriptedPeer();
    peer.dial({ answerTimeoutMs: 30_000 });
    peer.respond(peer.lastRequest, 180);
    peer.timers.advance(30_000);
    expect(peer.ends).toEqual([{ cause: 'no-answer' }]);
    expect(peer.transcript).toContain('CANCEL');
    expect(peer.clean).toBe(true);
  });

  it('happens by itself when after ringing nothing more is heard', () => {
    const peer = new ScriptedPeer();
    peer.dial({ answerTimeoutMs: 1_000_000 });
    peer.respond(peer.lastRequest, 180);
    peer.timers.advance(180_000);
    expect(peer.transcript).toEqual(['INVITE']);
    peer.timers.advance(40_000);
    expect(peer.transcript).toContain('CANCEL');
    expect(peer.ends).toEqual([{ cause: 'rejected', status: 408, reason: 'Request Timeout' }]);
    expect(peer.clean).toBe(true);
  });
});

describe('a call that rings at several places (RFC 3261 §13.2.2)', () => {
  it('is with the first one who answers; who answers later gets ACK and BYE', () => {
    const peer = new ScriptedPeer();
    const call = peer.dial();
    const [invite] = peer.requests('INVITE');
    peer.respond(invite!, 183, { tag: 'one', body: 'early one' });
    peer.respond(invite!, 183, { tag: 'two', body: 'early two' });
    peer.respond(invite!, 200, { tag: 'two', body: 'answer two' });
    peer.respond(invite!, 200, { tag: 'one', body: 'answer one' });
    expect(peer.told.slice(1)).toEqual(['answered early one', 'progressed 183 Whatever', 'confirmed answer two']);
    expect(peer.transcript).toEqual(['INVITE', 'ACK', 'ACK', 'BYE']);
    expect(peer.lastRequest.to.parameters.get('tag')).toBe('one');
    expect(peer.lastRequest.cseq.number).toBeGreaterThan(invite!.cseq.number);
    peer.respond(peer.lastRequest, 200);
    expect(peer.ends).toEqual([]);
    call.hangUp();
    expect(peer.lastRequest.to.parameters.get('tag')).toBe('two');
    peer.respond(peer.lastRequest, 200);
    expect(peer.clean).toBe(true);
  });

  it('keeps the early dialogs apart: one is not known any more once another has answered', () => {
    const peer = new ScriptedPeer();
    peer.dial();
    const [invite] = peer.requests('INVITE');
    peer.respond(invite!, 180, { tag: 'one' });
    peer.respond(invite!, 180, { tag: 'two' });
    expect(statuses(requestFrom(peer, 'OPTIONS', { tag: 'one' }))).toEqual([200]);
    peer.respond(invite!, 200, { tag: 'two', body: 'answer' });
    expect(statuses(requestFrom(peer, 'OPTIONS', { tag: 'one', cseq: 2 }))).toEqual([481]);
    expect(statuses(requestFrom(peer, 'OPTIONS', { tag: 'two', cseq: 3 }))).toEqual([200]);
  });

  it('listens to the first one with sound', () => {
    const peer = new ScriptedPeer();
    peer.dial();
    const [invite] = peer.requests('INVITE');
    peer.respond(invite!, 180, { tag: 'one' });
    peer.respond(invite!, 183, { tag: 'two', body: 'early two' });
    expect(peer.told).toContain('answered early two');
  });
});

describe('an INVITE that is to be sent again', () => {
  const redirect = (peer: ScriptedPeer, ...contacts: string[]) =>
    peer.respond(peer.lastRequestOf('INVITE'), 302, { headers: contacts.map((contact) => `Contact: ${contact}`) });

  it('follows redirects, the preferred first, with a new branch and CSeq (RFC 3261 §8.1.3.4)', () => {
    const peer = new ScriptedPeer();
    peer.dial();
    redirect(peer, '<sip:low@192.0.2.3>;q=0.1, <sip:high@192.0.2.4>;q=0.9');
    expect(peer.lastRequest.requestUri).toBe('sip:high@192.0.2.4');
    peer.respond(peer.lastRequest, 486);
    expect(peer.lastRequestOf('INVITE').requestUri).toBe('sip:low@192.0.2.3');
    const [first, second, third] = peer.requests('INVITE');
    expect(new Set([first, second, third].map((invite) => invite?.callId)).size).toBe(1);
    expect([first, second, third].map((invite) => invite?.cseq.number)).toEqual([1, 2, 3]);
    expect(new Set([first, second, third].map((invite) => invite?.via.branch)).size).toBe(3);
    peer.respond(third!, 200, { body: 'answer' });
    expect(peer.told).toEqual(['confirmed answer']);
  });

  it('is not led in circles, nor without end', () => {
    const peer = new ScriptedPeer();
    peer.dial();
    redirect(peer, '<sip:ann@192.0.2.1:5070>');
    expect(peer.ends).toEqual([{ cause: 'rejected', status: 302, reason: 'Whatever' }]);
    const other = new ScriptedPeer();
    other.dial();
    for (let hop = 0; other.ends.length === 0; hop++) redirect(other, `<sip:ann@192.0.2.1:${6000 + hop}>`);
    expect(other.requests('INVITE').length).toBe(10);
  });

  it('is not redirected from sips to sip', () => {
    const peer = new ScriptedPeer();
    peer.dial({ target: parseUri('sips:ann@192.0.2.1')! });
    redirect(peer, '<sip:ann@192.0.2.9>');
    expect(peer.ends.length).toBe(1);
  });

  it.each([
    [401, 'WWW-Authenticate', 'Authorization'],
    [407, 'Proxy-Authenticate', 'Proxy-Authorization'],
  ])('answers a challenge by %i, and the ACK and what follows carry credentials', (status, asks, answers) => {
    const peer = new ScriptedPeer();
    const digest = new DigestClient(() => ({ username: 'demo', password: 'secret' }));
    const call = peer.dial({ digest });
    peer.respond(peer.lastRequest, status, { headers: [`${asks}: Digest realm="r", nonce="n", qop="auth"`] });
    const invite = peer.lastRequest;
    expect(invite.cseq.number).toBe(2);
    expect(invite.headers.get(answers)).toContain('username="demo"');
    peer.respond(invite, 200, { body: 'answer' });
    expect(peer.lastRequest.method).toBe('ACK');
    expect(peer.lastRequest.headers.get(answers)).toBe(invite.headers.get(answers));
    call.hangUp();
    peer.respond(peer.lastRequest, status, {
      headers: [`${asks}: Digest realm="r", nonce="n2", qop="auth", stale=true`],
    });
    expect(peer.requests('BYE').length).toBe(2);
    peer.respond(peer.lastRequest, 200);
    expect(peer.clean).toBe(true);
  });

  it('moves to TCP when the answer to a challenge makes it too long for UDP (RFC 3261 §18.1.1)', () => {
    const open = (bytes: number, opened: (flow: Flow | null) => void) =>
      opened(peer.newFlow('192.0.2.1', 5070, bytes > 1300));
    const peer: ScriptedPeer = new ScriptedPeer({
      ways: { find: (_uri, found) => found([{ open, unavailable: () => {} }]) },
    });
    peer.dial({ digest: new DigestClient(() => ({ username: 'demo', password: 'secret' })), offer: 'x'.repeat(450) });
    expect(peer.lastRequest.via.transport).toBe('UDP');
    const challenge = `WWW-Authenticate: Digest realm="r", nonce="${'n'.repeat(300)}", qop="auth"`;
    peer.respond(peer.lastRequest, 401, { headers: [challenge] });
    expect(peer.requests('INVITE')).toHaveLength(2);
    expect(peer.lastRequestOf('INVITE').via.transport).toBe('TCP');
    expect(peer.lastRequestOf('INVITE').headers.get('Authorization'), 'no count is skipped').toContain('nc=00000001');
  });

  it('answers the next place’s challenge too, where the first fell silent when its own was answered', () => {
    const peer = new ScriptedPeer();
    peer.destinations = [5061, 5062];
    peer.dial({ digest: new DigestClient(() => ({ username: 'demo', password: 'secret' })) });
    const challenge = (nonce: string) => ({
      headers: [`WWW-Authenticate: Digest realm="r", nonce="${nonce}", qop="auth"`],
    });
    peer.respond(peer.lastRequest, 401, challenge('one'));
    expect(peer.lastRequest.headers.get('Authorization')).toContain('nonce="one"');
    peer.timers.advance(32_000);
    expect(peer.sentTo.at(-1)).toBe('192.0.2.1:5062');
    expect(peer.lastRequest.headers.has('Authorization')).toBe(false);
    peer.respond(peer.lastRequest, 401, challenge('two'));
    expect(peer.lastRequest.headers.get('Authorization')).toMatch(/nonce="two".*nc=00000001/);
    peer.respond(peer.lastRequest, 200, { body: 'answer' });
    expect(peer.told).toEqual(['confirmed answer']);
  });

  it('counts each nonce once for each INVITE that goes out, at the next place too', () => {
    const peer = new ScriptedPeer();
    peer.destinations = [5061, 5062];
    peer.dial({ digest: new DigestClient(() => ({ username: 'demo', password: 'secret' })) });
    peer.respond(peer.lastRequest, 401, { headers: ['WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"'] });
    peer.respond(peer.lastRequest, 503);
    expect(peer.sentTo.at(-1)).toBe('192.0.2.1:5062');
    expect(peer.lastRequest.headers.get('Authorization')).toContain('nc=00000002');
  });

  it('gives up when the password is wrong, or there is none', () => {
    const peer = new ScriptedPeer();
    peer.dial({ digest: new DigestClient(() => ({ username: 'demo', password: 'wrong' })) });
    const headers = ['WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"'];
    peer.respond(peer.lastRequest, 401, { headers });
    peer.respond(peer.lastRequest, 401, { headers });
    expect(peer.ends).toEqual([{ cause: 'rejected', status: 401, reason: 'Whatever' }]);
    const other = new ScriptedPeer();
    other.dial();
    other.respond(other.lastRequest, 401, { headers });
    expect(other.ends).toEqual([{ cause: 'rejected', status: 401, reason: 'Whatever' }]);
  });

  it('goes to the next place on 503, and when nobody answers (RFC 3263 §4.3)', () => {
    const peer = new ScriptedPeer();
    peer.destinations = [5061, 5062, 5063];
    peer.dial();
    peer.respond(peer.lastRequest, 503, { headers: ['Retry-After: 120'] });
    peer.timers.advance(32_000);
    expect([...new Set(peer.sentTo)]).toEqual(['192.0.2.1:5061', '192.0.2.1:5062', '192.0.2.1:5063']);
    expect(peer.unavailable).toEqual(['192.0.2.1:5061 120', '192.0.2.1:5062 60']);
    peer.respond(peer.lastRequest, 486);
    expect(peer.ends).toEqual([{ cause: 'rejected', status: 486, reason: 'Whatever' }]);
  });

  it('wants a longer session where it is told 422 (RFC 4028 §7.3)', () => {
    const peer = new ScriptedPeer();
    peer.dial();
    peer.respond(peer.lastRequest, 422, { headers: ['Min-SE: 3600'] });
    expect(peer.lastRequest.headers.get('Session-Expires')).toBe('3600');
    expect(peer.lastRequest.headers.get('Min-SE')).toBe('3600');
  });

  it('is sent to nobody else after 6xx', () => {
    const peer = new ScriptedPeer();
    peer.dial();
    redirect(peer, '<sip:one@192.0.2.3>, <sip:two@192.0.2.4>');
    peer.respond(peer.lastRequest, 600);
    expect(peer.ends).toEqual([{ cause: 'rejected', status: 600, reason: 'Whatever' }]);
    expect(peer.requests('INVITE').length).toBe(2);
  });

  it('is not sent again after it was given up', () => {
    const peer = new ScriptedPeer();
    const call = peer.dial();
    peer.respond(peer.lastRequest, 180);
    call.hangUp();
    redirect(peer, '<sip:one@192.0.2.3>');
    expect(peer.requests('INVITE').length).toBe(1);
    expect(peer.clean).toBe(true);
  });
});

describe('the session timer of a call that we make (RFC 4028 §7)', () => {
  it.each([
    ['uac', 'UPDATE', undefined],
    ['uas', 'ACK', 'BYE'],
  ])('is ours to refresh or not, as the answer says: %s', (refresher, halfway, end) => {
    const peer = new ScriptedPeer();
    peer.dial();
    const headers = [`Session-Expires: 600;refresher=${refresher}`, 'Allow: UPDATE'];
    peer.respond(peer.lastRequest, 200, { headers, body: 'answer' });
    peer.timers.advance(300_000);
    expect(peer.lastRequest.method).toBe(halfway);
    if (end !== undefined) {
      peer.timers.advance(268_000);
      expect(peer.lastRequest.method).toBe(end);
      expect(peer.ends).toEqual([{ cause: 'session-expired' }]);
    }
  });
});
