import type { Timers } from '../../timers.ts';
import { canonicalAddress } from './addresses.ts';
import type { Flow, TransportProtocol } from './flow.ts';
import { type ConnectionLimits, StreamConnection, type StreamSocket } from './stream-connection.ts';
import type { TransportEvents } from './transport-events.ts';

/** A socket that somebody connected to us. */
export interface AcceptedSocket extends StreamSocket {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

export interface StreamLimits extends ConnectionLimits {
  maxConnections: number;
  maxConnectionsPerAddress: number;
}

export interface StreamTransportOptions {
  readonly protocol: TransportProtocol;
  readonly timers: Timers;
  readonly limits: StreamLimits;
  readonly events: TransportEvents;
  /** A socket that begins to connect. */
  readonly dial: (address: string, port: number) => StreamSocket;
}

/** The connections of one stream transport, theirs and ours; where sockets come from is not its business. */
export class StreamTransport {
  private readonly options: StreamTransportOptions;
  private readonly connections = new Set<StreamConnection>();
  /** The latest connection to an address and port, to be used again. */
  private readonly byRemote = new Map<string, StreamConnection>();
  private readonly countByAddress = new Map<string, number>();
  private readonly events: TransportEvents;
  private closing: (() => void) | null = null;

  constructor(options: StreamTransportOptions) {
    this.options = options;
    const { events } = options;
    this.events = {
      message: (bytes, flow) => events.message(bytes, flow),
      malformed: (error, flow) => events.malformed(error, flow),
      failed: (flow, reason) => this.gone(flow, reason),
    };
  }

  get size(): number {
    return this.connections.size;
  }

  /** Takes a socket, or refuses it by closing it. */
  accept(socket: AcceptedSocket): void {
    const address = canonicalAddress(socket.remoteAddress ?? '');
    const { maxConnections, maxConnectionsPerAddress } = this.options.limits;
    const tooMany =
      this.connections.size >= maxConnections || (this.countByAddress.get(address) ?? 0) >= maxConnectionsPerAddress;
    // It may be gone already, and then has no address.
    if (tooMany || address === '' || this.closing !== null) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    this.add(socket, address, socket.remotePort ?? 0);
  }

  /** The open connection to that address and port, or one that begins to open; it can be sent over at once. */
  connect(address: string, port: number): StreamConnection {
    const known = this.byRemote.get(`${canonicalAddress(address)} ${port}`);
    if (known?.open) return known;
    return this.add(this.options.dial(address, port), address, port);
  }

  /** Sends what is waiting and closes every connection. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.closing = resolve;
      for (const connection of this.connections) connection.close();
      if (this.connections.size === 0) resolve();
    });
  }

  private add(socket: StreamSocket, address: string, port: number): StreamConnection {
    const { protocol, timers, limits } = this.options;
    const connection = new StreamConnection(
      protocol,
      socket,
      { address, port },
      { timers, limits, events: this.events },
    );
    this.connections.add(connection);
    this.byRemote.set(`${connection.remoteAddress} ${port}`, connection);
    this.countByAddress.set(connection.remoteAddress, (this.countByAddress.get(connection.remoteAddress) ?? 0) + 1);
    return connection;
  }

  private gone(flow: Flow, reason: Error): void {
    const connection = flow as StreamConnection;
    if (!this.connections.delete(connection)) return;
    const remote = `${connection.remoteAddress} ${connection.remotePort}`;
    if (this.byRemote.get(remote) === connection) this.byRemote.delete(remote);
    const count = this.countByAddress.get(connection.remoteAddress)! - 1;
    if (count === 0) this.countByAddress.delete(connection.remoteAddress);
    else this.countByAddress.set(connection.remoteAddress, count);
    this.options.events.failed(connection, reason);
    if (this.connections.size === 0) this.closing?.();
  }
}
