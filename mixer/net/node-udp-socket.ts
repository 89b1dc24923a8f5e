import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { PacketSlot } from './packet-buffers.ts';
import type { PacketHandler, UdpSocket } from './udp-socket.ts';

/** Literal addresses only, so there is nothing to look up: answers at once instead of by way of the DNS thread. */
const literal = (
  address: string,
  _options: unknown,
  found: (error: null, address: string, family: number) => void,
): void => found(null, address, address.includes(':') ? 6 : 4);

const MAPPED_PREFIX = '::ffff:';
/** Kept until somebody asks: what a kernel's buffer holds of media, about. */
const MOST_WAITING = 512;

interface Waiting {
  packet: Uint8Array;
  address: string;
  port: number;
  arrivedMs: number;
}

/** A `UdpSocket` by Node's own, for systems whose calls `SystemUdp` does not know. */
export class NodeUdpSocket implements UdpSocket {
  errors = 0;
  private readonly socket: Socket;
  private readonly handler: PacketHandler;
  private readonly onIpv6: boolean;
  private waiting: Waiting[] = [];
  private connected = false;
  private closed = false;

  static open(address: string, port: number, handler: PacketHandler): Promise<NodeUdpSocket> {
    return new Promise((resolve, reject) => {
      const onIpv6 = address.includes(':');
      const socket = createSocket({ type: onIpv6 ? 'udp6' : 'udp4', lookup: literal as never });
      socket.once('error', (error) => {
        socket.close();
        reject(error);
      });
      socket.bind({ address, port, exclusive: true }, () => {
        socket.removeAllListeners('error');
        resolve(new NodeUdpSocket(socket, onIpv6, handler));
      });
    });
  }

  private constructor(socket: Socket, onIpv6: boolean, handler: PacketHandler) {
    this.socket = socket;
    this.handler = handler;
    this.onIpv6 = onIpv6;
    socket.on('message', (packet, remote) => this.received(packet, remote));
    socket.on('error', () => {
      this.errors++;
    });
  }

  receive(): void {
    if (this.waiting.length === 0) return;
    const received = this.waiting;
    this.waiting = [];
    for (const { packet, address, port, arrivedMs } of received) {
      this.handler(packet, packet.length, address, port, arrivedMs);
    }
  }

  send(packet: PacketSlot, length: number, port: number, address: string): void {
    if (this.closed) return;
    try {
      // Without a callback, which would cost a turn of the event loop for each packet.
      if (this.connected) this.socket.send(packet.first(length));
      else this.socket.send(packet.first(length), port, this.onSocket(address));
    } catch {
      this.errors++;
    }
  }

  connect(port: number, address: string): void {
    this.disconnect();
    if (this.closed) return;
    try {
      this.socket.connect(port, this.onSocket(address));
      // Throws when it could not be: an error that is told by an event comes too late for that.
      this.socket.remoteAddress();
      this.connected = true;
    } catch {
      this.errors++;
    }
  }

  disconnect(): void {
    if (!this.connected) return;
    this.connected = false;
    if (!this.closed) this.socket.disconnect();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.waiting = [];
    this.socket.close();
  }

  private received(packet: Uint8Array, { address, port }: RemoteInfo): void {
    if (this.waiting.length >= MOST_WAITING) this.waiting.shift();
    const mapped = address.startsWith(MAPPED_PREFIX) && address.includes('.');
    const plain = mapped ? address.slice(MAPPED_PREFIX.length) : address;
    this.waiting.push({ packet, address: plain, port, arrivedMs: performance.now() });
  }

  private onSocket(address: string): string {
    return this.onIpv6 && !address.includes(':') ? MAPPED_PREFIX + address : address;
  }
}
