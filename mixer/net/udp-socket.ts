import { NodeUdpSocket } from './node-udp-socket.ts';
import type { PacketSlot } from './packet-buffers.ts';
import { SystemUdpSocket, systemUdp } from './system-udp-socket.ts';

/**
 * Takes one packet: the first `length` octets of `packet`, which is only lent, until it returns.
 *
 * @param arrivedMs when the kernel got it (or this process, where that is not known), of `performance.now`.
 */
export type PacketHandler = (
  packet: Uint8Array,
  length: number,
  address: string,
  port: number,
  arrivedMs: number,
) => void;

/**
 * A bound UDP socket that is read when its owner has use for what came, rather than at every packet. Errors of single
 * packets (ICMP unreachable and the like) are counted, never thrown. Addresses are as everybody writes them, also on an
 * IPv6 socket that serves IPv4 (RFC 4291 §2.5.5.2).
 */
export interface UdpSocket {
  /** Packets that could not be sent or were refused there, as far as the kernel says. */
  readonly errors: number;
  /** Hands on what came since the last time, in order; of a flood, some hundred packets at most. */
  receive(): void;
  /** The first `length` octets. What cannot be sent at once is lost, as on any network. */
  send(packet: PacketSlot, length: number, port: number, address: string): void;
  /**
   * Makes the kernel take packets from this source only, and know the way there, which makes each cheaper (a fifth of
   * what sending costs). Until `disconnect`.
   */
  connect(port: number, address: string): void;
  disconnect(): void;
  close(): void;
}

/** Whether `openUdpSocket` gives the quicker kind. */
export const usesSystemCalls = systemUdp !== null;

/** @throws the bind's error (`EADDRINUSE`). */
export function openUdpSocket(address: string, port: number, handler: PacketHandler): Promise<UdpSocket> {
  if (systemUdp === null) return NodeUdpSocket.open(address, port, handler);
  // An async function would open it at once too; but the error of the bind shall be a rejection in both.
  return new Promise((resolve) => resolve(new SystemUdpSocket(systemUdp!, address, port, handler)));
}
