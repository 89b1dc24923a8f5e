import type { PacketHandler } from './udp-socket.ts';

/** Who can make it happen once can with each packet: of one port no more is told than this. */
const TOLD_EVERY_MS = 10_000;

/** A packet that could not be handled. */
export interface PacketFault {
  /** Where it came from. */
  address: string;
  port: number;
  /** So many until now, of this port. */
  faults: number;
  /** What was thrown, and where. */
  reason: string;
}

/**
 * Hands packets on. One that makes the handler throw, which is a fault of this program, is left out and told: nobody shall end
 * a process, and the calls of all others in it, with a packet.
 */
export function guarded(handler: PacketHandler, tell: (fault: PacketFault) => void): PacketHandler {
  let faults = 0;
  let toldMs = Number.NEGATIVE_INFINITY;
  return (packet, length, address, port, arrivedMs) => {
    try {
      handler(packet, length, address, port, arrivedMs);
    } catch (error) {
      faults++;
      if (arrivedMs - toldMs < TOLD_EVERY_MS) return;
      toldMs = arrivedMs;
      tell({ address, port, faults, reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  };
}
