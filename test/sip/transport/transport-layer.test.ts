import { describe, expect, it } from 'vitest';
import { createResponse } from '../../../server/sip/message/create-message.ts';
import type { SipRequest } from '../../../server/sip/message/message.ts';
import { parseUri, writeUri } from '../../../server/sip/message/uri.ts';
import { writeMessage } from '../../../server/sip/message/write-message.ts';
import type { Destination } from '../../../server/sip/transport/destination.ts';
import type { Flow } from '../../../server/sip/transport/flow.ts';
import { SipTransports } from '../../../server/sip/transport/transport-layer.ts';
import { tortureMessage } from '../../rfc/torture-cases.ts';
import { VirtualTimers } from '../../sim/virtual-timers.ts';
import { options, tcpPhone, tcpServer, transports, udpPhone, until } from './running-transports.ts';

describe('UDP', () => {
  it('a request comes in with where it came from, and the answer goes back to the source port with rport', async () => {
    const { layer, heard, udpPort } = await transports();
    const phone = await udpPhone();
    phone.send(options('SIP/2.0/UDP 10.9.9.9:5099;rport'), udpPort);
    await until(() => heard.received.length === 1);
    const { message, flow } = heard.received[0]!;
    expect(message.via.parameters.get('received')).toBe('127.0.0.1');
    expect(message.via.parameters.get('rport')).toBe(String(phone.port));
    expect(flow).toMatchObject({ protocol: 'udp', reliable: false, remotePort: phone.port, localPort: udpPort });
    const back = layer.forResponse(message.via, flow);
    back?.send(writeMessage(createResponse(message as SipRequest, 200, { toTag: 't' })));
    await until(() => phone.got.length === 1);
    expect(phone.got[0]).toMatch(
      /^SIP\/2\.0 200 OK\r\nVia: SIP\/2\.0\/UDP 10\.9\.9\.9:5099;rport=\d+;branch=z9hG4bKx;received=127/,
    );
  });

  it('without rport the answer goes to the port of sent-by', async () => {
    const { layer, heard, udpPort } = await transports();
    const [sender, listener] = [await udpPhone(), await udpPhone()];
    sender.send(options(`SIP/2.0/UDP 127.0.0.1:${listener.port}`), udpPort);
    await until(() => heard.received.length === 1);
    const { message, flow } = heard.received[0]!;
    layer.forResponse(message.via, flow)?.send(Buffer.from('answer'));
    await until(() => listener.got.length === 1);
    expect(sender.got).toEqual([]);
  });

  it('a malformed request is answered at once, noise and keep-alives are not', async () => {
    const { heard, udpPort } = await transports();
    const phone = await udpPhone();
    phone.send('\r\n\r\n', udpPort);
    phone.send(Buffer.alloc(4), udpPort);
    phone.send('noise', udpPort);
    phone.send(tortureMessage(4475, 'bigcode'), udpPort);
    phone.send(options('SIP/2.0/UDP 127.0.0.1;rport', 'Max-Forwards: many\r\n'), udpPort);
    await until(() => heard.malformed.length === 3 && phone.got.length === 1);
    expect(phone.got[0]).toMatch(/^SIP\/2\.0 400 Bad Max-Forwards\r\n/);
    expect(heard.received).toEqual([]);
  });

  it('a response with a Via that is not ours is dropped (RFC 3261 §18.1.2, RFC 4475 §3.3.10)', async () => {
    const { heard, udpPort } = await transports({ viaHosts: ['198.51.100.1'] });
    const phone = await udpPhone();
    phone.send(tortureMessage(4475, 'bcast'), udpPort);
    phone.send(tortureMessage(4475, 'bcast').toString().replace('192.0.2.198', '198.51.100.1'), udpPort);
    await until(() => heard.received.length === 1);
    expect(heard.received[0]!.message.via.host).toBe('198.51.100.1');
  });

  it('a fault in what handles one message does not stop the next', async () => {
    let calls = 0;
    const { heard, udpPort } = await transports({}, () => {
      calls++;
      if (calls === 1) throw new Error('a fault of ours');
    });
    const phone = await udpPhone();
    phone.send(options('SIP/2.0/UDP 127.0.0.1'), udpPort);
    phone.send(options('SIP/2.0/UDP 127.0.0.1'), udpPort);
    await until(() => heard.received.length === 2);
    expect(heard.crashed).toEqual([new Error('a fault of ours')]);
  });

  it('a datagram that is too long to be sent is reported', async () => {
    const { layer, heard } = await transports();
    const flow = await layer.flowTo({ protocol: 'udp', address: '127.0.0.1', port: 9 });
    flow.send(Buffer.alloc(70_000));
    await until(() => heard.failed.length === 1);
  });
});

describe('TCP', () => {
  it('requests come in pieces, answers and pongs go back over the connection', async () => {
    const { layer, heard, tcpPort } = await transports();
    const phone = await tcpPhone(tcpPort);
    const text = options('SIP/2.0/TCP 10.9.9.9;rport');
    phone.socket.write(text.slice(0, 50));
    phone.socket.write(`${text.slice(50)}\r\n\r\n`);
    await until(() => heard.received.length === 1 && phone.got.text === '\r\n');
    const { message, flow } = heard.received[0]!;
    expect(flow).toMatchObject({ protocol: 'tcp', reliable: true, open: true, remotePort: phone.port });
    expect(message.via.parameters.get('rport')).toBe(String(phone.port));
    layer
      .forResponse(message.via, flow)
      ?.send(writeMessage(createResponse(message as SipRequest, 200, { toTag: 't' })));
    await until(() => phone.got.text.includes('200 OK'));
    expect(layer.connectionCount).toBe(1);
    // Keep-alives are not counted.
    expect(heard.sent).toEqual([expect.stringMatching(/^SIP\/2\.0 200 OK/)]);
  });

  it('what cannot be framed is answered, and the connection closed', async () => {
    const { heard, tcpPort } = await transports();
    const phone = await tcpPhone(tcpPort);
    phone.socket.write(options('SIP/2.0/TCP 127.0.0.1').replace('Content-Length: 0\r\n', ''));
    await until(() => phone.got.closed);
    expect(phone.got.text).toMatch(/^SIP\/2\.0 400 Missing Content-Length\r\n/);
    expect(heard.malformed[0]?.code).toBe('missing-content-length');
  });

  it('one that is closed is reported, and an answer opens a new one to sent-by (RFC 3261 §18.2.2)', async () => {
    const { layer, heard, tcpPort } = await transports();
    const answered: string[] = [];
    const { port } = await tcpServer((text) => answered.push(text));
    const phone = await tcpPhone(tcpPort);
    phone.socket.write(options(`SIP/2.0/TCP 127.0.0.1:${port}`));
    await until(() => heard.received.length === 1);
    phone.socket.destroy();
    await until(() => heard.failed.length === 1);
    const { message, flow } = heard.received[0]!;
    expect(flow.open).toBe(false);
    layer
      .forResponse(message.via, flow)
      ?.send(writeMessage(createResponse(message as SipRequest, 200, { toTag: 't' })));
    await until(() => answered.join('').includes('200 OK'));
  });

  it('one that is open is used again, whoever opened it', async () => {
    const { layer, heard, tcpPort } = await transports();
    const phone = await tcpPhone(tcpPort);
    phone.socket.write(options('SIP/2.0/TCP 127.0.0.1'));
    await until(() => heard.received.length === 1);
    const flow = await layer.flowTo({ protocol: 'tcp', address: '127.0.0.1', port: phone.port });
    expect(flow).toBe(heard.received[0]!.flow);
    const { port } = await tcpServer(() => {});
    const one = await layer.flowTo({ protocol: 'tcp', address: '127.0.0.1', port });
    expect(await layer.flowTo({ protocol: 'tcp', address: '127.0.0.1', port })).toBe(one);
    expect(layer.connectionCount).toBe(2);
  });

  it('no more than the limit come from one address', async () => {
    const { layer, tcpPort } = await transports({ limits: { maxConnectionsPerAddress: 2 } });
    const phones = [await tcpPhone(tcpPort), await tcpPhone(tcpPort), await tcpPhone(tcpPort)];
    await until(() => phones.some(({ got }) => got.closed));
    expect(layer.connectionCount).toBe(2);
    phones.find(({ got }) => !got.closed)?.socket.destroy();
    await until(() => layer.connectionCount === 1);
    await tcpPhone(tcpPort);
    await until(() => layer.connectionCount === 2);
  });

  it('where nobody listens, it fails', async () => {
    const { layer } = await transports();
    const { port, server } = await tcpServer(() => {});
    await new Promise((resolve) => server.close(resolve));
    await expect(layer.flowTo({ protocol: 'tcp', address: '127.0.0.1', port })).rejects.toThrow('ECONNREFUSED');
    await until(() => layer.connectionCount === 0);
  });
});

describe('the way for a request', () => {
  it('over 1300 bytes it goes over TCP (RFC 3261 §18.1.1)', async () => {
    const { layer } = await transports();
    const { port } = await tcpServer(() => {});
    const to = { protocol: 'udp', address: '127.0.0.1', port } as const;
    expect((await layer.flowFor(to, 1300)).protocol).toBe('udp');
    expect((await layer.flowFor(to, 1301)).protocol).toBe('tcp');
  });

  it('and over UDP all the same when nobody listens there on TCP', async () => {
    const { layer } = await transports();
    const phone = await udpPhone();
    const flow = await layer.flowFor({ protocol: 'udp', address: '127.0.0.1', port: phone.port }, 2_000);
    expect(flow.protocol).toBe('udp');
    flow.send(Buffer.from('large'));
    await until(() => phone.got.length === 1);
  });

  it('within a dialog too, to the end of the way over UDP; null where nobody listens there', async () => {
    const { layer } = await transports();
    const { port } = await tcpServer(() => {});
    const phone = await udpPhone();
    const stream = (toPort: number) =>
      new Promise<Flow | null>((resolve) => {
        layer.stream(layer.datagrams('127.0.0.1', toPort)!, resolve);
      });
    expect(await stream(port)).toMatchObject({ protocol: 'tcp', open: true, remotePort: port });
    expect(await stream(phone.port)).toBeNull();
    const tcp = await layer.flowTo({ protocol: 'tcp', address: '127.0.0.1', port });
    expect(await new Promise((resolve) => layer.stream(tcp, resolve))).toBeNull();
  });

  it('within a dialog it goes where the URI points, or back where the dialog came from', async () => {
    const { layer } = await transports();
    const near = await layer.flowTo({ protocol: 'udp', address: '203.0.113.7', port: 1024 });
    const way = (uri: string) => layer.forRequest(parseUri(uri)!, near);
    expect(way('sip:a@192.0.2.9')).toMatchObject({ remoteAddress: '192.0.2.9', remotePort: 5060, protocol: 'udp' });
    expect(way('sip:a@192.0.2.9:5070;maddr=192.0.2.10')).toMatchObject({
      remoteAddress: '192.0.2.10',
      remotePort: 5070,
    });
    expect(way('sip:a@phone.invalid')).toBe(near);
    // A private address that somebody outside of our network gave is not ours to reach.
    expect(way('sip:a@192.168.1.5:5060')).toBe(near);
    expect(way('sips:a@192.0.2.9')).toBeNull();
    expect(way('sip:a@192.0.2.9;transport=ws')).toBeNull();
    expect(way('sip:a@192.0.2.9;transport=sctp')).toBeNull();
    expect(way('sip:a@[2001:db8::1]')).toBeNull();
  });
});

describe('a name within a dialog', () => {
  const proxy = parseUri('sip:proxy.example.com;lr')!;

  async function withDns(leadsTo: Destination[]) {
    const asked: string[] = [];
    const made = await transports({
      resolve: async (uri) => {
        asked.push(writeUri(uri));
        return leadsTo;
      },
    });
    const near = await udpPhone();
    const back = await made.layer.flowTo({ protocol: 'udp', address: '127.0.0.1', port: near.port });
    return { ...made, asked, near, back };
  }

  it('is resolved, and what was sent meanwhile goes there, once', async () => {
    const phone = await udpPhone();
    const { layer, asked, near, back } = await withDns([{ protocol: 'udp', address: '127.0.0.1', port: phone.port }]);
    const flow = layer.forRequest(proxy, back)!;
    expect(flow).toMatchObject({ protocol: 'udp', reliable: false, open: true });
    const request = Buffer.from('BYE');
    flow.send(request);
    flow.send(request);
    await until(() => phone.got.length === 1);
    flow.send(request);
    await until(() => phone.got.length === 2);
    expect(flow.remotePort).toBe(phone.port);
    expect(asked).toEqual(['sip:proxy.example.com;lr;transport=udp']);
    expect(near.got).toEqual([]);
  });

  it('goes to the second when the first cannot be connected to', async () => {
    const heard: string[] = [];
    const dead = await tcpServer(() => {});
    await new Promise((resolve) => dead.server.close(resolve));
    const alive = await tcpServer((text) => heard.push(text));
    const { layer, back } = await withDns([
      { protocol: 'tcp', address: '127.0.0.1', port: dead.port },
      { protocol: 'tcp', address: '127.0.0.1', port: alive.port },
    ]);
    const flow = layer.forRequest(parseUri('sip:proxy.example.com;transport=tcp')!, back)!;
    flow.send(Buffer.from('BYE'));
    await until(() => heard.join('') === 'BYE');
  });

  it('that leads nowhere leads back; over another transport it fails, as the request says that one', async () => {
    const { layer, near, back, heard } = await withDns([]);
    layer.forRequest(proxy, back)!.send(Buffer.from('BYE'));
    await until(() => near.got.length === 1);
    const flow = layer.forRequest(parseUri('sip:proxy.example.com;transport=tcp')!, back)!;
    flow.send(Buffer.from('BYE'));
    await until(() => heard.failed.some((reason) => reason.includes('name leads to nobody')));
    expect(flow.open).toBe(false);
  });

  it('of WebSocket clients is not asked for', async () => {
    const { layer, asked, back } = await withDns([]);
    expect(layer.forRequest(parseUri('sip:a@df7jal23ls0d.invalid;transport=tcp')!, back)).toBe(back);
    expect(asked).toEqual([]);
  });
});

describe('life', () => {
  it('a port that is taken is said, and nothing is left listening', async () => {
    const { udpPort, tcpPort } = await transports();
    const nothing = () => {};
    const heeded = { received: nothing, sent: nothing, aliasIgnored: nothing };
    const user = { ...heeded, malformed: nothing, failed: nothing, crashed: nothing };
    const second = new SipTransports(user, { timers: new VirtualTimers() });
    const taken = { address: '127.0.0.1', port: udpPort };
    await expect(second.listen({ udp: taken })).rejects.toThrow('EADDRINUSE');
    const free = { address: '127.0.0.1', port: 0 };
    await expect(second.listen({ udp: free, tcp: { address: '127.0.0.1', port: tcpPort } })).rejects.toThrow(
      'EADDRINUSE',
    );
    await second.listen({ udp: free });
    await second.close();
  });

  it('closing sends what is waiting and leaves no connection', async () => {
    const { layer, heard, tcpPort } = await transports();
    const phone = await tcpPhone(tcpPort);
    phone.socket.write(options('SIP/2.0/TCP 127.0.0.1'));
    await until(() => heard.received.length === 1);
    heard.received[0]!.flow.send(Buffer.alloc(100_000, 'x'));
    await layer.close();
    await until(() => phone.got.closed);
    expect(phone.got.text).toHaveLength(100_000);
    heard.received[0]!.flow.send(Buffer.from('late'));
  });
});
