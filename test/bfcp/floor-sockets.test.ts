import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FloorSockets } from '../../server/bfcp/floor-sockets.ts';
import { PRIMITIVE } from '../../server/bfcp/message.ts';
import type { Path } from '../../server/bfcp/path.ts';
import { writeMessage } from '../../server/bfcp/write-message.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';

const LOOPBACK = '127.0.0.1';

let timers: VirtualTimers;
let sockets: FloorSockets;
let opened: { destroy(): void }[];
let came: { bytes: Uint8Array; path: Path }[];
let closed: Path[];
let useful: boolean;
let notified: () => void;

beforeEach(async () => {
  timers = new VirtualTimers();
  [opened, came, closed, useful] = [[], [], [], true];
  notified = () => {};
  sockets = await FloorSockets.listen(LOOPBACK, 0, {
    timers,
    message: (bytes, path) => {
      came.push({ bytes: Uint8Array.from(bytes), path });
      notified();
      return useful;
    },
    closed: (path) => {
      closed.push(path);
      notified();
    },
  });
});

afterEach(async () => {
  for (const socket of opened) socket.destroy();
  await sockets.close();
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise<void>((resolve) => (notified = resolve));
}

async function connected(): Promise<Socket> {
  const socket = connect(sockets.port, LOOPBACK);
  opened.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

function message(transactionId: number, text = ''): Uint8Array {
  const ids = { conferenceId: 1, userId: 1, transactionId };
  const attributes = text === '' ? [] : [{ name: 'statusInfo' as const, text }];
  return writeMessage({ version: 1, responder: false, primitive: PRIMITIVE.Hello, ...ids, attributes });
}

describe('a connection', () => {
  test('brings messages, however its octets come, and takes answers', async () => {
    const socket = await connected();
    const sent = [message(1), message(2, 'x'.repeat(200)), message(3)];
    const octets = Buffer.concat(sent);
    for (const end of [1, 11, 12, 13, 100, 240, octets.length]) {
      const written = socket.bytesWritten;
      socket.write(octets.subarray(written, end));
      // Each piece for itself, as far as the system lets it.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => came.length === 3);
    expect(came.map(({ bytes }) => Buffer.compare(bytes, sent[bytes[9]! - 1]!))).toEqual([0, 0, 0]);
    const { path } = came[0]!;
    expect([path.reliable, path.remoteAddress, path.remotePort]).toEqual([true, LOOPBACK, socket.localPort]);
    path.send(message(4));
    const [answer] = await once(socket, 'data');
    expect(Buffer.compare(answer, message(4))).toBe(0);
    socket.end();
    await until(() => closed.length === 1);
    expect(closed[0]).toBe(path);
  });

  test('that brings what is of no use is closed', async () => {
    const socket = await connected();
    useful = false;
    socket.write(message(1));
    await once(socket.resume(), 'close');
    expect(came.length).toBe(1);
  });

  test('whose message is longer than any is told so, and closed, with nothing of it kept', async () => {
    const socket = await connected();
    const long = message(1);
    long[2] = 0xff;
    socket.write(long);
    await once(socket.resume(), 'close');
    expect(came.map(({ bytes }) => bytes.length)).toEqual([12]);
  });

  test('that says nothing, or half a message, is closed in time; one that has spoken is not', async () => {
    const [silent, half, good] = [await connected(), await connected(), await connected()];
    const ended: string[] = [];
    silent.on('close', () => ended.push('silent'));
    half.on('close', () => ended.push('half'));
    good.on('close', () => ended.push('good'));
    good.write(message(1));
    half.write(message(2));
    await until(() => came.length === 2);
    half.write(message(3).subarray(0, 5));
    // Behind it, so that the half one has come.
    good.write(message(4));
    await until(() => came.length === 3);
    timers.advance(60_000);
    await until(() => closed.length === 2);
    if (ended.length < 2) await Promise.all([silent, half].map((one) => one.closed || once(one, 'close')));
    expect([...ended].sort()).toEqual(['half', 'silent']);
  });

  test('is one of a few from the same address', async () => {
    const many = await Promise.all(Array.from({ length: 300 }, connected));
    let refused = 0;
    for (const socket of many) {
      socket.resume().on('close', () => {
        refused++;
        notified();
      });
    }
    await until(() => refused >= 44);
    expect(refused).toBe(44);
  });

  test('is opened to a phone that waits for one', async () => {
    const phone = createServer().listen(0, LOOPBACK);
    await once(phone, 'listening');
    const path = sockets.connect(LOOPBACK, (phone.address() as AddressInfo).port);
    const [socket] = (await once(phone, 'connection')) as [Socket];
    opened.push(socket);
    socket.write(message(1));
    await until(() => came.length === 1);
    expect(came[0]!.path).toBe(path);
    phone.close();
  });

  test('that cannot be opened is told as closed', async () => {
    const unused = createServer().listen(0, LOOPBACK);
    await once(unused, 'listening');
    const { port } = unused.address() as AddressInfo;
    await new Promise((resolve) => unused.close(resolve));
    const path = sockets.connect(LOOPBACK, port);
    await until(() => closed.length === 1);
    expect(closed).toEqual([path]);
  });
});

describe('datagrams', () => {
  let phone: UdpSocket;

  beforeEach(async () => {
    phone = createSocket('udp4');
    opened.push({ destroy: () => void phone.close() });
    phone.bind(0, LOOPBACK);
    await once(phone, 'listening');
  });

  test('come and go', async () => {
    phone.send(message(1), sockets.port, LOOPBACK);
    await until(() => came.length === 1);
    const { path, bytes } = came[0]!;
    expect([path.reliable, path.remoteAddress, path.remotePort]).toEqual([false, LOOPBACK, phone.address().port]);
    expect(bytes).toEqual(message(1));
    path.send(message(2));
    const [answer] = await once(phone, 'message');
    expect(Buffer.compare(answer, message(2))).toBe(0);
  });
});

test('a port that is taken is told', async () => {
  const options = { timers, message: () => true, closed: () => {} };
  await expect(FloorSockets.listen(LOOPBACK, sockets.port, options)).rejects.toThrow('EADDRINUSE');
  const udp = createSocket('udp4');
  opened.push({ destroy: () => void udp.close() });
  udp.bind(0, LOOPBACK);
  await once(udp, 'listening');
  await expect(FloorSockets.listen(LOOPBACK, udp.address().port, options)).rejects.toThrow('EADDRINUSE');
});
