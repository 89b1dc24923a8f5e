import { isUtf8 } from 'node:buffer';
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import type { Timer, Timers } from '../../timers.ts';
import { canonicalAddress } from './addresses.ts';
import type { Connection } from './connections.ts';
import type { ConnectionLimits } from './stream-connection.ts';
import type { TransportEvents } from './transport-events.ts';

/** NATs and proxies forget a connection without traffic after a minute or so. */
const PING_INTERVAL_MS = 25_000;
/** A browser's socket that answers so many pings with nothing is gone. */
const MAX_UNANSWERED_PINGS = 2;

const PONG = '\r\n';

/** Close codes of RFC 6455 §7.4.1. */
const GOING_AWAY = 1001;

/** Where a WebSocket was opened. */
export interface WebSocketEnds {
  readonly protocol: 'ws' | 'wss';
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

let connections = 0;

/** One client's WebSocket: a frame is a message (RFC 7118 §5). */
export class WebSocketConnection implements Connection {
  readonly id: string;
  readonly protocol: 'ws' | 'wss';
  readonly reliable = true;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  private readonly socket: WebSocket;
  private readonly timers: Timers;
  private readonly limits: ConnectionLimits;
  private readonly events: TransportEvents;
  private state: 'open' | 'closing' | 'closed' = 'open';
  private lastMessageMs: number;
  private quietForMs: number;
  private unansweredPings = 0;
  private pingTimer: Timer;
  private frameTimer: Timer | null = null;
  private closeTimer: Timer | null = null;
  /** Why it ends; what the other side did in order is this too. */
  private endReason = new Error('The connection was closed');

  /** The WebSocket and the stream under it are this connection's from now on. */
  constructor(
    socket: WebSocket,
    stream: Duplex,
    ends: WebSocketEnds,
    surroundings: { timers: Timers; limits: ConnectionLimits; events: TransportEvents },
  ) {
    this.id = `${ends.protocol}-${++connections}`;
    this.protocol = ends.protocol;
    this.localAddress = canonicalAddress(ends.localAddress);
    this.localPort = ends.localPort;
    this.remoteAddress = canonicalAddress(ends.remoteAddress);
    this.remotePort = ends.remotePort;
    this.socket = socket;
    this.timers = surroundings.timers;
    this.limits = surroundings.limits;
    this.events = surroundings.events;
    this.lastMessageMs = this.timers.now();
    this.quietForMs = this.limits.firstMessageMs;
    this.pingTimer = this.pingLater();
    this.watch(stream);
  }

  get open(): boolean {
    return this.state === 'open';
  }

  send(bytes: Uint8Array): void {
    if (!this.open) return;
    if (this.socket.bufferedAmount + bytes.length > this.limits.maxUnsentBytes) {
      this.drop(new Error('The other side does not take what is sent'));
      return;
    }
    // Text where it is some, as clients in browsers read that best; a text frame must be UTF-8 (RFC 7118 §5).
    this.socket.send(bytes, { binary: !isUtf8(bytes) });
    this.events.sent(bytes, this);
  }

  close(): void {
    if (!this.open) return;
    this.state = 'closing';
    this.clearTimers();
    this.closeTimer = this.timers.set(1_000, () => this.socket.terminate());
    this.socket.close(GOING_AWAY);
  }

  private watch(stream: Duplex): void {
    const { socket } = this;
    // Before the library reads them: what arrives begins a frame, or goes on with one.
    stream.prependListener('data', () => this.frameBegan());
    socket.on('message', (data) => this.receive(data));
    socket.on('ping', () => this.frameEnded());
    socket.on('pong', () => this.frameEnded());
    socket.on('error', (error) => {
      this.endReason = error;
    });
    socket.once('close', () => this.gone());
  }

  private receive(data: RawData): void {
    if (!this.open) return;
    this.frameEnded();
    this.lastMessageMs = this.timers.now();
    // Buffers are what the library gives unless told otherwise.
    const bytes = data as Buffer;
    // Keep-alives as on a stream (RFC 5626 §3.5.1): a double CRLF wants one back.
    if (isLineEnds(bytes)) {
      if (bytes.length >= 4) this.socket.send(PONG);
      return;
    }
    this.quietForMs = this.limits.idleMs;
    this.events.message(bytes, this);
  }

  private frameBegan(): void {
    this.unansweredPings = 0;
    if (this.state !== 'open') return;
    this.frameTimer ??= this.timers.set(this.limits.messageTimeMs, () => {
      this.drop(new Error('A message was not complete in time'));
    });
  }

  private frameEnded(): void {
    this.frameTimer?.clear();
    this.frameTimer = null;
  }

  private pingLater(): Timer {
    return this.timers.set(PING_INTERVAL_MS, () => this.ping());
  }

  private ping(): void {
    if (this.timers.now() - this.lastMessageMs >= this.quietForMs) {
      this.close();
    } else if (this.unansweredPings >= MAX_UNANSWERED_PINGS) {
      this.drop(new Error('The other side does not answer pings'));
    } else {
      this.unansweredPings++;
      this.socket.ping();
      this.pingTimer = this.pingLater();
    }
  }

  /** Whoever waits for an answer over it hears of it when it is closed. */
  private drop(reason: Error): void {
    if (this.state === 'closed') return;
    this.state = 'closing';
    this.clearTimers();
    this.endReason = reason;
    this.socket.terminate();
  }

  private gone(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.clearTimers();
    this.closeTimer?.clear();
    this.events.failed(this, this.endReason);
  }

  private clearTimers(): void {
    this.pingTimer.clear();
    this.frameEnded();
  }
}

function isLineEnds(bytes: Buffer): boolean {
  return bytes.length <= 4 && bytes.every((byte) => byte === 10 || byte === 13);
}
