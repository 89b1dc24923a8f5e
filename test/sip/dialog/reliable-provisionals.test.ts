import { describe, expect, it } from 'vitest';
import { ScriptedPeer, statuses } from './scripted-peer.ts';

const textOf = (body: Uint8Array | undefined) => Buffer.from(body ?? []).toString();
const SUPPORTED = ['Supported: 100rel'];
const REQUIRED = ['Require: 100rel'];

function ringing(headers: string[], offer: string | null = 'offer') {
  const peer = new ScriptedPeer();
  if (offer === null) peer.request('INVITE', { headers });
  else peer.invite({ headers, body: offer });
  return { peer, call: peer.calls[0]! };
}

const rseqOf = (peer: ScriptedPeer) => Number(peer.sent.at(-1)?.headers.get('RSeq'));
const prack = (peer: ScriptedPeer, rseq: number, cseq: number, parts = {}) =>
  peer.request('PRACK', { cseq, headers: [`RAck: ${rseq} 1 INVITE`], ...parts });
const SDP = (body: string) => ({ body, contentType: 'application/sdp' });

describe('reliable provisional responses that we send (RFC 3262 §3)', () => {
  it('are those with SDP where the caller can take them, and all where they are required', () => {
    const { peer, call } = ringing(SUPPORTED);
    call.progress(180);
    expect(peer.sent.at(-1)?.headers.has('RSeq')).toBe(false);
    call.progress(183, { sdp: 'answer' });
    expect(peer.sent.at(-1)?.headers.get('Require')).toBe('100rel');
    expect(textOf(peer.sent.at(-1)?.body)).toBe('answer');
    const { peer: other, call: required } = ringing(REQUIRED);
    required.progress(180);
    expect(rseqOf(other)).toBeGreaterThan(0);
    const { peer: plain, call: unable } = ringing([]);
    unable.progress(183, { sdp: 'answer' });
    expect(plain.sent.at(-1)?.headers.has('RSeq')).toBe(false);
    expect(textOf(plain.sent.at(-1)?.body)).toBe('answer');
  });

  it('are sent again with doubled intervals until PRACK, and refuse the call with 504 without one', () => {
    const { peer, call } = ringing(REQUIRED);
    call.progress(180);
    peer.timers.advance(31_999);
    // At 0, 500, 1500, 3500, 7500, 15500, 31500 ms.
    expect(peer.transcript.filter((entry) => entry === '180 INVITE').length).toBe(7);
    peer.timers.advance(1);
    expect(peer.transcript.at(-1)).toBe('504 INVITE');
    expect(peer.ends).toEqual([{ cause: 'rejected', status: 504 }]);
    expect(peer.clean).toBe(true);
  });

  it('stop at the PRACK that names them; others get 481', () => {
    const { peer, call } = ringing(REQUIRED);
    call.progress(180);
    const rseq = rseqOf(peer);
    expect(statuses(prack(peer, rseq + 1, 2))).toEqual([481]);
    expect(statuses(peer.request('PRACK', { cseq: 3, headers: [`RAck: ${rseq} 9 INVITE`] }))).toEqual([481]);
    expect(statuses(peer.request('PRACK', { cseq: 4 }))).toEqual([481]);
    expect(statuses(prack(peer, rseq, 5))).toEqual([200]);
    expect(statuses(prack(peer, rseq, 6))).toEqual([481]);
    const sent = peer.sent.length;
    peer.timers.advance(30_000);
    expect(peer.sent.length).toBe(sent);
  });

  it('go out one after the other, with RSeq one higher', () => {
    const { peer, call } = ringing(REQUIRED);
    call.progress(180);
    call.progress(183);
    const rseq = rseqOf(peer);
    expect(peer.transcript).toEqual(['180 INVITE']);
    prack(peer, rseq, 2);
    expect(peer.transcript.slice(1)).toEqual(['200 PRACK', '183 INVITE']);
    expect(rseqOf(peer)).toBe(rseq + 1);
  });

  it('keep the 200 waiting while SDP waits for its PRACK; the 200 has none then', () => {
    const { peer, call } = ringing(SUPPORTED);
    call.progress(183, { sdp: 'answer' });
    const rseq = rseqOf(peer);
    call.accept('answer');
    expect(peer.transcript.at(-1)).toBe('183 INVITE');
    prack(peer, rseq, 2);
    expect(peer.transcript.slice(-2)).toEqual(['200 PRACK', '200 INVITE']);
    expect(peer.sent.at(-1)?.body.length).toBe(0);
    peer.request('ACK');
    expect(peer.told).toEqual(['confirmed null']);
  });

  it('do not keep it waiting without SDP', () => {
    const { peer, call } = ringing(REQUIRED);
    call.progress(180);
    const rseq = rseqOf(peer);
    call.accept('answer');
    expect(peer.transcript.at(-1)).toBe('200 INVITE');
    expect(textOf(peer.sent.at(-1)?.body)).toBe('answer');
    peer.request('ACK');
    peer.timers.advance(40_000);
    expect(peer.transcript).toEqual(['180 INVITE', '200 INVITE']);
    expect(statuses(prack(peer, rseq, 2))).toEqual([200]);
  });

  it('can offer where the INVITE did not; the answer is in the PRACK', () => {
    const { peer, call } = ringing(SUPPORTED, null);
    call.progress(183, { sdp: 'our offer' });
    expect(statuses(prack(peer, rseqOf(peer), 2, SDP('their answer')))).toEqual([200]);
    expect(peer.told).toEqual(['answered their answer']);
    call.accept('our offer');
    expect(peer.sent.at(-1)?.body.length).toBe(0);
    peer.request('ACK');
    expect(peer.told).toEqual(['answered their answer', 'confirmed null']);
  });

  it('can be followed by an offer in the PRACK', () => {
    const { peer, call } = ringing(SUPPORTED);
    call.progress(183, { sdp: 'answer' });
    prack(peer, rseqOf(peer), 2, SDP('new offer'));
    expect(peer.told).toEqual(['reoffered new offer']);
    peer.reply?.accept('new answer');
    expect(peer.transcript.at(-1)).toBe('200 PRACK');
    expect(textOf(peer.sent.at(-1)?.body)).toBe('new answer');
  });

  it.each(['CANCEL', 'BYE'])('end with %s', (method) => {
    const peer = new ScriptedPeer();
    peer.invite({ headers: REQUIRED, branch: 'z9hG4bK-x' });
    peer.calls[0]?.progress(183, { sdp: 'answer' });
    peer.calls[0]?.accept('answer');
    const cancel = method === 'CANCEL' ? { branch: 'z9hG4bK-x' } : { cseq: 2 };
    expect(statuses(peer.request(method, cancel))).toEqual([200, 487]);
    peer.request('ACK', { branch: 'z9hG4bK-x' });
    expect(peer.clean).toBe(true);
    expect(peer.ends.length).toBe(1);
  });
});

describe('reliable provisional responses that we get (RFC 3262 §4)', () => {
  const reliable = (rseq: number) => ['Require: 100rel', `RSeq: ${rseq}`];

  it('are acknowledged by PRACK once, in order', () => {
    const peer = new ScriptedPeer();
    peer.dial();
    const invite = peer.lastRequest;
    for (const rseq of [7, 7, 9, 8, 9, 8]) peer.respond(invite, 180, { headers: reliable(rseq) });
    expect(peer.requests('PRACK').map((prack) => prack.headers.get('RAck'))).toEqual([
      '7 1 INVITE',
      '8 1 INVITE',
      '9 1 INVITE',
    ]);
    expect(peer.requests('PRACK').map((prack) => prack.cseq.number)).toEqual([2, 3, 4]);
  });

  it('have the answer; SDP in the 200 then means nothing', () => {
    const peer = new ScriptedPeer();
    peer.dial();
    const invite = peer.lastRequest;
    peer.respond(invite, 183, { headers: reliable(1), body: 'answer' });
    peer.respond(peer.lastRequest, 200);
    peer.respond(invite, 200, { body: 'something else' });
    expect(peer.told).toEqual(['progressed 183 Whatever', 'answered answer', 'confirmed null']);
  });

  it('are acknowledged separately for each one that rings', () => {
    const peer = new ScriptedPeer();
    peer.dial();
    const invite = peer.lastRequest;
    peer.respond(invite, 180, { tag: 'one', headers: reliable(1) });
    peer.respond(invite, 180, { tag: 'two', headers: reliable(50) });
    peer.respond(invite, 180, { tag: 'one', headers: reliable(2) });
    const pracks = peer
      .requests('PRACK')
      .map((prack) => `${prack.to.parameters.get('tag')} ${prack.headers.get('RAck')}`);
    expect(pracks).toEqual(['one 1 1 INVITE', 'two 50 1 INVITE', 'one 2 1 INVITE']);
  });

  it('are answered in the PRACK when they offer, for a re-INVITE of ours that did not', () => {
    const peer = new ScriptedPeer();
    const call = peer.dial();
    peer.respond(peer.lastRequest, 200, { body: 'answer' });
    call.reoffer(null, (result) => peer.told.push(`concluded ${JSON.stringify(result)}`));
    const invite = peer.lastRequest;
    peer.respond(invite, 183, { headers: reliable(3), body: 'their offer' });
    expect(peer.told.at(-1)).toBe('reoffered their offer');
    peer.reply?.accept('our answer');
    expect(peer.lastRequest.method).toBe('PRACK');
    expect(textOf(peer.lastRequest.body)).toBe('our answer');
    peer.respond(peer.lastRequest, 200);
    peer.respond(invite, 200);
    expect(peer.lastRequest.method).toBe('ACK');
    expect(peer.told.at(-1)).toBe('concluded {"answer":null}');
  });
});
