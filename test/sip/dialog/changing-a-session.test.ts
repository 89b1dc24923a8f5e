import { describe, expect, it } from 'vitest';
import type { ReofferResult } from '../../../server/sip/dialog/call.ts';
import { establishedPeer, ScriptedPeer, statuses } from './scripted-peer.ts';

const textOf = (body: Uint8Array | undefined) => Buffer.from(body ?? []).toString();
const SDP = (body: string) => ({ body, contentType: 'application/sdp' });

/** Offers with a new text at each attempt, and keeps what came of it. */
function reoffer(peer: ScriptedPeer) {
  const results: ReofferResult[] = [];
  let attempts = 0;
  peer.calls[0]!.reoffer(
    () => `offer ${++attempts}`,
    (result) => results.push(result),
  );
  return results;
}

/** How many INVITEs were sent, not counting retransmissions. */
const distinct = (peer: ScriptedPeer) => new Set(peer.requests('INVITE').map(({ cseq }) => cseq.number)).size;

describe('a session that we change', () => {
  it('gets a re-INVITE with our offer; its answer is acknowledged', () => {
    const peer = establishedPeer();
    const results = reoffer(peer);
    const invite = peer.lastRequest;
    expect(invite.method).toBe('INVITE');
    expect(textOf(invite.body)).toBe('offer 1');
    expect(invite.headers.get('Contact')).toBe('<sip:demo@parley.example.com:5060>');
    peer.respond(invite, 200, { body: 'their answer' });
    peer.respond(invite, 200, { body: 'their answer' });
    expect(peer.transcript.slice(-3)).toEqual(['INVITE', 'ACK', 'ACK']);
    expect(results).toEqual([{ answer: 'their answer' }]);
  });

  it('stays as it was when they refuse', () => {
    const peer = establishedPeer();
    const results = reoffer(peer);
    peer.respond(peer.lastRequest, 488);
    expect(results).toEqual([{ status: 488 }]);
    expect(peer.ends).toEqual([]);
    expect(reoffer(peer)).toEqual([]);
  });

  it('is tried again after 491: within 2 s by who was called, after 2.1 to 4 s by who called (RFC 3261 §14.1)', () => {
    const peer = establishedPeer();
    const results = reoffer(peer);
    peer.respond(peer.lastRequest, 491);
    peer.timers.advance(2_000);
    expect(textOf(peer.lastRequest.body)).toBe('offer 2');
    peer.respond(peer.lastRequest, 200, { body: 'answer' });
    expect(results).toEqual([{ answer: 'answer' }]);

    const caller = new ScriptedPeer();
    const call = caller.dial();
    caller.respond(caller.lastRequest, 200, { body: 'answer' });
    call.reoffer(
      () => 'again',
      () => {},
    );
    caller.respond(caller.lastRequest, 491);
    caller.timers.advance(2_090);
    expect(distinct(caller)).toBe(2);
    caller.timers.advance(1_910);
    expect(distinct(caller)).toBe(3);
  });

  it('is tried again when a 500 says when, and not for ever', () => {
    const peer = establishedPeer();
    const results = reoffer(peer);
    for (let attempt = 1; attempt <= 10; attempt++) {
      expect(results).toEqual([]);
      expect(textOf(peer.lastRequest.body)).toBe(`offer ${attempt}`);
      peer.respond(peer.lastRequest, 500, { headers: ['Retry-After: 5'] });
      peer.timers.advance(5_000);
    }
    expect(results).toEqual([{ status: 491 }]);
  });

  it('waits while they change it', () => {
    const peer = establishedPeer();
    peer.invite({ cseq: 2 });
    reoffer(peer);
    expect(peer.requests('INVITE')).toEqual([]);
    peer.reply?.accept('answer');
    peer.request('ACK', { cseq: 2 });
    peer.timers.advance(2_000);
    expect(distinct(peer)).toBe(1);
  });

  it('refuses theirs with 491 while ours is on its way (RFC 3261 §14.2)', () => {
    const peer = establishedPeer();
    reoffer(peer);
    expect(statuses(peer.invite({ cseq: 2 }))).toEqual([491]);
    expect(statuses(peer.request('UPDATE', { cseq: 3, ...SDP('offer') }))).toEqual([491]);
    peer.respond(peer.lastRequest, 200, { body: 'answer' });
    expect(statuses(peer.invite({ cseq: 4 }))).toEqual([]);
  });

  it('is changed once at a time', () => {
    const peer = establishedPeer();
    reoffer(peer);
    expect(reoffer(peer)).toEqual([{ status: 491 }]);
  });

  it('takes their offer when ours is left out, and answers it in the ACK', () => {
    const peer = establishedPeer();
    const results: ReofferResult[] = [];
    peer.calls[0]!.reoffer(null, (result) => results.push(result));
    expect(peer.lastRequest.body.length).toBe(0);
    peer.respond(peer.lastRequest, 200, { body: 'their offer' });
    expect(peer.told.at(-1)).toBe('reoffered their offer');
    expect(peer.lastRequest.method).toBe('INVITE');
    peer.reply?.accept('our answer');
    expect(peer.lastRequest.method).toBe('ACK');
    expect(textOf(peer.lastRequest.body)).toBe('our answer');
    expect(results).toEqual([{ answer: null }]);
  });

  it('ends when their offer in a 200 cannot be accepted (RFC 6337 §3.1.2)', () => {
    const peer = establishedPeer();
    peer.calls[0]!.reoffer(null, () => {});
    peer.respond(peer.lastRequest, 200, { body: 'their offer' });
    peer.reply?.reject(488);
    expect(peer.transcript.slice(-2)).toEqual(['ACK', 'BYE']);
    expect(peer.ends).toEqual([{ cause: 'local-bye' }]);
  });

  it('ends when they do not know the call any more', () => {
    const peer = establishedPeer();
    const results = reoffer(peer);
    peer.respond(peer.lastRequest, 481);
    expect(results).toEqual([{ status: 481 }]);
    expect(peer.ends).toEqual([{ cause: 'dialog-gone', status: 481 }]);
    expect(peer.clean).toBe(true);
  });

  it('acknowledges an answer that comes after the call has ended', () => {
    const peer = establishedPeer();
    const results = reoffer(peer);
    const invite = peer.lastRequest;
    peer.calls[0]!.hangUp();
    peer.respond(peer.lastRequest, 200);
    peer.respond(invite, 200, { body: 'answer' });
    expect(peer.lastRequest.method).toBe('ACK');
    expect(results).toEqual([{ status: 481 }]);
    expect(peer.clean).toBe(true);
  });

  it('sends later requests to the Contact of the answer', () => {
    const peer = new ScriptedPeer();
    const call = peer.dial();
    peer.respond(peer.lastRequest, 200, { body: 'answer' });
    call.reoffer(
      () => 'again',
      () => {},
    );
    peer.respond(peer.lastRequest, 200, { headers: ['Contact: <sip:ann@192.0.2.77:6000>'], body: 'answer' });
    expect(peer.lastRequest).toMatchObject({ method: 'ACK', requestUri: 'sip:ann@192.0.2.77:6000' });
    expect(peer.sentTo.at(-1)).toBe('192.0.2.77:6000');
  });

  it('is changed by UPDATE before it is answered, where that is allowed (RFC 3311 §5.1)', () => {
    const peer = new ScriptedPeer();
    const call = peer.dial();
    const [invite] = peer.requests('INVITE');
    peer.respond(invite!, 183, { headers: ['Require: 100rel', 'RSeq: 1', 'Allow: UPDATE'], body: 'answer' });
    peer.respond(peer.lastRequest, 200);
    const results: ReofferResult[] = [];
    call.reoffer(
      () => 'more',
      (result) => results.push(result),
    );
    expect(peer.lastRequest.method).toBe('UPDATE');
    peer.respond(peer.lastRequest, 200, { body: 'more answer' });
    expect(results).toEqual([{ answer: 'more answer' }]);
    peer.respond(invite!, 200);
    expect(peer.told.at(-1)).toBe('confirmed null');
  });
});

describe('UPDATE that comes in (RFC 3311 §5.2)', () => {
  it('changes the session, at once or later', () => {
    const peer = establishedPeer();
    expect(statuses(peer.request('UPDATE', { cseq: 2, ...SDP('offer') }))).toEqual([]);
    expect(peer.told.at(-1)).toBe('reoffered offer');
    peer.reply?.accept('answer');
    expect(peer.transcript.at(-1)).toBe('200 UPDATE');
    expect(textOf(peer.sent.at(-1)?.body)).toBe('answer');
    expect(peer.sent.at(-1)?.headers.get('Contact')).toBe('<sip:demo@parley.example.com:5060>');
  });

  it('without SDP refreshes no more than session and target', () => {
    const peer = establishedPeer();
    const headers = ['Contact: <sip:ann@10.0.0.9>'];
    expect(statuses(peer.request('UPDATE', { cseq: 2, headers }))).toEqual([200]);
    expect(peer.told).toEqual(['confirmed null']);
    peer.calls[0]?.hangUp();
    expect(peer.lastRequest.requestUri).toBe('sip:ann@10.0.0.9');
  });

  it('is refused with 500 and Retry-After while another is not answered', () => {
    const peer = establishedPeer();
    peer.request('UPDATE', { cseq: 2, ...SDP('offer') });
    const [refusal] = peer.request('UPDATE', { cseq: 3, ...SDP('offer') });
    expect(refusal?.status).toBe(500);
    expect(Number(refusal?.headers.get('Retry-After'))).toBeLessThanOrEqual(10);
    expect(statuses(peer.invite({ cseq: 4 }))).toEqual([500]);
  });

  it('is refused with 500 while their INVITE waits for our answer, and not after a reliable one', () => {
    const peer = new ScriptedPeer();
    peer.invite({ headers: ['Supported: 100rel'] });
    peer.calls[0]?.progress(180);
    expect(statuses(peer.request('UPDATE', { cseq: 2, ...SDP('too early') }))).toEqual([500]);
    peer.calls[0]?.progress(183, { sdp: 'answer' });
    const rseq = peer.sent.at(-1)?.headers.get('RSeq');
    peer.request('PRACK', { cseq: 3, headers: [`RAck: ${rseq} 1 INVITE`] });
    peer.request('UPDATE', { cseq: 4, ...SDP('now') });
    peer.reply?.accept('new answer');
    expect(peer.transcript.at(-1)).toBe('200 UPDATE');
    peer.calls[0]?.accept('new answer');
    expect(peer.transcript.at(-1)).toBe('200 INVITE');
    expect(peer.sent.at(-1)?.body.length).toBe(0);
  });

  it('gets 491 while our offer in the 200 waits for the ACK', () => {
    const peer = new ScriptedPeer();
    peer.decide = (call) => call.accept('our offer');
    peer.request('INVITE');
    expect(statuses(peer.request('UPDATE', { cseq: 2, ...SDP('offer') }))).toEqual([491]);
  });

  it('gets 504 when the application does not answer promptly, and 487 when the call ends meanwhile', () => {
    const peer = establishedPeer();
    peer.request('UPDATE', { cseq: 2, ...SDP('offer') });
    peer.timers.advance(10_000);
    expect(peer.transcript.at(-1)).toBe('504 UPDATE');
    peer.reply?.accept('too late');
    expect(peer.transcript.at(-1)).toBe('504 UPDATE');
    peer.request('UPDATE', { cseq: 3, ...SDP('offer') });
    expect(statuses(peer.request('BYE', { cseq: 4 }))).toEqual([200, 487]);
    expect(peer.clean).toBe(true);
  });

  it('is refused as the application wants it', () => {
    const peer = establishedPeer();
    peer.request('UPDATE', { cseq: 2, ...SDP('offer') });
    peer.reply?.reject(488);
    expect(peer.transcript.at(-1)).toBe('488 UPDATE');
    expect(statuses(peer.request('UPDATE', { cseq: 3 }))).toEqual([200]);
  });
});
