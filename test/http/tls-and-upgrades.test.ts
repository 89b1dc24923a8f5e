import { get } from 'node:https';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createSelfSigned } from '../../server/certificate/self-signed.ts';
import { startApi } from './running-api.ts';

/** Sends a request to upgrade, and gives all that comes back. */
function upgrade(port: number, path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let got = '';
    socket.on('data', (bytes) => {
      got += bytes.toString();
    });
    socket.on('close', () => resolve(got));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
  });
}

describe('requests to upgrade', () => {
  const taken: string[] = [];
  const sip = {
    path: '/sip',
    take(request: { url?: string | undefined }, stream: Duplex) {
      taken.push(request.url ?? '');
      stream.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    },
  };

  it('go to the one who takes them at their path', async () => {
    const { port } = await startApi({}, { upgrade: sip });
    expect(await upgrade(port, '/sip?from=here')).toMatch(/^HTTP\/1\.1 101 /);
    expect(taken).toEqual(['/sip?from=here']);
  });

  it('to anywhere else are answered 404 with a problem document', async () => {
    for (const more of [{}, { upgrade: sip }]) {
      const { port } = await startApi({}, more);
      const answer = await upgrade(port, '/api/v1/rooms');
      expect(answer).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
      expect(answer).toContain('"code":"not-found"');
    }
  });

  it('to anywhere else are closed when they are answered, also where the other side would leave them open', async () => {
    const { port } = await startApi();
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    // What is sent to a connection that is gone comes back as an error.
    socket.on('error', () => {});
    const sending = setInterval(() => socket.write('still here'), 5);
    socket.on('data', () => {});
    socket.write('GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await closed;
    clearInterval(sending);
    expect(socket.destroyed).toBe(true);
  });

  it('without being one, the path is not there', async () => {
    const { call } = await startApi({}, { upgrade: sip });
    expect(await call('GET', '/sip')).toMatchObject({ status: 404 });
  });
});

describe('HTTPS', () => {
  const status = (port: number, ca: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port, path: '/healthz', ca, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });

  it('answers with the certificate that it was given, and with the next one after that', async () => {
    const first = await createSelfSigned(['127.0.0.1'], new Date());
    const second = await createSelfSigned(['127.0.0.1'], new Date());
    const { http, port } = await startApi({}, { tls: first });
    expect(await status(port, first.certificate)).toBe(200);
    http.setIdentity(second);
    expect(await status(port, second.certificate)).toBe(200);
    await expect(status(port, first.certificate)).rejects.toThrow('self-signed');
  });

  it('speaks TLS 1.2 at least, and nothing in the clear', async () => {
    const { port } = await startApi({}, { tls: await createSelfSigned(['127.0.0.1'], new Date()) });
    const old = await new Promise<string>((resolve) => {
      const options = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
      const socket: TLSSocket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
      socket.on('error', (error) => resolve(error.message));
      socket.on('secureConnect', () => resolve('connected'));
    });
    expect(old).toMatch(/protocol version/i);
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  });
});
