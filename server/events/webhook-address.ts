import { BlockList, isIP, isIPv6 } from 'node:net';

/**
 * Addresses that are not of the public Internet (IANA's special-purpose registries, RFC 6890), or that lead to such ones
 * through a translator: NAT64 (RFC 6052), 6to4 (RFC 3056), Teredo (RFC 4380).
 */
const NOT_PUBLIC = new BlockList();
for (const range of [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
]) {
  const [address, prefix] = range.split('/');
  NOT_PUBLIC.addSubnet(address!, Number(prefix), 'ipv4');
}

/** Of IPv6 only 2000::/3 is given out; these parts of it are not for this. */
const PUBLIC_IPV6 = new BlockList();
PUBLIC_IPV6.addSubnet('2000::', 3, 'ipv6');
const NOT_PUBLIC_IPV6 = new BlockList();
for (const range of ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']) {
  const [address, prefix] = range.split('/');
  NOT_PUBLIC_IPV6.addSubnet(address!, Number(prefix), 'ipv6');
}

/** Whether an IP address is one of the public Internet. */
export function isPublicAddress(address: string): boolean {
  if (isIPv6(address)) return PUBLIC_IPV6.check(address, 'ipv6') && !NOT_PUBLIC_IPV6.check(address, 'ipv6');
  return !NOT_PUBLIC.check(address, 'ipv4');
}

const MAX_URL_LENGTH = 2000;

/**
 * Why a webhook cannot have this URL, in words; null when it can. A host name is looked up only when something is sent,
 * each time, and its addresses are judged then.
 * @param allowed whether requests may go to that address
 */
export function webhookUrlProblem(text: string, allowed: (address: string) => boolean): string | null {
  const url = text.length <= MAX_URL_LENGTH && URL.canParse(text) ? new URL(text) : null;
  if (url === null) return `it is no URL of at most ${MAX_URL_LENGTH} characters`;
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'it must begin with https:// or http://';
  if (url.username !== '' || url.password !== '') return 'it must not have a user or a password in it';
  if (url.hash !== '') return 'it must not have a fragment';
  const address = literalAddress(url);
  if (address !== null && !allowed(address)) return `${address} is no public address, and none of webhookAddresses`;
  return null;
}

/** The address that stands in the URL in place of a name; `URL` has brought other spellings of it to the usual one. */
export function literalAddress({ hostname }: URL): string | null {
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return isIP(host) === 0 ? null : host;
}
