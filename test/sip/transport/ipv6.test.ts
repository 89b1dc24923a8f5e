import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { LocalEnd } from '../../../server/sip/dialog/local-end.ts';
import { ownAddressFor } from '../../../server/sip/transport/addresses.ts';
import type { Flow } from '../../../server/sip/transport/flow.ts';
import { SipTransports } from '../../../server/sip/transport/transport-layer.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';
import { VirtualTimers } from '../../sim/virtual-timers.ts';
import { closers, type Heard, options, until } from './running-transports.ts';

async function listening(address: string) {
  const heard: Heard = { received: [], malformed: [], failed: [], crashed: [], sent: [], ignored: [] };
  const layer = new SipTransports(
    {
      received: (message, flow) => heard.received.push({ message, flow }),
      sent: () => {},
      malformed: () => {},
      failed: (_flow, reason) => heard.failed.push(reason.message),
      aliasIgnored: () => {},
      crashed: (error) => heard.crashed.push(error),
    },
    { timers: new VirtualTimers() },
  );
  closers.push(() => layer.close());
  const bound = await layer.listen({ udp: { address, port: 0 }, tcp: { address, port: 0 } });
  return { layer, heard, udpPort: bound.udp!.port, tcpPort: bound.tcp!.port };
}

async function udpPhone(address: '127.0.0.1' | '::1') {
  const socket = createSocket(address === '::1' ? 'udp6' : 'udp4');
  const got: string[] = [];
  socket.on('message', (bytes) => got.push(bytes.toString()));
  await new Promise<void>((resolve) => socket.bind(0, address, resolve));
  closers.push(() => socket.close());
  return { got, port: socket.address().port, send: (text: string, to: number) => socket.send(text, to, address) };
}

describe.each(['127.0.0.1', '::1'] as const)('listening on ::, a phone at %s', (address) => {
  it('is heard and answered over UDP', async () => {
    const { layer, heard, udpPort } = await listening('::');
    const phone = await udpPhone(address);
    phone.send(options('SIP/2.0/UDP [2001:db8::9]:5099;rport'), udpPort);
    await until(() => heard.received.length === 1);
    const { message, flow } = heard.received[0]!;
    expect(flow.remoteAddress).toBe(address);
    expect(message.via.parameters.get('received')).toBe(address);
    layer.forResponse(message.via, flow)?.send(Buffer.from('answer'));
    await until(() => phone.got.length === 1);
    (await layer.flowTo({ protocol: 'udp', address, port: phone.port })).send(Buffer.from('request'));
    await until(() => phone.got.length === 2);
    expect(heard.failed).toEqual([]);
  });

  it('is heard and answered over TCP', async () => {
    const { layer, heard, tcpPort } = await listening('::');
    const socket = connect(tcpPort, address);
    closers.push(() => socket.destroy());
    let got = '';
    socket.on('data', (bytes) => {
      got += bytes.toString();
    });
    socket.write(options('SIP/2.0/TCP [2001:db8::9]'));
    await until(() => heard.received.length === 1);
    const { message, flow } = heard.received[0]!;
    expect(flow).toMatchObject({ remoteAddress: address, open: true });
    layer.forResponse(message.via, flow)?.send(Buffer.from('answer'));
    await until(() => got === 'answer');
    const again = await layer.flowTo({ protocol: 'tcp', address, port: flow.remotePort });
    expect(again).toBe(flow);
  });
});

describe('with an address for each family', () => {
  const local = new LocalEnd({
    publicAddress: ['192.0.2.1', '2001:db8::1'],
    ports: { udp: 5060, tcp: 5060, tls: 5061 },
    random: new SeededRandom(1),
  });
  const flowTo = (remoteAddress: string, protocol: Flow['protocol'] = 'udp') =>
    ({ protocol, remoteAddress, localPort: 8080 }) as Flow;

  it('each peer is told the one of its own', () => {
    expect(local.contact('demo', flowTo('203.0.113.1'))).toBe('<sip:demo@192.0.2.1:5060>');
    expect(local.contact('demo', flowTo('2001:db8::9', 'tcp'))).toBe('<sip:demo@[2001:db8::1]:5060;transport=tcp>');
    expect(local.newVia(flowTo('2001:db8::9'))).toMatchObject({ host: '2001:db8::1', port: 5060 });
    expect(ownAddressFor(['192.0.2.1'], '2001:db8::9')).toBe('192.0.2.1');
  });

  it('TLS and WebSocket are said as they should (RFC 5630 §3.1.4, RFC 7118 §5.2)', () => {
    expect(local.contact('demo', flowTo('203.0.113.1', 'tls'))).toBe('<sip:demo@192.0.2.1:5061;transport=tls>');
    expect(local.contact('demo', flowTo('203.0.113.1', 'tls'), 'sips')).toBe('<sips:demo@192.0.2.1:5061>');
    expect(local.contact('demo', flowTo('203.0.113.1', 'wss'))).toBe('<sip:demo@192.0.2.1:8080;transport=ws>');
    expect(local.contact('demo', flowTo('203.0.113.1', 'wss'), 'sips')).toBe('<sips:demo@192.0.2.1:8080;transport=ws>');
  });
});
