import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import type { Timers } from '../../timers.ts';
import { CONNECTION_LIMITS } from './stream-connection.ts';
import { type StreamLimits, StreamTransport } from './stream-transport.ts';
import type { TransportEvents } from './transport-events.ts';

export const STREAM_LIMITS: StreamLimits = {
  ...CONNECTION_LIMITS,
  maxConnections: 8192,
  /** Many phones can be behind one address. */
  maxConnectionsPerAddress: 1024,
};

/** SIP over TCP: the listening socket, and the connections in both directions (RFC 3261 §18). */
export class TcpTransport {
  readonly localAddress: string;
  readonly localPort: number;
  readonly connections: StreamTransport;
  private readonly server: Server;

  /** Rejects when the port is taken, or the address is not ours. */
  static async listen(
    address: string,
    port: number,
    surroundings: { timers: Timers; events: TransportEvents; limits: StreamLimits },
  ): Promise<TcpTransport> {
    const connections = new StreamTransport({
      ...surroundings,
      protocol: 'tcp',
      dial: (host, toPort) => connect({ host, port: toPort, lookup: refuseNames }),
    });
    const server = createServer((socket) => connections.accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host: address, backlog: 1024 }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    return new TcpTransport(server, connections);
  }

  private constructor(server: Server, connections: StreamTransport) {
    const bound = server.address() as AddressInfo;
    this.localAddress = bound.address;
    this.localPort = bound.port;
    this.server = server;
    this.connections = connections;
    // Accepting failed (no more file descriptors): the caller sees it, and we go on.
    server.on('error', () => {});
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    await this.connections.close();
    await closed;
  }
}

/** Names are resolved by RFC 3263 before a transport sees them. */
function refuseNames(
  host: string,
  _options: unknown,
  found: (error: Error, address: string, family: number) => void,
): void {
  found(new Error(`${host} is not an address`), '', 0);
}
