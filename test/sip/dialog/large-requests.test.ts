import { describe, expect, it } from 'vitest';
import type { Call } from '../../../server/sip/dialog/call.ts';
import type { Flow } from '../../../server/sip/transport/flow.ts';
import { ScriptedPeer } from './scripted-peer.ts';

const LARGE = 'x'.repeat(1_300);

/** A call over UDP to a peer whose TCP port is asked for through `opened`. */
function callWithStreams(headers: string[] = []) {
  const asked: Array<{ near: Flow; opened: (flow: Flow | null) => void }> = [];
  const peer: ScriptedPeer = new ScriptedPeer({
    flows: {
      forResponse: (_via, flow) => flow,
      forRequest: (uri) => peer.newFlow(uri.host, uri.port ?? 5060),
      stream: (near, opened) => asked.push({ near, opened }),
    },
  });
  peer.decide = (call) => call.accept('answer');
  peer.invite({ headers });
  peer.request('ACK');
  const call: Call = peer.calls[0]!;
  return { peer, call, asked };
}

const reoffer = (call: Call, offer: string) =>
  call.reoffer(
    () => offer,
    () => {},
  );

describe('a request in a dialog over UDP that is larger than 1300 bytes (RFC 3261 §18.1.1)', () => {
  it('goes over TCP to the same place, with a Via that says so; CANCEL would follow it, the ACK need not', () => {
    const { peer, call, asked } = callWithStreams();
    reoffer(call, LARGE);
    expect(peer.requests('INVITE')).toEqual([]);
    expect(asked.map(({ near }) => `${near.remoteAddress}:${near.remotePort}`)).toEqual(['192.0.2.1:5070']);
    asked[0]?.opened({ ...peer.newFlow('192.0.2.1', 5070, true), id: 'tcp-1' });
    const invite = peer.lastRequestOf('INVITE');
    expect(invite.via).toMatchObject({ transport: 'TCP' });
    expect(invite.headers.get('Contact')).toBe('<sip:demo@parley.example.com:5060>');
    peer.respond(invite, 200, { body: 'answer' });
    expect(peer.lastRequest).toMatchObject({ method: 'ACK', via: { transport: 'UDP' } });
    expect(peer.lastRequest.cseq.number).toBe(invite.cseq.number);
  });

  it('goes over UDP where TCP is refused, at once the next time', () => {
    const { peer, call, asked } = callWithStreams();
    reoffer(call, LARGE);
    asked[0]?.opened(null);
    const invite = peer.lastRequestOf('INVITE');
    expect(invite.via).toMatchObject({ transport: 'UDP' });
    peer.respond(invite, 200, { body: 'answer' });
    reoffer(call, `${LARGE}!`);
    expect(asked).toHaveLength(1);
    expect(peer.lastRequestOf('INVITE').body).toHaveLength(LARGE.length + 1);
  });

  it('stays on UDP where it is smaller, or the peer is beyond a NAT or nowhere', () => {
    const small = callWithStreams();
    reoffer(small.call, 'small');
    expect(small.asked).toEqual([]);
    for (const contact of ['sip:ann@10.0.0.7:5070', 'sip:ann@192.0.2.1:5071', 'sip:ann@x.invalid']) {
      const { peer, call, asked } = callWithStreams([`Contact: <${contact}>`]);
      reoffer(call, LARGE);
      expect(asked, contact).toEqual([]);
      expect(peer.lastRequestOf('INVITE').via).toMatchObject({ transport: 'UDP' });
    }
  });

  it('is sent all the same where it is a NOTIFY and the call has ended meanwhile (RFC 5057 §4.1); the last one follows', () => {
    const { peer, call, asked } = callWithStreams();
    peer.request('REFER', { cseq: 2, headers: ['Refer-To: <sip:carl@example.com>'] });
    const progress = peer.referral!.accept();
    peer.respond(peer.lastRequest, 200);
    progress.report(180, LARGE);
    expect(asked).toHaveLength(1);
    call.hangUp();
    const bye = peer.lastRequestOf('BYE');
    peer.respond(bye, 200);
    progress.report(200, 'OK');
    asked[0]?.opened({ ...peer.newFlow('192.0.2.1', 5070, true), id: 'tcp-1' });
    const notify = peer.lastRequestOf('NOTIFY');
    expect(notify.body.length).toBeGreaterThan(LARGE.length);
    // The BYE has gone before it.
    expect(notify.cseq.number).toBe(bye.cseq.number + 1);
    peer.respond(notify, 200);
    expect(peer.lastRequest.headers.get('Subscription-State')).toBe('terminated;reason=noresource');
    peer.respond(peer.lastRequest, 200);
    expect(peer.requests('NOTIFY')).toHaveLength(3);
    expect(peer.clean).toBe(true);
  });

  it('has the number that it was measured with: nothing is skipped', () => {
    for (const refused of [false, true]) {
      const { peer, call, asked } = callWithStreams();
      reoffer(call, LARGE);
      asked[0]?.opened(refused ? null : { ...peer.newFlow('192.0.2.1', 5070, true), id: 'tcp-1' });
      const invite = peer.lastRequestOf('INVITE');
      peer.respond(invite, 200, { body: 'answer' });
      call.hangUp();
      expect([invite.cseq.number, peer.lastRequestOf('BYE').cseq.number]).toEqual([1, 2]);
    }
  });

  it('goes to where the peer has moved meanwhile', () => {
    const { peer, call, asked } = callWithStreams();
    reoffer(call, LARGE);
    peer.request('UPDATE', { cseq: 2, headers: ['Contact: <sip:ann@192.0.2.1:5080>'] });
    asked[0]?.opened({ ...peer.newFlow('192.0.2.1', 5070, true), id: 'tcp-1' });
    expect(peer.lastRequestOf('INVITE').requestUri).toBe('sip:ann@192.0.2.1:5080');
  });

  it('is not sent any more when the call has ended meanwhile; BYE is in order', () => {
    const { peer, call, asked } = callWithStreams();
    reoffer(call, LARGE);
    call.hangUp();
    asked[0]?.opened(peer.newFlow('192.0.2.1', 5070, true));
    expect(peer.requests('INVITE')).toEqual([]);
    peer.respond(peer.lastRequestOf('BYE'), 200);
    expect(peer.clean).toBe(true);
  });
});
