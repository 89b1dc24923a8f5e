import { type ConnectionOptions, connect, createServer } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSelfSigned, type KeyAndCertificate } from '../../../server/certificate/self-signed.ts';
import { parseUri } from '../../../server/sip/message/uri.ts';
import type { Destination } from '../../../server/sip/transport/destination.ts';
import { type Issued, issue } from './certificates.ts';
import { closers, options, tcpPhone, transports, until } from './running-transports.ts';

const PEER = 'proxy.example.com';

let ours: KeyAndCertificate;
let authority: Issued;
/** For a `sip:` URI. */
let theirs: Issued;
beforeAll(async () => {
  ours = await createSelfSigned(['127.0.0.1'], new Date());
  authority = issue('Authority', { issuer: null });
  theirs = issue('theirs', { uris: [`sip:${PEER}`], issuer: authority });
});

const withAlias = (sentBy: string) => options(`SIP/2.0/TLS ${sentBy};rport;alias`);

/** A connection to us with that certificate, or none. */
async function proxyConnection(port: number, shown: KeyAndCertificate | null, more: ConnectionOptions = {}) {
  const identity = shown === null ? {} : { key: shown.key, cert: shown.certificate };
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...identity, ...more });
  const got = { text: '', closed: false };
  socket.on('data', (bytes) => {
    got.text += bytes.toString();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    got.closed = true;
  });
  closers.push(() => socket.destroy());
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  return { socket, got };
}

/** Our transports, and where the proxy listens. */
async function meeting(clientCa: string | null = authority.certificate) {
  const listener = { text: '', connections: 0 };
  const server = createServer({ key: theirs.key, cert: theirs.certificate }, (socket) => {
    listener.connections++;
    socket.on('data', (bytes) => {
      listener.text += bytes.toString();
    });
    socket.on('error', () => {});
    closers.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  const { port } = server.address() as { port: number };
  const to: Destination = { protocol: 'tls', address: '127.0.0.1', port, serverName: PEER };
  const running = await transports({ resolve: async () => [to] }, undefined, {
    ...{ address: '127.0.0.1', port: 0, identity: ours, verification: 'none' },
    clientCa,
  });
  return { ...running, listener, to, sentBy: `${PEER}:${port}` };
}

describe('`alias` of a peer with a certificate (RFC 5923 §8.2)', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'over %s, our requests to its sent-by go over the connection that it opened',
    async (version) => {
      const { layer, heard, tlsPort, to, sentBy, listener } = await meeting();
      const proxy = await proxyConnection(tlsPort, theirs, { maxVersion: version });
      proxy.socket.write(withAlias(sentBy));
      await until(() => heard.received.length === 1);
      const flow = await layer.flowTo(to);
      expect(flow).toBe(heard.received[0]!.flow);
      flow.send(Buffer.from('OPTIONS over yours'));
      await until(() => proxy.got.text === 'OPTIONS over yours');
      expect(layer.connectionCount).toBe(1);
      expect(listener.connections).toBe(0);
      expect(heard.ignored).toEqual([]);
    },
  );

  it('a request within a dialog whose own way is gone goes over it too', async () => {
    const { layer, heard, tlsPort, sentBy } = await meeting();
    const proxy = await proxyConnection(tlsPort, theirs);
    proxy.socket.write(withAlias(sentBy));
    await until(() => heard.received.length === 1);
    layer
      .forRequest(parseUri(`sip:${sentBy};transport=tls`)!, layer.datagrams('127.0.0.1', 9)!)
      ?.send(Buffer.from('BYE'));
    await until(() => proxy.got.text === 'BYE');
    expect(layer.connectionCount).toBe(1);
  });

  it('a sent-by without a port is 5061, and a DNS name in the certificate does as well', async () => {
    const { layer, heard, tlsPort, to } = await meeting();
    const proxy = await proxyConnection(tlsPort, issue('theirs', { hosts: [PEER], issuer: authority }));
    proxy.socket.write(withAlias(PEER));
    await until(() => heard.received.length === 1);
    expect(await layer.flowTo({ ...to, port: 5061 })).toBe(heard.received[0]!.flow);
    expect(await layer.flowTo(to)).not.toBe(heard.received[0]!.flow);
  });

  it('once it is closed a new connection is opened, and the next one of the peer is used again', async () => {
    const { layer, heard, tlsPort, to, sentBy, listener } = await meeting();
    const first = await proxyConnection(tlsPort, theirs);
    first.socket.write(withAlias(sentBy));
    await until(() => heard.received.length === 1);
    first.socket.destroy();
    await until(() => heard.failed.length === 1);
    (await layer.flowTo(to)).send(Buffer.from('OPTIONS'));
    await until(() => listener.text === 'OPTIONS');
    const second = await proxyConnection(tlsPort, theirs);
    second.socket.write(withAlias(sentBy));
    await until(() => heard.received.length === 2);
    expect(await layer.flowTo(to)).toBe(heard.received[1]!.flow);
  });

  it('goes on when our certificate is replaced, for connections before and after', async () => {
    const { layer, heard, tlsPort, to, sentBy } = await meeting();
    const before = await proxyConnection(tlsPort, theirs);
    layer.setIdentity(await createSelfSigned(['renewed.example.com'], new Date()));
    const after = await proxyConnection(tlsPort, theirs);
    expect(after.socket.getPeerCertificate().subject.CN).toBe('renewed.example.com');
    for (const [index, { socket }] of [before, after].entries()) {
      socket.write(withAlias(sentBy));
      await until(() => heard.received.length === index + 1);
      expect(await layer.flowTo(to)).toBe(heard.received[index]!.flow);
    }
  });

  it('without `alias` the connection is not used for other requests', async () => {
    const { layer, heard, tlsPort, to, sentBy, listener } = await meeting();
    const proxy = await proxyConnection(tlsPort, theirs);
    proxy.socket.write(options(`SIP/2.0/TLS ${sentBy};rport`));
    await until(() => heard.received.length === 1);
    (await layer.flowTo(to)).send(Buffer.from('OPTIONS'));
    await until(() => listener.text === 'OPTIONS');
    expect(heard.ignored).toEqual([]);
  });

  it('over TCP it is not heeded', async () => {
    const { layer, heard, tcpPort, to, sentBy, listener } = await meeting();
    const peer = await tcpPhone(tcpPort);
    peer.socket.write(options(`SIP/2.0/TCP ${sentBy};rport;alias`));
    await until(() => heard.received.length === 1);
    const flow = await layer.flowTo({ ...to, protocol: 'tcp' });
    expect(flow).not.toBe(heard.received[0]!.flow);
    await layer.flowTo(to);
    await until(() => listener.connections === 1);
  });
});

describe('`alias` of a peer who has not shown to be sent-by', () => {
  const yesterday = () => Date.now() - 86_400_000;
  const cases: [string, () => KeyAndCertificate | null, RegExp][] = [
    ['no certificate', () => null, /no certificate$/],
    ['that of another domain', () => issue('other', { uris: ['sip:other.example.com'], issuer: authority }), /not for/],
    [
      'a URI of another domain beside the DNS name',
      () => issue('other', { uris: ['sip:other.example.com'], hosts: [PEER], issuer: authority }),
      /not for sent-by$/,
    ],
    ['a wildcard', () => issue('wild', { hosts: ['*.example.com'], issuer: authority }), /not for sent-by$/],
    ['the name as common name alone', () => issue(PEER, { issuer: authority }), /not for sent-by$/],
    [
      'one that an unknown authority signed',
      () => issue('theirs', { uris: [`sip:${PEER}`], issuer: issue('Stranger', { issuer: null }) }),
      /not verified: UNABLE_TO_VERIFY_LEAF_SIGNATURE$/,
    ],
    [
      'one signed by who is no authority',
      () => {
        const chained = issue('theirs', { uris: [`sip:${PEER}`], issuer: theirs });
        return { ...chained, certificate: chained.certificate + theirs.certificate };
      },
      /not verified: /,
    ],
    [
      'one that has expired',
      () => issue('theirs', { uris: [`sip:${PEER}`], issuer: authority, untilMs: yesterday() }),
      /not verified: CERT_HAS_EXPIRED$/,
    ],
  ];

  it.each(cases)('with %s: a new connection is opened', async (_what, identity, reason) => {
    const { layer, heard, tlsPort, to, sentBy, listener } = await meeting();
    const proxy = await proxyConnection(tlsPort, identity());
    proxy.socket.write(withAlias(sentBy));
    proxy.socket.write(withAlias(sentBy));
    await until(() => heard.received.length === 2);
    expect(heard.ignored).toEqual([expect.stringMatching(reason)]);
    expect(heard.ignored[0]).toContain(sentBy);
    const flow = await layer.flowTo(to);
    expect(flow).not.toBe(heard.received[0]!.flow);
    flow.send(Buffer.from('OPTIONS'));
    await until(() => listener.text === 'OPTIONS');
    expect(proxy.got).toEqual({ text: '', closed: false });
  });

  it('nobody is asked where no authority is known: a certificate that is good would not be seen', async () => {
    const { layer, heard, tlsPort, to, sentBy } = await meeting(null);
    const proxy = await proxyConnection(tlsPort, theirs);
    proxy.socket.write(withAlias(sentBy));
    await until(() => heard.received.length === 1);
    expect(heard.ignored).toEqual([`${sentBy}: certificates are not asked for`]);
    expect(await layer.flowTo(to)).not.toBe(heard.received[0]!.flow);
  });

  it('a session that is resumed without a certificate shows none', async () => {
    const { heard, tlsPort, sentBy } = await meeting();
    const first = await proxyConnection(tlsPort, null, { maxVersion: 'TLSv1.3' });
    const session = await new Promise<Buffer>((resolve) => first.socket.once('session', resolve));
    const again = await proxyConnection(tlsPort, null, { session });
    expect(again.socket.isSessionReused()).toBe(true);
    again.socket.write(withAlias(sentBy));
    await until(() => heard.received.length === 1);
    expect(heard.ignored).toEqual([`${sentBy}: no certificate`]);
  });
});
