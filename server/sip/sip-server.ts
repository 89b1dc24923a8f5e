import type { Log } from '../log.ts';
import type { Timers } from '../timers.ts';
import type { IncomingCall } from './dialog/call.ts';
import type { SipMessage, SipRequest } from './message/message.ts';
import type { Flow } from './transport/flow.ts';
import { SipTransports, type TransportUser } from './transport/transport-layer.ts';
import { UserAgent } from './user-agent/user-agent.ts';

export interface SipServerOptions {
  timers: Timers;
  log: Log;
  bind: string;
  /** 0 takes any free one, the same for UDP and TCP. */
  port: number;
  publicAddress: string;
  maxCalls: number;
  invited(call: IncomingCall): void;
  availability(options: SipRequest, flow: Flow): 'available' | 'unknown' | 'busy';
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
  private readonly options: SipServerOptions;
  private transports: SipTransports;
  private agent: UserAgent | null = null;
  private idle: (() => void) | null = null;

  constructor(options: SipServerOptions) {
    this.options = options;
    this.port = options.port;
    this.transports = new SipTransports(this, { timers: options.timers });
  }

  /** Rejects when the port is taken. */
  async listen(): Promise<void> {
    this.port = await this.bound();
    const { timers, publicAddress, maxCalls, invited, availability } = this.options;
    this.agent = new UserAgent({
      timers,
      flows: this.transports,
      publicAddress,
      ports: { udp: this.port, tcp: this.port },
      maxCalls,
      handler: { invited, availability },
    });
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

  received(message: SipMessage, flow: Flow): void {
    if (message.kind === 'request') count(this.counts.requestsReceived, methodCounted(message.method));
    else count(this.counts.responsesReceived, message.status);
    this.agent?.received(message, flow);
    if (this.calls === 0) this.idle?.();
  }

  sent(bytes: Uint8Array): void {
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
    this.options.log.warn({ ...sourceOf(flow), code, reason, offset }, 'SIP message cannot be read');
  }

  failed(flow: Flow, reason: Error): void {
    this.options.log.debug({ ...sourceOf(flow), reason: reason.message }, 'SIP transport failed');
    this.agent?.transportFailed(flow);
  }

  crashed(error: unknown, message: SipMessage, flow: Flow): void {
    const line = message.kind === 'request' ? message.method : message.status;
    this.options.log.error({ ...sourceOf(flow), line, callId: message.callId, err: error }, 'SIP message not handled');
  }

  close(): Promise<void> {
    return this.transports.close();
  }

  private async bound(): Promise<number> {
    const { bind, port } = this.options;
    for (let tries = 1; ; tries++) {
      try {
        const udp = port || (await this.freePort());
        await this.transports.listen({ udp: { address: bind, port: udp }, tcp: { address: bind, port: udp } });
        return udp;
      } catch (error) {
        if (port !== 0 || tries >= FREE_PORT_TRIES) throw error;
      }
    }
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
