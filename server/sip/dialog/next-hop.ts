import { isIP } from 'node:net';
import { sameHost } from '../message/host.ts';
import type { SipUri } from '../message/uri.ts';
import type { Flows } from '../transaction/flows.ts';
import type { Flow } from '../transport/flow.ts';
import type { Dialog } from './dialog.ts';

/**
 * Where our requests within a dialog go; `flow` is the one that the peer's last INVITE came in by, or ours went out by.
 * Null: nowhere.
 *
 * 1. With a Record-Route, to the first hop of the route set (RFC 3261 §12.2.1.1 and §8.1.2). When that hop is where the
 *    INVITE came from, over the same flow; when it cannot be reached by its name, over the same flow too, since the hop
 *    that wrote its Record-Route last is the one that handed us the INVITE.
 * 2. Without, back over the flow while it is open.
 *    Deviation: RFC 3261 sends to the remote target. But a peer behind NAT writes an address there which nobody outside
 *    can reach, while the flow demonstrably works; and where there is no NAT, both are the same place.
 * 3. When the flow is a connection that is gone, to the remote target.
 */
export function nextHop(dialog: Dialog, flow: Flow, cameIn: boolean, flows: Flows): Flow | null {
  const open = flow.open ? flow : null;
  const [route] = dialog.routeSet;
  if (route?.uri != null) {
    if (open !== null && isRemoteEnd(route.uri, flow)) return open;
    return flows.forRequest(route.uri, flow) ?? open;
  }
  if (open !== null && cameIn) return open;
  const target = dialog.remoteTarget.uri;
  return (target === null ? null : flows.forRequest(target, flow)) ?? open;
}

/**
 * Whether the peer can be connected to where `flow`, a way over UDP, goes: the next hop says that it listens there. A name
 * is taken to lead there, as DNS is how the flow was found.
 * Deviation: to others a large request goes over UDP too (RFC 3261 §18.1.1), as nobody connects through the peer's NAT.
 */
export function listensAt({ routeSet: [route], remoteTarget }: Dialog, flow: Flow): boolean {
  const uri = route === undefined ? remoteTarget.uri : route.uri;
  if (uri === null || /\.invalid$/i.test(uri.host)) return false;
  if (isIP(uri.host.replace(/^\[|\]$/g, '')) === 0) return true;
  return sameHost(uri.host, flow.remoteAddress) && (uri.port ?? 5060) === flow.remotePort;
}

function isRemoteEnd(uri: SipUri, flow: Flow): boolean {
  const protocol = (uri.parameters.get('transport') ?? (uri.scheme === 'sips' ? 'tls' : 'udp')).toLowerCase();
  if (!sameHost(uri.host, flow.remoteAddress)) return false;
  // The port of a connection that was opened to us says nothing about where that peer listens.
  return flow.reliable || (protocol === flow.protocol && (uri.port ?? 5060) === flow.remotePort);
}
