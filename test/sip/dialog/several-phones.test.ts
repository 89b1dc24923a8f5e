import { describe, expect, it } from 'vitest';
import { DigestClient } from '../../../server/sip/auth/digest-client.ts';
import { ContactWays } from '../../../server/sip/contact-ways.ts';
import type { OutgoingCallOptions } from '../../../server/sip/dialog/outgoing-call.ts';
import type { SipRequest } from '../../../server/sip/message/message.ts';
import { parseUri } from '../../../server/sip/message/uri.ts';
import { ScriptedPeer } from './scripted-peer.ts';

/** Calls Bob, who has registered phones at these addresses with these q; `phones` are the peers' ends of the INVITEs. */
function callBob(phones: Array<[address: string, q: number]>, options: Partial<OutgoingCallOptions> = {}) {
  const contacts = phones.map(([address, q]) => ({
    uri: parseUri(`sip:bob@${address}`)!,
    routes: [],
    flow: null,
    q,
  }));
  const peer: ScriptedPeer = new ScriptedPeer({
    ways: new ContactWays((uri) => (uri.user === 'bob' && uri.host === 'parley.example.com' ? contacts : null), {
      find: ({ host, port }, found) =>
        found([{ open: (_bytes, opened) => opened(peer.newFlow(host, port ?? 5060)), unavailable: () => {} }]),
    }),
  });
  const call = peer.dial({ target: parseUri('sip:bob@parley.example.com')!, ...options });
  /** The last INVITE, or other request, to an address. */
  const to = (address: string, method = 'INVITE'): SipRequest =>
    peer.requests(method).findLast(({ requestUri }) => requestUri.includes(`@${address}`))!;
  return { peer, call, to };
}

/** The addresses that requests of a method went to; retransmissions once. */
const calledAt = (peer: ScriptedPeer, method = 'INVITE'): string[] => [
  ...new Set(peer.requests(method).map(({ requestUri }) => requestUri.replace(/.*@/, ''))),
];

const DESK = '192.0.2.51';
const MOBILE = '192.0.2.52';
const HOME = '192.0.2.53';

describe('a call to a user with several phones (RFC 3261 §16.6, §16.7)', () => {
  it('rings at all of equal q at once, as one call', () => {
    const { peer, to } = callBob([
      [DESK, 1],
      [MOBILE, 1],
      [HOME, 0.5],
    ]);
    expect(calledAt(peer)).toEqual([DESK, MOBILE]);
    const [desk, mobile] = [to(DESK), to(MOBILE)];
    // A phone that is registered twice sees that it is one call (RFC 3261 §8.2.2.2).
    expect(mobile.callId).toBe(desk.callId);
    expect(mobile.cseq).toEqual(desk.cseq);
    expect(mobile.from.parameters.get('tag')).toBe(desk.from.parameters.get('tag'));
    expect(mobile.via.branch).not.toBe(desk.via.branch);
  });

  it('is with the first that answers: the others are cancelled, with the reason', () => {
    const { peer, call, to } = callBob([
      [DESK, 1],
      [MOBILE, 1],
    ]);
    peer.respond(to(DESK), 180, { tag: 'desk' });
    peer.respond(to(MOBILE), 180, { tag: 'mobile' });
    peer.respond(to(MOBILE), 200, { tag: 'mobile', body: 'answer' });
    expect(peer.told.at(-1)).toBe('confirmed answer');
    const cancel = to(DESK, 'CANCEL');
    expect(cancel.via.branch).toBe(to(DESK).via.branch);
    expect(cancel.headers.get('Reason')).toBe('SIP;cause=200;text="Call completed elsewhere"');
    expect(cancel.headers.get('Session-ID')).toBe(to(DESK).headers.get('Session-ID'));
    expect(calledAt(peer, 'CANCEL')).toEqual([DESK]);
    peer.respond(cancel, 200);
    peer.respond(to(DESK), 487, { tag: 'desk' });
    expect(peer.ends).toEqual([]);
    call.hangUp();
    expect(peer.lastRequest).toMatchObject({ method: 'BYE' });
    expect(peer.lastRequest.to.parameters.get('tag')).toBe('mobile');
    peer.respond(peer.lastRequest, 200);
    expect(peer.clean).toBe(true);
  });

  it('is not sent on to lower ones once it is answered', () => {
    const { peer, to } = callBob([
      [DESK, 1],
      [MOBILE, 1],
      [HOME, 0.5],
    ]);
    peer.respond(to(DESK), 180, { tag: 'desk' });
    peer.respond(to(MOBILE), 200, { tag: 'mobile', body: 'answer' });
    peer.respond(to(DESK), 487, { tag: 'desk' });
    peer.timers.advance(60_000);
    expect(calledAt(peer)).toEqual([DESK, MOBILE]);
  });

  it('says ACK and BYE to a second one that answers before the CANCEL gets there', () => {
    const { peer, to } = callBob([
      [DESK, 1],
      [MOBILE, 1],
    ]);
    peer.respond(to(DESK), 180, { tag: 'desk' });
    peer.respond(to(MOBILE), 200, { tag: 'mobile', body: 'answer' });
    peer.respond(to(DESK), 200, { tag: 'desk', body: 'me too' });
    peer.respond(to(DESK), 200, { tag: 'desk', body: 'me too' });
    const byes = peer.requests('BYE');
    expect(byes.map(({ to: { parameters } }) => parameters.get('tag'))).toEqual(['desk']);
    expect(peer.requests('ACK').map(({ to: { parameters } }) => parameters.get('tag'))).toEqual([
      'mobile',
      'desk',
      'desk',
    ]);
    expect(peer.told.filter((line) => line.startsWith('confirmed'))).toEqual(['confirmed answer']);
    expect(peer.ends).toEqual([]);
  });

  it('goes to those of the next lower q when all have refused, or none answers for 20 s', () => {
    const { peer, to } = callBob([
      [DESK, 1],
      [MOBILE, 0.5],
      [HOME, 0.1],
    ]);
    peer.respond(to(DESK), 486);
    expect(calledAt(peer)).toEqual([DESK, MOBILE]);
    peer.respond(to(MOBILE), 180, { tag: 'mobile' });
    peer.timers.advance(19_999);
    expect(calledAt(peer)).toEqual([DESK, MOBILE]);
    peer.timers.advance(1);
    expect(calledAt(peer, 'CANCEL')).toEqual([MOBILE]);
    expect(calledAt(peer)).toEqual([DESK, MOBILE, HOME]);
    // Its answer has crossed our CANCEL: the call is with it, and no more with the next.
    peer.respond(to(HOME), 180, { tag: 'home' });
    peer.respond(to(MOBILE), 200, { tag: 'mobile', body: 'answer' });
    expect(peer.told.at(-1)).toBe('confirmed answer');
    expect(calledAt(peer, 'CANCEL')).toEqual([MOBILE, HOME]);
  });

  it('ends all when one declines for all', () => {
    const { peer, to } = callBob([
      [DESK, 1],
      [MOBILE, 1],
      [HOME, 0.5],
    ]);
    peer.respond(to(DESK), 180, { tag: 'desk' });
    peer.respond(to(MOBILE), 603, { tag: 'mobile' });
    expect(peer.ends).toEqual([{ cause: 'rejected', status: 603, reason: 'Whatever' }]);
    expect(calledAt(peer, 'CANCEL')).toEqual([DESK]);
    expect(calledAt(peer)).toEqual([DESK, MOBILE]);
    expect(peer.clean).toBe(true);
  });

  it.each([
    [486, 404, 486],
    [404, 486, 486],
    [408, 480, 480],
    [500, 486, 486],
    [486, 484, 484],
    [484, 486, 484],
    [503, 500, 500],
  ])('comes to the best of what they said: %i and %i make %i', (one, other, told) => {
    const { peer, to } = callBob([
      [DESK, 1],
      [MOBILE, 1],
    ]);
    peer.respond(to(DESK), one);
    expect(peer.ends).toEqual([]);
    peer.respond(to(MOBILE), other);
    expect(peer.ends).toEqual([{ cause: 'rejected', status: told, reason: 'Whatever' }]);
    expect(peer.clean).toBe(true);
  });

  it('follows the redirect of one while the others ring on', () => {
    const { peer, to } = callBob([
      [DESK, 1],
      [MOBILE, 1],
    ]);
    peer.respond(to(MOBILE), 180, { tag: 'mobile' });
    peer.respond(to(DESK), 302, { headers: [`Contact: <sip:bob@${HOME}>`] });
    expect(calledAt(peer)).toEqual([DESK, MOBILE, HOME]);
    peer.respond(to(HOME), 486);
    expect(peer.ends).toEqual([]);
    peer.respond(to(MOBILE), 486, { tag: 'mobile' });
    expect(peer.ends).toMatchObject([{ cause: 'rejected', status: 486 }]);
    expect(peer.clean).toBe(true);
  });

  it('answers the challenge of each with a count of its own', () => {
    const digest = new DigestClient(() => ({ username: 'demo', password: 'secret' }));
    const { peer, to } = callBob(
      [
        [DESK, 1],
        [MOBILE, 1],
      ],
      { digest },
    );
    const challenge = (nonce: string) => ({
      headers: [`WWW-Authenticate: Digest realm="r", nonce="${nonce}", qop="auth"`],
    });
    peer.respond(to(DESK), 401, challenge('one'));
    peer.respond(to(MOBILE), 401, challenge('two'));
    const [desk, mobile] = [to(DESK), to(MOBILE)];
    expect(desk.headers.get('Authorization')).toMatch(/nonce="one".*nc=00000001/);
    expect(mobile.headers.get('Authorization')).toMatch(/nonce="two".*nc=00000001/);
    expect(peer.ends).toEqual([]);
    peer.respond(mobile, 200, { tag: 'mobile', body: 'answer' });
    expect(peer.lastRequestOf('ACK').headers.get('Authorization')).toContain('nonce="two"');
  });

  it('is given up at all of them', () => {
    const { peer, call, to } = callBob([
      [DESK, 1],
      [MOBILE, 1],
      [HOME, 0.5],
    ]);
    peer.respond(to(DESK), 180, { tag: 'desk' });
    peer.respond(to(MOBILE), 180, { tag: 'mobile' });
    call.hangUp('never mind');
    expect(calledAt(peer, 'CANCEL')).toEqual([DESK, MOBILE]);
    expect(peer.ends).toEqual([{ cause: 'cancelled' }]);
    peer.timers.advance(60_000);
    expect(calledAt(peer)).toEqual([DESK, MOBILE]);
    expect(peer.clean).toBe(true);
  });

  it('has a bound: ten at a time, 32 in all', () => {
    const many = Array.from({ length: 40 }, (_, index): [string, number] => [`198.51.100.${index + 1}`, 1]);
    const { peer } = callBob(many, { answerTimeoutMs: 600_000 });
    expect(calledAt(peer)).toHaveLength(10);
    for (const invite of peer.requests('INVITE')) peer.respond(invite, 486);
    for (const invite of peer.requests('INVITE').slice(10)) peer.respond(invite, 486);
    for (const invite of peer.requests('INVITE').slice(20)) peer.respond(invite, 486);
    expect(calledAt(peer)).toHaveLength(32);
    for (const invite of peer.requests('INVITE').slice(30)) peer.respond(invite, 486);
    expect(peer.ends).toMatchObject([{ status: 486 }]);
    expect(peer.clean).toBe(true);
  });

  it('keeps no more than 64 who ring for it', () => {
    const { peer, to } = callBob([[DESK, 1]]);
    for (let tag = 0; tag < 200; tag++) peer.respond(to(DESK), 180, { tag: `tag-${tag}` });
    expect(peer.userAgent.calls).toBe(64);
    peer.respond(to(DESK), 200, { tag: 'one-more', body: 'answer' });
    expect(peer.told.at(-1)).toBe('confirmed answer');
    expect(peer.userAgent.calls).toBe(1);
  });

  it('tries the next one that a redirect names when the first rings on', () => {
    const { peer, to } = callBob([[DESK, 1]]);
    peer.respond(to(DESK), 302, { headers: [`Contact: <sip:bob@${MOBILE}>;q=0.9, <sip:bob@${HOME}>;q=0.5`] });
    peer.respond(to(MOBILE), 180, { tag: 'mobile' });
    expect(calledAt(peer)).toEqual([DESK, MOBILE]);
    peer.timers.advance(20_000);
    expect(calledAt(peer)).toEqual([DESK, MOBILE, HOME]);
    expect(calledAt(peer, 'CANCEL')).toEqual([MOBILE]);
  });

  it('does not take who rang before a challenge for who rings after it', () => {
    const digest = new DigestClient(() => ({ username: 'demo', password: 'secret' }));
    const { peer, to } = callBob([[DESK, 1]], { digest });
    peer.respond(to(DESK), 183, { headers: ['Require: 100rel', 'RSeq: 1'] });
    peer.respond(to(DESK), 407, { headers: ['Proxy-Authenticate: Digest realm="r", nonce="n"'] });
    peer.respond(to(DESK), 183, { headers: ['Require: 100rel', 'RSeq: 1'] });
    expect(new Set(peer.requests('PRACK').map(({ headers }) => headers.get('RAck')))).toEqual(
      new Set(['1 1 INVITE', '1 2 INVITE']),
    );
    peer.respond(to(DESK), 200, { body: 'answer' });
    expect(peer.told.at(-1)).toBe('confirmed answer');
  });
});
