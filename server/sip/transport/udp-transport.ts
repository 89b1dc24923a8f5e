import type { RemoteInfo, Socket } from 'node:dgram';
import { addressFor, canonicalAddress } from './addresses.ts';
import { bindUdpSocket } from './bind-udp-socket.ts';
import type { Flow } from './flow.ts';
import { answerStun } from './stun-keep-alive.ts';
import type { TransportEvents } from './transport-events.ts';

/** A burst of some thousand requests fits while we are busy; the kernel may allow less. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** SIP over UDP: one socket, one datagram a message (RFC 3261 §18). */
export class UdpTransport {
  readonly localAddress: string;
  readonly localPort: number;
  private readonly socket: Socket;
  private readonly family: 4 | 6;
  private readonly events: TransportEvents;
  private closed = false;

  /** Rejects when the port is taken, or the address is not ours. */
  static async listen(address: string, port: number, events: TransportEvents): Promise<UdpTransport> {
    return new UdpTransport(await bindUdpSocket(address, port), events);
  }

  private constructor(socket: Socket, events: TransportEvents) {
    const { address, port, family } = socket.address();
    this.localAddress = address;
    this.localPort = port;
    this.family = family === 'IPv6' ? 6 : 4;
    this.socket = socket;
    this.events = events;
    try {
      socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
    } catch {
      // Some systems refuse a size instead of cutting it; theirs is used then.
    }
    socket.on('message', (bytes, remote) => this.receive(bytes, remote));
    // What can fail is reported by `send`; the socket goes on.
    socket.on('error', () => {});
  }

  /** Null when the address is not one, or of a family that this socket cannot send to. */
  flowTo(address: string, port: number): Flow | null {
    const target = addressFor(this.family, address);
    if (target === null || port < 1 || port > 65_535) return null;
    return new UdpFlow(this, canonicalAddress(address), port, target);
  }

  send(flow: UdpFlow, bytes: Uint8Array): void {
    if (this.closed) return;
    this.socket.send(bytes, flow.remotePort, flow.target, flow.sent);
    this.events.sent(bytes, flow);
  }

  report(flow: Flow, reason: Error): void {
    if (!this.closed) this.events.failed(flow, reason);
  }

  close(): Promise<void> {
    if (this.closed) return Promise.resolve();
    this.closed = true;
    return new Promise((resolve) => this.socket.close(() => resolve()));
  }

  private receive(bytes: Buffer, remote: RemoteInfo): void {
    // Nobody can be answered at port 0.
    if (this.closed || remote.port === 0 || isKeepAlive(bytes)) return;
    const stun = answerStun(bytes, canonicalAddress(remote.address), remote.port);
    if (stun !== null) {
      this.socket.send(stun, remote.port, remote.address, () => {});
      return;
    }
    this.events.message(bytes, new UdpFlow(this, canonicalAddress(remote.address), remote.port, remote.address));
  }
}

/** What phones send to keep a NAT's binding: line ends, zeros or nothing. */
function isKeepAlive(bytes: Buffer): boolean {
  if (bytes.length > 8) return false;
  for (const byte of bytes) {
    if (byte !== 0 && byte !== 10 && byte !== 13 && byte !== 32) return false;
  }
  return true;
}

class UdpFlow implements Flow {
  readonly protocol = 'udp';
  readonly reliable = false;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The remote address in the form that the socket takes. */
  readonly target: string;
  private readonly transport: UdpTransport;

  constructor(transport: UdpTransport, remoteAddress: string, remotePort: number, target: string) {
    this.transport = transport;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.target = target;
  }

  get id(): string {
    return `udp-${this.localAddress}:${this.localPort}-${this.remoteAddress}:${this.remotePort}`;
  }

  get localAddress(): string {
    return this.transport.localAddress;
  }

  get localPort(): number {
    return this.transport.localPort;
  }

  get open(): boolean {
    return true;
  }

  send(bytes: Uint8Array): void {
    this.transport.send(this, bytes);
  }

  readonly sent = (error: Error | null): void => {
    if (error) this.transport.report(this, error);
  };
}
