import { describe, expect, it } from 'vitest';
import { establishedPeer, ScriptedPeer, statuses } from './scripted-peer.ts';

const TIMER = 'Supported: timer';

/** A call that was answered, with what our 200 says of the session timer. */
function callWith(headers: string[], options: ConstructorParameters<typeof ScriptedPeer>[0] = {}) {
  const peer = new ScriptedPeer(options);
  peer.decide = (call) => call.accept('answer');
  peer.invite({ headers });
  peer.request('ACK');
  const { headers: fields } = peer.sent.findLast((message) => message.kind === 'response')!;
  return { peer, expires: fields.get('Session-Expires'), requires: fields.get('Require') };
}

describe('the session timer of a call that came in (RFC 4028 §9)', () => {
  it.each([
    [
      'wants one, who refreshes is open: the caller does',
      [TIMER, 'Session-Expires: 600'],
      '600;refresher=uac',
      'timer',
    ],
    ['wants to refresh', [TIMER, 'x: 600;refresher=uac'], '600;refresher=uac', 'timer'],
    ['wants us to refresh', [TIMER, 'Session-Expires: 600 ; refresher=uas'], '600;refresher=uas', undefined],
    ['knows it and wants nothing', [TIMER], '1800;refresher=uac', 'timer'],
    ['wants a longer one than we', [TIMER, 'Session-Expires: 7200'], '1800;refresher=uac', 'timer'],
    ['has a Min-SE above ours', [TIMER, 'Session-Expires: 7200', 'Min-SE: 3600'], '3600;refresher=uac', 'timer'],
    ['does not know it, a proxy wants one', ['Session-Expires: 600'], '600;refresher=uas', undefined],
    ['does not know it, a proxy wants a small one', ['Session-Expires: 5'], '90;refresher=uas', undefined],
    ['does not know it', [], undefined, undefined],
    ['writes nonsense', ['Session-Expires: soon'], undefined, undefined],
  ])('where the caller %s', (_name, headers, expires, requires) => {
    expect(callWith(headers)).toMatchObject({ expires, requires });
  });

  it('is refused with 422 and Min-SE where it is too small', () => {
    const peer = new ScriptedPeer();
    const [refusal] = peer.invite({ headers: [TIMER, 'Session-Expires: 60'] });
    expect(refusal?.status).toBe(422);
    expect(refusal?.headers.get('Min-SE')).toBe('90');
    expect(peer.calls).toEqual([]);
    const established = establishedPeer();
    for (const method of ['INVITE', 'UPDATE']) {
      const again = established.request(method, { cseq: 2, headers: [TIMER, 'Session-Expires: 60'] });
      expect(statuses(again)).toEqual([422]);
    }
  });

  it('ends a call that nobody refreshes with BYE, a little before the end', () => {
    const { peer } = callWith([TIMER, 'Session-Expires: 600;refresher=uac']);
    peer.timers.advance(567_000);
    expect(peer.ends).toEqual([]);
    peer.timers.advance(1_000);
    expect(peer.ends).toEqual([{ cause: 'session-expired' }]);
    expect(peer.lastRequest.method).toBe('BYE');
    peer.respond(peer.lastRequest, 200);
    expect(peer.clean).toBe(true);
  });

  it.each(['INVITE', 'UPDATE'])('goes on with each %s of the caller', (method) => {
    const { peer } = callWith([TIMER, 'Session-Expires: 600;refresher=uac']);
    for (let cseq = 2; cseq < 8; cseq++) {
      peer.timers.advance(300_000);
      peer.request(method, { cseq, headers: [TIMER, 'Session-Expires: 600;refresher=uac'] });
      if (method === 'INVITE') {
        peer.reply?.accept('offer');
        peer.request('ACK', { cseq, body: 'answer', contentType: 'application/sdp' });
      }
    }
    expect(peer.ends).toEqual([]);
    peer.timers.advance(600_000);
    expect(peer.ends).toEqual([{ cause: 'session-expired' }]);
  });

  it('is refreshed by us with UPDATE where that is allowed, at half of the interval', () => {
    const { peer } = callWith([TIMER, 'Session-Expires: 600;refresher=uas', 'Allow: INVITE, ACK, BYE, UPDATE']);
    for (let times = 0; times < 5; times++) {
      peer.timers.advance(300_000);
      const update = peer.lastRequest;
      expect(update.method).toBe('UPDATE');
      expect(update.headers.get('Session-Expires')).toBe('600;refresher=uac');
      expect(update.body.length).toBe(0);
      peer.respond(update, 200, { headers: ['Session-Expires: 600;refresher=uac'] });
    }
    expect(peer.transcript.filter((entry) => entry === 'UPDATE').length).toBe(5);
    expect(peer.ends).toEqual([]);
  });

  it('is refreshed with a re-INVITE otherwise, which says what was said before', () => {
    const { peer } = callWith([TIMER, 'Session-Expires: 600;refresher=uas']);
    peer.timers.advance(300_000);
    const invite = peer.lastRequest;
    expect(invite.method).toBe('INVITE');
    expect(Buffer.from(invite.body).toString()).toBe('answer');
    peer.respond(invite, 200, { headers: ['Session-Expires: 600;refresher=uac'], body: 'offer' });
    expect(peer.lastRequest.method).toBe('ACK');
    // The same as before is no news.
    expect(peer.told).toEqual(['confirmed null']);
    peer.timers.advance(300_000);
    peer.respond(peer.lastRequest, 200, { headers: ['Session-Expires: 600;refresher=uac'], body: 'changed' });
    expect(peer.told).toEqual(['confirmed null', 'answered changed']);
  });

  it('falls back to re-INVITE when the UPDATE is not known after all', () => {
    const { peer } = callWith([TIMER, 'Session-Expires: 600;refresher=uas', 'Allow: UPDATE']);
    peer.timers.advance(300_000);
    peer.respond(peer.lastRequest, 501);
    expect(peer.lastRequest.method).toBe('INVITE');
  });

  it('wants more when a proxy on the way says 422', () => {
    const { peer } = callWith([TIMER, 'Session-Expires: 600;refresher=uas', 'Allow: UPDATE']);
    peer.timers.advance(300_000);
    peer.respond(peer.lastRequest, 422, { headers: ['Min-SE: 900'] });
    expect(peer.lastRequest.headers.get('Session-Expires')).toBe('900;refresher=uac');
    expect(peer.lastRequest.headers.get('Min-SE')).toBe('900');
  });

  it('ends the call when the refresh is answered with 481, or not at all', () => {
    const { peer } = callWith([TIMER, 'Session-Expires: 600;refresher=uas', 'Allow: UPDATE']);
    peer.timers.advance(300_000);
    peer.respond(peer.lastRequest, 481);
    expect(peer.ends).toEqual([{ cause: 'dialog-gone', status: 481 }]);
    const { peer: silent } = callWith([TIMER, 'Session-Expires: 600;refresher=uas', 'Allow: UPDATE']);
    silent.timers.advance(332_000);
    expect(silent.ends).toEqual([{ cause: 'dialog-gone', status: 408 }]);
    expect(silent.lastRequest.method).toBe('BYE');
    expect(silent.clean).toBe(true);
  });

  it('can be configured', () => {
    const sessionTimer = { intervalS: 300, minimumS: 120 };
    expect(callWith([TIMER], { sessionTimer }).expires).toBe('300;refresher=uac');
    const peer = new ScriptedPeer({ sessionTimer });
    expect(statuses(peer.invite({ headers: [TIMER, 'Session-Expires: 119'] }))).toEqual([422]);
  });
});
