import { connect as connectPlain, createServer as createPlainServer } from 'node:net';
import { type ConnectionOptions, connect, createServer, type TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSelfSigned, type KeyAndCertificate } from '../../../server/certificate/self-signed.ts';
import { createResponse } from '../../../server/sip/message/create-message.ts';
import type { SipRequest } from '../../../server/sip/message/message.ts';
import { writeMessage } from '../../../server/sip/message/write-message.ts';
import type { TransportOptions } from '../../../server/sip/transport/transport-layer.ts';
import { closers, options, transports, until } from './running-transports.ts';

let ours: KeyAndCertificate;
let theirs: KeyAndCertificate;
beforeAll(async () => {
  ours = await createSelfSigned(['sip.example.com', '127.0.0.1'], new Date());
  theirs = await createSelfSigned(['phone.example.com'], new Date());
});

const tlsTransports = (verification: 'all' | 'names' | 'none' = 'names', more: Partial<TransportOptions> = {}) =>
  transports(more, undefined, { address: '127.0.0.1', port: 0, identity: ours, verification });

/** A phone that trusts our certificate, and nobody else's. */
async function tlsPhone(port: number, more: ConnectionOptions = {}) {
  const ca = ours.certificate;
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, servername: 'sip.example.com', ca, ...more });
  const got = { text: '', closed: false, error: '' };
  socket.on('data', (bytes) => {
    got.text += bytes.toString();
  });
  socket.on('error', (error) => {
    got.error = error.message;
  });
  socket.on('close', () => {
    got.closed = true;
  });
  closers.push(() => socket.destroy());
  await until(() => got.closed || (socket.authorized && !socket.connecting));
  return { got, socket };
}

/** Somebody whom we connect to, with `identity`. */
async function tlsServer(identity: () => KeyAndCertificate) {
  const { key, certificate: cert } = identity();
  const heard = { text: '', connections: 0, peer: '' };
  const server = createServer({ key, cert, requestCert: true, rejectUnauthorized: false }, (socket) => {
    heard.connections++;
    heard.peer = String(socket.getPeerCertificate().subject?.CN);
    socket.on('data', (bytes) => {
      heard.text += bytes.toString();
    });
    socket.on('error', () => {});
    closers.push(() => socket.destroy());
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return { heard, port: (server.address() as { port: number }).port };
}

describe('TLS', () => {
  it('brings requests in pieces, and takes answers and pongs back', async () => {
    const { layer, heard, tlsPort } = await tlsTransports();
    const phone = await tlsPhone(tlsPort);
    const text = options('SIP/2.0/TLS 10.9.9.9;rport');
    for (const byte of text.slice(0, 30)) phone.socket.write(byte);
    phone.socket.write(`${text.slice(30)}\r\n\r\n${text.slice(0, 99)}`);
    await until(() => heard.received.length === 1 && phone.got.text === '\r\n');
    phone.socket.write(text.slice(99));
    await until(() => heard.received.length === 2);
    const { message, flow } = heard.received[0]!;
    expect(flow).toMatchObject({ protocol: 'tls', reliable: true, open: true, localPort: tlsPort });
    expect(message.via.parameters.get('received')).toBe('127.0.0.1');
    const response = createResponse(message as SipRequest, 200, { toTag: 't' });
    layer.forResponse(message.via, flow)?.send(writeMessage(response));
    await until(() => phone.got.text.includes('200 OK'));
    expect(layer.connectionCount).toBe(1);
  });

  it('is version 1.2 at least', async () => {
    const { tlsPort } = await tlsTransports();
    // OpenSSL itself wants a lower level of security before it offers the old version at all.
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const phone = await tlsPhone(tlsPort, old);
    expect(phone.got.error).toMatch(/protocol version/i);
    expect((await tlsPhone(tlsPort, { maxVersion: 'TLSv1.2' })).socket.getProtocol()).toBe('TLSv1.2');
    expect((await tlsPhone(tlsPort)).socket.getProtocol()).toBe('TLSv1.3');
  });

  it('is not renegotiated', async () => {
    const { heard, tlsPort } = await tlsTransports();
    const phone = await tlsPhone(tlsPort, { maxVersion: 'TLSv1.2' });
    phone.socket.renegotiate({}, () => {});
    await until(() => phone.got.error !== '');
    expect(phone.got.error).toMatch(/no renegotiation/i);
    await until(() => heard.failed.length === 1);
  });

  it('whoever speaks anything else is cut off', async () => {
    const { layer, tlsPort, heard } = await tlsTransports();
    const plain = connectPlain(tlsPort, '127.0.0.1');
    plain.on('error', () => {});
    plain.write(options('SIP/2.0/TCP 127.0.0.1'));
    await until(() => heard.failed.length === 1);
    expect(heard.received).toEqual([]);
    expect(layer.connectionCount).toBe(0);
  });

  it('a handshake that is not made counts for the limits, and is given up after a minute', async () => {
    const { layer, timers, tlsPort } = await tlsTransports('names', { limits: { maxConnectionsPerAddress: 2 } });
    const idle = [connectPlain(tlsPort, '127.0.0.1'), connectPlain(tlsPort, '127.0.0.1')];
    for (const socket of idle) closers.push(() => socket.destroy());
    await until(() => layer.connectionCount === 2);
    expect((await tlsPhone(tlsPort)).got.closed).toBe(true);
    timers.advance(61_000);
    timers.advance(1_000);
    await until(() => layer.connectionCount === 0);
    expect((await tlsPhone(tlsPort)).got.closed).toBe(false);
  });

  it('a message that drips in is not waited for', async () => {
    const { heard, timers, tlsPort } = await tlsTransports();
    const phone = await tlsPhone(tlsPort);
    phone.socket.write('OPTIONS sip:');
    // The bytes are here when the time for a whole message has begun.
    await until(() => timers.pending >= 2);
    timers.advance(15_000);
    await until(() => phone.got.closed && heard.failed.length === 1);
    expect(heard.failed).toEqual(['A message was not complete in time']);
  });

  it('a header that never ends is refused', async () => {
    const { heard, tlsPort } = await tlsTransports();
    const phone = await tlsPhone(tlsPort);
    phone.socket.write(`OPTIONS sip:a@b SIP/2.0\r\n${'X: y\r\n'.repeat(20_000)}`);
    await until(() => phone.got.closed);
    expect(heard.malformed.map(({ code }) => code)).toEqual(['message-too-large']);
  });

  it('new connections have the new certificate, and open ones go on', async () => {
    const { layer, heard, tlsPort } = await tlsTransports();
    const before = await tlsPhone(tlsPort);
    const renewed = await createSelfSigned(['sip.example.com'], new Date());
    layer.setIdentity(renewed);
    expect((await tlsPhone(tlsPort)).got.error).toMatch(/self-signed/);
    const after = await tlsPhone(tlsPort, { ca: renewed.certificate });
    for (const { socket } of [before, after]) socket.write(options('SIP/2.0/TLS 127.0.0.1'));
    await until(() => heard.received.length === 2);
  });
});

describe('a TLS connection of ours', () => {
  const to = (port: number, serverName: string | null) =>
    ({ protocol: 'tls', address: '127.0.0.1', port, serverName }) as const;

  it('shows our certificate, and is used again for the same name only', async () => {
    const { layer } = await tlsTransports('none');
    const { heard, port } = await tlsServer(() => theirs);
    const flow = await layer.flowTo(to(port, 'phone.example.com'));
    flow.send(Buffer.from('OPTIONS'));
    await until(() => heard.text === 'OPTIONS');
    expect(heard.peer).toBe('sip.example.com');
    expect(await layer.flowTo(to(port, 'phone.example.com'))).toBe(flow);
    expect(await layer.flowTo(to(port, 'other.example.com'))).not.toBe(flow);
    await until(() => heard.connections === 2);
  });

  it('to a name is refused when the certificate is nobody known; to an address it need not be known', async () => {
    const { layer } = await tlsTransports('names');
    const { heard, port } = await tlsServer(() => theirs);
    await expect(layer.flowTo(to(port, 'phone.example.com'))).rejects.toThrow(/self-signed/);
    expect((await layer.flowTo(to(port, null))).open).toBe(true);
    expect((await layer.flowTo(to(port, '127.0.0.1'))).open).toBe(true);
    await until(() => layer.connectionCount === 2);
    expect(heard.text).toBe('');
  });

  it('to an address is refused too when all are verified', async () => {
    const { layer } = await tlsTransports('all');
    const { port } = await tlsServer(() => theirs);
    await expect(layer.flowTo(to(port, null))).rejects.toThrow(/self-signed/);
    await until(() => layer.connectionCount === 0);
  });

  it('that is never answered is given up after five seconds', async () => {
    const { layer, timers } = await tlsTransports('none');
    const silent = createPlainServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    closers.push(() => silent.close());
    const flow = layer.flowTo(to((silent.address() as { port: number }).port, null));
    const refused = expect(flow).rejects.toThrow('not made in time');
    timers.advance(5_000);
    await refused;
  });
});
