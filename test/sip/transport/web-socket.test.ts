import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { createSelfSigned } from '../../../server/certificate/self-signed.ts';
import { createResponse } from '../../../server/sip/message/create-message.ts';
import type { SipRequest } from '../../../server/sip/message/message.ts';
import { parseUri } from '../../../server/sip/message/uri.ts';
import { writeMessage } from '../../../server/sip/message/write-message.ts';
import type { TransportOptions } from '../../../server/sip/transport/transport-layer.ts';
import { closers, transports, until } from './running-transports.ts';

async function webServer(more: Partial<TransportOptions> = {}, secure = false) {
  const running = await transports(more);
  const identity = secure ? await createSelfSigned(['localhost'], new Date()) : null;
  const server = identity ? createTlsServer({ key: identity.key, cert: identity.certificate }) : createServer();
  server.on('upgrade', (request, stream, head) => running.layer.upgrade(request, stream, head));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return { ...running, port: (server.address() as { port: number }).port };
}

interface BrowserOptions extends ClientOptions {
  protocols?: string[];
  scheme?: 'ws' | 'wss';
}

/** A browser's side, that keeps what it gets. */
async function browser(port: number, { protocols = ['sip'], scheme = 'ws', ...more }: BrowserOptions = {}) {
  const socket = new WebSocket(`${scheme}://127.0.0.1:${port}/sip`, protocols, { rejectUnauthorized: false, ...more });
  const got = { texts: [] as string[], binary: [] as Buffer[], code: 0, error: '', refused: 0, opened: false };
  socket.on('message', (data, isBinary) => {
    if (isBinary) got.binary.push(data as Buffer);
    else got.texts.push(data.toString());
  });
  socket.on('error', (error) => {
    got.error = error.message;
  });
  socket.on('unexpected-response', (_request, response) => {
    got.refused = response.statusCode ?? 0;
    response.resume();
  });
  socket.on('close', (code) => {
    got.code = code;
  });
  socket.on('open', () => {
    got.opened = true;
  });
  closers.push(() => socket.terminate());
  await until(() => got.opened || got.refused !== 0 || got.code !== 0);
  return { got, socket };
}

/** Without Content-Length, which a frame makes needless (RFC 7118 §5). */
function options(transport = 'WS'): string {
  return [
    'OPTIONS sip:demo@example.com SIP/2.0',
    `Via: SIP/2.0/${transport} df7jal23ls0d.invalid;branch=z9hG4bKx`,
    'From: <sip:a@b>;tag=1',
    'To: <sip:a@b>',
    'Call-ID: c',
    'CSeq: 1 OPTIONS',
    '',
    '',
  ].join('\r\n');
}

describe('SIP over WebSocket (RFC 7118)', () => {
  it('a frame is a message, and the answer goes back in one', async () => {
    const { layer, heard, port } = await webServer();
    const { socket, got } = await browser(port);
    expect(socket.protocol).toBe('sip');
    socket.send(options());
    socket.send(Buffer.from(options()), { binary: true });
    await until(() => heard.received.length === 2);
    const { message, flow } = heard.received[0]!;
    expect(flow).toMatchObject({ protocol: 'ws', reliable: true, open: true, remoteAddress: '127.0.0.1' });
    expect(message.via.parameters.get('received')).toBe('127.0.0.1');
    const response = createResponse(message as SipRequest, 200, { toTag: 't' });
    layer.forResponse(message.via, flow)?.send(writeMessage(response));
    await until(() => got.texts.length === 1);
    expect(got.texts[0]).toMatch(/^SIP\/2\.0 200 OK\r\nVia: SIP\/2\.0\/WS df7jal23ls0d\.invalid/);
    expect(layer.connectionCount).toBe(1);
    expect(heard.sent).toHaveLength(1);
  });

  it('the way to a client is its connection, whatever its Contact says, and none when that is closed', async () => {
    const { layer, heard, port } = await webServer();
    const { socket } = await browser(port);
    socket.send(options());
    await until(() => heard.received.length === 1);
    const { message, flow } = heard.received[0]!;
    const contact = parseUri('sip:a@df7jal23ls0d.invalid;transport=ws')!;
    expect(layer.forRequest(contact, flow)).toBe(flow);
    socket.terminate();
    await until(() => heard.failed.length === 1);
    expect(flow.open).toBe(false);
    expect(layer.forRequest(contact, flow)).toBeNull();
    expect(layer.forResponse(message.via, flow)).toBeNull();
    expect(layer.connectionCount).toBe(0);
  });

  it('a body that is no text goes in a binary frame', async () => {
    const { heard, port } = await webServer();
    const { socket, got } = await browser(port);
    socket.send(options());
    await until(() => heard.received.length === 1);
    heard.received[0]!.flow.send(Buffer.from([0x53, 0x49, 0x50, 0xff]));
    await until(() => got.binary.length === 1);
  });

  it('CRLF CRLF gets a CRLF', async () => {
    const { heard, port } = await webServer();
    const { socket, got } = await browser(port);
    socket.send('\r\n');
    socket.send('\r\n\r\n');
    await until(() => got.texts.length === 1);
    expect(got.texts).toEqual(['\r\n']);
    expect(heard.malformed).toEqual([]);
  });

  it('what is no SIP gets its 400, and the connection stays', async () => {
    const { heard, port } = await webServer();
    const { socket, got } = await browser(port);
    socket.send(options().replace('CSeq: 1 OPTIONS', 'CSeq: one OPTIONS'));
    socket.send('noise');
    socket.send(options());
    await until(() => heard.received.length === 1 && got.texts.length === 1);
    expect(heard.malformed).toHaveLength(2);
    expect(got.texts[0]).toMatch(/^SIP\/2\.0 400 /);
  });

  it('with TLS is WSS', async () => {
    const { heard, port } = await webServer({}, true);
    const { socket } = await browser(port, { scheme: 'wss' });
    socket.send(options('WSS'));
    await until(() => heard.received.length === 1);
    expect(heard.received[0]!.flow.protocol).toBe('wss');
  });

  it('that is refused is closed, also when the other side would leave it half open', async () => {
    const { port } = await webServer();
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    closers.push(() => socket.destroy());
    let answer = '';
    socket.on('data', (bytes) => {
      answer += bytes;
    });
    socket.on('error', () => {});
    socket.write('GET /sip HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await until(() => socket.readableEnded);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    // What is sent to a socket that is gone comes back as an error.
    await until(() => {
      if (!socket.destroyed) socket.write('still here');
      return socket.destroyed;
    });
  });

  it('without the subprotocol sip is refused', async () => {
    const { port } = await webServer();
    expect((await browser(port, { protocols: [] })).got.refused).toBe(400);
    expect((await browser(port, { protocols: ['xmpp'] })).got.refused).toBe(400);
    expect((await browser(port, { protocols: ['xmpp', 'sip'] })).socket.protocol).toBe('sip');
  });

  it('is for pages of this very host and of those that are named', async () => {
    const { port } = await webServer({ webSocketOrigins: ['https://phone.example.com'] });
    const refused = async (origin: string) => (await browser(port, { origin })).got.refused;
    expect(await refused(`http://127.0.0.1:${port}`)).toBe(0);
    expect(await refused('https://phone.example.com')).toBe(0);
    expect(await refused('https://evil.example.com')).toBe(403);
    expect(await refused(`http://127.0.0.1:${port + 1}`)).toBe(403);
    expect(await refused('null')).toBe(403);
    const open = await webServer({ webSocketOrigins: ['*'] });
    expect((await browser(open.port, { origin: 'https://evil.example.com' })).got.refused).toBe(0);
  });

  it('a proxy on this host says whom it speaks for', async () => {
    const { heard, port } = await webServer();
    const headers = { 'X-Forwarded-For': '192.0.2.66, 203.0.113.9', 'X-Forwarded-Proto': 'https' };
    const { socket } = await browser(port, { headers });
    socket.send(options());
    await until(() => heard.received.length === 1);
    expect(heard.received[0]!.flow).toMatchObject({ protocol: 'wss', remoteAddress: '203.0.113.9' });
  });

  it.each([
    ['203.0.113.7:4711', '203.0.113.7'],
    ['198.51.100.1, [2001:db8::7]:4711', '2001:db8::7'],
    ['2001:db8::7', '2001:db8::7'],
    ['127.0.0.1, unknown', null],
    ['203.0.113.7:x', null],
    ['203.0.113.999', null],
    ['x'.repeat(5000), null],
  ])('a proxy on this host that says %s is believed to speak for %s', async (forwardedFor, address) => {
    const { heard, port } = await webServer();
    const { got, socket } = await browser(port, { headers: { 'X-Forwarded-For': forwardedFor } });
    if (address === null) return expect(got.refused).toBe(400);
    socket.send(options());
    await until(() => heard.received.length === 1);
    expect(heard.received[0]!.flow.remoteAddress).toBe(address);
  });

  it('no more than the limit come from one address', async () => {
    const { port } = await webServer({ limits: { maxConnectionsPerAddress: 1 } });
    const first = await browser(port);
    expect((await browser(port)).got.refused).toBe(503);
    first.socket.terminate();
    await until(() => first.got.code !== 0);
    expect((await browser(port)).got.opened).toBe(true);
  });

  it('a message that is too long ends the connection', async () => {
    const { heard, port } = await webServer();
    const { socket, got } = await browser(port);
    socket.send('x'.repeat(65_537));
    await until(() => got.code === 1009 && heard.failed.length === 1);
    expect(heard.malformed).toEqual([]);
  });

  it('a frame that drips in is not waited for', async () => {
    const { heard, timers, port } = await webServer();
    const { socket, got } = await browser(port);
    const { _socket: raw } = socket as unknown as { _socket: Socket };
    const before = timers.pending;
    // A masked text frame of 100 bytes, of which there is one.
    raw.write(Buffer.from([0x81, 0x80 | 100, 1, 2, 3, 4, 5]));
    await until(() => timers.pending > before);
    timers.advance(15_000);
    await until(() => got.code !== 0 && heard.failed.length === 1);
    expect(heard.failed).toEqual(['A message was not complete in time']);
  });

  it('is kept open by pings, and given up when they are not answered', async () => {
    const { layer, heard, timers, port } = await webServer();
    const { socket, got } = await browser(port, { autoPong: false });
    socket.send(options());
    await until(() => heard.received.length === 1);
    for (let ping = 1; ping <= 5; ping++) {
      const asked = once(socket, 'ping');
      timers.advance(25_000);
      await asked;
      socket.pong();
      socket.send('\r\n\r\n');
      await until(() => got.texts.length === ping);
    }
    expect(layer.connectionCount).toBe(1);
    timers.advance(75_000);
    await until(() => layer.connectionCount === 0);
    expect(heard.failed).toEqual(['The other side does not answer pings']);
    expect(timers.pending).toBe(0);
  });

  it('that never brings a message is closed', async () => {
    const { layer, timers, port } = await webServer();
    const { socket, got } = await browser(port);
    for (let ping = 1; ping <= 2; ping++) {
      const asked = once(socket, 'ping');
      timers.advance(25_000);
      await asked;
    }
    await until(() => layer.connectionCount === 1);
    timers.advance(25_000);
    await until(() => got.code === 1001);
  });

  it('all are closed at the end', async () => {
    const { layer, timers, port } = await webServer();
    const { got } = await browser(port);
    await layer.close();
    await until(() => got.code === 1001);
    expect(layer.connectionCount).toBe(0);
    expect(timers.pending).toBe(0);
    expect((await browser(port)).got.refused).toBe(503);
  });
});
