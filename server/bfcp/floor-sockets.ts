import type { Socket as UdpSocket } from 'node:dgram';
import { connect, createServer, type Server } from 'node:net';
import { addressFor, canonicalAddress } from '../sip/transport/addresses.ts';
import { bindUdpSocket } from '../sip/transport/bind-udp-socket.ts';
import { Connections } from '../sip/transport/connections.ts';
import { listenStream, refuseNames } from '../sip/transport/listen-stream.ts';
import type { Timers } from '../timers.ts';
import { FloorConnection } from './floor-connection.ts';
import type { Path } from './path.ts';

export interface FloorSocketsOptions {
  readonly timers: Timers;
  /** A datagram, or one message of a connection. False: a connection that brought it is closed. */
  readonly message: (bytes: Uint8Array, path: Path) => boolean;
  /** A connection has gone, or could not be made. */
  readonly closed: (path: Path) => void;
}

/** One for each call; many phones can be behind one address. */
const LIMITS = { maxConnections: 4096, maxConnectionsPerAddress: 256 };

/** Where phones reach the floor control server: one port, UDP and TCP. */
export class FloorSockets {
  readonly port: number;
  private readonly udp: UdpSocket;
  private readonly tcp: Server;
  private readonly family: 4 | 6;
  private readonly connections: Connections<FloorConnection>;
  private readonly options: FloorSocketsOptions;

  /** Rejects when the port is taken, or the address is not ours. */
  static async listen(address: string, port: number, options: FloorSocketsOptions): Promise<FloorSockets> {
    const tcp = createServer();
    const bound = await listenStream(tcp, address, port);
    try {
      return new FloorSockets(await bindUdpSocket(address, bound.port), tcp, bound.port, options);
    } catch (error) {
      tcp.close();
      throw error;
    }
  }

  private constructor(udp: UdpSocket, tcp: Server, port: number, options: FloorSocketsOptions) {
    this.udp = udp;
    this.tcp = tcp;
    this.port = port;
    this.options = options;
    this.family = udp.address().family === 'IPv6' ? 6 : 4;
    this.connections = new Connections(LIMITS);
    tcp.on('connection', (socket) => {
      const from = canonicalAddress(socket.remoteAddress ?? '');
      if (this.connections.admits(from)) this.add(socket, from, socket.remotePort ?? 0);
      else socket.on('error', () => {}).destroy();
    });
    udp.on('message', (bytes, { address, port: from }) => {
      // Nobody can be answered at port 0.
      if (from !== 0) options.message(bytes, new DatagramPath(udp, address, from));
    });
    // What cannot be sent is lost, as on the way; it comes again.
    udp.on('error', () => {});
  }

  /** Opens a connection; `closed` is told when it cannot be made. */
  connect(address: string, port: number): Path {
    const host = addressFor(this.family, address) ?? address;
    return this.add(connect({ host, port, lookup: refuseNames }), address, port);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.tcp.close(() => resolve()));
    await this.connections.close();
    await Promise.all([closed, new Promise<void>((resolve) => this.udp.close(resolve))]);
  }

  private add(socket: ReturnType<typeof connect>, address: string, port: number): FloorConnection {
    const { timers, message } = this.options;
    const closed = (gone: FloorConnection): void => {
      this.connections.remove(gone);
      this.options.closed(gone);
    };
    const connection = new FloorConnection(socket, { address, port }, { timers, message, closed });
    this.connections.add(connection);
    return connection;
  }
}

class DatagramPath implements Path {
  readonly reliable = false;
  readonly remoteAddress: string;
  readonly remotePort: number;
  private readonly socket: UdpSocket;
  private readonly target: string;

  constructor(socket: UdpSocket, target: string, port: number) {
    this.socket = socket;
    this.target = target;
    this.remoteAddress = canonicalAddress(target);
    this.remotePort = port;
  }

  send(bytes: Uint8Array): void {
    this.socket.send(bytes, this.remotePort, this.target, () => {});
  }

  close(): void {}
}
