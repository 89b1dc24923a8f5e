import type { TransportProtocol } from './flow.ts';

export interface Endpoint {
  readonly address: string;
  /** 0 to listen on any free one. */
  readonly port: number;
}

/** Where a request can be sent: what a URI comes to in the end (RFC 3263 §4). */
export interface Destination extends Endpoint {
  readonly protocol: TransportProtocol;
  /** The name that was asked for, which a certificate must be for (RFC 5922 §7.2); null where there was only an address. */
  readonly serverName?: string | null;
}
