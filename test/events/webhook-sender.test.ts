import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { addressRanges } from '../../server/config/address-ranges.ts';
import { isPublicAddress, webhookUrlProblem } from '../../server/events/webhook-address.ts';
import { webhookSender } from '../../server/events/webhook-sender.ts';

const open: Array<Server | TcpServer> = [];
afterEach(async () => {
  for (const server of open.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  }
});

async function listening<S extends Server | TcpServer>(server: S): Promise<number> {
  open.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const receiving = (listener: RequestListener) => listening(createServer(listener));
const loopback = addressRanges(['127.0.0.0/8', '::1']);
const never = new AbortController().signal;
const to = (url: string, body = '{"a":1}') => ({ url, headers: { 'Parley-Event': 'test' }, body });

describe('addresses that webhooks may lead to', () => {
  it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450:4001::1'])(
    '%s is public',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  it.each([
    ...['127.0.0.1', '127.255.0.1', '0.0.0.0', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ...['169.254.169.254', '100.64.0.1', '192.0.0.8', '198.18.0.1', '224.0.0.1', '255.255.255.255', '203.0.113.9'],
    ...['::1', '::', 'fe80::1', 'fd00:ec2::254', 'ff02::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '64:ff9b::7f00:1'],
    ...['2002:7f00:1::', '2001:0:1::', '2001:db8::1', 'fec0::1'],
  ])('%s is not', (address) => expect(isPublicAddress(address)).toBe(false));

  it.each([
    ['https://example.com/hook?x=1', null],
    ['http://8.8.8.8:81/', null],
    ['ftp://example.com/', /https/],
    ['file:///etc/passwd', /https/],
    ['javascript:alert(1)', /https/],
    ['/hook', /no URL/],
    [`https://example.com/${'a'.repeat(2000)}`, /2000/],
    ['https://user:pw@example.com/', /password/],
    ['https://example.com/#part', /fragment/],
    ['http://127.0.0.1/', /127\.0\.0\.1 is no public/],
    ['http://2130706433/', /127\.0\.0\.1 is no public/],
    ['http://0x7f.1/', /127\.0\.0\.1 is no public/],
    ['http://0177.0.0.1/', /127\.0\.0\.1 is no public/],
    ['http://[::1]:8080/', /::1 is no public/],
    ['http://[::ffff:10.0.0.1]/', /is no public/],
  ])('%s: %s', (url, problem) => {
    const found = webhookUrlProblem(url, isPublicAddress);
    if (problem === null) expect(found).toBeNull();
    else expect(found).toMatch(problem);
  });
});

describe('sending a webhook', () => {
  it('posts the body with its headers, and tells the status', async () => {
    let got: { request: IncomingMessage; body: string } | null = null;
    const port = await receiving(async (request, response) => {
      let body = '';
      for await (const part of request) body += part;
      got = { request, body };
      response.writeHead(202).end('thanks');
    });
    const answer = await webhookSender(loopback)(to(`http://127.0.0.1:${port}/hook?x=1`, '{"ü":1}'), never);
    expect(answer).toEqual({ status: 202, retryAfterMs: null });
    expect(got!.body).toBe('{"ü":1}');
    expect(got!.request).toMatchObject({ method: 'POST', url: '/hook?x=1' });
    expect(got!.request.headers).toMatchObject({ 'parley-event': 'test', 'content-length': '8' });
  });

  it('does not follow redirects, and tells how long the receiver wants it to wait', async () => {
    let asked = 0;
    const port = await receiving((_request, response) => {
      asked++;
      response.writeHead(307, { Location: '/elsewhere', 'Retry-After': '7' }).end();
    });
    const answer = await webhookSender(loopback)(to(`http://127.0.0.1:${port}/`), never);
    expect([answer, asked]).toEqual([{ status: 307, retryAfterMs: 7000 }, 1]);
  });

  it('connects to no address that is not allowed, though a name leads there', async () => {
    let connections = 0;
    const server = createServer().on('connection', () => connections++);
    const port = await listening(server);
    const send = webhookSender(isPublicAddress);
    expect(await send(to(`http://127.0.0.1:${port}/`), never)).toEqual({ error: '127.0.0.1 is not allowed' });
    expect(await send(to(`http://localhost:${port}/`), never)).toEqual({
      error: 'localhost leads to no address that is allowed',
    });
    expect(connections).toBe(0);
    // The same name, where its address is allowed.
    server.on('request', (_request, response) => response.end());
    expect(await webhookSender(loopback)(to(`http://localhost:${port}/`), never)).toMatchObject({ status: 200 });
  });

  it('takes a switch to another protocol for a failure, and goes on', async () => {
    const port = await listening(
      createTcpServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', () => socket.write('HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n'));
      }),
    );
    const answer = await webhookSender(loopback)(to(`http://127.0.0.1:${port}/`), never);
    expect(answer).toEqual({ error: 'the connection closed without an answer' });
  });

  it('does not wait for who never answers', async () => {
    const port = await listening(createTcpServer(() => {}));
    const answer = await webhookSender(loopback, 50)(to(`http://127.0.0.1:${port}/`), never);
    expect(answer).toEqual({ error: 'no answer within 50 ms' });
  });

  it('reads nothing of an answer without end', async () => {
    const server = createServer((_request, response) => {
      const more = () => {
        while (response.write('x'.repeat(65_536)));
        response.once('drain', more);
      };
      more();
    });
    const port = await listening(server);
    const closed = new Promise((resolve) => server.once('connection', (socket) => socket.once('close', resolve)));
    expect(await webhookSender(loopback)(to(`http://127.0.0.1:${port}/`), never)).toMatchObject({ status: 200 });
    await closed;
  });

  it('says why it cannot connect, what is no HTTP, and ends when it is told to', async () => {
    const port = await listening(createTcpServer((socket) => socket.end('SSH-2.0-x\r\n')));
    const send = webhookSender(loopback);
    expect(await send(to(`http://127.0.0.1:${port}/`), never)).toMatchObject({
      error: expect.stringContaining('Parse'),
    });
    expect(await send(to('http://127.0.0.1:1/'), never)).toMatchObject({
      error: expect.stringContaining('ECONNREFUSED'),
    });
    const silent = await listening(createTcpServer(() => {}));
    const ending = new AbortController();
    const answer = send(to(`http://127.0.0.1:${silent}/`), ending.signal);
    ending.abort();
    expect(await answer).toMatchObject({ error: expect.stringMatching(/abort/) });
  });
});
