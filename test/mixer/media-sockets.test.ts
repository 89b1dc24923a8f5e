import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import { MediaSockets } from '../../mixer/net/media-sockets.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function opened(address: string) {
  const from: string[] = [];
  for (let port = 21_000; ; port += 2) {
    try {
      const sockets = await MediaSockets.open(
        address,
        port,
        (packet, source) => from.push(`RTP ${packet[0]} ${source}`),
        (packet, source) => from.push(`RTCP ${packet[0]} ${source}`),
      );
      closers.push(() => sockets.close());
      return { sockets, from };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}

async function phone(address: '127.0.0.1' | '::1') {
  const socket = createSocket(address === '::1' ? 'udp6' : 'udp4');
  const got: number[] = [];
  socket.on('message', (packet) => got.push(packet[0]!));
  await new Promise<void>((resolve) => socket.bind(0, address, resolve));
  closers.push(() => socket.close());
  const send = (byte: number, port: number) => socket.send(Buffer.of(byte), port, address);
  return { got, port: socket.address().port, send };
}

async function until(condition: () => boolean): Promise<void> {
  const startMs = performance.now();
  while (!condition()) {
    if (performance.now() - startMs > 5_000) throw new Error('It did not happen');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe.each([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
  // An IPv6 socket for all addresses serves IPv4 too, and nobody above it sees the difference.
  ['::', '127.0.0.1'],
] as const)('media sockets on %s', (bind, address) => {
  it(`talk with ${address}, by that very address`, async () => {
    const { sockets, from } = await opened(bind);
    const other = await phone(address);
    other.send(1, sockets.rtpPort);
    other.send(2, sockets.rtcpPort);
    await until(() => from.length === 2);
    expect(from.sort()).toEqual([`RTCP 2 ${address}`, `RTP 1 ${address}`]);
    sockets.sendRtp(Buffer.of(3), other.port, address);
    sockets.sendRtcp(Buffer.of(4), other.port, address);
    await until(() => other.got.length === 2);
  });

  it(`can be connected to ${address}, and opened again`, async () => {
    const { sockets, from } = await opened(bind);
    const [one, another] = [await phone(address), await phone(address)];
    sockets.connectRtp(one.port, address);
    sockets.sendRtp(Buffer.of(3), one.port, address);
    await until(() => one.got.length === 1);
    one.send(1, sockets.rtpPort);
    await until(() => from.length === 1);
    sockets.openRtp();
    another.send(2, sockets.rtpPort);
    await until(() => from.length === 2);
    expect(sockets.errors).toBe(0);
  });
});

it('media sockets on :: talk with both families in turn', async () => {
  const { sockets, from } = await opened('::');
  const [four, six] = [await phone('127.0.0.1'), await phone('::1')];
  for (let round = 1; round <= 3; round++) {
    four.send(round, sockets.rtpPort);
    await until(() => from.at(-1) === `RTP ${round} 127.0.0.1`);
    six.send(round, sockets.rtpPort);
    await until(() => from.at(-1) === `RTP ${round} ::1`);
    sockets.sendRtp(Buffer.of(round), four.port, '127.0.0.1');
    sockets.sendRtp(Buffer.of(round), six.port, '::1');
    await until(() => four.got.length === round && six.got.length === round);
  }
});
