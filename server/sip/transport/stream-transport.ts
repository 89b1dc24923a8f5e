import type { Timers } from '../../timers.ts';
import { canonicalAddress } from './addresses.ts';
import { type Connection, type ConnectionCountLimits, Connections } from './connections.ts';
import type { Flow, TransportProtocol } from './flow.ts';
import { type ConnectionLimits, StreamConnection, type StreamSocket } from './stream-connection.ts';
import type { TransportEvents } from './transport-events.ts';

/** A socket that somebody connected to us. */
export interface AcceptedSocket extends StreamSocket {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

export interface StreamLimits extends ConnectionLimits, ConnectionCountLimits {}

export interface StreamTransportOptions {
  readonly protocol: TransportProtocol;
  readonly timers: Timers;
  readonly limits: StreamLimits;
  readonly events: TransportEvents;
  /** A socket that begins to connect; `serverName` is what its certificate must be for. */
  readonly dial: (address: string, port: number, serverName: string | null) => StreamSocket;
}

/** The connections of one stream transport, theirs and ours; where sockets come from is not its business. */
export class StreamTransport {
  private readonly options: StreamTransportOptions;
  private readonly connections: Connections<Connection>;
  /** The latest connection to an address and port, to be used again (RFC 5923 §5). */
  private readonly byRemote = new Map<string, StreamConnection>();
  private readonly events: TransportEvents;

  constructor(options: StreamTransportOptions) {
    this.options = options;
    this.connections = new Connections(options.limits);
    const { events } = options;
    this.events = {
      message: (bytes, flow) => events.message(bytes, flow),
      sent: (bytes, flow) => events.sent(bytes, flow),
      malformed: (error, flow) => events.malformed(error, flow),
      failed: (flow, reason) => this.gone(flow, reason),
    };
  }

  get size(): number {
    return this.connections.size;
  }

  /** The connection of that id, while there is one. */
  get(id: string): Flow | undefined {
    return this.connections.get(id);
  }

  /** Whether a socket from there would be taken. */
  admits(address: string | undefined): boolean {
    return this.connections.admits(canonicalAddress(address ?? ''));
  }

  /** Takes a socket, or refuses it by closing it. */
  accept(socket: AcceptedSocket): void {
    if (!this.admits(socket.remoteAddress)) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    this.add(socket, socket.remoteAddress!, socket.remotePort ?? 0, null);
  }

  /** Counts a connection to us that still makes its handshake; `admits` was asked before. */
  begin(handshake: Connection): void {
    this.connections.add(handshake);
  }

  /** Its handshake failed. */
  abandon(handshake: Connection, reason: Error): void {
    if (this.connections.remove(handshake)) this.options.events.failed(handshake, reason);
  }

  /** Its handshake is made: the socket takes its place. */
  finish(handshake: Connection, socket: StreamSocket): StreamConnection {
    const connection = this.add(socket, handshake.remoteAddress, handshake.remotePort, null);
    this.connections.remove(handshake);
    return connection;
  }

  /**
   * The open connection to that address and port, or one that begins to open; it can be sent over at once.
   * With a name whose certificate is wanted, only one that was opened for that name.
   */
  connect(address: string, port: number, serverName: string | null = null): StreamConnection {
    const known = this.byRemote.get(remoteKey(canonicalAddress(address), port, serverName));
    if (known?.open) return known;
    return this.add(this.options.dial(address, port, serverName), address, port, serverName);
  }

  /** Sends what is waiting and closes every connection. */
  close(): Promise<void> {
    return this.connections.close();
  }

  private add(socket: StreamSocket, address: string, port: number, serverName: string | null): StreamConnection {
    const { protocol, timers, limits } = this.options;
    const surroundings = { timers, limits, events: this.events };
    const connection = new StreamConnection(protocol, socket, { address, port, serverName }, surroundings);
    this.connections.add(connection);
    this.byRemote.set(keyOf(connection), connection);
    return connection;
  }

  private gone(flow: Flow, reason: Error): void {
    const connection = flow as StreamConnection;
    if (this.byRemote.get(keyOf(connection)) === connection) this.byRemote.delete(keyOf(connection));
    if (this.connections.remove(connection)) this.options.events.failed(connection, reason);
  }
}

function keyOf({ remoteAddress, remotePort, serverName }: StreamConnection): string {
  return remoteKey(remoteAddress, remotePort, serverName);
}

function remoteKey(address: string, port: number, serverName: string | null): string {
  return `${address} ${port} ${serverName ?? ''}`;
}
