import { isIPv6 } from 'node:net';
import type { Host } from './host.ts';

/** Bridges and tunnels that others cannot reach this host by. */
const innerInterface = /^(docker|br-|veth|virbr|vmnet|cni|flannel|tun|tap|wg)/;

export interface FoundAddress {
  address: string;
  /** For people: where it was found. */
  how: string;
}

/**
 * Finds the address to put into SDP and Contact: `bind` where it says one; otherwise the first address of its family that
 * is not loopback, real interfaces before bridges and tunnels, link-local ones last; otherwise loopback.
 */
export function resolvePublicAddress(bind: string, interfaces: Host['interfaces']): FoundAddress {
  if (bind !== '0.0.0.0' && bind !== '::') return { address: bind, how: 'the same as bind' };
  const found = firstAddress(bind === '::' ? 'IPv6' : 'IPv4', interfaces);
  return found ?? { address: bind === '::' ? '::1' : '127.0.0.1', how: 'no network interface but loopback' };
}

/**
 * The address for the other family of IP, found as above, where `bind` is for both and `given` has none of it; null when
 * there is none to be told.
 */
export function otherFamilyAddress(
  bind: string,
  given: readonly string[],
  interfaces: Host['interfaces'],
): FoundAddress | null {
  if (bind !== '::' || given.length !== 1) return null;
  return firstAddress(isIPv6(given[0]!) ? 'IPv4' : 'IPv6', interfaces);
}

function firstAddress(wanted: 'IPv4' | 'IPv6', interfaces: Host['interfaces']): FoundAddress | null {
  const candidates = Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    addresses
      .filter(({ internal, family }) => !internal && family === wanted)
      .map(({ address }) => ({ address, name, rank: rank(name, address) })),
  );
  const [best] = candidates.sort((a, b) => a.rank - b.rank);
  return best ? { address: best.address, how: `network interface ${best.name}` } : null;
}

/** Lower is better. `sort` is stable, so that the system's own order decides among equals. */
function rank(name: string, address: string): number {
  const linkLocal = /^(169\.254\.|fe[89ab])/i.test(address);
  return (linkLocal ? 2 : 0) + (innerInterface.test(name) ? 1 : 0);
}
