import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import { MediaSockets } from '../../mixer/net/media-sockets.ts';
import { NodeUdpSocket } from '../../mixer/net/node-udp-socket.ts';
import { PacketSlot } from '../../mixer/net/packet-buffers.ts';
import type { SystemUdp } from '../../mixer/net/system-udp.ts';
import { SystemUdpSocket, systemUdp } from '../../mixer/net/system-udp-socket.ts';
import type { PacketHandler, UdpSocket } from '../../mixer/net/udp-socket.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface Kind {
  name: string;
  open(address: string, port: number, handler: PacketHandler): Promise<UdpSocket>;
}

const node: Kind = { name: "Node's", open: NodeUdpSocket.open };
const system: Kind[] = systemUdp
  ? [{ name: "the system's", open: async (...args) => new SystemUdpSocket(systemUdp!, ...args) }]
  : [];

interface Got {
  bytes: number[];
  source: string;
  arrivedMs: number;
}

async function opened(kind: Kind, address: string) {
  const got: Got[] = [];
  for (let port = 21_000; ; port++) {
    try {
      const socket = await kind.open(address, port, (packet, length, source, sourcePort, arrivedMs) =>
        got.push({ bytes: [...packet.subarray(0, length)], source: `${source}:${sourcePort}`, arrivedMs }),
      );
      closers.push(() => socket.close());
      return { socket, port, got };
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
  const { port } = socket.address();
  const send = (byte: number, to: number) => socket.send(Buffer.of(byte), to, address);
  return { got, port, name: `${address}:${port}`, send, close: () => socket.close() };
}

async function until(condition: () => boolean): Promise<void> {
  const startMs = performance.now();
  while (!condition()) {
    if (performance.now() - startMs > 15_000) throw new Error('It did not happen');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const packet = (...bytes: number[]) => new PacketSlot(Uint8Array.from(bytes));

const networks = [
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
  // An IPv6 socket for all addresses serves IPv4 too, and nobody above it sees the difference.
  ['::', '127.0.0.1'],
] as const;

describe.each([node, ...system])('a UDP socket of $name', (kind) => {
  describe.each(networks)('on %s', (bind, address) => {
    it(`talks with ${address}, by that very address`, async () => {
      const { socket, port, got } = await opened(kind, bind);
      const other = await phone(address);
      const beforeMs = performance.now();
      other.send(1, port);
      other.send(2, port);
      await until(() => {
        socket.receive();
        return got.length === 2;
      });
      expect(got.map(({ bytes, source }) => [bytes, source])).toEqual([
        [[1], other.name],
        [[2], other.name],
      ]);
      for (const { arrivedMs } of got) {
        expect(arrivedMs).toBeGreaterThanOrEqual(beforeMs - 1);
        expect(arrivedMs).toBeLessThanOrEqual(performance.now());
      }
      socket.send(packet(3), 1, other.port, address);
      await until(() => other.got.length === 1);
    });

    it(`can be connected to ${address}, and opened again`, async () => {
      const { socket, port, got } = await opened(kind, bind);
      const [one, another] = [await phone(address), await phone(address)];
      socket.connect(one.port, address);
      // By then Node has connected it, and lets others in no more.
      socket.send(packet(3), 1, one.port, address);
      await until(() => one.got.length === 1);
      another.send(9, port);
      one.send(1, port);
      await until(() => {
        socket.receive();
        return got.length > 0;
      });
      socket.disconnect();
      another.send(2, port);
      await until(() => {
        socket.receive();
        return got.length > 1;
      });
      expect(got.map(({ bytes, source }) => [bytes, source])).toEqual([
        [[1], one.name],
        [[2], another.name],
      ]);
      expect(socket.errors).toBe(0);
    });
  });

  it('talks with both families in turn', async () => {
    const { socket, port, got } = await opened(kind, '::');
    const phones = [await phone('127.0.0.1'), await phone('::1')];
    for (let round = 1; round <= 3; round++) {
      for (const { send, name, got: back, port: there } of phones) {
        send(round, port);
        await until(() => {
          socket.receive();
          return got.at(-1)?.source === name && got.at(-1)?.bytes[0] === round;
        });
        socket.send(packet(round), 1, there, name.slice(0, name.lastIndexOf(':')));
        await until(() => back.length === round);
      }
    }
  });

  it('hands on more than a batch, in order', async () => {
    const { socket, port, got } = await opened(kind, '127.0.0.1');
    const other = await phone('127.0.0.1');
    for (let byte = 0; byte < 50; byte++) other.send(byte, port);
    await until(() => {
      socket.receive();
      return got.length === 50;
    });
    expect(got.map(({ bytes }) => bytes[0])).toEqual(Array.from({ length: 50 }, (_, byte) => byte));
  });

  it('counts what cannot be sent, and goes on', async () => {
    const { socket, port, got } = await opened(kind, '127.0.0.1');
    const gone = await phone('127.0.0.1');
    gone.close();
    closers.pop();
    socket.connect(gone.port, '127.0.0.1');
    await until(() => {
      socket.send(packet(1), 1, gone.port, '127.0.0.1');
      socket.receive();
      return socket.errors > 0;
    });
    socket.disconnect();
    const other = await phone('127.0.0.1');
    other.send(7, port);
    await until(() => {
      socket.receive();
      return got.length === 1;
    });
  });

  it.each([
    [0, '127.0.0.1'],
    [4000, '255.255.255.255'],
  ])('counts what is for port %i of %s, where nothing can be sent, and goes on', async (nowhere, address) => {
    const { socket, port, got } = await opened(kind, '127.0.0.1');
    socket.connect(nowhere, address);
    socket.send(packet(1), 1, nowhere, address);
    socket.disconnect();
    socket.send(packet(1), 1, nowhere, address);
    const other = await phone('127.0.0.1');
    other.send(7, port);
    await until(() => {
      socket.receive();
      return got.length === 1;
    });
    expect(socket.errors).toBeGreaterThan(0);
  });

  it('takes no port that is taken, says so, and takes it when it is free', async () => {
    const { socket, port } = await opened(kind, '127.0.0.1');
    await expect(kind.open('127.0.0.1', port, () => undefined)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    socket.close();
    const again = await kind.open('127.0.0.1', port, () => undefined);
    again.close();
    again.receive();
    again.send(packet(1), 1, port, '127.0.0.1');
  });
});

it('a flood that comes faster than it is read does not hold up its reader', () => {
  let batches = 0;
  const flood = {
    open: () => 3,
    close: () => undefined,
    mostAtOnce: 16,
    sameSource: () => true,
    take: () => ({ packet: new Uint8Array(1), arrivedMs: 0 }),
    receive: () => {
      if (++batches > 1000) throw new Error('It never ends');
      return 16;
    },
  } as unknown as SystemUdp;
  let got = 0;
  const socket = new SystemUdpSocket(flood, '127.0.0.1', 4000, () => void got++);
  socket.receive();
  expect(got).toBe(512);
  socket.receive();
  expect(got).toBe(1024);
});

it('media sockets are a pair of ports', async () => {
  const got: string[] = [];
  const open = async (port: number): Promise<MediaSockets> => {
    try {
      const rtp: PacketHandler = ([byte]) => void got.push(`RTP ${byte}`);
      return await MediaSockets.open('127.0.0.1', port, rtp, ([byte]) => void got.push(`RTCP ${byte}`));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      return open(port + 2);
    }
  };
  const sockets = await open(22_000);
  closers.push(() => sockets.close());
  const other = await phone('127.0.0.1');
  other.send(1, sockets.rtpPort);
  other.send(2, sockets.rtcpPort);
  await until(() => {
    sockets.receiveRtp();
    sockets.receiveRtcp();
    return got.length === 2;
  });
  expect(got.sort()).toEqual(['RTCP 2', 'RTP 1']);
});
