import type { Flow, TransportProtocol } from '../sip/transport/flow.ts';

/** Where a REGISTER came from, which behind a NAT is not what its Contact says. */
export interface BindingSource {
  readonly protocol: TransportProtocol;
  readonly address: string;
  readonly port: number;
  /** The connection; null over UDP, and once it is gone. */
  readonly flowId: string | null;
}

/** One place where a user can be reached (RFC 3261 §10). Never changed: a refresh makes another of the same id. */
export interface Binding {
  readonly id: number;
  readonly user: string;
  /** The Contact's URI as it was written. */
  readonly contact: string;
  /** The Contact's further parameters as text, such as `;+sip.instance="<…>"`; without `expires` and `q`. */
  readonly parameters: string;
  readonly q: number | null;
  /** RFC 5626 §4.1. */
  readonly instance: string | null;
  /** Null unless the binding is that of one flow (RFC 5626 §6). */
  readonly regId: number | null;
  /** The proxies on the way to the contact, the nearest to us first (RFC 3327); values of Route. */
  readonly path: readonly string[];
  readonly callId: string;
  readonly cseq: number;
  /** Milliseconds since 1970. */
  readonly registeredMs: number;
  readonly expiresMs: number;
  readonly source: BindingSource;
  readonly userAgent: string | null;
}

export function sourceOf(flow: Flow): BindingSource {
  const { protocol, remoteAddress: address, remotePort: port } = flow;
  return { protocol, address, port, flowId: flow.reliable ? flow.id : null };
}

/** The same for all messages of one connection, or of one UDP peer; null for a connection that is gone. */
export function flowKey(source: BindingSource): string | null {
  return source.protocol === 'udp' ? `udp ${source.address} ${source.port}` : source.flowId;
}

/**
 * Whether the binding ends with its connection: with outbound (RFC 5626 §6), and where the contact cannot be connected
 * to at all, as with WebSocket (RFC 7118 §5). Over UDP nothing closes; there only time ends it.
 */
export function endsWithFlow({ regId, source: { protocol } }: Binding): boolean {
  return protocol === 'ws' || protocol === 'wss' || (regId !== null && protocol !== 'udp');
}
