import { describe, expect, it } from 'vitest';
import { establishedPeer, ScriptedPeer, statuses } from './scripted-peer.ts';

/** A call in which a REFER was accepted, and its first NOTIFY answered. */
function referredPeer() {
  const peer = establishedPeer();
  peer.request('REFER', { cseq: 2, headers: ['Refer-To: <sip:carl@example.com>'] });
  const progress = peer.referral!.accept();
  peer.respond(peer.lastRequest, 200);
  return { peer, progress };
}

const subscribe = (peer: ScriptedPeer, cseq: number, headers: string[]) => {
  const responses = peer.request('SUBSCRIBE', { cseq, headers });
  peer.timers.advance(0);
  return responses;
};

const stateOf = (peer: ScriptedPeer) => ({
  state: peer.lastRequest.headers.get('Subscription-State'),
  fragment: Buffer.from(peer.lastRequest.body).toString(),
});

describe('SUBSCRIBE to what comes of a REFER (RFC 3515 §2.4.4, RFC 6665 §4.2.1)', () => {
  it('renews it: 200 with what is granted, then a NOTIFY with the state as it is', () => {
    const { peer, progress } = referredPeer();
    progress.report(180, 'Ringing');
    peer.respond(peer.lastRequest, 200);
    const [ok] = subscribe(peer, 3, ['Event: refer', 'Expires: 120']);
    expect(ok?.status).toBe(200);
    expect(ok?.headers.get('Expires')).toBe('120');
    expect(ok?.headers.get('Contact')).toBe('<sip:demo@parley.example.com:5060>');
    expect(peer.transcript.slice(-2)).toEqual(['200 SUBSCRIBE', 'NOTIFY']);
    expect(stateOf(peer)).toEqual({ state: 'active;expires=120', fragment: 'SIP/2.0 180 Ringing\r\n' });
    peer.respond(peer.lastRequest, 200);
    progress.report(200, 'OK');
    expect(stateOf(peer)).toEqual({ state: 'terminated;reason=noresource', fragment: 'SIP/2.0 200 OK\r\n' });
  });

  it('ends it with Expires: 0, after a last NOTIFY; what was asked for goes on', () => {
    const { peer, progress } = referredPeer();
    const [ok] = subscribe(peer, 3, ['Event: refer', 'Expires: 0']);
    expect(ok?.headers.get('Expires')).toBe('0');
    expect(stateOf(peer)).toEqual({ state: 'terminated;reason=timeout', fragment: 'SIP/2.0 100 Trying\r\n' });
    peer.respond(peer.lastRequest, 200);
    progress.report(200, 'OK');
    expect(peer.requests('NOTIFY')).toHaveLength(2);
    expect(statuses(subscribe(peer, 4, ['Event: refer', 'Expires: 60']))).toEqual([481]);
    expect(peer.ends).toEqual([]);
  });

  it('grants 300 s at most, which is what it lasts without; then it ends', () => {
    const { peer } = referredPeer();
    expect(subscribe(peer, 3, ['Event: refer', 'Expires: 99999'])[0]?.headers.get('Expires')).toBe('300');
    peer.respond(peer.lastRequest, 200);
    peer.timers.advance(200_000);
    expect(subscribe(peer, 4, ['Event: refer'])[0]?.headers.get('Expires')).toBe('300');
    peer.respond(peer.lastRequest, 200);
    peer.timers.advance(299_000);
    expect(peer.requests('NOTIFY')).toHaveLength(3);
    peer.timers.advance(1_000);
    expect(stateOf(peer).state).toBe('terminated;reason=timeout');
    peer.respond(peer.lastRequest, 200);
    peer.calls[0]?.hangUp();
    peer.respond(peer.lastRequest, 200);
    expect(peer.clean).toBe(true);
  });

  it('means the one with that id', () => {
    const { peer } = referredPeer();
    peer.request('REFER', { cseq: 3, headers: ['Refer-To: <sip:dora@example.com>'] });
    peer.referral!.accept();
    peer.respond(peer.lastRequest, 200);
    subscribe(peer, 4, ['Event: refer;id=3', 'Expires: 0']);
    expect(peer.lastRequest.headers.get('Event')).toBe('refer;id=3');
    peer.respond(peer.lastRequest, 200);
    expect(statuses(subscribe(peer, 5, ['Event: refer;id=3']))).toEqual([481]);
    expect(statuses(subscribe(peer, 6, ['Event: refer;id=2']))).toEqual([200]);
    expect(peer.lastRequest.headers.get('Event')).toBe('refer');
  });

  it('works after the call has ended, and in the dialog that a REFER outside of calls made', () => {
    const { peer } = referredPeer();
    peer.request('BYE', { cseq: 3 });
    expect(statuses(subscribe(peer, 4, ['Event: refer', 'Expires: 0']))).toEqual([200]);
    expect(stateOf(peer).state).toBe('terminated;reason=timeout');
    peer.respond(peer.lastRequest, 200);
    expect(peer.clean).toBe(true);

    const lone = new ScriptedPeer();
    const refer = lone.request('REFER', { headers: ['Refer-To: <sip:carl@example.com>'] });
    expect(refer).toEqual([]);
    lone.referral!.accept();
    const toTag = lone.sent[0]!.to.parameters.get('tag')!;
    lone.respond(lone.lastRequest, 200);
    const ended = lone.request('SUBSCRIBE', { cseq: 2, toTag, headers: ['Event: refer', 'Expires: 0'] });
    expect(statuses(ended)).toEqual([200]);
    lone.timers.advance(0);
    lone.respond(lone.lastRequest, 200);
    expect(lone.clean).toBe(true);
  });

  it.each([
    [500, 1, ['Event: refer']],
    [400, 3, ['Event: refer', 'Expires: soon']],
    [481, 3, ['Event: refer;id=77']],
    [489, 3, ['Event: presence']],
    [489, 3, []],
  ])('gets %i (CSeq %i, %s)', (status, cseq, headers) => {
    const { peer } = referredPeer();
    const [refusal] = subscribe(peer, cseq, headers);
    expect(refusal?.status).toBe(status);
    expect(refusal?.headers.get('Allow-Events')).toBe(status === 489 ? 'refer' : undefined);
  });

  it.each([
    [403, 'refer'],
    [489, 'presence'],
  ])('outside of dialogs gets %i for %s', (status, event) => {
    expect(statuses(new ScriptedPeer().request('SUBSCRIBE', { headers: [`Event: ${event}`] }))).toEqual([status]);
  });

  it('tells no more than some eight at a time where nobody answers the NOTIFYs, but always the last', () => {
    const { peer, progress } = referredPeer();
    for (let times = 0; times < 100; times++) progress.report(180, `Ringing ${times}`);
    progress.report(200, 'OK');
    for (let times = 0; times < 20; times++) peer.respond(peer.lastRequestOf('NOTIFY'), 200);
    expect(peer.requests('NOTIFY').length).toBeLessThanOrEqual(11);
    expect(stateOf(peer).fragment).toBe('SIP/2.0 200 OK\r\n');
  });
});
