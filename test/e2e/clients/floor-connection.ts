import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { parseHeader } from '../../../server/bfcp/parse-message.ts';
import { LOOPBACK } from './free-ports.ts';

/** The octets of a phone's floor control on the wire: messages go and come whole. */
export interface FloorWire {
  /** Where it waits; over TCP of one that connects, none that means anything. */
  readonly port: number;
  send(bytes: Uint8Array): void;
  close(): void;
}

type Received = (bytes: Uint8Array) => void;

export async function openFloorUdp(serverPort: () => number, received: Received): Promise<FloorWire> {
  const socket = createSocket('udp4');
  socket.bind(0, LOOPBACK);
  await once(socket, 'listening');
  socket.on('message', received);
  return {
    port: socket.address().port,
    send: (bytes) => socket.send(bytes, serverPort(), LOOPBACK),
    close: () => void socket.close(),
  };
}

/** Connects when something is sent first. */
export function openFloorTcp(serverPort: () => number, received: Received): FloorWire {
  let socket: Socket | null = null;
  return {
    port: 9,
    send: (bytes) => {
      socket ??= framed(connect(serverPort(), LOOPBACK), received);
      socket.write(bytes);
    },
    close: () => void socket?.destroy(),
  };
}

/** Waits for the server to connect, and sends then. */
export async function waitForFloorTcp(received: Received): Promise<FloorWire> {
  let socket: Socket | null = null;
  const unsent: Uint8Array[] = [];
  const server = createServer((connected) => {
    socket = framed(connected, received);
    for (const bytes of unsent.splice(0)) socket.write(bytes);
  });
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    send: (bytes) => void (socket === null ? unsent.push(bytes) : socket.write(bytes)),
    close: () => {
      socket?.destroy();
      server.close();
    },
  };
}

function framed(socket: Socket, received: Received): Socket {
  let buffered = Buffer.alloc(0);
  socket.on('error', () => {});
  return socket.on('data', (chunk) => {
    buffered = Buffer.concat([buffered, chunk]);
    for (;;) {
      const header = parseHeader(buffered, true);
      const length = header === null ? Number.POSITIVE_INFINITY : header.headerBytes + header.payloadBytes;
      if (buffered.length < length) return;
      received(buffered.subarray(0, length));
      buffered = Buffer.from(buffered.subarray(length));
    }
  });
}
