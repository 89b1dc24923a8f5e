import { describe, expect, it } from 'vitest';
import type { SipRequest } from '../../../server/sip/message/message.ts';
import { parseMessage } from '../../../server/sip/message/parse-message.ts';
import type { Flow } from '../../../server/sip/transport/flow.ts';
import { responsePort, stampVia, withTopVia } from '../../../server/sip/transport/via-routing.ts';

function request(via: string): SipRequest {
  const text = `OPTIONS sip:a@b SIP/2.0\r\nVia: ${via}\r\nVia: SIP/2.0/TCP far\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n`;
  const parsed = parseMessage(Buffer.from(text));
  if (!parsed.ok || parsed.message.kind !== 'request') throw new Error('no request');
  return parsed.message;
}

function flow(remoteAddress: string, remotePort: number, protocol: 'udp' | 'tcp' = 'udp'): Flow {
  return {
    id: 'x',
    protocol,
    reliable: protocol === 'tcp',
    localAddress: '198.51.100.1',
    localPort: 5060,
    remoteAddress,
    remotePort,
    open: true,
    send: () => {},
  };
}

describe('the topmost Via of a request says where it came from (RFC 3261 §18.2.1, RFC 3581 §4)', () => {
  it.each([
    ['SIP/2.0/UDP 192.0.2.1:5070;branch=b', 'SIP/2.0/UDP 192.0.2.1:5070;branch=b'],
    ['SIP/2.0/UDP host.example.com;branch=b', 'SIP/2.0/UDP host.example.com;branch=b;received=192.0.2.1'],
    ['SIP/2.0/UDP 10.0.0.9:5070;branch=b', 'SIP/2.0/UDP 10.0.0.9:5070;branch=b;received=192.0.2.1'],
    ['SIP/2.0/UDP 192.0.2.1;rport;branch=b', 'SIP/2.0/UDP 192.0.2.1;rport=4000;branch=b;received=192.0.2.1'],
    [
      'SIP/2.0/UDP 10.0.0.9;rport=1;received=6.6.6.6;branch=b',
      'SIP/2.0/UDP 10.0.0.9;rport=4000;received=192.0.2.1;branch=b',
    ],
    ['SIP/2.0/UDP x;branch=b , SIP/2.0/TCP y', 'SIP/2.0/UDP x;branch=b;received=192.0.2.1, SIP/2.0/TCP y'],
  ])('%s', (written, stamped) => {
    const message = stampVia(request(written), flow('192.0.2.1', 4000));
    expect(message.headers.all('via')).toEqual([stamped, 'SIP/2.0/TCP far']);
    expect(message.via.branch).toBe('b');
  });

  it('IPv6 is compared by value and written without brackets', () => {
    const same = stampVia(request('SIP/2.0/UDP [2001:DB8:0::1];branch=b'), flow('2001:db8::1', 4000));
    expect(same.via.parameters.has('received')).toBe(false);
    const other = stampVia(request('SIP/2.0/UDP [2001:db8::2];branch=b'), flow('2001:db8::1', 4000));
    expect(other.headers.get('via')).toBe('SIP/2.0/UDP [2001:db8::2];branch=b;received=2001:db8::1');
  });
});

describe('the port that a response goes to (RFC 3261 §18.2.2, RFC 3581 §4)', () => {
  it.each([
    ['SIP/2.0/UDP 10.0.0.9:5070;rport;branch=b', 'udp', 4000],
    ['SIP/2.0/UDP 10.0.0.9:5070;branch=b', 'udp', 5070],
    ['SIP/2.0/UDP 10.0.0.9;branch=b', 'udp', 5060],
    // On a new connection, as the source port was that of the old one.
    ['SIP/2.0/TCP 10.0.0.9:5070;rport;branch=b', 'tcp', 5070],
    ['SIP/2.0/TCP 10.0.0.9;branch=b', 'tcp', 5060],
  ] as const)('%s over %s: %i', (via, protocol, port) => {
    expect(responsePort(request(via).via, flow('192.0.2.1', 4000, protocol))).toBe(port);
  });
});

it('a request gets another topmost Via in a copy', () => {
  const message = request('SIP/2.0/UDP a;branch=b');
  const changed = withTopVia(message, { ...message.via, transport: 'TCP' });
  expect(changed.headers.all('via')).toEqual(['SIP/2.0/TCP a;branch=b', 'SIP/2.0/TCP far']);
  expect(message.headers.all('via')).toEqual(['SIP/2.0/UDP a;branch=b', 'SIP/2.0/TCP far']);
});
