import { describe, expect, it } from 'vitest';
import type { Identify, Refusal } from '../../server/focus/admission.ts';
import { mayName, type NamedCall } from '../../server/focus/named-call.ts';
import { createRequest } from '../../server/sip/message/create-message.ts';
import type { SipRequest } from '../../server/sip/message/message.ts';
import { parseNameAddress } from '../../server/sip/message/name-address.ts';
import { createVia } from '../../server/sip/message/via.ts';
import type { Flow, TransportProtocol } from '../../server/sip/transport/flow.ts';

const SIGNED_IN = '192.0.2.10';
const TRUSTED = '192.0.2.20';
const STRANGER = '192.0.2.30';
const CHALLENGE: Refusal = { status: 401, reason: 'Unauthorized' };

function invite(...headers: Array<readonly [string, string]>): SipRequest {
  return createRequest({
    method: 'INVITE',
    requestUri: 'sip:demo@example.com',
    via: createVia('UDP', STRANGER, 5060, 'z9hG4bK-1'),
    from: parseNameAddress('<sip:ann@example.com>;tag=ann')!,
    to: parseNameAddress('<sip:demo@example.com>')!,
    callId: 'id',
    cseqNumber: 1,
    headers,
  });
}

function over(protocol: TransportProtocol, remoteAddress: string): Flow {
  return {
    id: `${protocol} ${remoteAddress}`,
    protocol,
    reliable: protocol !== 'udp',
    localAddress: '192.0.2.1',
    localPort: 5060,
    remoteAddress,
    remotePort: 5060,
    open: true,
    send: () => {},
  };
}

/** With users there is a challenge for those who are not signed in; without, nobody can be asked. */
function policy(users: boolean) {
  const identify: Identify = (_request, { remoteAddress }) =>
    remoteAddress === SIGNED_IN ? { user: 'alice' } : users ? CHALLENGE : null;
  return { identify, isTrusted: (address: string) => address === TRUSTED };
}

const from = (address: string) => ({ request: invite(), flow: over('udp', address) });

describe('who may take the place of a call, or enter its conference (RFC 3891 §5, RFC 3911 §6)', () => {
  const plain: NamedCall = from(STRANGER);
  const guarded: Array<[string, NamedCall]> = [
    ['of a user who is signed in', from(SIGNED_IN)],
    ['with a password', { request: invite(['Authorization', 'Digest username="bob"']), flow: over('udp', STRANGER) }],
    ['over TLS', { request: invite(), flow: over('tls', STRANGER) }],
    ['over a secure WebSocket', { request: invite(), flow: over('wss', STRANGER) }],
    ['that we made', { flow: over('udp', STRANGER) }],
    ['that we are making', { flow: null }],
  ];

  it.each(guarded)('a call %s: signed-in users and trusted peers alone', (_which, named) => {
    expect(mayName(from(SIGNED_IN), named, policy(true))).toBe('known');
    expect(mayName(from(TRUSTED), named, policy(true))).toBe('known');
    expect(mayName(from(STRANGER), named, policy(true))).toEqual(CHALLENGE);
    expect(mayName(from(STRANGER), named, policy(false))).toMatchObject({ status: 403 });
  });

  it('the unsecured call of somebody unknown: whoever knows its Call-ID and tags', () => {
    expect(mayName(from('192.0.2.40'), plain, policy(true))).toBe('bearer');
    expect(mayName(from('192.0.2.40'), plain, policy(false))).toBe('bearer');
    expect(mayName(from(SIGNED_IN), plain, policy(true))).toBe('known');
  });
});
