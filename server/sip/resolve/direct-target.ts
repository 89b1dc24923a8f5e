import { isIP } from 'node:net';
import type { SipUri } from '../message/uri.ts';
import type { Destination } from '../transport/destination.ts';
import type { TransportProtocol } from '../transport/flow.ts';
import { defaultPort } from '../transport/via-routing.ts';

/** The host that a URI sends to (RFC 3263 §4). */
export function targetHost(uri: SipUri): string {
  return uri.parameters.get('maddr') ?? uri.host;
}

/**
 * The transport that a URI names; `any` when it names none, null when that cannot be dialled: an unknown one, a WebSocket,
 * and anything but TLS over TCP for sips (RFC 3261 §26.2.2).
 */
export function namedTransport(uri: SipUri): TransportProtocol | 'any' | null {
  const named = uri.parameters.get('transport')?.toLowerCase();
  if (uri.scheme === 'sips') {
    if (named === undefined) return 'any';
    return named === 'tcp' || named === 'tls' ? 'tls' : null;
  }
  switch (named) {
    case undefined:
      return 'any';
    case 'udp':
    case 'tcp':
    case 'tls':
      return named;
    default:
      return null;
  }
}

/** What is spoken where nothing else says it (RFC 3263 §4.1). */
export function defaultTransport(uri: SipUri): 'udp' | 'tls' {
  return uri.scheme === 'sips' ? 'tls' : 'udp';
}

/** Where a URI with an address leads, without asking anybody; `name` when it has a name, null when it leads nowhere. */
export function directTarget(uri: SipUri): Destination | 'name' | null {
  const address = targetHost(uri);
  const named = namedTransport(uri);
  if (named === null) return null;
  if (isIP(address) === 0) return 'name';
  const protocol = named === 'any' ? defaultTransport(uri) : named;
  return { protocol, address, port: uri.port ?? defaultPort(protocol) };
}
