import type { Flow, TransportProtocol } from './flow.ts';
import type { TransportEvents } from './transport-events.ts';

/** A stranger's name server can be slow. */
const MAX_WAITING = 16;

let flows = 0;

/** The way to a name that is still being resolved: what is sent waits; afterwards it is the way that was found. */
export class ResolvingFlow implements Flow {
  readonly protocol: TransportProtocol;
  readonly reliable: boolean;
  private readonly ownId = `resolving-${++flows}`;
  private readonly near: Flow;
  private found: Flow | null = null;
  private failed = false;
  private waiting: Uint8Array[] = [];

  /** `way` never rejects; null: there is none. `near` is another way to the same peer. */
  constructor(protocol: TransportProtocol, near: Flow, way: Promise<Flow | null>, events: TransportEvents) {
    this.protocol = protocol;
    this.reliable = protocol !== 'udp';
    this.near = near;
    void way.then((found) => this.resolved(found, events));
  }

  /** That of the way once it is found, as what fails over it is told by that. */
  get id(): string {
    return this.found?.id ?? this.ownId;
  }

  get localAddress(): string {
    return (this.found ?? this.near).localAddress;
  }

  get localPort(): number {
    return (this.found ?? this.near).localPort;
  }

  get remoteAddress(): string {
    return (this.found ?? this.near).remoteAddress;
  }

  get remotePort(): number {
    return (this.found ?? this.near).remotePort;
  }

  get open(): boolean {
    return this.found?.open ?? !this.failed;
  }

  /** A retransmission of what waits already is that. */
  send(bytes: Uint8Array): void {
    if (this.found !== null) this.found.send(bytes);
    else if (this.open && this.waiting.length < MAX_WAITING && !this.waiting.includes(bytes)) this.waiting.push(bytes);
  }

  private resolved(found: Flow | null, events: TransportEvents): void {
    const { waiting } = this;
    this.waiting = [];
    this.found = found;
    if (found !== null) {
      for (const bytes of waiting) found.send(bytes);
    } else {
      this.failed = true;
      events.failed(this, new Error('The name leads to nobody who can be reached'));
    }
  }
}
