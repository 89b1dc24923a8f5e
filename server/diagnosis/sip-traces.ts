import type { SipMessage } from '../sip/message/message.ts';
import type { MessageTrace } from '../sip/sip-server.ts';
import type { Flow, TransportProtocol } from '../sip/transport/flow.ts';

/** The two ends that a message went between. */
export interface TracedWay {
  readonly protocol: TransportProtocol;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

export interface TracedMessage {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly received: boolean;
  readonly way: TracedWay;
  /** As on the wire, one character an octet; with all its secrets, so it must be redacted before it is shown. */
  readonly text: string;
  /** Octets on the wire, of which `text` may have the first alone. */
  readonly bytes: number;
}

export interface CallTrace {
  readonly messages: readonly TracedMessage[];
  /** How many there were that are not kept any more. */
  readonly dropped: number;
}

interface Trace extends CallTrace {
  messages: TracedMessage[];
  dropped: number;
  bytes: number;
  releasedMs: number;
}

export interface SipTracesOptions {
  readonly epochMs: () => number;
  readonly limits?: Partial<TraceLimits>;
}

export interface TraceLimits {
  /** Of all that is kept. */
  maxBytes: number;
  /** Of one call. */
  maxBytesOfCall: number;
  maxMessagesOfCall: number;
  maxMessageBytes: number;
  /** How long a call's messages are kept after its end. */
  keepMs: number;
}

const LIMITS: TraceLimits = {
  maxBytes: 64 * 1024 * 1024,
  maxBytesOfCall: 64 * 1024,
  maxMessagesOfCall: 100,
  maxMessageBytes: 16 * 1024,
  keepMs: 600_000,
};
/** The beginning of a call tells most, so these stay when room is made. */
const FIRST_KEPT = 8;
/** What a message takes besides its text, roughly. */
const OVERHEAD_BYTES = 200;

const CALL_ID = '\r\nCall-ID: ';

/**
 * The messages of calls as they were on the wire, by Call-ID. A call's begin with an INVITE and are kept as long as it is
 * held, and for a while afterwards; the memory of all together is bounded. What ended longest ago goes first.
 */
export class SipTraces implements MessageTrace {
  private readonly epochMs: () => number;
  private readonly limits: TraceLimits;
  private readonly held = new Map<string, Trace>();
  /** Of calls that are over, or were never held; oldest first. */
  private readonly loose = new Map<string, Trace>();
  private totalBytes = 0;

  constructor({ epochMs, limits = {} }: SipTracesOptions) {
    this.epochMs = epochMs;
    this.limits = { ...LIMITS, ...limits };
  }

  /** What they take, roughly. */
  get bytes(): number {
    return this.totalBytes;
  }

  get size(): number {
    return this.held.size + this.loose.size;
  }

  received(message: SipMessage, bytes: Uint8Array, flow: Flow): void {
    const { callId } = message;
    const begins = message.kind === 'request' && message.method === 'INVITE';
    const trace = this.find(callId) ?? (begins ? this.begin(callId) : undefined);
    if (trace !== undefined) this.keep(trace, true, bytes, flow);
  }

  sent(bytes: Uint8Array, flow: Flow): void {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // `INVITE `, read as one number.
    const begins = buffer.length > 7 && buffer.readUInt32BE(0) === 0x494e5649 && buffer[6] === 0x20;
    if (!begins && this.size === 0) return;
    const at = buffer.indexOf(CALL_ID, 0, 'latin1');
    if (at < 0) return;
    const end = buffer.indexOf('\r\n', at + CALL_ID.length, 'latin1');
    const callId = buffer.toString('utf8', at + CALL_ID.length, end);
    const trace = this.find(callId) ?? (begins ? this.begin(callId) : undefined);
    if (trace !== undefined) this.keep(trace, false, bytes, flow);
  }

  /** A call has begun: its messages stay until it is released. */
  hold(callId: string): void {
    const trace = this.loose.get(callId) ?? newTrace();
    this.loose.delete(callId);
    if (!this.held.has(callId)) this.held.set(callId, trace);
  }

  /** The call is over; what is still said is kept too. */
  release(callId: string): void {
    const trace = this.held.get(callId);
    if (trace === undefined) return;
    this.held.delete(callId);
    trace.releasedMs = this.epochMs();
    this.loose.set(callId, trace);
    this.makeRoom();
  }

  /** Undefined when there is none, or none any more. */
  find(callId: string): Trace | undefined {
    return this.held.get(callId) ?? this.loose.get(callId);
  }

  private begin(callId: string): Trace {
    const trace = newTrace();
    trace.releasedMs = this.epochMs();
    this.loose.set(callId, trace);
    return trace;
  }

  private keep(trace: Trace, received: boolean, bytes: Uint8Array, flow: Flow): void {
    const { maxMessageBytes, maxMessagesOfCall, maxBytesOfCall, maxBytes } = this.limits;
    const kept = Math.min(bytes.byteLength, maxMessageBytes);
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, kept).toString('latin1');
    const way = wayOf(flow, trace.messages.at(-1)?.way);
    trace.messages.push({ atMs: this.epochMs(), received, way, text, bytes: bytes.byteLength });
    this.count(trace, kept + OVERHEAD_BYTES);
    while (trace.messages.length > maxMessagesOfCall || (trace.bytes > maxBytesOfCall && trace.messages.length > 1)) {
      this.dropOne(trace);
    }
    if (this.totalBytes > maxBytes) this.makeRoom();
    // Only calls that are up are left: this one gives way to itself.
    while (this.totalBytes > maxBytes && trace.messages.length > 1) this.dropOne(trace);
  }

  private makeRoom(): void {
    const { maxBytes, keepMs } = this.limits;
    const oldestMs = this.epochMs() - keepMs;
    for (const [callId, trace] of this.loose) {
      if (this.totalBytes <= maxBytes && trace.releasedMs > oldestMs) return;
      this.loose.delete(callId);
      this.count(trace, -trace.bytes);
    }
  }

  private dropOne(trace: Trace): void {
    const [gone] = trace.messages.splice(trace.messages.length > FIRST_KEPT ? FIRST_KEPT : 0, 1);
    trace.dropped++;
    this.count(trace, -(gone!.text.length + OVERHEAD_BYTES));
  }

  private count(trace: Trace, bytes: number): void {
    trace.bytes += bytes;
    this.totalBytes += bytes;
  }
}

function newTrace(): Trace {
  return { messages: [], dropped: 0, bytes: 0, releasedMs: 0 };
}

/** The same object as before where it is the same way: most calls have one. */
function wayOf(flow: Flow, before: TracedWay | undefined): TracedWay {
  const { protocol, localAddress, localPort, remoteAddress, remotePort } = flow;
  const same =
    before?.remotePort === remotePort && before.remoteAddress === remoteAddress && before.protocol === protocol;
  return same ? before : { protocol, localAddress, localPort, remoteAddress, remotePort };
}
