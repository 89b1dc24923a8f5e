import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createRequest, createResponse } from '../../../server/sip/message/create-message.ts';
import type { SipMessage, SipRequest } from '../../../server/sip/message/message.ts';
import { parseNameAddress } from '../../../server/sip/message/name-address.ts';
import type { ParseError } from '../../../server/sip/message/parse-error.ts';
import { parseUri } from '../../../server/sip/message/uri.ts';
import { createVia } from '../../../server/sip/message/via.ts';
import { writeMessage } from '../../../server/sip/message/write-message.ts';
import type { Flow } from '../../../server/sip/transport/flow.ts';
import { SipTransports, type TransportOptions } from '../../../server/sip/transport/transport-layer.ts';
import { tortureMessage } from '../../rfc/torture-cases.ts';
import { VirtualTimers } from '../../sim/virtual-timers.ts';

/** Sockets here are real, on loopback: this is where they meet the rest. */

interface Heard {
  received: { message: SipMessage; flow: Flow }[];
  malformed: ParseError[];
  failed: string[];
  crashed: unknown[];
}

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function until(condition: () => boolean): Promise<void> {
  const startMs = performance.now();
  while (!condition()) {
    if (performance.now() - startMs > 5_000) throw new Error('It did not happen');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function transports(
  options: Partial<TransportOptions> = {},
  onMessage?: (message: SipMessage, flow: Flow) => void,
) {
  const heard: Heard = { received: [], malformed: [], failed: [], crashed: [] };
  const layer = new SipTransports(
    {
      received: (message, flow) => {
        heard.received.push({ message, flow });
        onMessage?.(message, flow);
      },
      malformed: (error) => heard.malformed.push(error),
      failed: (_flow, reason) => heard.failed.push(reason.message),
      crashed: (error) => heard.crashed.push(error),
    },
    { timers: new VirtualTimers(), ...options },
  );
  closers.push(() => layer.close());
  const bound = await layer.listen({
    udp: { address: '127.0.0.1', port: 0 },
    tcp: { address: '127.0.0.1', port: 0 },
  });
  return { layer, heard, udpPort: bound.udp!.port, tcpPort: bound.tcp!.port };
}

/** A phone on UDP that keeps what it gets. */
async function udpPhone() {
  const socket: UdpSocket = createSocket('udp4');
  const got: string[] = [];
  socket.on('message', (bytes) => got.push(bytes.toString()));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  closers.push(() => socket.close());
  const { port } = socket.address();
  return { got, port, send: (bytes: Uint8Array | string, to: number) => socket.send(bytes, to, '127.0.0.1') };
}

async function tcpPhone(port: number) {
  const socket: Socket = connect(port, '127.0.0.1');
  const got = { text: '', closed: false };
  socket.on('data', (bytes) => {
    got.text += bytes.toString();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    got.closed = true;
  });
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  closers.push(() => socket.destroy());
  return { got, socket, port: socket.localPort! };
}

function options(via: string, extra = ''): string {
  return `OPTIONS sip:demo@127.0.0.1 SIP/2.0\r\nVia: ${via};branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n${extra}Content-Length: 0\r\n\r\n`;
}

function ourRequest(bodyBytes: number): SipRequest {
  return createRequest({
    method: 'INVITE',
    requestUri: 'sip:a@127.0.0.1',
    via: createVia('UDP', '127.0.0.1', 5060, 'z9hG4bKy'),
    from: parseNameAddress('<sip:demo@b>;tag=1')!,
    to: parseNameAddress('<sip:a@b>')!,
    callId: 'c',
    cseqNumber: 1,
    body: 'x'.repeat(bodyBytes),
    contentType: 'text/plain',
  });
}

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

async function tcpServer(data: (text: string) => void): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on('data', (bytes) => data(bytes.toString()));
    socket.on('error', () => {});
    closers.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return { server, port: (server.address() as { port: number }).port };
}

describe('the way for a request', () => {
  it('over 1300 bytes it goes over TCP, with that in its Via (RFC 3261 §18.1.1)', async () => {
    const { layer } = await transports();
    const { port } = await tcpServer(() => {});
    const small = await layer.route(ourRequest(100), { protocol: 'udp', address: '127.0.0.1', port });
    expect(small.flow.protocol).toBe('udp');
    const large = await layer.route(ourRequest(1300), { protocol: 'udp', address: '127.0.0.1', port });
    expect(large.flow.protocol).toBe('tcp');
    expect(large.request.headers.get('via')).toMatch(/^SIP\/2\.0\/TCP /);
    expect(large.request.via.transport).toBe('TCP');
  });

  it('and over UDP all the same when nobody listens there on TCP', async () => {
    const { layer } = await transports();
    const phone = await udpPhone();
    const { flow, request } = await layer.route(ourRequest(1300), {
      protocol: 'udp',
      address: '127.0.0.1',
      port: phone.port,
    });
    expect(flow.protocol).toBe('udp');
    expect(request.via.transport).toBe('UDP');
    flow.send(writeMessage(request));
    await until(() => phone.got.length === 1);
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
    expect(way('sip:a@192.0.2.9;transport=sctp')).toBeNull();
    expect(way('sip:a@[2001:db8::1]')).toBeNull();
  });
});

describe('life', () => {
  it('a port that is taken is said, and nothing is left listening', async () => {
    const { udpPort, tcpPort } = await transports();
    const user = { received: () => {}, malformed: () => {}, failed: () => {}, crashed: () => {} };
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
