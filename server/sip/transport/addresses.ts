import { BlockList, isIPv4, isIPv6 } from 'node:net';

const MAPPED_PREFIX = '::ffff:';

/** Private, shared, link-local and loopback ranges (RFC 1918, 6598, 3927, 4193, 4291). */
const PRIVATE = new BlockList();
PRIVATE.addSubnet('10.0.0.0', 8);
PRIVATE.addSubnet('172.16.0.0', 12);
PRIVATE.addSubnet('192.168.0.0', 16);
PRIVATE.addSubnet('100.64.0.0', 10);
PRIVATE.addSubnet('169.254.0.0', 16);
PRIVATE.addSubnet('127.0.0.0', 8);
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');
PRIVATE.addAddress('::1', 'ipv6');

/** An address as we write it: IPv4 seen through an IPv6 socket as IPv4. */
export function canonicalAddress(address: string): string {
  if (!address.startsWith(':')) return address;
  const mapped = address.slice(MAPPED_PREFIX.length);
  return address.toLowerCase().startsWith(MAPPED_PREFIX) && isIPv4(mapped) ? mapped : address;
}

/** An address as a socket of a family wants it; null when it cannot be reached from there, or is no address at all. */
export function addressFor(socketFamily: 4 | 6, address: string): string | null {
  if (isIPv4(address)) return socketFamily === 4 ? address : MAPPED_PREFIX + address;
  return isIPv6(address) && socketFamily === 6 ? address : null;
}

/** Whether an address, as sockets write it, is this very host's, whoever asks. By text, as that is asked of each request. */
export function isLoopbackAddress(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.');
}

/** Whether an address means something only within its own network. */
export function isPrivateAddress(address: string): boolean {
  return PRIVATE.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Of several addresses of ours, the one that a peer can reach: of its family where there is one, otherwise the first. */
export function ownAddressFor(own: readonly string[], peer: string): string {
  const first = own[0] ?? '';
  if (own.length < 2) return first;
  const isSixth = peer.includes(':');
  return own.find((address) => address.includes(':') === isSixth) ?? first;
}
