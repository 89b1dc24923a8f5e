import { describe, expect, it } from 'vitest';
import { ScriptedPeer, statuses } from './scripted-peer.ts';

const textOf = (body: Uint8Array) => Buffer.from(body).toString();

describe('a call that comes in', () => {
  it('rings, and is answered with our SDP and Contact', () => {
    const peer = new ScriptedPeer();
    expect(statuses(peer.invite())).toEqual([]);
    const [call] = peer.calls;
    expect(call?.offer).toBe('offer');
    call?.progress(180);
    call?.accept('answer');
    expect(peer.transcript).toEqual(['180 INVITE', '200 INVITE']);
    const [ringing, ok] = peer.sent;
    expect(ok?.headers.get('Contact')).toBe('<sip:demo@parley.example.com:5060>');
    expect(ok?.headers.get('Allow')).toBe(
      'INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY, SUBSCRIBE',
    );
    expect(ok?.headers.get('Server')).toBe('Parley');
    expect(textOf(ok!.body)).toBe('answer');
    expect(ringing?.to.parameters.get('tag')).toBe(ok?.to.parameters.get('tag'));
  });

  it('names TCP in its Contact when it came over TCP', () => {
    const peer = new ScriptedPeer({ reliable: true });
    peer.decide = (call) => call.accept('answer');
    peer.invite();
    expect(peer.sent.at(-1)?.headers.get('Contact')).toBe('<sip:demo@parley.example.com:5060;transport=tcp>');
  });

  it('is confirmed by the ACK, once', () => {
    const peer = new ScriptedPeer();
    peer.decide = (call) => call.accept('answer');
    peer.invite();
    peer.request('ACK');
    peer.request('ACK');
    expect(peer.told).toEqual(['confirmed null']);
    peer.timers.advance(40_000);
    expect(peer.transcript).toEqual(['200 INVITE']);
    expect(peer.userAgent.calls).toBe(1);
  });

  it('with a late offer gets ours in the 200, and its answer comes in the ACK', () => {
    const peer = new ScriptedPeer();
    peer.decide = (call) => call.accept('our offer');
    peer.request('INVITE');
    expect(peer.calls[0]?.offer).toBeNull();
    peer.request('ACK', { body: 'their answer', contentType: 'application/sdp' });
    expect(peer.told).toEqual(['confirmed their answer']);
  });

  it('sees the 200 again at T1, doubling up to T2, until the ACK, over TCP too (RFC 3261 §13.3.1.4)', () => {
    for (const reliable of [false, true]) {
      const peer = new ScriptedPeer({ reliable });
      peer.decide = (call) => call.accept('answer');
      peer.invite();
      const atMs: number[] = [];
      for (let ms = 0; ms < 12_000; ms += 100) {
        const before = peer.sent.length;
        peer.timers.advance(100);
        if (peer.sent.length > before) atMs.push(ms + 100);
      }
      expect(atMs).toEqual([500, 1500, 3500, 7500, 11_500]);
      peer.request('ACK');
      const sent = peer.sent.length;
      peer.timers.advance(60_000);
      expect(peer.sent.length).toBe(sent);
    }
  });

  it('ends with BYE when no ACK comes within 64·T1', () => {
    const peer = new ScriptedPeer();
    peer.decide = (call) => call.accept('answer');
    peer.invite();
    peer.timers.advance(31_999);
    expect(peer.ends).toEqual([]);
    peer.timers.advance(1);
    expect(peer.ends).toEqual([{ cause: 'ack-timeout' }]);
    expect(peer.lastRequest.method).toBe('BYE');
    peer.respond(peer.lastRequest, 200);
    expect(peer.clean).toBe(true);
  });

  it('hears the same answer to a retransmitted INVITE, and nothing more once it is accepted (RFC 6026)', () => {
    const peer = new ScriptedPeer();
    expect(statuses(peer.invite({ branch: 'z9hG4bK-same' }))).toEqual([]);
    peer.timers.advance(200);
    expect(peer.transcript).toEqual(['100 INVITE']);
    expect(peer.sent[0]?.to.parameters.has('tag')).toBe(false);
    expect(statuses(peer.invite({ branch: 'z9hG4bK-same', toTag: null }))).toEqual([100]);
    peer.calls[0]?.progress(180);
    expect(statuses(peer.invite({ branch: 'z9hG4bK-same', toTag: null }))).toEqual([180]);
    peer.calls[0]?.accept('answer');
    expect(statuses(peer.invite({ branch: 'z9hG4bK-same', toTag: null }))).toEqual([]);
    expect(peer.calls.length).toBe(1);
  });

  it('is refused with reason and headers, again and again until the ACK', () => {
    const peer = new ScriptedPeer();
    const headers = [['Warning', '305 parley "No common codec"']] as const;
    peer.decide = (call) => call.reject(488, { reason: 'No Common Codec', headers });
    peer.invite({ branch: 'z9hG4bK-x' });
    const refusal = peer.sent.at(-1);
    expect(refusal).toMatchObject({ status: 488, reason: 'No Common Codec' });
    expect(refusal?.headers.get('Warning')).toContain('No common codec');
    expect(peer.ends).toEqual([{ cause: 'rejected', status: 488 }]);
    peer.timers.advance(1500);
    expect(peer.transcript).toEqual(['488 INVITE', '488 INVITE', '488 INVITE']);
    peer.request('ACK', { branch: 'z9hG4bK-x' });
    peer.timers.advance(10_000);
    expect(peer.sent.length).toBe(3);
    expect(peer.clean).toBe(true);
  });

  it('that is cancelled before the answer gets 200 for the CANCEL and 487, with one To tag', () => {
    const peer = new ScriptedPeer();
    peer.invite({ branch: 'z9hG4bK-x' });
    expect(statuses(peer.request('CANCEL', { branch: 'z9hG4bK-x' }))).toEqual([200, 487]);
    const [toCancel, toInvite] = peer.sent;
    expect(toCancel?.to.parameters.get('tag')).toBe(toInvite?.to.parameters.get('tag'));
    expect(peer.ends).toEqual([{ cause: 'cancelled' }]);
    peer.calls[0]?.accept('too late');
    peer.calls[0]?.hangUp();
    peer.request('ACK', { branch: 'z9hG4bK-x' });
    expect(peer.told).toEqual(['ended cancelled']);
    expect(peer.clean).toBe(true);
  });

  it('that is cancelled after the answer stays, and the CANCEL gets 200 (RFC 3261 §9.2)', () => {
    const peer = new ScriptedPeer();
    peer.decide = (call) => call.accept('answer');
    peer.invite({ branch: 'z9hG4bK-x' });
    expect(statuses(peer.request('CANCEL', { branch: 'z9hG4bK-x', toTag: null }))).toEqual([200]);
    peer.request('ACK');
    expect(peer.told).toEqual(['confirmed null']);
  });

  it('gets 481 for a CANCEL that matches nothing', () => {
    expect(statuses(new ScriptedPeer().request('CANCEL'))).toEqual([481]);
  });

  it('that rings for long hears 180 each minute, and 480 after 3', () => {
    const peer = new ScriptedPeer();
    peer.decide = (call) => call.progress(180);
    peer.invite();
    peer.timers.advance(180_000);
    expect(peer.transcript.slice(0, 4)).toEqual(['180 INVITE', '180 INVITE', '180 INVITE', '480 INVITE']);
    expect(peer.ends).toEqual([{ cause: 'rejected', status: 480 }]);
    expect(peer.clean).toBe(true);
  });

  it('leaves no timer but that of its transaction once it is acknowledged', () => {
    const peer = new ScriptedPeer();
    peer.decide = (call) => call.progress(180);
    peer.invite();
    peer.calls[0]?.accept('answer');
    peer.request('ACK');
    expect(peer.timers.pending).toBe(1);
    peer.timers.advance(32_000);
    expect(peer.timers.pending).toBe(0);
    expect(peer.userAgent.transactions.serverTransactions).toBe(0);
    expect(peer.userAgent.calls).toBe(1);
  });

  it('that expires before the answer gets 487 (RFC 3261 §13.3.1)', () => {
    const peer = new ScriptedPeer();
    peer.invite({ headers: ['Expires: 20'] });
    peer.timers.advance(20_000);
    expect(peer.transcript).toEqual(['100 INVITE', '487 INVITE']);
  });

  it('that we hang up before the answer is refused with 480', () => {
    const peer = new ScriptedPeer();
    peer.invite();
    peer.calls[0]?.hangUp();
    expect(peer.transcript).toEqual(['480 INVITE']);
    expect(peer.ends.length).toBe(1);
    expect(peer.clean).toBe(true);
  });

  it('that we hang up before the ACK gets BYE once the ACK has come (RFC 3261 §15)', () => {
    const peer = new ScriptedPeer();
    peer.decide = (call) => call.accept('answer');
    peer.invite();
    peer.calls[0]?.hangUp('room closed');
    expect(peer.ends).toEqual([{ cause: 'local-bye' }]);
    peer.timers.advance(500);
    expect(peer.transcript).toEqual(['200 INVITE', '200 INVITE']);
    peer.request('ACK');
    expect(peer.lastRequest.method).toBe('BYE');
    expect(peer.lastRequest.headers.get('Reason')).toBe('SIP;text="room closed"');
    peer.respond(peer.lastRequest, 200);
    expect(peer.told).toEqual(['ended local-bye']);
    expect(peer.clean).toBe(true);
  });

  it('that we hang up before an ACK which never comes gets BYE all the same', () => {
    const peer = new ScriptedPeer();
    peer.decide = (call) => call.accept('answer');
    peer.invite();
    peer.calls[0]?.hangUp();
    peer.timers.advance(32_000);
    expect(peer.lastRequest.method).toBe('BYE');
    expect(peer.told).toEqual(['ended local-bye']);
    expect(peer.clean).toBe(true);
  });

  it('without a way to answer ends with the transport', () => {
    const peer = new ScriptedPeer({ reliable: true, flows: { forResponse: () => null, forRequest: () => null } });
    peer.invite();
    expect(peer.ends).toEqual([]);
    peer.timers.advance(200);
    expect(peer.ends).toEqual([{ cause: 'transport', message: 'a response could not be sent' }]);
    expect(peer.clean).toBe(true);
  });

  it('without a Contact is refused with 400, since no dialog can be made of it', () => {
    const peer = new ScriptedPeer();
    expect(peer.invite({ headers: ['Contact: *'] })).toMatchObject([{ status: 400, reason: 'Missing Contact' }]);
  });

  it('over the bound of calls gets 503 with Retry-After', () => {
    const peer = new ScriptedPeer({ maxCalls: 1 });
    peer.invite();
    const [refusal] = peer.invite({ callId: 'another', toTag: null });
    expect(refusal?.status).toBe(503);
    expect(refusal?.headers.get('Retry-After')).toBe('10');
  });
});
