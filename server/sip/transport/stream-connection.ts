import type { Duplex } from 'node:stream';
import type { Timer, Timers } from '../../timers.ts';
import { canonicalAddress } from './addresses.ts';
import type { Connection } from './connections.ts';
import type { TransportProtocol } from './flow.ts';
import { StreamFraming } from './stream-framing.ts';
import type { TransportEvents } from './transport-events.ts';

export interface ConnectionLimits {
  /** From the first byte of a message to its last; a slower sender is cut off. */
  messageTimeMs: number;
  /** Without a byte, on a connection that has not brought a message yet. */
  firstMessageMs: number;
  /** Without a byte, on any other. Above the half hour at which session timers refresh (RFC 4028 §4.2). */
  idleMs: number;
  /** Given to a connection that we open. */
  connectMs: number;
  /** What the other side has not taken yet. */
  maxUnsentBytes: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  messageTimeMs: 15_000,
  firstMessageMs: 60_000,
  idleMs: 3_600_000,
  connectMs: 5_000,
  maxUnsentBytes: 1_048_576,
};

/** A TCP or TLS socket, as far as a connection needs one. */
export interface StreamSocket extends Duplex {
  readonly connecting: boolean;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  setNoDelay(noDelay: boolean): unknown;
  setKeepAlive(enable: boolean, initialDelayMs: number): unknown;
}

const PONG = Buffer.from('\r\n');

let connections = 0;

/** One connection of a stream transport: the socket's bytes framed into messages, and the flow back. */
export class StreamConnection implements Connection {
  readonly id: string;
  readonly protocol: TransportProtocol;
  readonly reliable = true;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** What the other side's certificate was asked to be for; null: nothing, or it has none. */
  readonly serverName: string | null;
  /** Settled when the connection stands, or rejected when it cannot be made. */
  readonly connected: Promise<void>;
  private readonly socket: StreamSocket;
  private readonly timers: Timers;
  private readonly limits: ConnectionLimits;
  private readonly events: TransportEvents;
  private readonly framing = new StreamFraming();
  private state: 'opening' | 'open' | 'closing' | 'closed';
  private lastByteMs: number;
  /** How long the other side may be silent, in the present state. */
  private quietForMs: number;
  private quietTimer: Timer | null = null;
  private messageTimer: Timer | null = null;
  private closeTimer: Timer | null = null;

  /** The socket is this connection's from now on. `remote` is where a socket that is still connecting goes. */
  constructor(
    protocol: TransportProtocol,
    socket: StreamSocket,
    remote: { address: string; port: number; serverName?: string | null },
    surroundings: { timers: Timers; limits: ConnectionLimits; events: TransportEvents },
  ) {
    this.id = `${protocol}-${++connections}`;
    this.protocol = protocol;
    this.socket = socket;
    this.remoteAddress = canonicalAddress(remote.address);
    this.remotePort = remote.port;
    this.serverName = remote.serverName ?? null;
    this.timers = surroundings.timers;
    this.limits = surroundings.limits;
    this.events = surroundings.events;
    this.state = socket.connecting ? 'opening' : 'open';
    this.lastByteMs = this.timers.now();
    this.quietForMs = this.state === 'opening' ? this.limits.connectMs : this.limits.firstMessageMs;
    this.connected = this.state === 'open' ? Promise.resolve() : this.opening();
    // Whoever did not ask for it hears of it by `failed`.
    this.connected.catch(() => {});
    this.watch();
  }

  get open(): boolean {
    return this.state === 'opening' || this.state === 'open';
  }

  /** Empty until the connection stands. */
  get localAddress(): string {
    return canonicalAddress(this.socket.localAddress ?? '');
  }

  get localPort(): number {
    return this.socket.localPort ?? 0;
  }

  send(bytes: Uint8Array): void {
    if (!this.open) return;
    if (this.socket.writableLength + bytes.length > this.limits.maxUnsentBytes) {
      this.socket.destroy(new Error('The other side does not take what is sent'));
      return;
    }
    this.socket.write(bytes);
    this.events.sent(bytes, this);
  }

  close(): void {
    if (!this.open) return;
    this.state = 'closing';
    this.clearTimers();
    this.closeTimer = this.timers.set(1_000, () => this.socket.destroy());
    this.socket.end();
  }

  private get readyEvent(): 'connect' | 'secureConnect' {
    return this.protocol === 'tls' ? 'secureConnect' : 'connect';
  }

  private opening(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.once(this.readyEvent, resolve);
      this.socket.once('error', reject);
      this.socket.once('close', () => reject(new Error('The connection was closed before it stood')));
    });
  }

  private watch(): void {
    const { socket } = this;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.on('data', (chunk) => this.receive(chunk));
    socket.once(this.readyEvent, () => {
      if (this.state === 'opening') this.state = 'open';
      this.quietForMs = this.limits.idleMs;
    });
    // A connection that was ended in order is not a failure; those who wait for an answer on it hear of it all the same.
    let reason = new Error('The connection was closed');
    socket.on('error', (error) => {
      reason = error;
      this.state = 'closing';
      // After an error in a TLS record the socket itself would stay open, and be counted, as long as the other side likes.
      socket.destroy();
    });
    socket.once('close', () => this.gone(reason));
    this.watchQuiet();
  }

  private receive(chunk: Uint8Array): void {
    if (this.state !== 'open') return;
    this.lastByteMs = this.timers.now();
    const framed = this.framing.push(chunk);
    this.watchMessage(framed.length > 0);
    for (const item of framed) {
      if (!this.open) return;
      switch (item.kind) {
        case 'message':
          this.quietForMs = this.limits.idleMs;
          this.events.message(item.bytes, this);
          break;
        case 'ping':
          this.socket.write(PONG);
          break;
        case 'error':
          this.events.malformed(item.error, this);
          this.close();
      }
    }
  }

  /** A message that began must be complete in time; more bytes do not give it more (slow senders). */
  private watchMessage(progress: boolean): void {
    if (!this.framing.pending || progress) {
      this.messageTimer?.clear();
      this.messageTimer = null;
    }
    if (!this.framing.pending || this.messageTimer !== null) return;
    this.messageTimer = this.timers.set(this.limits.messageTimeMs, () => {
      this.socket.destroy(new Error('A message was not complete in time'));
    });
  }

  private watchQuiet(): void {
    const leftMs = this.lastByteMs + this.quietForMs - this.timers.now();
    this.quietTimer?.clear();
    this.quietTimer = this.timers.set(Math.max(0, leftMs), () => this.checkQuiet());
  }

  private checkQuiet(): void {
    if (this.timers.now() - this.lastByteMs < this.quietForMs) this.watchQuiet();
    else if (this.state === 'opening') this.socket.destroy(new Error('The connection was not made in time'));
    else this.close();
  }

  private gone(reason: Error): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.clearTimers();
    this.closeTimer?.clear();
    this.events.failed(this, reason);
  }

  private clearTimers(): void {
    this.quietTimer?.clear();
    this.messageTimer?.clear();
    this.messageTimer = null;
  }
}
