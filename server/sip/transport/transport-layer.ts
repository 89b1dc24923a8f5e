import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Timers } from '../../timers.ts';
import { createMalformedResponse } from '../message/create-message.ts';
import { canonicalHost, writeHostPort } from '../message/host.ts';
import type { SipMessage } from '../message/message.ts';
import type { ParseError } from '../message/parse-error.ts';
import { parseMessage } from '../message/parse-message.ts';
import type { SipUri } from '../message/uri.ts';
import type { Via } from '../message/via.ts';
import { defaultTransport, directTarget, namedTransport, targetHost } from '../resolve/direct-target.ts';
import { isPrivateAddress } from './addresses.ts';
import type { Destination, Endpoint } from './destination.ts';
import { type Flow, MAX_UDP_REQUEST_BYTES, type TransportProtocol } from './flow.ts';
import { ResolvingFlow } from './resolving-flow.ts';
import { StreamConnection } from './stream-connection.ts';
import type { StreamLimits } from './stream-transport.ts';
import { STREAM_LIMITS, type StreamSurroundings, TcpTransport } from './tcp-transport.ts';
import { type TlsIdentity, type TlsSurroundings, TlsTransport } from './tls-transport.ts';
import { UdpTransport } from './udp-transport.ts';
import { responsePort, stampVia } from './via-routing.ts';
import { WebSocketTransport } from './web-socket-transport.ts';

/** The one who is told of all that comes in. */
export interface TransportUser {
  /** A well-formed message; a request with `received` and `rport` in its topmost Via. `bytes` are those that came. */
  received(message: SipMessage, flow: Flow, bytes: Uint8Array): void;
  /** A message was handed to a socket. */
  sent(bytes: Uint8Array, flow: Flow): void;
  /** Something that is none. Where an answer is allowed, it was given already. */
  malformed(error: ParseError, flow: Flow): void;
  /** What was sent over this flow may be lost; a connection that is closed is among these. */
  failed(flow: Flow, reason: Error): void;
  /** `alias` in the Via of a request over TLS is not heeded (RFC 5923); told once for each connection. */
  aliasIgnored(flow: Flow, sentBy: string, reason: string): void;
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
  /** Finds where a URI with a name leads (RFC 3263); without it, names lead nowhere. Never rejects. */
  readonly resolve?: (uri: SipUri) => Promise<readonly Destination[]>;
  /** The web pages that may open a WebSocket, besides those of the host that they open it to. */
  readonly webSocketOrigins?: readonly string[];
}

export interface ListenOn {
  readonly udp?: Endpoint;
  readonly tcp?: Endpoint;
  readonly tls?: Endpoint & Pick<TlsSurroundings, 'identity' | 'verification' | 'clientCa'>;
}

export interface ListensOn {
  readonly udp: Endpoint | null;
  readonly tcp: Endpoint | null;
  readonly tls: Endpoint | null;
}

/** Nothing can be there, so nobody is asked (RFC 6761 §6.4); WebSocket clients put it into Contact (RFC 7118 §5). */
const INVALID_NAME = /(^|\.)invalid$/;

/** The transport layer (RFC 3261 §18): messages in and out over all sockets that SIP has here. */
export class SipTransports {
  private readonly user: TransportUser;
  private readonly options: TransportOptions;
  private readonly viaHosts: ReadonlySet<string> | null;
  private readonly surroundings: StreamSurroundings;
  private readonly webSockets: WebSocketTransport;
  private udp: UdpTransport | null = null;
  private tcp: TcpTransport | null = null;
  private tls: TlsTransport | null = null;

  constructor(user: TransportUser, options: TransportOptions) {
    this.user = user;
    this.options = options;
    this.viaHosts = options.viaHosts === undefined ? null : new Set(options.viaHosts.map(canonicalHost));
    const events = {
      message: (bytes: Uint8Array, flow: Flow) => this.receive(bytes, flow),
      sent: (bytes: Uint8Array, flow: Flow) => this.user.sent(bytes, flow),
      malformed: (error: ParseError, flow: Flow) => this.refuse(error, flow),
      failed: (flow: Flow, reason: Error) => this.user.failed(flow, reason),
    };
    this.surroundings = { events, timers: options.timers, limits: { ...STREAM_LIMITS, ...options.limits } };
    this.webSockets = new WebSocketTransport(this.surroundings, options.webSocketOrigins ?? []);
  }

  /** Listens, and gives what it is bound to. When one address cannot be had, nothing is listened on and it rejects. */
  async listen(on: ListenOn): Promise<ListensOn> {
    if (this.udp !== null || this.tcp !== null) throw new Error('The transports are listening already');
    const { surroundings } = this;
    try {
      if (on.udp) this.udp = await UdpTransport.listen(on.udp.address, on.udp.port, surroundings.events);
      if (on.tcp) this.tcp = await TcpTransport.listen(on.tcp.address, on.tcp.port, surroundings);
      if (on.tls) this.tls = await TlsTransport.listen(on.tls.address, on.tls.port, { ...surroundings, ...on.tls });
    } catch (error) {
      await this.closeSockets();
      throw error;
    }
    return { udp: endpointOf(this.udp), tcp: endpointOf(this.tcp), tls: endpointOf(this.tls) };
  }

  /** Our key and certificate for TLS connections from now on. */
  setIdentity(identity: TlsIdentity): void {
    this.tls?.setIdentity(identity);
  }

  /** Takes an HTTP request to upgrade to a WebSocket, or refuses it; its stream is ours from now on. */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    this.webSockets.upgrade(request, stream, head);
  }

  /** Open connections, in both directions. */
  get connectionCount(): number {
    return (this.tcp?.connections.size ?? 0) + (this.tls?.connections.size ?? 0) + this.webSockets.size;
  }

  /** The open connection of that id, in whichever direction; null when it is gone. */
  connection(id: string): Flow | null {
    const found = this.tcp?.connections.get(id) ?? this.tls?.connections.get(id) ?? this.webSockets.get(id);
    return found?.open ? found : null;
  }

  /** The way over UDP to an address; null when there is none. */
  datagrams(address: string, port: number): Flow | null {
    return this.flow({ protocol: 'udp', address, port });
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
   * What is sent before a name is resolved waits for that.
   * Deviation: a connection that is open is used even where the URI leads elsewhere: who called over it can seldom be
   * reached otherwise. And `near` is taken instead of a name that leads nowhere, or of a private address that somebody
   * beyond a NAT gave.
   */
  forRequest(uri: SipUri, near: Flow): Flow | null {
    if (near.reliable && near.open) return near;
    const direct = directTarget(uri);
    if (direct === null) return null;
    if (direct !== 'name') return isBeyond(direct, near) ? near : this.flow(direct);
    if (INVALID_NAME.test(targetHost(uri))) return near.open ? near : null;
    return new ResolvingFlow(dialogTransport(uri, near), near, this.reachable(uri, near), this.surroundings.events);
  }

  /** A flow to an address, once its connection stands; an open connection is used again. */
  async flowTo(destination: Destination): Promise<Flow> {
    const flow = this.flow(destination);
    if (flow === null) throw new Error(`There is no ${destination.protocol} transport to ${destination.address}`);
    if (flow instanceof StreamConnection) await flow.connected;
    return flow;
  }

  /**
   * The way for a request of that many bytes, once it stands: one that is too large for UDP goes over TCP, and over UDP
   * all the same where no connection can be made (RFC 3261 §18.1.1). So the request's Via is written afterwards.
   */
  async flowFor(destination: Destination, requestBytes: number): Promise<Flow> {
    if (destination.protocol === 'udp' && requestBytes > MAX_UDP_REQUEST_BYTES && this.tcp !== null) {
      try {
        return await this.flowTo({ ...destination, protocol: 'tcp' });
      } catch {
        // Nobody listens there: UDP it is.
      }
    }
    return this.flowTo(destination);
  }

  /** TCP to where `near` goes over UDP, once it stands; null when nobody listens there. */
  stream({ protocol, remoteAddress: address, remotePort: port }: Flow, opened: (flow: Flow | null) => void): void {
    if (protocol !== 'udp' || this.tcp === null) return opened(null);
    this.flowTo({ protocol: 'tcp', address, port }).then(opened, () => opened(null));
  }

  /** Sends what is waiting, then closes all sockets. */
  async close(): Promise<void> {
    await Promise.all([this.closeSockets(), this.webSockets.close()]);
  }

  private async closeSockets(): Promise<void> {
    const { udp, tcp, tls } = this;
    this.udp = null;
    this.tcp = null;
    this.tls = null;
    await Promise.all([udp?.close(), tcp?.close(), tls?.close()]);
  }

  /**
   * To the first of those that a name leads to, and that can be connected to; else back to `near`. The transport is
   * settled, as it stands in the request's Via already.
   */
  private async reachable(uri: SipUri, near: Flow): Promise<Flow | null> {
    const protocol = dialogTransport(uri, near);
    const destinations = (await this.options.resolve?.(withTransport(uri, protocol))) ?? [];
    for (const destination of destinations) {
      if (isBeyond(destination, near)) break;
      try {
        return await this.flowTo(destination);
      } catch {
        // The next may be better.
      }
    }
    return near.open && near.protocol === protocol ? near : null;
  }

  /** Usable at once: what is sent over a connection that is still opening waits in it. */
  private flow({ protocol, address, port, serverName }: Destination): Flow | null {
    if (isIP(address) === 0 || port < 1 || port > 65_535) return null;
    switch (protocol) {
      case 'udp':
        return this.udp?.flowTo(address, port) ?? null;
      case 'tcp':
        return this.tcp?.connections.connect(address, port) ?? null;
      case 'tls':
        return this.tls?.flowTo(address, port, serverName) ?? null;
      case 'ws':
      case 'wss':
        // Clients in browsers cannot be connected to.
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
      if (message.kind === 'request') {
        this.heedAlias(message.via, flow);
        this.user.received(stampVia(message, flow), flow, bytes);
      } else if (this.isOurs(message.via)) this.user.received(message, flow, bytes);
    } catch (error) {
      this.user.crashed(error, message, flow);
    }
  }

  /**
   * Deviation: `alias` is heeded over TLS alone, though peers send it over TCP too: there nobody can show whose connection
   * it is, and whoever says another's sent-by would get that one's requests (RFC 5923 §9).
   */
  private heedAlias(via: Via, flow: Flow): void {
    if (flow.protocol !== 'tls') return;
    const reason = this.tls?.honourAlias(via, flow) ?? null;
    if (reason !== null) this.user.aliasIgnored(flow, writeHostPort(via.host, via.port), reason);
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

/** What a request in a dialog goes over: as the URI says, else as before. */
function dialogTransport(uri: SipUri, near: Flow): TransportProtocol {
  const named = namedTransport(uri);
  if (named !== 'any' && named !== null) return named;
  return uri.scheme === 'sips' || near.protocol === 'ws' || near.protocol === 'wss'
    ? defaultTransport(uri)
    : near.protocol;
}

function withTransport(uri: SipUri, protocol: TransportProtocol): SipUri {
  return { ...uri, parameters: new Map([...uri.parameters, ['transport', protocol]]) };
}

/** Whether an address is one of the other side's own network, to which we have no way but `near`. */
function isBeyond({ address }: Destination, near: Flow): boolean {
  return isPrivateAddress(address) && !isPrivateAddress(near.remoteAddress) && near.open;
}
