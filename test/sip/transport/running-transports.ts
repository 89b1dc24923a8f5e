import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import type { SipMessage } from '../../../server/sip/message/message.ts';
import type { ParseError } from '../../../server/sip/message/parse-error.ts';
import type { Flow } from '../../../server/sip/transport/flow.ts';
import { type ListenOn, SipTransports, type TransportOptions } from '../../../server/sip/transport/transport-layer.ts';
import { VirtualTimers } from '../../sim/virtual-timers.ts';

/** Sockets here are real, on loopback: this is where they meet the rest. What is opened is closed after each test. */

export interface Heard {
  received: { message: SipMessage; flow: Flow }[];
  malformed: ParseError[];
  failed: string[];
  crashed: unknown[];
  sent: string[];
  ignored: string[];
}

export const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

export async function until(condition: () => boolean): Promise<void> {
  const startMs = performance.now();
  while (!condition()) {
    if (performance.now() - startMs > 15_000) throw new Error('It did not happen');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export async function transports(
  options: Partial<TransportOptions> = {},
  onMessage?: (message: SipMessage, flow: Flow) => void,
  tls?: ListenOn['tls'],
) {
  const timers = new VirtualTimers();
  const heard: Heard = { received: [], malformed: [], failed: [], crashed: [], sent: [], ignored: [] };
  const layer = new SipTransports(
    {
      received: (message, flow) => {
        heard.received.push({ message, flow });
        onMessage?.(message, flow);
      },
      sent: (bytes) => heard.sent.push(Buffer.from(bytes).toString()),
      malformed: (error) => heard.malformed.push(error),
      failed: (_flow, reason) => heard.failed.push(reason.message),
      aliasIgnored: (_flow, sentBy, reason) => heard.ignored.push(`${sentBy}: ${reason}`),
      crashed: (error) => heard.crashed.push(error),
    },
    { timers, ...options },
  );
  closers.push(() => layer.close());
  const bound = await layer.listen({
    udp: { address: '127.0.0.1', port: 0 },
    tcp: { address: '127.0.0.1', port: 0 },
    ...(tls ? { tls } : {}),
  });
  return { layer, heard, timers, udpPort: bound.udp!.port, tcpPort: bound.tcp!.port, tlsPort: bound.tls?.port ?? 0 };
}

/** A phone on UDP that keeps what it gets. */
export async function udpPhone() {
  const socket: UdpSocket = createSocket('udp4');
  const got: string[] = [];
  socket.on('message', (bytes) => got.push(bytes.toString()));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  closers.push(() => socket.close());
  const { port } = socket.address();
  return { got, port, send: (bytes: Uint8Array | string, to: number) => socket.send(bytes, to, '127.0.0.1') };
}

export async function tcpPhone(port: number) {
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

export function options(via: string, extra = ''): string {
  return `OPTIONS sip:demo@127.0.0.1 SIP/2.0\r\nVia: ${via};branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n${extra}Content-Length: 0\r\n\r\n`;
}

export async function tcpServer(data: (text: string) => void): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on('data', (bytes) => data(bytes.toString()));
    socket.on('error', () => {});
    closers.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return { server, port: (server.address() as { port: number }).port };
}
