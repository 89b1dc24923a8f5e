export type TransportProtocol = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

/** Above it a request goes over a stream, as the path's MTU is not known (RFC 3261 §18.1.1). */
export const MAX_UDP_REQUEST_BYTES = 1300;

/**
 * The way a message came in and its answers go out: one UDP peer, or one connection.
 * For UDP, `send` goes to `remoteAddress:remotePort`; for a connection, over it.
 */
export interface Flow {
  /** Stable for the life of the connection; for UDP made of local and remote address and port. */
  readonly id: string;
  readonly protocol: TransportProtocol;
  /** TCP and the like: no retransmission is needed (RFC 3261 §17). */
  readonly reliable: boolean;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** False once the connection is gone; UDP flows are always open. */
  readonly open: boolean;
  /** Hands bytes to the socket. A failure is reported later, through the transport's `failed`. */
  send(bytes: Uint8Array): void;
}
