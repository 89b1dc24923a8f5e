import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import type { RequestGuard } from '../guard/request-guard.ts';
import type { Log } from '../log.ts';
import type { Timers } from '../timers.ts';
import { ContactWays, type Locate } from './contact-ways.ts';
import { DestinationWays } from './destination-ways.ts';
import type { Call, CallHandler, IncomingCall, Referral } from './dialog/call.ts';
import type { OutgoingCallOptions } from './dialog/outgoing-call.ts';
import type { EventPackage } from './dialog/received-subscription.ts';
import type { SipMessage, SipRequest } from './message/message.ts';
import type { SipUri } from './message/uri.ts';
import { DestinationHealth } from './resolve/destination-health.ts';
import { DnsCache } from './resolve/dns-cache.ts';
import type { DnsResolver } from './resolve/dns-resolver.ts';
import { resolveTarget } from './resolve/resolve-target.ts';
import type { Destination } from './transport/destination.ts';
import type { Flow, TransportProtocol } from './transport/flow.ts';
import type { TlsIdentity, TlsSurroundings } from './transport/tls-transport.ts';
import { SipTransports, type TransportUser } from './transport/transport-layer.ts';
import type { LoneRequest } from './user-agent/lone-request.ts';
import { type MethodHandler, UserAgent } from './user-agent/user-agent.ts';

export interface SipServerOptions {
  timers: Timers;
  log: Log;
  bind: string;
  /** 0 takes any free one, the same for UDP and TCP. */
  port: number;
  /** Null: no TLS. Port 0 takes any free one. */
  tls: ({ port: number } & Pick<TlsSurroundings, 'identity' | 'verification' | 'clientCa'>) | null;
  /** The web pages that may open a WebSocket, besides those of the host that they open it to. */
  webSocketOrigins: readonly string[];
  /** One, or one of each family. */
  publicAddress: readonly string[];
  dns: DnsResolver;
  maxCalls: number;
  invited(call: IncomingCall): void;
  /** A REFER outside of calls; to be accepted or rejected at once. */
  referred(referral: Referral): void;
  availability(options: SipRequest, flow: Flow): 'available' | 'unknown' | 'busy';
  /** Who answers further methods outside of dialogs, by method. */
  methods: Readonly<Record<string, MethodHandler>>;
  /** What can be subscribed to, by name. */
  packages: Readonly<Record<string, EventPackage>>;
  /** Where users of ours are; asked for addresses with one of our ports, or none. */
  locate: Locate;
  /** Who may send what. */
  guard: RequestGuard;
  /** A connection is gone. */
  flowClosed(flow: Flow): void;
  /** Keeps the messages of calls, for people who look for what went wrong. */
  trace?: MessageTrace;
}

/** Told of each message as it is on the wire; must not keep the bytes, which may be part of something larger. */
export interface MessageTrace {
  received(message: SipMessage, bytes: Uint8Array, flow: Flow): void;
  sent(bytes: Uint8Array, flow: Flow): void;
}

/** The other end of a flow, as it can be kept. */
export interface FlowEnd {
  readonly protocol: TransportProtocol;
  readonly address: string;
  readonly port: number;
  /** Of the connection; null where there is none any more. */
  readonly flowId: string | null;
}

/** Messages counted since the start, retransmissions included. */
export interface SipCounts {
  requestsReceived: Record<string, number>;
  requestsSent: Record<string, number>;
  responsesReceived: Record<number, number>;
  responsesSent: Record<number, number>;
  malformed: number;
}

/** Methods that are counted by name; a peer can make up any number of others. */
const COUNTED_METHODS = new Set([
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'OPTIONS',
  'REGISTER',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'MESSAGE',
  'INFO',
  'REFER',
  'UPDATE',
  'PRACK',
]);
/** Requests of those who gave wrong passwords that wait at a time; further ones get no answer. */
const MAX_WAITING = 1000;
/** When a free port is wanted and TCP's is taken by somebody else. */
const FREE_PORT_TRIES = 10;

/** SIP as a whole: transports below, the user agent above, and what is logged and counted between them. */
export class SipServer implements TransportUser {
  readonly counts: SipCounts = {
    requestsReceived: {},
    requestsSent: {},
    responsesReceived: {},
    responsesSent: {},
    malformed: 0,
  };
  port: number;
  /** Null when TLS is off. */
  sipsPort: number | null = null;
  private readonly options: SipServerOptions;
  private readonly dns: DnsResolver;
  private readonly transports: SipTransports;
  private agent: UserAgent | null = null;
  private idle: (() => void) | null = null;
  private waiting = 0;

  constructor(options: SipServerOptions) {
    this.options = options;
    this.port = options.port;
    this.dns = new DnsCache(options.dns, options.timers);
    this.transports = new SipTransports(this, {
      timers: options.timers,
      viaHosts: options.publicAddress,
      resolve: (uri) => this.resolve(uri),
      webSocketOrigins: options.webSocketOrigins,
    });
  }

  /** Rejects when the port is taken. */
  async listen(): Promise<void> {
    await this.bind();
    const { timers, publicAddress, maxCalls, invited, referred, availability, methods, packages, guard } = this.options;
    const destinations = new DestinationWays({
      resolve: (uri) => this.resolve(uri),
      connect: (destination, requestBytes) => this.transports.flowFor(destination, requestBytes),
      health: new DestinationHealth(timers),
    });
    const ways = new ContactWays((uri) => (this.isOurPort(uri) ? this.options.locate(uri) : null), destinations);
    this.agent = new UserAgent({
      timers,
      flows: this.transports,
      ways,
      publicAddress,
      ports: { udp: this.port, tcp: this.port, ...(this.sipsPort === null ? {} : { tls: this.sipsPort }) },
      maxCalls,
      handler: { invited, referred, availability, methods, packages },
      isFocus: true,
      refuses: (request, flow) => guard.refuses(request, flow),
    });
  }

  /** Calls somebody. `handler` is told of all that comes of it, never before this returns. */
  call(options: OutgoingCallOptions, handler: CallHandler): Call {
    if (this.agent === null) throw new Error('not listening');
    return this.agent.call(options, handler);
  }

  /** Sends a request outside of dialogs; told of its final status, once and never before this returns. */
  send(request: LoneRequest, concluded: (status: number) => void): void {
    if (this.agent === null) throw new Error('not listening');
    this.agent.send(request, concluded);
  }

  /** The way back to where a message came from: over its connection while that is open, or over UDP; else null. */
  flowOf({ protocol, address, port, flowId }: FlowEnd): Flow | null {
    if (protocol === 'udp') return this.transports.datagrams(address, port);
    return flowId === null ? null : this.transports.connection(flowId);
  }

  /** Our key and certificate for TLS connections from now on. */
  setIdentity(identity: TlsIdentity): void {
    this.transports.setIdentity(identity);
  }

  /** Takes an HTTP request to upgrade to a WebSocket (RFC 7118), or refuses it; its stream is ours from now on. */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    this.transports.upgrade(request, stream, head);
  }

  /** A Route value by which a peer of this flow gets to us (RFC 3608). */
  routeFor(flow: Flow): string {
    if (this.agent === null) throw new Error('not listening');
    return this.agent.local.route(flow);
  }

  get connections(): number {
    return this.transports.connectionCount;
  }

  get transactions(): number {
    return this.agent ? this.agent.transactions.serverTransactions + this.agent.transactions.clientTransactions : 0;
  }

  /** Also those that ended a moment ago, as long as their BYE is on its way. */
  get calls(): number {
    return this.agent?.calls ?? 0;
  }

  received(message: SipMessage, flow: Flow, bytes: Uint8Array): void {
    if (message.kind === 'request') count(this.counts.requestsReceived, methodCounted(message.method));
    else count(this.counts.responsesReceived, message.status);
    const delayMs = message.kind === 'request' ? this.delayOf(message, flow) : 0;
    if (delayMs !== null) this.options.trace?.received(message, bytes, flow);
    if (delayMs === 0) this.handOver(message, flow);
    else if (delayMs !== null) this.handOverLater(message, flow, delayMs);
  }

  sent(bytes: Uint8Array, flow: Flow): void {
    this.options.trace?.sent(bytes, flow);
    // The start line is ours, so it is well-formed: `SIP/2.0 200 OK` or `BYE sip:…`.
    const line = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 24)).toString('latin1');
    if (line.startsWith('SIP/')) count(this.counts.responsesSent, Number(line.slice(8, 11)));
    else count(this.counts.requestsSent, methodCounted(line.slice(0, line.indexOf(' '))));
  }

  /** When no goodbye is on its way any more, or after `deadlineMs`. */
  settled(deadlineMs: number): Promise<void> {
    if (this.calls === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.idle = resolve;
      this.options.timers.set(deadlineMs, resolve);
    });
  }

  malformed(error: Parameters<TransportUser['malformed']>[0], flow: Flow): void {
    this.counts.malformed++;
    const { code, reason, offset } = error;
    if (!this.options.guard.logsMalformed()) return;
    this.options.log.warn({ ...sourceOf(flow), code, reason, offset }, 'SIP message cannot be read');
  }

  failed(flow: Flow, reason: Error): void {
    this.options.log.debug({ ...sourceOf(flow), reason: reason.message }, 'SIP transport failed');
    this.agent?.transportFailed(flow);
    if (flow.reliable && !flow.open) this.options.flowClosed(flow);
  }

  aliasIgnored(flow: Flow, sentBy: string, reason: string): void {
    this.options.log.debug({ ...sourceOf(flow), sentBy, reason }, 'alias of a SIP connection not heeded');
  }

  crashed(error: unknown, message: SipMessage, flow: Flow): void {
    const line = message.kind === 'request' ? message.method : message.status;
    this.options.log.error({ ...sourceOf(flow), line, callId: message.callId, err: error }, 'SIP message not handled');
  }

  close(): Promise<void> {
    return this.transports.close();
  }

  /** How long the request has to wait; null: for ever. */
  private delayOf(request: SipRequest, flow: Flow): number | null {
    const { guard } = this.options;
    if (guard.drops(request, flow)) return null;
    const delayMs = guard.delayMs(request, flow);
    return delayMs > 0 && this.waiting >= MAX_WAITING ? null : delayMs;
  }

  private handOver(message: SipMessage, flow: Flow): void {
    this.agent?.received(message, flow);
    if (this.calls === 0) this.idle?.();
  }

  private handOverLater(message: SipMessage, flow: Flow, delayMs: number): void {
    this.waiting++;
    this.options.timers.set(delayMs, () => {
      this.waiting--;
      try {
        this.handOver(message, flow);
      } catch (error) {
        this.crashed(error, message, flow);
      }
    });
  }

  private async bind(): Promise<void> {
    const { bind, port, tls } = this.options;
    for (let tries = 1; ; tries++) {
      try {
        this.port = port || (await this.freePort());
        const at = { address: bind, port: this.port };
        const bound = await this.transports.listen({
          udp: at,
          tcp: at,
          ...(tls === null ? {} : { tls: { ...tls, address: bind } }),
        });
        this.sipsPort = bound.tls?.port ?? null;
        return;
      } catch (error) {
        if (port !== 0 || tries >= FREE_PORT_TRIES) throw error;
      }
    }
  }

  private isOurPort({ port }: SipUri): boolean {
    return port === null || port === this.port || port === this.sipsPort;
  }

  private resolve(uri: SipUri): Promise<readonly Destination[]> {
    const { bind, tls } = this.options;
    return resolveTarget(uri, {
      dns: this.dns,
      random: Math.random,
      protocols: new Set(tls === null ? (['udp', 'tcp'] as const) : (['udp', 'tcp', 'tls'] as const)),
      // A socket for all IPv6 addresses serves IPv4 too.
      families: { ipv4: !isIPv6(bind) || bind === '::', ipv6: isIPv6(bind) },
    });
  }

  private async freePort(): Promise<number> {
    const { bind, timers } = this.options;
    const probe = new SipTransports(this, { timers });
    const { tcp } = await probe.listen({ tcp: { address: bind, port: 0 } });
    await probe.close();
    return tcp!.port;
  }
}

function sourceOf(flow: Flow): { source: string; transport: string } {
  return { source: `${flow.remoteAddress}:${flow.remotePort}`, transport: flow.protocol };
}

function methodCounted(method: string): string {
  return COUNTED_METHODS.has(method) ? method : 'other';
}

function count(counts: Record<string | number, number>, key: string | number): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
