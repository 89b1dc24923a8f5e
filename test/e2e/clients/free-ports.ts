import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

export const LOOPBACK = '127.0.0.1';

/** Binds a UDP socket; null when the port is taken. */
export async function bindUdp(port: number): Promise<Socket | null> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port, LOOPBACK);
    await once(socket, 'listening');
    return socket;
  } catch {
    socket.close();
    return null;
  }
}

async function tcpIsFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, LOOPBACK);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** A port that is free for UDP and TCP, and so is the one above it (where baresip wants to speak TLS). */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = 2 * Math.floor(16_400 + Math.random() * 14_000);
    const first = await bindUdp(port);
    const second = await bindUdp(port + 1);
    const free = first && second && (await tcpIsFree(port)) && (await tcpIsFree(port + 1));
    first?.close();
    second?.close();
    if (free) return port;
  }
  throw new Error('no free port found');
}

export interface PortRange {
  min: number;
  max: number;
  release(): void;
}

const RANGE_FIRST_PORT = 12_000;
const RANGE_COUNT = 10;
/** Ports of one range; below 32768, where the kernel's own choices begin. */
const RANGE_SIZE = 2_000;

/** A range of media ports that no other test on this machine uses: holding its last port is the sign. */
export async function reservePortRange(): Promise<PortRange> {
  const start = Math.floor(Math.random() * RANGE_COUNT);
  for (let step = 0; step < RANGE_COUNT; step++) {
    const min = RANGE_FIRST_PORT + ((start + step) % RANGE_COUNT) * RANGE_SIZE;
    const sign = await bindUdp(min + RANGE_SIZE - 1);
    if (sign) {
      sign.unref();
      return { min, max: min + RANGE_SIZE - 3, release: () => sign.close() };
    }
  }
  throw new Error('all ranges of media ports are in use');
}
