import { type IncomingMessage, STATUS_CODES } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import { MAX_MESSAGE_BYTES } from '../message/message-lines.ts';
import { canonicalAddress, isLoopbackAddress } from './addresses.ts';
import { Connections } from './connections.ts';
import type { Flow } from './flow.ts';
import type { StreamSurroundings } from './tcp-transport.ts';
import type { TransportEvents } from './transport-events.ts';
import { WebSocketConnection, type WebSocketEnds } from './web-socket-connection.ts';

/** RFC 7118 §4.1. */
const SUBPROTOCOL = 'sip';
const MAX_FRAGMENTS = 256;
/** Of a frame that is not complete. */
const MAX_CHUNKS = 1024;

/** SIP over WebSocket (RFC 7118): takes upgrades of an HTTP server, and never connects by itself. */
export class WebSocketTransport {
  private readonly connections: Connections<WebSocketConnection>;
  private readonly surroundings: StreamSurroundings;
  private readonly origins: ReadonlySet<string>;
  private readonly server: WebSocketServer;

  /**
   * Pages of `origins` may connect (`https://phone.example.com`; `*`: of any), besides those of the host that they
   * connect to, and programs that are no browser.
   */
  constructor(surroundings: StreamSurroundings, origins: readonly string[]) {
    this.connections = new Connections(surroundings.limits);
    this.origins = new Set(origins.map((origin) => origin.toLowerCase()));
    const { events } = surroundings;
    const outward: TransportEvents = {
      message: (bytes, flow) => events.message(bytes, flow),
      sent: (bytes, flow) => events.sent(bytes, flow),
      malformed: (error, flow) => events.malformed(error, flow),
      failed: (flow, reason) => {
        if (this.connections.remove(flow as WebSocketConnection)) events.failed(flow, reason);
      },
    };
    this.surroundings = { ...surroundings, events: outward };
    this.server = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_MESSAGE_BYTES,
      // Each is kept by itself until the last: of one octet each, a message would take megabytes.
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MAX_CHUNKS,
      perMessageDeflate: false,
      handleProtocols: () => SUBPROTOCOL,
    });
  }

  get size(): number {
    return this.connections.size;
  }

  /** The connection of that id, while there is one. */
  get(id: string): Flow | undefined {
    return this.connections.get(id);
  }

  /** Takes an HTTP request to upgrade, or answers why not; its socket is ours from now on. */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const ends = endsOf(request, stream as Socket);
    const refusal = ends === null ? NO_ADDRESS : this.refusalOf(request, ends);
    if (ends === null || refusal !== null) {
      const { status, reason } = refusal ?? NO_ADDRESS;
      refuseUpgrade(stream, status, reason, [`Sec-WebSocket-Protocol: ${SUBPROTOCOL}`]);
      return;
    }
    this.server.handleUpgrade(request, stream, head, (socket) => this.add(socket, stream, ends));
  }

  /** Sends what is waiting and closes every connection. */
  close(): Promise<void> {
    return this.connections.close();
  }

  private add(socket: WebSocket, stream: Duplex, ends: WebSocketEnds): void {
    this.connections.add(new WebSocketConnection(socket, stream, ends, this.surroundings));
  }

  private refusalOf(request: IncomingMessage, ends: WebSocketEnds): { status: number; reason: string } | null {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    if (!offered.includes(SUBPROTOCOL)) return { status: 400, reason: 'the subprotocol must be sip (RFC 7118)' };
    if (!this.isAllowed(request)) return { status: 403, reason: 'pages of this origin may not connect here' };
    return this.connections.admits(ends.remoteAddress) ? null : { status: 503, reason: 'too many connections' };
  }

  /** Browsers say which page asks (RFC 6455 §10.2); a page of somebody else's could use its visitors' network otherwise. */
  private isAllowed({ headers: { origin, host } }: IncomingMessage): boolean {
    if (origin === undefined || this.origins.has('*') || this.origins.has(origin.toLowerCase())) return true;
    const scheme = origin.indexOf('://');
    return scheme > 0 && origin.slice(scheme + 3).toLowerCase() === host?.toLowerCase();
  }
}

/** Ends an upgrade that nobody wants. */
function refuseUpgrade(stream: Duplex, status: number, reason: string, headers: readonly string[] = []): void {
  const body = `${reason}\n`;
  stream.on('error', () => {});
  // Nobody counts it, so it must not stay open until the other side closes it too.
  stream.once('finish', () => stream.destroy());
  stream.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      ...headers,
      'Connection: close',
      'Content-Type: text/plain',
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n'),
  );
}

/** Whoever is behind the proxy must not pass for the proxy itself, whom this host trusts. */
const NO_ADDRESS = { status: 400, reason: 'X-Forwarded-For does not end with an IP address' };

/**
 * A proxy on this host says whom it speaks for, as it does to the HTTP API; nobody else is believed. Null when what it
 * says is no address.
 */
function endsOf(request: IncomingMessage, socket: Socket): WebSocketEnds | null {
  const remoteAddress = canonicalAddress(socket.remoteAddress ?? '');
  const ends = {
    protocol: (socket as Partial<TLSSocket>).encrypted ? 'wss' : 'ws',
    localAddress: socket.localAddress ?? '',
    localPort: socket.localPort ?? 0,
    remoteAddress,
    remotePort: socket.remotePort ?? 0,
  } as const;
  if (!isLoopbackAddress(remoteAddress)) return ends;
  const forwardedFor = lastOf(request.headers['x-forwarded-for']);
  const address = forwardedFor === '' ? remoteAddress : addressIn(forwardedFor);
  if (address === null) return null;
  const secure = lastOf(request.headers['x-forwarded-proto']) === 'https' || ends.protocol === 'wss';
  return { ...ends, protocol: secure ? 'wss' : 'ws', remoteAddress: address };
}

/** Some proxies write the port, too, and then brackets around IPv6. */
function addressIn(text: string): string | null {
  const [, bracketed, ipv4] = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/.exec(text) ?? [];
  const address = bracketed ?? ipv4 ?? text;
  return isIP(address) === 0 ? null : address;
}

function lastOf(header: string | string[] | undefined): string {
  return String(header ?? '')
    .split(',')
    .at(-1)!
    .trim();
}
