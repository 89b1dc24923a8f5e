import { SocketAddress } from 'node:net';
import type { PacketSlot } from './packet-buffers.ts';
import { loadSystemUdp, SOCKET_ADDRESS_BYTES, type SystemUdp } from './system-udp.ts';
import type { PacketHandler, UdpSocket } from './udp-socket.ts';

/** Loaded once a process; null where there is none. */
export const systemUdp: SystemUdp | null = await loadSystemUdp();

const AF_INET = 2;
const MAPPED_PREFIX = '::ffff:';
/** More than a kernel's buffer holds; whoever sends faster than packets are read must not hold up the tick. */
const MOST_AT_A_TIME = 512;

/** A `UdpSocket` by the system's calls. */
export class SystemUdpSocket implements UdpSocket {
  errors = 0;
  private readonly system: SystemUdp;
  private readonly handler: PacketHandler;
  private readonly onIpv6: boolean;
  private fd: number;
  private connected = false;
  private readMs = performance.now();
  /** Where the last packet came from. */
  private readonly source = new Uint32Array(8);
  private sourceAddress = '';
  private sourcePort = 0;
  /** Where the last packet went. */
  private readonly destination = new Uint8Array(SOCKET_ADDRESS_BYTES);
  private destinationLength = 0;
  private destinationAddress = '';
  private destinationPort = 0;

  /** @throws the bind's error. */
  constructor(system: SystemUdp, address: string, port: number, handler: PacketHandler) {
    this.system = system;
    this.handler = handler;
    this.onIpv6 = address.includes(':');
    this.fd = system.open(address, port);
  }

  receive(): void {
    const { system } = this;
    if (this.fd < 0) return;
    let count = system.receive(this.fd);
    // An error takes the place of what was received after it.
    if (count < 0) {
      this.errors++;
      count = system.receive(this.fd);
    }
    if (count <= 0) return;
    const nowMs = performance.now();
    for (let taken = count; count > 0; taken += count) {
      for (let index = 0; index < count; index++) this.received(index, nowMs);
      // The handler may have closed the socket.
      const enough = count < system.mostAtOnce || taken >= MOST_AT_A_TIME || this.fd < 0;
      count = enough ? 0 : system.receive(this.fd);
    }
    this.readMs = nowMs;
  }

  send(packet: PacketSlot, length: number, port: number, address: string): void {
    if (this.fd < 0) return;
    if (!this.connected && !this.leadTo(port, address)) return;
    const { bytes } = packet;
    const sent = this.connected
      ? this.system.send(this.fd, bytes, length)
      : this.system.sendTo(this.fd, bytes, length, this.destination, this.destinationLength);
    if (!sent) this.errors++;
  }

  connect(port: number, address: string): void {
    this.disconnect();
    if (this.fd < 0 || !this.leadTo(port, address)) return;
    this.connected = this.system.connect(this.fd, this.destination, this.destinationLength);
  }

  disconnect(): void {
    if (!this.connected || this.fd < 0) return;
    this.connected = !this.system.disconnect(this.fd);
  }

  close(): void {
    if (this.fd >= 0) this.system.close(this.fd);
    this.fd = -1;
  }

  private received(index: number, nowMs: number): void {
    const received = this.system.take(index, this.readMs, nowMs);
    if (received === null) return;
    if (!this.system.sameSource(index, this.source)) this.nameSource();
    this.handler(received.packet, received.length, this.sourceAddress, this.sourcePort, received.arrivedMs);
  }

  private nameSource(): void {
    const bytes = new Uint8Array(this.source.buffer);
    this.sourcePort = (bytes[2]! << 8) | bytes[3]!;
    if (bytes[0] === AF_INET) {
      this.sourceAddress = bytes.subarray(4, 8).join('.');
      return;
    }
    const groups = Array.from({ length: 8 }, (_, group) =>
      ((bytes[8 + 2 * group]! << 8) | bytes[9 + 2 * group]!).toString(16),
    );
    const { address } = new SocketAddress({ address: groups.join(':'), family: 'ipv6' });
    const mapped = address.startsWith(MAPPED_PREFIX) && address.includes('.');
    this.sourceAddress = mapped ? address.slice(MAPPED_PREFIX.length) : address;
  }

  /** False for what is no address that this socket reaches, which is counted. */
  private leadTo(port: number, address: string): boolean {
    if (port === this.destinationPort && address === this.destinationAddress) return true;
    try {
      this.destinationLength = this.system.writeAddress(this.destination, address, port, this.onIpv6);
    } catch {
      this.errors++;
      return false;
    }
    this.destinationPort = port;
    this.destinationAddress = address;
    return true;
  }
}
