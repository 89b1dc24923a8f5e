import { BlockList, isIPv6 } from 'node:net';
import type { Room } from '../rooms/room.ts';

export type AdhocRooms = 'anyone' | 'private' | 'users' | 'nobody';

/** A SIP final response and its reason, as a log line and the caller's display show it. */
export interface Refusal {
  status: number;
  reason: string;
  headers?: ReadonlyArray<readonly [string, string]>;
}

const privateAddresses = new BlockList();
for (const [net, bits] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const) {
  privateAddresses.addSubnet(net, bits, 'ipv4');
}
privateAddresses.addAddress('::1', 'ipv6');
privateAddresses.addSubnet('fc00::', 7, 'ipv6');
privateAddresses.addSubnet('fe80::', 10, 'ipv6');

/** Loopback, RFC 1918, link-local, and RFC 4193 addresses. An IPv4 address mapped into IPv6 is what it maps. */
export function isPrivateAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return isPrivateAddress(mapped[1]!);
  return privateAddresses.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Whether a caller from `address` may open a room by dialling its name. Null: yes. */
export function mayOpenRoom(adhocRooms: AdhocRooms, address: string): Refusal | null {
  switch (adhocRooms) {
    case 'anyone':
      return null;
    case 'private':
      return isPrivateAddress(address) ? null : { status: 403, reason: 'Rooms are opened from inside only' };
    case 'users':
      return { status: 403, reason: 'Rooms are opened by signed-in users only' };
    case 'nobody':
      return { status: 404, reason: 'No such room' };
  }
}

/** Whether one more may come in. Null: yes. */
export function mayEnter(room: Room): Refusal | null {
  if (room.policy.locked) return { status: 403, reason: 'Room is locked' };
  if (room.full) return { status: 486, reason: 'Room is full' };
  return null;
}
