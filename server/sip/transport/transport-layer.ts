import { isIP } from 'node:net';
import type { Timers } from '../../timers.ts';
import { createMalformedResponse } from '../message/create-message.ts';
import { canonicalHost } from '../message/host.ts';
import type { SipMessage, SipRequest } from '../message/message.ts';
import type { ParseError } from '../message/parse-error.ts';
import { parseMessage } from '../message/parse-message.ts';
import type { SipUri } from '../message/uri.ts';
import type { Via } from '../message/via.ts';
import { writeMessage } from '../message/write-message.ts';
import { isPrivateAddress } from './addresses.ts';
import type { Flow, TransportProtocol } from './flow.ts';
import { StreamConnection } from './stream-connection.ts';
import type { StreamLimits } from './stream-transport.ts';
import { STREAM_LIMITS, TcpTransport } from './tcp-transport.ts';
import type { TransportEvents } from './transport-events.ts';
import { UdpTransport } from './udp-transport.ts';
import { defaultPort, responsePort, stampVia, withTopVia } from './via-routing.ts';

/** Above it a request goes over a stream, as the path's MTU is not known (RFC 3261 §18.1.1). */
const MAX_UDP_REQUEST_BYTES = 1300;

/** The one who is told of all that comes in. */
export interface TransportUser {
  /** A well-formed message; a request with `received` and `rport` in its topmost Via. */
  received(message: SipMessage, flow: Flow): void;
  /** Something that is none. Where an answer is allowed, it was given already. */
  malformed(error: ParseError, flow: Flow): void;
  /** What was sent over this flow may be lost; a connection that is closed is among these. */
  failed(flow: Flow, reason: Error): void;
  /** `received` threw: a fault of ours, which must not take down the other calls. */
  crashed(error: unknown, message: SipMessage, flow: Flow): void;
}

export interface TransportOptions {
  readonly timers: Timers;
  readonly limits?: Partial<StreamLimits>;
  /**
   * The hosts that we put into Via: a response with another one is dropped (RFC 3261 §18.1.2).
   * Without it, all responses are passed on.
   */
  readonly viaHosts?: readonly string[];
}

export interface Endpoint {
  readonly address: string;
  /** 0 to listen on any free one. */
  readonly port: number;
}

export interface Destination extends Endpoint {
  readonly protocol: TransportProtocol;
}

/** The transport layer (RFC 3261 §18): messages in and out over all sockets that SIP has here. */
export class SipTransports {
  private readonly user: TransportUser;
  private readonly options: TransportOptions;
  private readonly viaHosts: ReadonlySet<string> | null;
  private readonly events: TransportEvents;
  private udp: UdpTransport | null = null;
  private tcp: TcpTransport | null = null;

  constructor(user: TransportUser, options: TransportOptions) {
    this.user = user;
    this.options = options;
    this.viaHosts = options.viaHosts === undefined ? null : new Set(options.viaHosts.map(canonicalHost));
    this.events = {
      message: (bytes, flow) => this.receive(bytes, flow),
      malformed: (error, flow) => this.refuse(error, flow),
      failed: (flow, reason) => this.user.failed(flow, reason),
    };
  }

  /** Listens, and gives what it is bound to. When one address cannot be had, nothing is listened on and it rejects. */
  async listen(on: { udp?: Endpoint; tcp?: Endpoint }): Promise<{ udp: Endpoint | null; tcp: Endpoint | null }> {
    if (this.udp !== null || this.tcp !== null) throw new Error('The transports are listening already');
    const { timers } = this.options;
    const limits = { ...STREAM_LIMITS, ...this.options.limits };
    try {
      if (on.udp) this.udp = await UdpTransport.listen(on.udp.address, on.udp.port, this.events);
      if (on.tcp) {
        this.tcp = await TcpTransport.listen(on.tcp.address, on.tcp.port, { timers, events: this.events, limits });
      }
    } catch (error) {
      await this.close();
      throw error;
    }
    return { udp: endpointOf(this.udp), tcp: endpointOf(this.tcp) };
  }

  /** Open connections, in both directions. */
  get connectionCount(): number {
    return this.tcp?.connections.size ?? 0;
  }

  /** The way for the responses to a request with this Via that came in over `flow`; null when there is none. */
  forResponse(via: Via, flow: Flow): Flow | null {
    if (flow.reliable && flow.open) return flow;
    const port = responsePort(via, flow);
    if (!flow.reliable && port === flow.remotePort) return flow;
    return this.flow({ protocol: flow.protocol, address: flow.remoteAddress, port });
  }

  /**
   * A way to where a URI points, for a request in a dialog whose messages came over `near`; null when there is none.
   * Deviation: a name is not resolved (RFC 3263); `near` leads to the one who gave it. So does a connection that is open,
   * even without `transport=tcp`: who called over it can seldom be reached otherwise. And so does a private address that
   * somebody beyond a NAT gave.
   */
  forRequest(uri: SipUri, near: Flow): Flow | null {
    if (near.reliable && near.open) return near;
    const target = uri.parameters.get('maddr') ?? uri.host;
    if (isIP(target) === 0) return near.open ? near : null;
    if (isPrivateAddress(target) && !isPrivateAddress(near.remoteAddress) && near.open) return near;
    const protocol = protocolOf(uri);
    return protocol === null ? null : this.flow({ protocol, address: target, port: uri.port ?? defaultPort(protocol) });
  }

  /** A flow to an address, once its connection stands; an open connection is used again. */
  async flowTo(destination: Destination): Promise<Flow> {
    const flow = this.flow(destination);
    if (flow === null) throw new Error(`There is no ${destination.protocol} transport to ${destination.address}`);
    if (flow instanceof StreamConnection) await flow.connected;
    return flow;
  }

  /**
   * The way for a request outside of dialogs, and the request as it must be sent there: too large for UDP it goes over
   * TCP, with that in its Via, and over UDP all the same where no connection can be made (RFC 3261 §18.1.1).
   */
  async route(request: SipRequest, destination: Destination): Promise<{ request: SipRequest; flow: Flow }> {
    const large = destination.protocol === 'udp' && writeMessage(request).length > MAX_UDP_REQUEST_BYTES;
    if (large && this.tcp !== null) {
      try {
        const flow = await this.flowTo({ ...destination, protocol: 'tcp' });
        return { request: withTopVia(request, { ...request.via, transport: 'TCP' }), flow };
      } catch {
        // Nobody listens there: UDP it is.
      }
    }
    return { request, flow: await this.flowTo(destination) };
  }

  /** Sends what is waiting, then closes all sockets. */
  async close(): Promise<void> {
    const { udp, tcp } = this;
    this.udp = null;
    this.tcp = null;
    await Promise.all([udp?.close(), tcp?.close()]);
  }

  /** Usable at once: what is sent over a connection that is still opening waits in it. */
  private flow({ protocol, address, port }: Destination): Flow | null {
    if (isIP(address) === 0 || port < 1 || port > 65_535) return null;
    switch (protocol) {
      case 'udp':
        return this.udp?.flowTo(address, port) ?? null;
      case 'tcp':
        return this.tcp?.connections.connect(address, port) ?? null;
      case 'tls':
      case 'ws':
      case 'wss':
        return null;
    }
  }

  private receive(bytes: Uint8Array, flow: Flow): void {
    const parsed = parseMessage(bytes);
    if (!parsed.ok) {
      this.refuse(parsed.error, flow);
      return;
    }
    const { message } = parsed;
    try {
      if (message.kind === 'request') this.user.received(stampVia(message, flow), flow);
      else if (this.isOurs(message.via)) this.user.received(message, flow);
    } catch (error) {
      this.user.crashed(error, message, flow);
    }
  }

  private isOurs(via: Via): boolean {
    return this.viaHosts === null || this.viaHosts.has(canonicalHost(via.host));
  }

  /** The stateless 400, 505 or 513, where `answerable` allows it. */
  private refuse(error: ParseError, flow: Flow): void {
    const response = createMalformedResponse(error);
    if (response !== null) {
      const via = error.responseTo?.via ?? null;
      (via === null ? flow : this.forResponse(via, flow))?.send(response);
    }
    this.user.malformed(error, flow);
  }
}

function endpointOf(transport: { localAddress: string; localPort: number } | null): Endpoint | null {
  return transport === null ? null : { address: transport.localAddress, port: transport.localPort };
}

/** By the `transport` parameter; UDP without one (RFC 3263 §4.1 for an address). Null: not to be had here. */
function protocolOf(uri: SipUri): TransportProtocol | null {
  if (uri.scheme === 'sips') return 'tls';
  switch (uri.parameters.get('transport')?.toLowerCase() ?? 'udp') {
    case 'udp':
      return 'udp';
    case 'tcp':
      return 'tcp';
    case 'tls':
      return 'tls';
    default:
      return null;
  }
}
