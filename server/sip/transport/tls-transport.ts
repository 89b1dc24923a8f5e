import { constants } from 'node:crypto';
import { createServer, isIP, type Server, type Socket } from 'node:net';
import { connect, createSecureContext, type SecureContext, type SecureVersion, TLSSocket } from 'node:tls';
import { listenStream, refuseNames } from './listen-stream.ts';
import { StreamTransport } from './stream-transport.ts';
import type { StreamSurroundings } from './tcp-transport.ts';

/** Both in PEM; the certificate with those that lead to its root. */
export interface TlsIdentity {
  readonly key: string;
  readonly certificate: string;
}

/** Whose certificates are checked when we connect: everybody's, theirs whom we reach by a name, or nobody's. */
export type TlsVerification = 'all' | 'names' | 'none';

export interface TlsSurroundings extends StreamSurroundings {
  readonly identity: TlsIdentity;
  readonly verification: TlsVerification;
}

/** RFC 8996 retired those before. */
const MIN_VERSION: SecureVersion = 'TLSv1.2';

/** SIP over TLS (RFC 3261 §26.2, RFC 5630): as TCP, with our certificate on both kinds of connection. */
export class TlsTransport {
  readonly localAddress: string;
  readonly localPort: number;
  readonly connections: StreamTransport;
  private readonly server: Server;
  private readonly verification: TlsVerification;
  private context: SecureContext;

  /** Rejects when the port is taken, the address is not ours, or the identity cannot be used. */
  static async listen(address: string, port: number, surroundings: TlsSurroundings): Promise<TlsTransport> {
    const context = contextOf(surroundings.identity);
    const server = createServer();
    return new TlsTransport(server, await listenStream(server, address, port), context, surroundings);
  }

  private constructor(
    server: Server,
    bound: { address: string; port: number },
    context: SecureContext,
    surroundings: TlsSurroundings,
  ) {
    this.localAddress = bound.address;
    this.localPort = bound.port;
    this.server = server;
    this.context = context;
    this.verification = surroundings.verification;
    this.connections = new StreamTransport({
      ...surroundings,
      protocol: 'tls',
      dial: (host, port, serverName) => this.dial(host, port, serverName),
    });
    server.on('connection', (socket) => this.accept(socket));
  }

  /** For connections from now on; those that are open keep theirs. */
  setIdentity(identity: TlsIdentity): void {
    this.context = contextOf(identity);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    await this.connections.close();
    await closed;
  }

  /** Limits count before the handshake, which costs us more than the other side. */
  private accept(socket: Socket): void {
    if (this.connections.admits(socket.remoteAddress)) {
      this.connections.accept(new TLSSocket(socket, { isServer: true, secureContext: this.context }));
    } else {
      socket.on('error', () => {});
      socket.destroy();
    }
  }

  /** The name that must be in the certificate is the one that was dialled, not what DNS made of it (RFC 5922 §7.2). */
  private dial(host: string, port: number, serverName: string | null): TLSSocket {
    const named = serverName !== null && isIP(serverName) === 0;
    const verify = this.verification === 'all' || (this.verification === 'names' && named);
    return connect({
      host,
      port,
      lookup: refuseNames,
      secureContext: this.context,
      rejectUnauthorized: verify,
      ...(named ? { servername: serverName } : {}),
    });
  }
}

function contextOf({ key, certificate }: TlsIdentity): SecureContext {
  // A client could have us renegotiate without end, which costs us more than it; nobody needs that (CVE-2011-1473).
  const secureOptions = constants.SSL_OP_NO_RENEGOTIATION;
  return createSecureContext({ key, cert: certificate, minVersion: MIN_VERSION, secureOptions });
}
