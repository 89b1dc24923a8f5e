import { constants } from 'node:crypto';
import { createServer, isIP, type Server, type Socket } from 'node:net';
import {
  connect,
  createSecureContext,
  createServer as createTlsServer,
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls';
import type { Via } from '../message/via.ts';
import { ConnectionAliases } from './connection-aliases.ts';
import type { Flow } from './flow.ts';
import { listenStream, refuseNames } from './listen-stream.ts';
import { NOT_ASKED, peerIdentity } from './peer-identity.ts';
import type { StreamConnection } from './stream-connection.ts';
import { StreamTransport } from './stream-transport.ts';
import type { StreamSurroundings } from './tcp-transport.ts';
import { TlsHandshake } from './tls-handshake.ts';
import type { TransportEvents } from './transport-events.ts';

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
  /** In PEM, of those who sign the certificates of peers that connect to us; null: peers are not asked for certificates. */
  readonly clientCa?: string | null;
}

/** RFC 8996 retired those before. */
const MIN_VERSION: SecureVersion = 'TLSv1.2';

/**
 * SIP over TLS (RFC 3261 §26.2, RFC 5630): as TCP, with our certificate on both kinds of connection. Where peers are
 * asked for theirs, they need not have one.
 */
export class TlsTransport {
  readonly localAddress: string;
  readonly localPort: number;
  readonly connections: StreamTransport;
  private readonly server: Server;
  /** Makes the handshakes, as only such a server tells whether a certificate is verified; it does not listen itself. */
  private readonly secured: TlsServer;
  private readonly surroundings: TlsSurroundings;
  private readonly aliases = new ConnectionAliases();
  /** Those being made, by both ends: the server that makes them does not say of which socket a secured one is. */
  private readonly handshakes = new Map<string, TlsHandshake>();
  private context: SecureContext;

  /** Rejects when the port is taken, the address is not ours, or the identity cannot be used. */
  static async listen(address: string, port: number, surroundings: TlsSurroundings): Promise<TlsTransport> {
    const secured = createTlsServer({
      ...serverOptions(surroundings.identity, surroundings.clientCa),
      // A phone that has none may ask its user, and wait (linphone): so nobody is asked without need.
      requestCert: hasClientCa(surroundings),
      rejectUnauthorized: false,
    });
    const server = createServer();
    return new TlsTransport(server, secured, await listenStream(server, address, port), surroundings);
  }

  private constructor(
    server: Server,
    secured: TlsServer,
    bound: { address: string; port: number },
    surroundings: TlsSurroundings,
  ) {
    this.localAddress = bound.address;
    this.localPort = bound.port;
    this.server = server;
    this.secured = secured;
    this.surroundings = surroundings;
    this.context = createSecureContext(contextOptions(surroundings.identity));
    this.connections = new StreamTransport({
      ...surroundings,
      events: this.withoutAliasesOfFailed(surroundings.events),
      protocol: 'tls',
      dial: (host, port, serverName) => this.dial(host, port, serverName),
    });
    server.on('connection', (socket) => this.accept(socket));
    secured.on('secureConnection', (socket) => this.secure(socket));
    secured.on('tlsClientError', (error, socket) => this.handshakes.get(endsOf(socket))?.fail(error));
  }

  /** For connections from now on; those that are open keep theirs. */
  setIdentity(identity: TlsIdentity): void {
    this.context = createSecureContext(contextOptions(identity));
    this.secured.setSecureContext(serverOptions(identity, this.surroundings.clientCa));
  }

  /**
   * A connection to that address and port, to be sent over at once: one of the peer's own, where the peer has shown to be
   * that name and allows it (RFC 5923 §8.2); else one of ours that is open, or begins to open.
   */
  flowTo(address: string, port: number, serverName: string | null = null): StreamConnection {
    const alias = serverName === null ? null : this.aliases.find(serverName, port);
    return alias ?? this.connections.connect(address, port, serverName);
  }

  /** Heeds `alias` in the topmost Via of a request that came over `flow`. Gives why it is ignored, once; else null. */
  honourAlias(via: Via, flow: Flow): string | null {
    return this.aliases.honour(via, flow);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    await this.connections.close();
    await closed;
  }

  private withoutAliasesOfFailed(events: TransportEvents): TransportEvents {
    return {
      message: (bytes, flow) => events.message(bytes, flow),
      sent: (bytes, flow) => events.sent(bytes, flow),
      malformed: (error, flow) => events.malformed(error, flow),
      failed: (flow, reason) => {
        this.aliases.remove(flow);
        events.failed(flow, reason);
      },
    };
  }

  /** Limits count before the handshake, which costs us more than the other side. */
  private accept(socket: Socket): void {
    if (!this.connections.admits(socket.remoteAddress)) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    const { timers, limits } = this.surroundings;
    const ends = endsOf(socket);
    const gone = (handshake: TlsHandshake, reason: Error) => {
      if (this.handshakes.get(ends) === handshake) this.handshakes.delete(ends);
      this.connections.abandon(handshake, reason);
    };
    const handshake = new TlsHandshake(socket, { timers, limitMs: limits.firstMessageMs, gone });
    this.handshakes.set(ends, handshake);
    this.connections.begin(handshake);
    this.secured.emit('connection', socket);
  }

  private secure(socket: TLSSocket): void {
    const ends = endsOf(socket);
    const handshake = this.handshakes.get(ends);
    if (!handshake?.open) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    this.handshakes.delete(ends);
    handshake.made();
    const identity = hasClientCa(this.surroundings) ? peerIdentity(socket) : NOT_ASKED;
    this.aliases.add(this.connections.finish(handshake, socket), identity);
  }

  /** The name that must be in the certificate is the one that was dialled, not what DNS made of it (RFC 5922 §7.2). */
  private dial(host: string, port: number, serverName: string | null): TLSSocket {
    const named = serverName !== null && isIP(serverName) === 0;
    const { verification } = this.surroundings;
    const verify = verification === 'all' || (verification === 'names' && named);
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

function contextOptions({ key, certificate }: TlsIdentity): SecureContextOptions {
  // A client could have us renegotiate without end, which costs us more than it; nobody needs that (CVE-2011-1473).
  const secureOptions = constants.SSL_OP_NO_RENEGOTIATION;
  return { key, cert: certificate, minVersion: MIN_VERSION, secureOptions };
}

function hasClientCa({ clientCa }: TlsSurroundings): boolean {
  return clientCa !== undefined && clientCa !== null;
}

function serverOptions(identity: TlsIdentity, clientCa: string | null | undefined): SecureContextOptions {
  return clientCa ? { ...contextOptions(identity), ca: clientCa } : contextOptions(identity);
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
