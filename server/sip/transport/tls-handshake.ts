import type { Socket } from 'node:net';
import type { Timer, Timers } from '../../timers.ts';
import { canonicalAddress } from './addresses.ts';
import type { Connection } from './connections.ts';

let handshakes = 0;

/**
 * A connection to us whose TLS handshake is being made: it counts for the limits, and is given up when it takes too long.
 * Nothing can be sent over it.
 */
export class TlsHandshake implements Connection {
  readonly id = `tls-handshake-${++handshakes}`;
  readonly protocol = 'tls';
  readonly reliable = true;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  private readonly socket: Socket;
  private readonly timer: Timer;
  private reason = new Error('The connection was closed');
  private state: 'open' | 'made' | 'closed' = 'open';

  /** `gone` is called when it ends without having been made. */
  constructor(
    socket: Socket,
    surroundings: { timers: Timers; limitMs: number; gone: (handshake: TlsHandshake, reason: Error) => void },
  ) {
    this.socket = socket;
    this.localAddress = canonicalAddress(socket.localAddress ?? '');
    this.localPort = socket.localPort ?? 0;
    this.remoteAddress = canonicalAddress(socket.remoteAddress ?? '');
    this.remotePort = socket.remotePort ?? 0;
    this.timer = surroundings.timers.set(surroundings.limitMs, () => {
      this.fail(new Error('The TLS handshake was not made in time'));
      socket.destroy();
    });
    socket.on('error', (error) => this.fail(error));
    socket.once('close', () => {
      const ended = this.state !== 'made';
      this.end('closed');
      if (ended) surroundings.gone(this, this.reason);
    });
  }

  get open(): boolean {
    return this.state === 'open';
  }

  /** Why it will end. */
  fail(reason: Error): void {
    if (this.open) this.reason = reason;
  }

  /** The connection goes on as another one. */
  made(): void {
    this.end('made');
  }

  send(): void {}

  close(): void {
    if (!this.open) return;
    this.end('closed');
    this.socket.destroy();
  }

  private end(state: 'made' | 'closed'): void {
    this.state = state;
    this.timer.clear();
  }
}
