import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { LOOPBACK } from './free-ports.ts';

/** What carries a caller's SIP messages, whole ones, to one server. */
export interface Wire {
  readonly transport: 'UDP' | 'TCP';
  readonly localPort: number;
  send(text: string): void;
  close(): void;
}

export async function openUdp(serverPort: number, received: (text: string) => void): Promise<Wire> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  socket.bind(0, LOOPBACK);
  await once(socket, 'listening');
  socket.on('message', (packet) => received(packet.toString('utf8')));
  return {
    transport: 'UDP',
    localPort: socket.address().port,
    send: (text) => socket.send(text, serverPort, LOOPBACK),
    close: () => socket.close(),
  };
}

export async function openTcp(serverPort: number, received: (text: string) => void): Promise<Wire> {
  const socket = createConnection(serverPort, LOOPBACK);
  await once(socket, 'connect');
  let waiting = '';
  socket.on('data', (chunk) => {
    waiting += chunk.toString('latin1');
    for (;;) {
      waiting = waiting.replace(/^(\r\n)+/, '');
      const bodyAt = waiting.indexOf('\r\n\r\n') + 4;
      if (bodyAt === 3) return;
      const end = bodyAt + Number(/^(?:content-length|l)\s*:\s*(\d+)/im.exec(waiting.slice(0, bodyAt))?.[1] ?? 0);
      if (waiting.length < end) return;
      const message = waiting.slice(0, end);
      waiting = waiting.slice(end);
      received(message);
    }
  });
  socket.on('error', () => {});
  return {
    transport: 'TCP',
    localPort: socket.localPort ?? 0,
    send: (text) => socket.write(text),
    close: () => socket.destroy(),
  };
}
