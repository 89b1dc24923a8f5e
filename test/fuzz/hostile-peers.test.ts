import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createSelfSigned, type KeyAndCertificate } from '../../server/certificate/self-signed.ts';
import { RunningServer } from '../rfc/running-server.ts';
import { closers, until } from '../sip/transport/running-transports.ts';
import { CallThatIsUp } from './call-that-is-up.ts';

/** As the transports have it for one address. */
const MAX_CONNECTIONS = 1024;

let identity: KeyAndCertificate;
let server: RunningServer;
let call: CallThatIsUp;

beforeAll(async () => {
  identity = await createSelfSigned(['localhost'], new Date());
});

beforeEach(async () => {
  server = await RunningServer.start('127.0.0.1', { tls: { port: 0, identity, verification: 'names' } });
  call = await CallThatIsUp.begin(server);
});

/** Whatever they did: the call goes on, nothing was thrown, and nothing of them is left. */
afterEach(async () => {
  await call.goesOn();
  await until(() => server.sip.connections === 0);
  await call.end();
  expect(await server.quiet()).toEqual({ calls: 0, transactions: 0 });
  expect(server.crashes).toEqual([]);
  await server.stop();
});

/** Somebody's connection. Its errors are theirs. */
class Peer {
  readonly socket: Socket;
  text = '';
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      this.text += bytes.toString('latin1');
    });
    socket.on('close', () => {
      this.closed = true;
    });
    // The other side ended it; a half-open connection is none.
    socket.on('end', () => socket.destroy());
    closers.push(() => socket.destroy());
  }
}

async function overTcp(port = server.sip.port, localAddress = '127.0.0.1'): Promise<Peer> {
  const peer = new Peer(connect({ port, host: '127.0.0.1', localAddress }));
  await Promise.race([once(peer.socket, 'connect'), once(peer.socket, 'close')]);
  return peer;
}

async function overTls(more: { maxVersion?: 'TLSv1.2' } = {}): Promise<Peer & { socket: TLSSocket }> {
  const socket = connectTls({ port: server.sip.sipsPort!, host: '127.0.0.1', rejectUnauthorized: false, ...more });
  const peer = new Peer(socket);
  await once(socket, 'secureConnect');
  return peer as Peer & { socket: TLSSocket };
}

/** Lets time pass, some seconds in a turn or two, until it is so. */
function inTime(isSo: () => boolean): Promise<void> {
  return until(() => {
    server.timers.advance(200);
    return isSo();
  });
}

function options(contentLength: string | number = 0, more = ''): string {
  return [
    'OPTIONS sip:demo@127.0.0.1 SIP/2.0',
    'Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK-o',
    'From: <sip:a@b>;tag=1',
    'To: <sip:a@b>',
    'Call-ID: o',
    `CSeq: 1 OPTIONS\r\n${more}Content-Length: ${contentLength}`,
    '',
    '',
  ].join('\r\n');
}

describe('over TCP', () => {
  it('octet by octet: slow senders are cut off, however long they go on', async () => {
    const peers = await Promise.all(Array.from({ length: 50 }, () => overTcp()));
    await until(() => server.sip.connections === 50);
    await inTime(() => {
      for (const { socket } of peers) socket.write('I');
      return peers.every(({ closed }) => closed);
    });
  });

  it('1500 connections from one address: the last are refused, and other addresses are served', async () => {
    const peers = await Promise.all(Array.from({ length: 1500 }, () => overTcp()));
    await until(() => peers.filter(({ closed }) => closed).length === 1500 - MAX_CONNECTIONS);
    expect(server.sip.connections).toBe(MAX_CONNECTIONS);
    const other = await overTcp(server.sip.port, '127.0.0.2');
    other.socket.write(options());
    await until(() => other.text.startsWith('SIP/2.0 200'));
    for (const { socket } of [...peers, other]) socket.destroy();
  });

  it('half a message, and then a reset: 300 times', async () => {
    const half = options(500).repeat(3).slice(0, -40);
    for (let round = 0; round < 3; round++) {
      const peers = await Promise.all(Array.from({ length: 100 }, () => overTcp()));
      for (const { socket } of peers) socket.write(half, () => socket.resetAndDestroy());
      await until(() => peers.every(({ closed }) => closed));
    }
  });

  it('requests without end, of which no answer is ever read', async () => {
    const peer = await overTcp();
    peer.socket.pause();
    const many = Buffer.from(options().repeat(500));
    const flood = setInterval(() => peer.socket.writable && peer.socket.write(many), 1);
    try {
      await until(() => server.sip.connections === 0);
    } finally {
      clearInterval(flood);
      peer.socket.destroy();
    }
  });

  it.each([
    ['a giant Content-Length', options(999_999_999), 513],
    ['a Content-Length beyond all numbers', options('9'.repeat(400)), 400],
    ['a negative Content-Length', options(-1), 400],
    ['two Content-Lengths', options(0, 'l: 5\r\n'), 400],
    ['100,000 header fields', `${options().slice(0, -2)}${'a: b\r\n'.repeat(100_000)}\r\n`, 513],
    ['a line without end', `OPTIONS sip:a@b SIP/2.0\r\nSubject: ${'a'.repeat(300_000)}`, null],
    ['a start line without end', 'A'.repeat(300_000), null],
    ['folds without end', `${options().slice(0, -2)}Subject: a${'\r\n a'.repeat(50_000)}`, 513],
    ['random octets', randomBytes(300_000), null],
    ['zeros', Buffer.alloc(300_000), null],
    ['line ends without end, and no more', `${'\r\n'.repeat(100_000)}x`, null],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', null],
    ['SSH', 'SSH-2.0-OpenSSH_9.6\r\n', null],
    ['the beginning of TLS', Buffer.from('16030100f8010000f40303', 'hex'), null],
  ])('%s: the connection is closed', async (_what, bytes, status) => {
    const peer = await overTcp();
    peer.socket.write(bytes);
    await inTime(() => peer.closed);
    const statuses = [...peer.text.matchAll(/^SIP\/2\.0 (\d{3})/gm)].map(([, code]) => Number(code));
    expect(statuses).toEqual(status === null ? [] : [status]);
  });
});

describe('over TLS', () => {
  it.each([
    ['SIP in the clear', options()],
    ['random octets', randomBytes(5000)],
    ['half a handshake', Buffer.from('16030100f8010000f40303', 'hex')],
    ['nothing', ''],
  ])('%s: the connection is closed', async (_what, bytes) => {
    const peers = await Promise.all(Array.from({ length: 20 }, () => overTcp(server.sip.sipsPort!)));
    for (const { socket } of peers) socket.write(bytes);
    await inTime(() => peers.every(({ closed }) => closed));
  });

  it('random octets in place of a record, after the handshake', async () => {
    const peer = await overTcp(server.sip.sipsPort!);
    const secured = connectTls({ socket: peer.socket, rejectUnauthorized: false });
    secured.on('error', () => {});
    await once(secured, 'secureConnect');
    peer.socket.write(randomBytes(2000));
    await inTime(() => peer.closed);
  });

  it('renegotiation, which costs us more than them, is not done', async () => {
    const peer = await overTls({ maxVersion: 'TLSv1.2' });
    peer.socket.write(options());
    await until(() => peer.text.startsWith('SIP/2.0 200'));
    const refused = once(peer.socket, 'error');
    peer.socket.renegotiate({ rejectUnauthorized: false }, () => {});
    expect(await refused).toEqual([expect.objectContaining({ code: 'ERR_SSL_NO_RENEGOTIATION' })]);
    peer.socket.destroy();
  });
});

describe('over WebSocket', () => {
  let port: number;

  beforeEach(async () => {
    const web = createServer();
    web.on('upgrade', (request, stream, head) => server.sip.upgrade(request, stream, head));
    web.listen(0, '127.0.0.1');
    await once(web, 'listening');
    closers.push(() => web.close());
    port = (web.address() as { port: number }).port;
  });

  async function open(): Promise<{ socket: WebSocket; texts: string[]; code: () => number }> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/sip`, ['sip']);
    const texts: string[] = [];
    let closedWith = 0;
    socket.on('error', () => {});
    socket.on('message', (data) => texts.push(String(data)));
    socket.on('close', (code) => {
      closedWith = code;
    });
    closers.push(() => socket.terminate());
    await once(socket, 'open');
    return { socket, texts, code: () => closedWith };
  }

  it.each([['none'], ['xmpp'], ['SIP'], ['sip2, msrp']])('the subprotocol %s is refused', async (protocol) => {
    const peer = await overTcp(port);
    const named = protocol === 'none' ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`;
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
    peer.socket.write(
      `GET /sip HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}${named}\r\n`,
    );
    await until(() => peer.closed);
    expect(peer.text).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('a message in a hundred fragments, with pings between them, is one message', async () => {
    const { socket, texts } = await open();
    const text = options();
    for (let at = 0; at < text.length; at += 3) {
      socket.send(text.slice(at, at + 3), { fin: at + 3 >= text.length, binary: false });
      if (at % 30 === 0) socket.ping();
    }
    await until(() => texts.some((answer) => answer.startsWith('SIP/2.0 200')));
    socket.terminate();
  });

  it('fragments without end, of one octet each, are cut off', async () => {
    const { socket, code } = await open();
    for (let sent = 0; sent < 2000; sent++) socket.send('a', { fin: false });
    await until(() => code() !== 0);
    expect(code()).toBe(1008);
  });

  it.each([
    ['no mask', Buffer.from([0x81, 0x01, 0x61])],
    ['a reserved bit', Buffer.from([0xc1, 0x81, 1, 2, 3, 4, 5])],
    ['an opcode that there is not', Buffer.from([0x83, 0x81, 1, 2, 3, 4, 5])],
    ['a control frame that is too long', Buffer.from([0x89, 0xfe, 1, 0, 1, 2, 3, 4])],
    ['a frame of 2^62 octets', Buffer.from([0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])],
    ['text that is no UTF-8', Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe])],
    ['random octets', Buffer.concat([Buffer.from([0xff]), randomBytes(5000)])],
  ])('%s ends the connection', async (_what, bytes) => {
    const { socket, code } = await open();
    (socket as unknown as { _socket: Socket })._socket.write(bytes);
    await inTime(() => code() !== 0);
  });

  it('binary frames of anything get their 400 or none, and a good request its answer', async () => {
    const { socket, texts } = await open();
    for (let frame = 0; frame < 200; frame++) socket.send(randomBytes(300));
    socket.send(options());
    await until(() => texts.some((answer) => answer.startsWith('SIP/2.0 200')));
    socket.terminate();
  });
});
