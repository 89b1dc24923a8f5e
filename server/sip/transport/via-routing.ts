import { endOfElement } from '../message/header-value.ts';
import { canonicalHost } from '../message/host.ts';
import type { SipRequest } from '../message/message.ts';
import { type Via, withViaParameters, writeVia } from '../message/via.ts';
import type { Flow } from './flow.ts';

const DEFAULT_PORTS = { udp: 5060, tcp: 5060, tls: 5061, ws: 80, wss: 443 };

/**
 * The request as it is passed on, with `received` and `rport` in its topmost Via: `received` where sent-by is not the
 * address that it came from (RFC 3261 §18.2.1), both where `rport` was asked for (RFC 3581 §4). Changes its headers.
 */
export function stampVia(request: SipRequest, flow: Flow): SipRequest {
  const { via } = request;
  const asked = via.parameters.has('rport');
  if (!asked && (via.host === flow.remoteAddress || canonicalHost(via.host) === canonicalHost(flow.remoteAddress))) {
    return request;
  }
  const changes = new Map([['received', flow.remoteAddress]]);
  if (asked) changes.set('rport', String(flow.remotePort));
  const stamped = withViaParameters(via, changes);
  replaceTopVia(request, stamped);
  return { ...request, via: stamped };
}

/** The same request with another topmost Via, in headers of its own. */
export function withTopVia(request: SipRequest, via: Via): SipRequest {
  const changed = { ...request, via, headers: request.headers.clone() };
  replaceTopVia(changed, via);
  return changed;
}

function replaceTopVia(request: SipRequest, via: Via): void {
  const line = request.headers.get('via') ?? '';
  request.headers.setFirst('Via', writeVia(via) + line.slice(endOfElement(line, 0)));
}

/**
 * The port to which a response goes over UDP, or on a new connection when that of the request is gone: the source port
 * where `rport` was asked for and the way is UDP, otherwise that of sent-by (RFC 3261 §18.2.2, RFC 3581 §4).
 * The address is always the one that the request came from. Deviation: `maddr` is ignored, as it would let anybody
 * point our answers at others.
 */
export function responsePort(via: Via, flow: Flow): number {
  if (!flow.reliable && via.parameters.has('rport')) return flow.remotePort;
  return via.port ?? DEFAULT_PORTS[flow.protocol];
}

export function defaultPort(protocol: Flow['protocol']): number {
  return DEFAULT_PORTS[protocol];
}
