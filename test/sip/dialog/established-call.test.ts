import { describe, expect, it } from 'vitest';
import { establishedPeer, ScriptedPeer, statuses } from './scripted-peer.ts';

const SDP = { body: 'new offer', contentType: 'application/sdp' };
const textOf = (body: Uint8Array | undefined) => Buffer.from(body ?? []).toString();

describe('a call that stands', () => {
  it('ends with the BYE of the peer, whose Reason is passed on', () => {
    const peer = establishedPeer();
    expect(statuses(peer.request('BYE', { cseq: 2, headers: ['Reason: Q.850;cause=16'] }))).toEqual([200]);
    expect(peer.ends).toEqual([{ cause: 'remote-bye', reason: 'Q.850;cause=16' }]);
    expect(peer.clean).toBe(true);
  });

  it('answers a retransmitted BYE again, and a new one with 481', () => {
    const peer = establishedPeer();
    peer.request('BYE', { cseq: 2, branch: 'z9hG4bK-bye' });
    expect(statuses(peer.request('BYE', { cseq: 2, branch: 'z9hG4bK-bye' }))).toEqual([200]);
    expect(statuses(peer.request('BYE', { cseq: 3 }))).toEqual([481]);
    expect(peer.told).toEqual(['confirmed null', 'ended remote-bye']);
  });

  it('ends with our BYE, which is sent again until it is answered', () => {
    const peer = establishedPeer();
    peer.calls[0]?.hangUp();
    expect(peer.ends).toEqual([{ cause: 'local-bye' }]);
    const bye = peer.lastRequest;
    expect(bye.requestUri).toBe('sip:ann@192.0.2.1:5070');
    expect(bye.to.parameters.get('tag')).toBe('ann');
    expect(bye.from.uriText).toBe('sip:demo@parley.example.com');
    expect(bye.cseq).toEqual({ number: 1, method: 'BYE' });
    peer.timers.advance(1500);
    expect(peer.transcript.filter((entry) => entry === 'BYE').length).toBe(3);
    peer.respond(bye, 200);
    peer.timers.advance(60_000);
    expect(peer.transcript.filter((entry) => entry === 'BYE').length).toBe(3);
    expect(peer.clean).toBe(true);
  });

  it('answers 200 to a BYE that crosses ours', () => {
    const peer = establishedPeer();
    peer.calls[0]?.hangUp();
    expect(statuses(peer.request('BYE', { cseq: 2 }))).toEqual([200]);
    expect(peer.told).toEqual(['confirmed null', 'ended local-bye']);
    expect(peer.clean).toBe(true);
  });

  it('takes a BYE before the ACK, and stops sending the 200', () => {
    const peer = new ScriptedPeer();
    peer.decide = (call) => call.accept('answer');
    peer.invite();
    peer.request('BYE', { cseq: 2 });
    peer.timers.advance(40_000);
    expect(peer.transcript).toEqual(['200 INVITE', '200 BYE']);
    expect(peer.told).toEqual(['ended remote-bye']);
    expect(peer.clean).toBe(true);
  });

  it('takes a BYE before the answer, and gives 487 to the INVITE (RFC 3261 §15.1.2)', () => {
    const peer = new ScriptedPeer();
    peer.decide = (call) => call.progress(180);
    peer.invite();
    expect(statuses(peer.request('BYE', { cseq: 2 }))).toEqual([200, 487]);
    expect(peer.told).toEqual(['ended remote-bye']);
    expect(peer.clean).toBe(true);
  });

  it('answers a re-INVITE with the new answer, and is confirmed again', () => {
    const peer = establishedPeer();
    expect(statuses(peer.invite({ cseq: 2, body: 'hold' }))).toEqual([]);
    expect(peer.told).toEqual(['confirmed null', 'reoffered hold']);
    peer.reply?.accept('held');
    expect(textOf(peer.sent.at(-1)?.body)).toBe('held');
    peer.timers.advance(500);
    expect(peer.transcript.slice(-2)).toEqual(['200 INVITE', '200 INVITE']);
    peer.request('ACK', { cseq: 2 });
    expect(peer.told).toEqual(['confirmed null', 'reoffered hold', 'confirmed null']);
  });

  it('offers anew to a re-INVITE without SDP, and gets the answer in the ACK', () => {
    const peer = establishedPeer();
    peer.request('INVITE', { cseq: 2 });
    peer.reply?.accept('our offer');
    peer.request('ACK', { cseq: 2, body: 'their answer', contentType: 'application/sdp' });
    expect(peer.told).toEqual(['confirmed null', 'reoffered null', 'confirmed their answer']);
  });

  it('stays as it was when a re-INVITE is refused', () => {
    const peer = establishedPeer();
    peer.invite({ cseq: 2 });
    peer.reply?.reject(488);
    expect(peer.transcript.at(-1)).toBe('488 INVITE');
    expect(peer.ends).toEqual([]);
    expect(statuses(peer.request('BYE', { cseq: 3 }))).toEqual([200]);
  });

  it('stays when a re-INVITE is cancelled; the late reply changes nothing', () => {
    const peer = establishedPeer();
    peer.invite({ cseq: 2, branch: 'z9hG4bK-re' });
    expect(statuses(peer.request('CANCEL', { cseq: 2, branch: 'z9hG4bK-re' }))).toEqual([200, 487]);
    peer.reply?.accept('too late');
    expect(peer.transcript.at(-1)).toBe('487 INVITE');
    expect(peer.ends).toEqual([]);
  });

  it('refuses a second re-INVITE while one is pending with 500 and a Retry-After of 0 to 10 s (RFC 3261 §14.2)', () => {
    const peer = establishedPeer();
    peer.invite({ cseq: 2 });
    const [refusal] = peer.invite({ cseq: 3 });
    expect(refusal?.status).toBe(500);
    expect(Number(refusal?.headers.get('Retry-After'))).toBeLessThanOrEqual(10);
    peer.reply?.accept('answer');
    expect(peer.transcript.at(-1)).toBe('200 INVITE');
  });

  it('takes a re-INVITE for the ACK of our answer that was lost (RFC 5407 §3.1.4)', () => {
    const peer = new ScriptedPeer();
    peer.decide = (call) => call.accept('answer');
    peer.invite();
    peer.invite({ cseq: 2, ...SDP });
    expect(peer.told).toEqual(['confirmed null', 'reoffered new offer']);
    peer.reply?.accept('new answer');
    peer.request('ACK', { cseq: 1 });
    expect(peer.told.length).toBe(2);
    peer.request('ACK', { cseq: 2 });
    expect(peer.told.length).toBe(3);
  });

  it('refuses a re-INVITE with 491 while our offer waits for its answer in the ACK (RFC 5407 §3.1.5)', () => {
    const peer = new ScriptedPeer();
    peer.decide = (call) => call.accept('our offer');
    peer.request('INVITE');
    expect(statuses(peer.invite({ cseq: 2 }))).toEqual([491]);
    peer.request('ACK', { body: 'their answer', contentType: 'application/sdp' });
    expect(peer.told).toEqual(['confirmed their answer']);
  });

  it('ends with BYE when the ACK for a re-INVITE never comes', () => {
    const peer = establishedPeer();
    peer.invite({ cseq: 2 });
    peer.reply?.accept('answer');
    peer.timers.advance(32_000);
    expect(peer.ends).toEqual([{ cause: 'ack-timeout' }]);
    expect(peer.lastRequest.method).toBe('BYE');
  });

  it('refuses a pending re-INVITE when it is hung up', () => {
    const peer = establishedPeer();
    peer.invite({ cseq: 2 });
    peer.calls[0]?.hangUp();
    expect(peer.transcript.slice(-2)).toEqual(['487 INVITE', 'BYE']);
    peer.reply?.accept('too late');
    peer.respond(peer.lastRequest, 200);
    expect(peer.clean).toBe(true);
  });

  it('gives up a re-INVITE that the application does not answer, and goes on', () => {
    const peer = establishedPeer();
    peer.invite({ cseq: 2 });
    peer.timers.advance(180_000);
    expect(peer.transcript).toContain('480 INVITE');
    expect(peer.ends).toEqual([]);
  });

  it('answers OPTIONS, and a request with a lower CSeq with 500 (RFC 3261 §12.2.2)', () => {
    const peer = establishedPeer();
    const [ok] = peer.request('OPTIONS', { cseq: 5 });
    expect(ok?.status).toBe(200);
    expect(ok?.headers.get('Accept')).toContain('application/sdp');
    expect(statuses(peer.request('OPTIONS', { cseq: 4 }))).toEqual([500]);
    expect(statuses(peer.request('OPTIONS', { cseq: 6 }))).toEqual([200]);
  });

  it('refuses a re-INVITE whose body it does not understand, and stays', () => {
    const peer = establishedPeer();
    const [refusal] = peer.invite({ cseq: 2, contentType: 'text/html' });
    expect(refusal?.status).toBe(415);
    expect(refusal?.headers.get('Accept')).toBe('application/sdp');
    expect(peer.told).toEqual(['confirmed null']);
  });
});

describe('a probe', () => {
  it('finds the peer alive by any answer but 481 and 408', async () => {
    const peer = establishedPeer();
    for (const status of [200, 405, 501]) {
      const alive = peer.calls[0]!.probe();
      expect(peer.lastRequest.method).toBe('OPTIONS');
      peer.respond(peer.lastRequest, status);
      await expect(alive).resolves.toBe(true);
    }
    expect(peer.ends).toEqual([]);
  });

  it('ends the call when the peer does not know it', async () => {
    const peer = establishedPeer();
    const alive = peer.calls[0]!.probe();
    peer.respond(peer.lastRequest, 481);
    await expect(alive).resolves.toBe(false);
    expect(peer.ends).toEqual([{ cause: 'dialog-gone', status: 481 }]);
    expect(peer.transcript).not.toContain('BYE');
    expect(peer.clean).toBe(true);
  });

  it('ends the call when nobody answers', async () => {
    const peer = establishedPeer();
    const alive = peer.calls[0]!.probe();
    expect(peer.calls[0]!.probe()).toBe(alive);
    peer.timers.advance(32_000);
    await expect(alive).resolves.toBe(false);
    expect(peer.ends).toEqual([{ cause: 'dialog-gone', status: 408 }]);
    expect(peer.clean).toBe(true);
  });

  it('is over when the call is', async () => {
    const peer = establishedPeer();
    const alive = peer.calls[0]!.probe();
    peer.request('BYE', { cseq: 2 });
    await expect(alive).resolves.toBe(false);
    await expect(peer.calls[0]!.probe()).resolves.toBe(false);
    expect(peer.clean).toBe(true);
  });

  it('ends the call when the connection is lost meanwhile', async () => {
    const peer = establishedPeer({ reliable: true });
    const alive = peer.calls[0]!.probe();
    peer.userAgent.transportFailed(peer.flow);
    await expect(alive).resolves.toBe(false);
    expect(peer.ends.map(({ cause }) => cause)).toEqual(['transport']);
    expect(peer.clean).toBe(true);
  });
});

describe('the next hop of our requests', () => {
  const hangUp = (peer: ScriptedPeer) => {
    peer.calls[0]?.hangUp();
    return peer.sentTo.at(-1);
  };
  const callWith = (headers: string[], options = {}) => {
    const peer = new ScriptedPeer(options);
    peer.decide = (call) => call.accept('answer');
    peer.invite({ headers });
    peer.request('ACK');
    return peer;
  };

  it('is where the INVITE came from, though the Contact names a private address behind a NAT', () => {
    const peer = callWith(['Contact: <sip:ann@10.0.0.7:5060>']);
    expect(hangUp(peer)).toBe('192.0.2.1:5070');
    expect(peer.lastRequest.requestUri).toBe('sip:ann@10.0.0.7:5060');
  });

  it('is the proxy that wrote the topmost Record-Route', () => {
    const peer = callWith(['Record-Route: <sip:198.51.100.9:5080;lr>, <sip:198.51.100.10;lr>']);
    expect(peer.sent.at(-1)?.headers.get('Record-Route')).toContain('198.51.100.9');
    expect(hangUp(peer)).toBe('198.51.100.9:5080');
    expect(peer.lastRequest.headers.all('Route')).toEqual(['<sip:198.51.100.9:5080;lr>', '<sip:198.51.100.10;lr>']);
  });

  it('is the flow itself when that proxy is where the INVITE came from', () => {
    expect(hangUp(callWith(['Record-Route: <sip:192.0.2.1:5070;lr>']))).toBe('192.0.2.1:5070');
  });

  it('is the flow of the last accepted re-INVITE, and the Contact of that is the new target', () => {
    const peer = callWith([]);
    const moved = peer.newFlow('192.0.2.77', 1024);
    peer.request('INVITE', { cseq: 2, ...SDP, headers: ['Contact: <sip:ann@10.0.0.8>'] }, moved);
    peer.reply?.accept('answer');
    peer.request('ACK', { cseq: 2 }, moved);
    expect(hangUp(peer)).toBe('192.0.2.77:1024');
    expect(peer.lastRequest.requestUri).toBe('sip:ann@10.0.0.8');
  });

  it('is the remote target when the connection is gone', () => {
    const peer = callWith(['Contact: <sip:ann@192.0.2.50:5099;transport=tcp>'], { reliable: true });
    peer.flow.open = false;
    expect(hangUp(peer)).toBe('192.0.2.50:5099');
  });
});
