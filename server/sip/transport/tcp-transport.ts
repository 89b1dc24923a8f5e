import { connect, createServer, type Server } from 'node:net';
import type { Timers } from '../../timers.ts';
import { listenStream, refuseNames } from './listen-stream.ts';
import { CONNECTION_LIMITS } from './stream-connection.ts';
import { type StreamLimits, StreamTransport } from './stream-transport.ts';
import type { TransportEvents } from './transport-events.ts';

export const STREAM_LIMITS: StreamLimits = {
  ...CONNECTION_LIMITS,
  maxConnections: 8192,
  /** Many phones can be behind one address. */
  maxConnectionsPerAddress: 1024,
};

/** What every transport over connections is given. */
export interface StreamSurroundings {
  readonly timers: Timers;
  readonly events: TransportEvents;
  readonly limits: StreamLimits;
}

/** SIP over TCP: the listening socket, and the connections in both directions (RFC 3261 §18). */
export class TcpTransport {
  readonly localAddress: string;
  readonly localPort: number;
  readonly connections: StreamTransport;
  private readonly server: Server;

  /** Rejects when the port is taken, or the address is not ours. */
  static async listen(address: string, port: number, surroundings: StreamSurroundings): Promise<TcpTransport> {
    const connections = new StreamTransport({
      ...surroundings,
      protocol: 'tcp',
      dial: (host, toPort) => connect({ host, port: toPort, lookup: refuseNames }),
    });
    const server = createServer((socket) => connections.accept(socket));
    const bound = await listenStream(server, address, port);
    return new TcpTransport(server, bound, connections);
  }

  private constructor(server: Server, bound: { address: string; port: number }, connections: StreamTransport) {
    this.localAddress = bound.address;
    this.localPort = bound.port;
    this.server = server;
    this.connections = connections;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    await this.connections.close();
    await closed;
  }
}
