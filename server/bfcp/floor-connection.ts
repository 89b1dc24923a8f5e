import type { Socket } from 'node:net';
import { canonicalAddress } from '../sip/transport/addresses.ts';
import type { Connection } from '../sip/transport/connections.ts';
import type { Timer, Timers } from '../timers.ts';
import { MAX_PAYLOAD_BYTES } from './association.ts';
import { HEADER_BYTES } from './message.ts';
import { parseHeader } from './parse-message.ts';
import type { Path } from './path.ts';

export interface FloorConnectionOptions {
  readonly timers: Timers;
  /** One message, framed. False: it is of no use, and the connection is closed. */
  readonly message: (bytes: Uint8Array, path: Path) => boolean;
  /** Exactly once. */
  readonly closed: (connection: FloorConnection) => void;
}

/** From the first octet of a message to its last, and from the beginning to the first message. */
const MESSAGE_WITHIN_MS = 10_000;
const CONNECT_WITHIN_MS = 5000;
/** Not taken by the other side yet. */
const MAX_UNSENT_BYTES = 65_536;
const CLOSE_WITHIN_MS = 1000;

let connections = 0;

/** BFCP over one TCP connection: messages one after the other, each as long as its header says (RFC 8855 §6.1). */
export class FloorConnection implements Connection, Path {
  readonly id = `bfcp-${++connections}`;
  readonly protocol = 'tcp';
  readonly reliable = true;
  readonly remoteAddress: string;
  readonly remotePort: number;
  private readonly socket: Socket;
  private readonly options: FloorConnectionOptions;
  private buffered: Uint8Array = new Uint8Array(0);
  /** What came cannot be framed any more. */
  private isOutOfStep = false;
  private deadline: Timer | null = null;
  private isOpen = true;

  /** The socket is this connection's from now on; one that is still connecting, too. */
  constructor(socket: Socket, remote: { address: string; port: number }, options: FloorConnectionOptions) {
    this.socket = socket;
    this.options = options;
    this.remoteAddress = canonicalAddress(remote.address);
    this.remotePort = remote.port;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.on('data', (chunk) => this.receive(chunk));
    // 'close' follows.
    socket.on('error', () => {});
    socket.once('connect', () => this.setDeadline(null));
    socket.once('close', () => this.gone());
    this.setDeadline(socket.connecting ? CONNECT_WITHIN_MS : MESSAGE_WITHIN_MS);
  }

  get localAddress(): string {
    return canonicalAddress(this.socket.localAddress ?? '');
  }

  get localPort(): number {
    return this.socket.localPort ?? 0;
  }

  get open(): boolean {
    return this.isOpen;
  }

  send(bytes: Uint8Array): void {
    if (!this.isOpen) return;
    if (this.socket.writableLength + bytes.length > MAX_UNSENT_BYTES) this.socket.destroy();
    else this.socket.write(bytes);
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.deadline?.clear();
    this.deadline = this.options.timers.set(CLOSE_WITHIN_MS, () => this.socket.destroy());
    this.socket.end();
  }

  private receive(chunk: Buffer): void {
    if (!this.isOpen) return;
    this.buffered = this.buffered.length === 0 ? chunk : Buffer.concat([this.buffered, chunk]);
    let taken = false;
    for (let message = this.nextMessage(); message !== null; message = this.nextMessage()) {
      taken = true;
      if (!this.options.message(message, this) || this.isOutOfStep) this.close();
      if (!this.isOpen) return;
    }
    if (this.buffered.length === 0) this.setDeadline(null);
    // Also of one that sends an octet now and then.
    else if (taken || this.deadline === null) this.setDeadline(MESSAGE_WITHIN_MS);
  }

  /** Null: there is no whole one yet. What is too long cannot be skipped: its header is all that is told of it. */
  private nextMessage(): Uint8Array | null {
    const header = parseHeader(this.buffered, true);
    if (header === null) return null;
    const length = HEADER_BYTES + header.payloadBytes;
    this.isOutOfStep = header.payloadBytes > MAX_PAYLOAD_BYTES;
    if (this.isOutOfStep) return this.buffered.subarray(0, HEADER_BYTES);
    if (this.buffered.length < length) return null;
    const message = this.buffered.subarray(0, length);
    this.buffered = this.buffered.subarray(length);
    return message;
  }

  private setDeadline(afterMs: number | null): void {
    this.deadline?.clear();
    this.deadline = afterMs === null ? null : this.options.timers.set(afterMs, () => this.socket.destroy());
  }

  private gone(): void {
    this.isOpen = false;
    this.deadline?.clear();
    this.options.closed(this);
  }
}
