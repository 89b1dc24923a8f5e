import { describe, expect, it } from 'vitest';
import type { ReofferResult } from '../../../server/sip/dialog/call.ts';
import { establishedPeer, ScriptedPeer, statuses } from './scripted-peer.ts';

const textOf = (body: Uint8Array | undefined) => Buffer.from(body ?? []).toString();
const SDP = (body: string) => ({ body, contentType: 'application/sdp' });
const TIMER = 'Supported: timer';

/** A call in which we refresh by re-INVITE, or by UPDATE, every 300 s. */
function refreshingPeer(allow = 'Allow: INVITE, ACK, BYE') {
  const peer = new ScriptedPeer();
  peer.decide = (call) => call.accept('ours');
  peer.invite({ headers: [TIMER, 'Session-Expires: 600;refresher=uas', allow] });
  peer.request('ACK');
  return peer;
}

describe('changes of a session that cross, or come to nothing', () => {
  it('gets 491 for an INVITE of the callee before ours is answered, even when its SDP is settled (RFC 3261 §14.2)', () => {
    const peer = new ScriptedPeer();
    peer.dial();
    const [invite] = peer.requests('INVITE');
    peer.respond(invite!, 183, { headers: ['Require: 100rel', 'RSeq: 1'], body: 'answer' });
    peer.respond(peer.lastRequest, 200);
    const before = peer.sent.length;
    peer.raw(
      [
        'INVITE sip:demo@parley.example.com SIP/2.0',
        'Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK-theirs',
        'From: <sip:ann@192.0.2.1:5070>;tag=ann',
        `To: ${invite?.headers.get('From')}`,
        `Call-ID: ${invite?.callId}`,
        'CSeq: 1 INVITE',
        'Contact: <sip:ann@192.0.2.1:5070>',
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    );
    expect(peer.sent.slice(before)).toMatchObject([{ status: 491 }]);
    expect(peer.told).not.toContain('reoffered null');
  });

  it('refreshes with what was agreed last, also when a reliable provisional response had the answer', () => {
    const peer = refreshingPeer();
    const results: ReofferResult[] = [];
    peer.calls[0]!.reoffer(
      () => 'changed',
      (result) => results.push(result),
    );
    const invite = peer.lastRequest;
    peer.respond(invite, 183, { headers: ['Require: 100rel', 'RSeq: 9'], body: 'their answer' });
    peer.respond(peer.lastRequestOf('PRACK'), 200);
    peer.respond(invite, 200, { headers: ['Session-Expires: 600;refresher=uac'] });
    expect(results).toEqual([{ answer: null }]);
    expect(peer.told.at(-1)).toBe('answered their answer');
    peer.timers.advance(300_000);
    expect(textOf(peer.lastRequestOf('INVITE').body)).toBe('changed');
  });

  it('is no change when the 200 to our offer has no answer', () => {
    const peer = establishedPeer();
    const results: ReofferResult[] = [];
    peer.calls[0]!.reoffer(
      () => 'changed',
      (result) => results.push(result),
    );
    peer.respond(peer.lastRequest, 200);
    expect(peer.lastRequest.method).toBe('ACK');
    expect(results).toEqual([{ status: 488 }]);
  });

  it('takes an answer for news that equals an offer which was refused', () => {
    const peer = refreshingPeer();
    peer.invite({ cseq: 2, body: 'theirs' });
    peer.reply?.reject(488);
    peer.request('ACK', { cseq: 2 });
    peer.timers.advance(300_000);
    peer.respond(peer.lastRequest, 200, { headers: ['Session-Expires: 600;refresher=uac'], body: 'theirs' });
    expect(peer.told.at(-1)).toBe('answered theirs');
  });

  it('answers a PRACK’s offer once, and with 487 when the call ends meanwhile (RFC 3262 §5)', () => {
    const peer = new ScriptedPeer();
    peer.invite({ headers: ['Supported: 100rel'] });
    peer.calls[0]!.progress(183, { sdp: 'answer' });
    const rack = `RAck: ${peer.sent.at(-1)?.headers.get('RSeq')} 1 INVITE`;
    expect(statuses(peer.request('PRACK', { cseq: 2, headers: [rack], ...SDP('more') }))).toEqual([]);
    expect(statuses(peer.request('PRACK', { cseq: 3, headers: [rack], ...SDP('even more') }))).toEqual([500]);
    const { reply } = peer;
    expect(statuses(peer.request('BYE', { cseq: 4 })).sort()).toEqual([200, 487, 487]);
    reply?.accept('too late');
    expect(peer.transcript.filter((line) => line.endsWith('PRACK'))).toEqual(['500 PRACK', '487 PRACK']);
    expect(peer.clean).toBe(true);
  });

  it('sends no UPDATE with an offer before our reliable answer was acknowledged (RFC 3311 §5.1)', () => {
    const peer = new ScriptedPeer();
    peer.invite({ headers: ['Supported: 100rel', 'Allow: UPDATE'] });
    peer.calls[0]!.progress(183, { sdp: 'answer' });
    const rack = `RAck: ${peer.sent.at(-1)?.headers.get('RSeq')} 1 INVITE`;
    peer.calls[0]!.reoffer(
      () => 'more',
      () => {},
    );
    expect(peer.requests('UPDATE')).toEqual([]);
    peer.request('PRACK', { cseq: 2, headers: [rack] });
    peer.timers.advance(2_000);
    expect(textOf(peer.lastRequestOf('UPDATE').body)).toBe('more');
  });

  it('listens to another when the one it listens to hangs up before answering', () => {
    const peer = new ScriptedPeer();
    peer.dial();
    const [invite] = peer.requests('INVITE');
    peer.respond(invite!, 183, { tag: 'one', body: 'early one' });
    peer.raw(
      [
        'BYE sip:demo@parley.example.com SIP/2.0',
        'Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK-theirs',
        'From: <sip:ann@192.0.2.1:5070>;tag=one',
        `To: ${invite?.headers.get('From')}`,
        `Call-ID: ${invite?.callId}`,
        'CSeq: 1 BYE',
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    );
    peer.respond(invite!, 183, { tag: 'two', body: 'early two' });
    expect(peer.told.filter((line) => line.startsWith('answered'))).toEqual([
      'answered early one',
      'answered early two',
    ]);
    expect(peer.ends).toEqual([]);
  });

  it('keeps the Session-ID of the one who answered when another answers late (RFC 7989)', () => {
    const peer = new ScriptedPeer();
    const call = peer.dial();
    const invite = peer.lastRequest;
    const [one, two] = ['1', '2'].map((digit) => digit.repeat(32));
    peer.respond(invite, 200, { tag: 'one', headers: [`Session-ID: ${one}`], body: 'answer' });
    peer.respond(invite, 200, { tag: 'two', headers: [`Session-ID: ${two}`], body: 'answer' });
    call.hangUp();
    expect(peer.lastRequest.headers.get('Session-ID')).toContain(`remote=${one}`);
  });
});

describe('session timers under attack', () => {
  it.each([
    ['INVITE', 'Min-SE: 999999999'],
    ['INVITE', 'Min-SE: 99999999'],
  ])('take an interval that no clock can be set to for a very long one (%s with %s)', (_method, header) => {
    const peer = new ScriptedPeer();
    peer.decide = (call) => call.accept('ours');
    const set = peer.timers.set.bind(peer.timers);
    const longest: number[] = [];
    peer.timers.set = (delayMs, expired) => {
      longest.push(delayMs);
      return set(delayMs, expired);
    };
    peer.invite({ headers: [TIMER, header, 'Session-Expires: 999999999;refresher=uas'] });
    peer.request('ACK');
    expect(Math.max(...longest)).toBe(2 ** 31 - 1);
    peer.timers.advance(86_400_000);
    expect(peer.ends).toEqual([]);
    expect(peer.requests('INVITE')).toEqual([]);
  });

  it('do not begin with an UPDATE before the answer: nobody says BYE in an early dialog', () => {
    const peer = new ScriptedPeer();
    peer.invite({ headers: ['Supported: 100rel'] });
    peer.calls[0]!.progress(183, { sdp: 'answer' });
    const rack = `RAck: ${peer.sent.at(-1)?.headers.get('RSeq')} 1 INVITE`;
    peer.request('PRACK', { cseq: 2, headers: [rack] });
    const update = peer.request('UPDATE', { cseq: 3, headers: [TIMER, 'Session-Expires: 90;refresher=uac'] });
    expect(statuses(update)).toEqual([200]);
    peer.timers.advance(100_000);
    expect(peer.requests('BYE')).toEqual([]);
    expect(peer.ends).toEqual([]);
  });

  it('are refreshed when what was on its way at the time is refused', () => {
    const peer = refreshingPeer();
    peer.timers.advance(299_000);
    const results: ReofferResult[] = [];
    peer.calls[0]!.reoffer(
      () => 'changed',
      (result) => results.push(result),
    );
    const change = peer.lastRequest;
    peer.respond(change, 180);
    peer.timers.advance(2_000);
    peer.respond(change, 488);
    expect(results).toEqual([{ status: 488 }]);
    const refresh = peer.lastRequest;
    expect(refresh.method).toBe('INVITE');
    expect(textOf(refresh.body)).toBe('ours');
    peer.respond(refresh, 200, { headers: ['Session-Expires: 600;refresher=uac'], body: 'offer' });
    peer.timers.advance(290_000);
    expect(peer.ends).toEqual([]);
  });
});
