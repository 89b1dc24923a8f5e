import { describe, expect, it } from 'vitest';
import { establishedPeer, ScriptedPeer, statuses } from './scripted-peer.ts';

const textOf = (body: Uint8Array | undefined) => Buffer.from(body ?? []).toString();

describe('keys told by INFO', () => {
  it.each([
    ['application/dtmf-relay', 'Signal=5\r\nDuration=250\r\n', 'key 5 250'],
    ['Application/DTMF-Relay', 'signal= *\nduration = 90', 'key * 90'],
    ['application/dtmf-relay;charset=utf-8', 'Signal=#', 'key # 160'],
    ['application/dtmf-relay', 'Duration=99999\r\nSignal=d', 'key D 10000'],
    ['application/dtmf-relay', 'Signal=11', 'key # 160'],
    ['application/dtmf', '7', 'key 7 160'],
    ['application/dtmf', '10\r\n', 'key * 160'],
  ])('are understood: %s %j', (contentType, body, told) => {
    const peer = establishedPeer();
    expect(statuses(peer.request('INFO', { cseq: 2, contentType, body }))).toEqual([200]);
    expect(peer.told.at(-1)).toBe(told);
  });

  it.each([
    [400, 'Accept', undefined, { contentType: 'application/dtmf-relay', body: 'Signal=x' }],
    [400, 'Accept', undefined, { contentType: 'application/dtmf-relay', body: 'nothing' }],
    [400, 'Accept', undefined, { contentType: 'application/dtmf', body: '16' }],
    [
      415,
      'Accept',
      'application/dtmf-relay, application/dtmf, application/media_control+xml',
      { contentType: 'text/plain', body: '5' },
    ],
    [
      415,
      'Accept',
      'application/dtmf-relay, application/dtmf, application/media_control+xml',
      { contentType: 'application/xml', body: '<x/>' },
    ],
    [469, 'Recv-Info', '', { headers: ['Info-Package: conference'], contentType: 'a/b', body: 'x' }],
  ])('are refused with %i otherwise', (status, field, value, info) => {
    const peer = establishedPeer();
    const [refusal] = peer.request('INFO', { cseq: 2, ...info });
    expect(refusal?.status).toBe(status);
    expect(refusal?.headers.get(field)).toBe(value);
    expect(peer.told).toEqual(['confirmed null']);
  });

  it('may be none: an empty INFO asks whether we live; one outside of calls gets 481', () => {
    expect(statuses(establishedPeer().request('INFO', { cseq: 2 }))).toEqual([200]);
    expect(statuses(new ScriptedPeer().request('INFO'))).toEqual([481]);
  });
});

describe('a REFER that comes in (RFC 3515)', () => {
  const refer = (peer: ScriptedPeer, headers: string[] = [], cseq = 2) =>
    peer.request('REFER', { cseq, headers: ['Refer-To: "Carl" <sip:carl@example.com>', ...headers] });
  const lastFragment = (peer: ScriptedPeer) => textOf(peer.lastRequest.body);

  it('is told by NOTIFY what comes of it, one after the other', () => {
    const peer = establishedPeer();
    refer(peer);
    expect(peer.told.at(-1)).toBe('referred sip:carl@example.com');
    const progress = peer.referral!.accept();
    expect(peer.transcript.slice(-2)).toEqual(['202 REFER', 'NOTIFY']);
    const trying = peer.lastRequest;
    expect(trying.headers.get('Event')).toBe('refer');
    expect(trying.headers.get('Subscription-State')).toMatch(/^active;expires=\d+$/);
    expect(trying.headers.get('Content-Type')).toBe('message/sipfrag;version=2.0');
    expect(lastFragment(peer)).toBe('SIP/2.0 100 Trying\r\n');
    progress.report(180, 'Ringing');
    progress.report(200, 'OK');
    progress.report(486, 'too late');
    expect(peer.requests('NOTIFY').length).toBe(1);
    peer.respond(trying, 200);
    expect(lastFragment(peer)).toBe('SIP/2.0 180 Ringing\r\n');
    peer.respond(peer.lastRequest, 200);
    expect(lastFragment(peer)).toBe('SIP/2.0 200 OK\r\n');
    expect(peer.lastRequest.headers.get('Subscription-State')).toBe('terminated;reason=noresource');
    peer.respond(peer.lastRequest, 200);
    expect(peer.requests('NOTIFY').length).toBe(3);
  });

  it('is told apart by id from the second on', () => {
    const peer = establishedPeer();
    refer(peer);
    peer.referral!.accept();
    refer(peer, [], 3);
    peer.referral!.accept();
    expect(peer.lastRequest.headers.get('Event')).toBe('refer;id=3');
  });

  it('wants no subscription with Refer-Sub: false (RFC 4488)', () => {
    const peer = establishedPeer();
    refer(peer, ['Refer-Sub: false', 'Require: norefersub']);
    const progress = peer.referral!.accept();
    const ok = peer.sent.at(-1);
    expect(peer.transcript.at(-1)).toBe('200 REFER');
    expect(ok?.headers.get('Refer-Sub')).toBe('false');
    progress.report(200, 'OK');
    expect(peer.requests('NOTIFY')).toEqual([]);
  });

  it('goes on being told after the call has ended', () => {
    const peer = establishedPeer();
    refer(peer);
    const progress = peer.referral!.accept();
    peer.respond(peer.lastRequest, 200);
    peer.request('BYE', { cseq: 3 });
    progress.report(603, 'Decline');
    expect(lastFragment(peer)).toBe('SIP/2.0 603 Decline\r\n');
    peer.respond(peer.lastRequest, 481);
    expect(peer.clean).toBe(true);
  });

  it.each([[[]], [['Refer-To: <sip:a@b>', 'Refer-To: <sip:c@d>']], [['Refer-To: <<>']]])(
    'without one Refer-To gets 400',
    (headers) => {
      const peer = establishedPeer();
      expect(statuses(peer.request('REFER', { cseq: 2, headers }))).toEqual([400]);
      expect(peer.referral).toBeNull();
    },
  );

  it('outside of calls makes a dialog of its own', () => {
    const peer = new ScriptedPeer();
    refer(peer, ['Referred-By: <sip:boss@example.com>'], 1);
    expect(peer.referral?.referredBy?.uriText).toBe('sip:boss@example.com');
    peer.referral!.accept();
    const [accepted, notify] = peer.sent;
    expect(accepted?.headers.get('Contact')).toBe('<sip:demo@parley.example.com:5060>');
    expect(notify).toMatchObject({ method: 'NOTIFY', requestUri: 'sip:ann@192.0.2.1:5070' });
    expect(notify?.from.parameters.get('tag')).toBe(accepted?.to.parameters.get('tag'));
    peer.respond(peer.lastRequest, 481);
    peer.referral!.reject(403);
    expect(peer.clean).toBe(true);
  });

  it('is refused as the application wants it', () => {
    const peer = new ScriptedPeer();
    refer(peer, [], 1);
    peer.referral!.reject(403, { reason: 'No' });
    expect(peer.sent).toMatchObject([{ status: 403, reason: 'No' }]);
    expect(peer.clean).toBe(true);
  });
});

describe('a REFER of ours', () => {
  const notify = (peer: ScriptedPeer, cseq: number, status: string, state: string, event = 'refer') =>
    statuses(
      peer.request('NOTIFY', {
        cseq,
        headers: [`Event: ${event}`, `Subscription-State: ${state}`],
        contentType: 'message/sipfrag;version=2.0',
        body: `SIP/2.0 ${status}\r\n`,
      }),
    );

  it('hears what came of it', () => {
    const peer = establishedPeer();
    const told: number[] = [];
    peer.calls[0]!.refer('sip:carl@example.com', (status) => told.push(status));
    expect(peer.lastRequest.headers.get('Refer-To')).toBe('<sip:carl@example.com>');
    peer.respond(peer.lastRequest, 202);
    expect(notify(peer, 2, '100 Trying', 'active;expires=60')).toEqual([200]);
    expect(notify(peer, 3, '200 OK', 'terminated;reason=noresource')).toEqual([200]);
    expect(notify(peer, 4, '200 OK', 'terminated;reason=noresource')).toEqual([481]);
    expect(told).toEqual([100, 200]);
  });

  it('is over when it is refused, or the call ends', () => {
    const peer = establishedPeer();
    const told: number[] = [];
    peer.calls[0]!.refer('sip:carl@example.com', (status) => told.push(status));
    peer.respond(peer.lastRequest, 603);
    peer.calls[0]!.refer('sip:carl@example.com', (status) => told.push(status));
    peer.respond(peer.lastRequest, 202);
    peer.request('BYE', { cseq: 2 });
    expect(told).toEqual([603, 481]);
    expect(peer.clean).toBe(true);
  });

  it('takes no other events', () => {
    expect(notify(establishedPeer(), 2, '200 OK', 'terminated', 'presence')).toEqual([489]);
    expect(notify(establishedPeer(), 2, '200 OK', 'terminated')).toEqual([481]);
  });
});

describe('Replaces and Join (RFC 3891 §3, RFC 3911 §4)', () => {
  const tagOf = (peer: ScriptedPeer) => peer.sent.at(-1)?.to.parameters.get('tag');
  const another = (peer: ScriptedPeer, headers: string[]) =>
    statuses(peer.invite({ callId: 'other', fromTag: 'other', toTag: null, headers }));

  it('name the call that the INVITE means', () => {
    const peer = establishedPeer();
    const call = peer.calls[0]!;
    const named = `call@192.0.2.1;to-tag=${tagOf(peer)};from-tag=ann`;
    expect(another(peer, [`Replaces: ${named}`, 'Require: replaces'])).toEqual([200]);
    expect(peer.calls[1]?.replaces).toBe(call);
    peer.invite({ callId: 'third', toTag: null, headers: [`Join: ${named}`, 'Require: join'] });
    expect(peer.calls[2]?.joins).toBe(call);
    expect(peer.calls[2]?.replaces).toBeNull();
  });

  it('get 486 for a call that stands where only an early one is meant', () => {
    const peer = establishedPeer();
    expect(another(peer, [`Replaces: call@192.0.2.1;to-tag=${tagOf(peer)};from-tag=ann;early-only`])).toEqual([486]);
  });

  it('get 481 for a call that is not there, or that rings and was not made by us', () => {
    expect(another(new ScriptedPeer(), ['Replaces: nobody;to-tag=1;from-tag=2'])).toEqual([481]);
    const peer = new ScriptedPeer();
    peer.decide = (call) => call.progress(180);
    peer.invite();
    expect(another(peer, [`Replaces: call@192.0.2.1;to-tag=${tagOf(peer)};from-tag=ann`])).toEqual([481]);
  });

  it('get 603 for a call that is just ending', () => {
    const peer = establishedPeer();
    const tag = tagOf(peer);
    peer.calls[0]?.hangUp();
    expect(another(peer, [`Replaces: call@192.0.2.1;to-tag=${tag};from-tag=ann`])).toEqual([603]);
  });

  it('find a call of ours that rings', () => {
    const peer = new ScriptedPeer();
    const call = peer.dial();
    const invite = peer.lastRequest;
    peer.respond(invite, 180, { tag: 'theirs' });
    const ours = invite.from.parameters.get('tag');
    another(peer, [`Replaces: ${invite.callId};from-tag=theirs;to-tag=${ours};early-only`]);
    expect(peer.calls[0]?.replaces).toBe(call);
  });

  it.each([
    [['Replaces: a;to-tag=1;from-tag=2', 'Replaces: b;to-tag=1;from-tag=2']],
    [['Replaces: a;to-tag=1;from-tag=2', 'Join: b;to-tag=1;from-tag=2']],
    [['Replaces: a;to-tag=1']],
    [['Replaces: a']],
  ])('get 400 when they are malformed or more than one: %s', (headers) => {
    expect(another(new ScriptedPeer(), headers)).toEqual([400]);
  });
});

describe('Session-ID (RFC 7989)', () => {
  it('has our UUID first and theirs as remote, in all messages of the call', () => {
    const peer = new ScriptedPeer();
    const theirs = 'ab30317f1a784dc48ff824d0d3715d86';
    peer.decide = (call) => call.accept('answer');
    peer.invite({ headers: [`Session-ID: ${theirs};remote=${'0'.repeat(32)}`] });
    const ours = peer.calls[0]!.sessionId;
    expect(ours).toMatch(/^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
    expect(peer.sent.at(-1)?.headers.get('Session-ID')).toBe(`${ours};remote=${theirs}`);
    peer.request('ACK');
    peer.calls[0]?.hangUp();
    expect(peer.lastRequest.headers.get('Session-ID')).toBe(`${ours};remote=${theirs}`);
  });

  it('has the nil UUID for a peer that says none', () => {
    const peer = establishedPeer();
    peer.calls[0]?.hangUp();
    expect(peer.lastRequest.headers.get('Session-ID')).toMatch(/^[0-9a-f]{32};remote=0{32}$/);
  });
});
