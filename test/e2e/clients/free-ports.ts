import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
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

/** Whether some program has bound it for UDP. Without trying to, which could take it away from who is just about to. */
export function udpIsBound(port: number): boolean {
  return readFileSync('/proc/net/udp', 'latin1').includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} `);
}

/** Whether some program listens there for TCP. To connect would be to take the place of who is waited for. */
export function tcpListens(port: number): boolean {
  const listening = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} [0-9A-F]+:0000 0A `);
  return ['tcp', 'tcp6'].some((kind) => listening.test(readFileSync(`/proc/net/${kind}`, 'latin1')));
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

/**
 * Where ports are given from: below 32768, where the kernel's own choices begin, so that no connection of another test
 * gets one before its program has bound it; and none that browsers and `fetch` refuse (6697, 10080).
 */
const FIRST_PORTS = [
  ...Array.from({ length: 8 }, (_, index) => 6_700 + index * 420),
  ...Array.from({ length: 4 }, (_, index) => 10_100 + index * 420),
];
/** Of them the last two are the sign of the process that gives the others. */
const PORTS_OF_PROCESS = 420;
const GIVEN_PORTS = PORTS_OF_PROCESS - 2;

let givenFrom: Promise<number> | null = null;
let given = 2 * Math.floor((Math.random() * GIVEN_PORTS) / 2);

/** The first of the ports that no other process gives as long as this one lives; where all have an owner, it shares. */
async function portsOfProcess(): Promise<number> {
  const start = Math.floor(Math.random() * FIRST_PORTS.length);
  for (let step = 0; step < FIRST_PORTS.length; step++) {
    const first = FIRST_PORTS[(start + step) % FIRST_PORTS.length]!;
    const sign = await bindUdp(first + GIVEN_PORTS);
    if (sign === null) continue;
    sign.unref();
    return first;
  }
  return FIRST_PORTS[start]!;
}

/**
 * A port that is free for UDP and TCP, and so is the one above it (where baresip wants to speak TLS); `count` from it on
 * are not given again soon.
 */
export async function freePort(count = 2): Promise<number> {
  givenFrom ??= portsOfProcess();
  const first = await givenFrom;
  for (let attempt = 0; attempt < 2 * GIVEN_PORTS; attempt++) {
    if (given + count > GIVEN_PORTS) given = 0;
    const port = first + given;
    given += count;
    const lower = await bindUdp(port);
    const upper = await bindUdp(port + 1);
    const free = lower && upper && (await tcpIsFree(port)) && (await tcpIsFree(port + 1));
    lower?.close();
    upper?.close();
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
