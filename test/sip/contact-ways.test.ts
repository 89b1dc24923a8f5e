import { describe, expect, it } from 'vitest';
import { ContactWays } from '../../server/sip/contact-ways.ts';
import type { PeerContact } from '../../server/sip/dialog/ways.ts';
import { parseNameAddress } from '../../server/sip/message/name-address.ts';
import { parseUri } from '../../server/sip/message/uri.ts';
import type { Flow } from '../../server/sip/transport/flow.ts';
import { ScriptedPeer } from './dialog/scripted-peer.ts';

const contact = (uri: string, flow: Flow | null, routes: string[] = []): PeerContact => ({
  uri: parseUri(uri)!,
  routes: routes.map((route) => parseNameAddress(route)!),
  flow,
});

/** Calls `sip:bob@parley.example.com`, who is registered at these places. */
function callBob(places: (peer: ScriptedPeer) => PeerContact[] | null): ScriptedPeer {
  const peer: ScriptedPeer = new ScriptedPeer({
    ways: new ContactWays((uri) => (uri.user === 'bob' ? places(peer) : null), {
      find: ({ host, port }, found) =>
        found([{ open: (_bytes, opened) => opened(peer.newFlow(host, port ?? 5060)), unavailable: () => {} }]),
    }),
  });
  peer.dial({ target: parseUri('sip:bob@parley.example.com')! });
  return peer;
}

describe('a call to a user of ours', () => {
  it('goes to where the phone registered from, to its Contact, and names the user in To', () => {
    const peer = callBob((at) => [contact('sip:bob@10.0.0.9:5062', at.newFlow('203.0.113.8', 7000))]);
    const invite = peer.lastRequestOf('INVITE');
    expect(peer.sentTo.at(-1)).toBe('203.0.113.8:7000');
    expect(invite.requestUri).toBe('sip:bob@10.0.0.9:5062');
    expect(invite.to.uriText).toBe('sip:bob@parley.example.com');
    expect(invite.headers.all('route')).toEqual([]);
  });

  it('goes to the Contact when the connection is gone', () => {
    const peer = callBob((at) => [
      contact('sip:bob@198.51.100.9:5062', { ...at.newFlow('203.0.113.8', 7000, true), open: false }),
    ]);
    expect(peer.sentTo.at(-1)).toBe('198.51.100.9:5062');
  });

  it('goes by the proxies of its Path (RFC 3327 §5.3)', () => {
    const path = ['<sip:192.0.2.77:5064;lr>', '<sip:192.0.2.78;lr>'];
    const peer = callBob(() => [contact('sip:bob@10.0.0.9', null, path)]);
    expect(peer.sentTo.at(-1)).toBe('192.0.2.77:5064');
    expect(peer.lastRequestOf('INVITE').requestUri).toBe('sip:bob@10.0.0.9');
    expect(peer.lastRequestOf('INVITE').headers.all('route')).toEqual(path);
  });

  it('ends with 480 when no phone is registered', () => {
    const peer = callBob(() => []);
    expect(peer.sent).toEqual([]);
    expect(peer.ends).toMatchObject([{ cause: 'rejected', status: 480, reason: 'Temporarily Unavailable' }]);
  });

  it('ends with 480 too when what is registered leads nowhere', () => {
    const peer: ScriptedPeer = new ScriptedPeer({
      ways: new ContactWays(() => [contact('sip:bob@gone.example.com', null)], { find: (_uri, found) => found([]) }),
    });
    peer.dial({ target: parseUri('sip:bob@parley.example.com')! });
    expect(peer.ends).toMatchObject([{ cause: 'rejected', status: 480 }]);
  });

  it('is that of others when the address is none of our users’', () => {
    expect(callBob(() => null).sentTo.at(-1)).toBe('parley.example.com:5060');
  });
});
