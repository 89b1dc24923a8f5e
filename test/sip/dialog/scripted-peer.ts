import type {
  Call,
  CallEnd,
  CallHandler,
  IncomingCall,
  Referral,
  ReofferReply,
} from '../../../server/sip/dialog/call.ts';
import type { OutgoingCallOptions } from '../../../server/sip/dialog/outgoing-call.ts';
import type { Way } from '../../../server/sip/dialog/ways.ts';
import type { SipMessage, SipRequest, SipResponse } from '../../../server/sip/message/message.ts';
import { parseNameAddress } from '../../../server/sip/message/name-address.ts';
import { parseMessage } from '../../../server/sip/message/parse-message.ts';
import { parseUri } from '../../../server/sip/message/uri.ts';
import type { Flow } from '../../../server/sip/transport/flow.ts';
import { UserAgent, type UserAgentOptions } from '../../../server/sip/user-agent/user-agent.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';
import { VirtualTimers } from '../../sim/virtual-timers.ts';

export interface RequestText {
  uri?: string;
  branch?: string;
  cseq?: number;
  /** Left out: the tag of the last response that had one, once there was one. Null: none. */
  toTag?: string | null;
  fromTag?: string;
  callId?: string;
  headers?: string[];
  body?: string;
  contentType?: string;
}

export interface ResponseText {
  tag?: string;
  headers?: string[];
  /** SDP. */
  body?: string;
}

/** A user agent and a peer that says exactly what the test writes, with nothing lost between them. */
export class ScriptedPeer {
  readonly timers = new VirtualTimers();
  readonly userAgent: UserAgent;
  readonly flow: Flow & { open: boolean };
  /** What the application got; in order. */
  readonly calls: IncomingCall[] = [];
  readonly told: string[] = [];
  readonly ends: CallEnd[] = [];
  reply: ReofferReply | null = null;
  referral: Referral | null = null;
  availability: 'available' | 'unknown' | 'busy' = 'available';
  /** Decides at once about each new call. */
  decide: (call: IncomingCall) => void = () => {};
  /** What the user agent sent, and by which flow. */
  readonly sent: SipMessage[] = [];
  readonly sentTo: string[] = [];
  /** The ports at which any host can be called, in the order of DNS; null: the one that the URI says. */
  destinations: Array<number | null> = [null];
  /** Destinations that a call was told to be unavailable, and for how many seconds. */
  readonly unavailable: string[] = [];
  private toTag: string | null = null;
  private lastBranch = 0;

  constructor(options: Partial<UserAgentOptions> & { reliable?: boolean } = {}) {
    const { reliable = false, ...rest } = options;
    this.flow = this.newFlow('192.0.2.1', 5070, reliable);
    this.userAgent = new UserAgent({
      timers: this.timers,
      flows: {
        forResponse: (_via, flow) => (flow.open ? flow : null),
        forRequest: (uri) => this.newFlow(uri.host, uri.port ?? 5060, reliable),
      },
      ways: {
        find: (uri, found) =>
          found(this.destinations.map((port) => this.wayTo(uri.host, port ?? uri.port ?? 5060, reliable))),
      },
      handler: {
        invited: (call) => this.invited(call),
        referred: (referral) => this.wasReferred(referral),
        availability: () => this.availability,
      },
      publicAddress: 'parley.example.com',
      ports: { udp: 5060, tcp: 5060 },
      random: new SeededRandom(1),
      ...rest,
    });
  }

  newFlow(address: string, port: number, reliable = false): Flow & { open: boolean } {
    const name = `${address}:${port}`;
    return {
      id: name,
      protocol: reliable ? 'tcp' : 'udp',
      reliable,
      localAddress: '192.0.2.2',
      localPort: 5060,
      remoteAddress: address,
      remotePort: port,
      open: true,
      send: (bytes) => this.receive(bytes, name),
    };
  }

  /** Sends a request, and gives the responses to it that came at once. */
  request(method: string, text: RequestText = {}, flow: Flow = this.flow): SipResponse[] {
    const before = this.sent.length;
    this.raw(this.write(method, text), flow);
    return this.sent.slice(before).filter((message) => message.kind === 'response');
  }

  invite(text: RequestText = {}): SipResponse[] {
    return this.request('INVITE', { body: 'offer', contentType: 'application/sdp', ...text });
  }

  /** Answers a request of the user agent's. `tag` is put on To where that has none. */
  respond(request: SipRequest, status: number, text: ResponseText = {}): void {
    const { headers: fields } = request;
    const { tag = 'ann', headers = [], body = '' } = text;
    const toTag = status === 100 || request.to.parameters.has('tag') ? '' : `;tag=${tag}`;
    const copied = ['Via', 'From', 'Call-ID', 'CSeq'].map((name) => `${name}: ${fields.get(name)}`);
    const contact = headers.some((header) => header.startsWith('Contact')) ? [] : ['Contact: <sip:ann@192.0.2.1:5070>'];
    const type = body === '' ? [] : ['Content-Type: application/sdp'];
    const lines = [...copied, `To: ${fields.get('To')}${toTag}`, ...contact, ...headers, ...type];
    this.raw([`SIP/2.0 ${status} Whatever`, ...lines, `Content-Length: ${body.length}`, '', body].join('\r\n'));
  }

  /** Has the user agent call somebody, and gives the call; its INVITE is `lastRequest` then. */
  dial(options: Partial<OutgoingCallOptions> = {}): Call {
    const call = this.userAgent.call(
      {
        target: parseUri('sip:ann@192.0.2.1:5070')!,
        from: parseNameAddress('<sip:demo@parley.example.com>')!,
        contactUser: 'demo',
        offer: 'offer',
        ...options,
      },
      this.handler(),
    );
    this.timers.advance(0);
    return call;
  }

  raw(text: string, flow: Flow = this.flow): void {
    const parsed = parseMessage(Buffer.from(text));
    if (!parsed.ok) throw new Error(`the test wrote a bad message: ${parsed.error.reason}`);
    this.userAgent.received(parsed.message, flow);
  }

  /** The requests that the user agent sent with this method, in order. */
  requests(method: string): SipRequest[] {
    return this.sent.filter((message) => message.kind === 'request').filter((request) => request.method === method);
  }

  lastRequestOf(method: string): SipRequest {
    return this.requests(method).at(-1)!;
  }

  /** All that the user agent sent, in short: `100 INVITE`, `BYE`. */
  get transcript(): string[] {
    return this.sent.map((message) =>
      message.kind === 'request' ? message.method : `${message.status} ${message.cseq.method}`,
    );
  }

  get lastRequest(): SipRequest {
    const request = this.sent.findLast((message) => message.kind === 'request');
    if (request === undefined) throw new Error('the user agent sent no request');
    return request;
  }

  /** Whether calls, transactions and timers are all gone, after all that was due has happened. */
  get clean(): boolean {
    this.timers.runUntilIdle();
    const { calls, transactions } = this.userAgent;
    return calls + transactions.serverTransactions + transactions.clientTransactions + this.timers.pending === 0;
  }

  write(method: string, text: RequestText): string {
    const { uri = 'sip:demo@parley.example.com', cseq = 1, headers = [], body = '' } = text;
    const branch = text.branch ?? `z9hG4bK-${++this.lastBranch}`;
    const toTag = text.toTag === undefined ? this.toTag : text.toTag;
    return [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/${this.flow.reliable ? 'TCP' : 'UDP'} 192.0.2.1:5070${branch === '' ? '' : `;branch=${branch}`}`,
      `From: "Ann" <sip:ann@example.com>;tag=${text.fromTag ?? 'ann'}`,
      `To: <sip:demo@parley.example.com>${toTag === null ? '' : `;tag=${toTag}`}`,
      `Call-ID: ${text.callId ?? 'call@192.0.2.1'}`,
      `CSeq: ${cseq} ${method}`,
      'Max-Forwards: 70',
      ...(headers.some((header) => header.startsWith('Contact')) ? [] : ['Contact: <sip:ann@192.0.2.1:5070>']),
      ...headers,
      ...(text.contentType === undefined ? [] : [`Content-Type: ${text.contentType}`]),
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
  }

  /** Writes down what it is told. */
  handler(): CallHandler {
    return {
      progressed: (status, reason) => this.told.push(`progressed ${status} ${reason}`),
      answered: (answer) => this.told.push(`answered ${answer}`),
      key: (key, durationMs) => this.told.push(`key ${key} ${durationMs}`),
      keyFrameWanted: () => this.told.push('key frame wanted'),
      referred: (referral) => this.wasReferred(referral),
      confirmed: (answer) => this.told.push(`confirmed ${answer}`),
      reoffered: (offer, reply) => {
        this.told.push(`reoffered ${offer}`);
        this.reply = reply;
      },
      ended: (end) => {
        this.told.push(`ended ${end.cause}`);
        this.ends.push(end);
      },
    };
  }

  private wasReferred(referral: Referral): void {
    this.told.push(`referred ${referral.referTo.uriText}`);
    this.referral = referral;
  }

  private wayTo(host: string, port: number, reliable: boolean): Way {
    return {
      open: (_bytes, opened) => opened(this.newFlow(host, port, reliable)),
      unavailable: (seconds) => this.unavailable.push(`${host}:${port} ${seconds}`),
    };
  }

  private invited(call: IncomingCall): void {
    this.calls.push(call);
    call.handle(this.handler());
    this.decide(call);
  }

  private receive(bytes: Uint8Array, to: string): void {
    const parsed = parseMessage(Uint8Array.from(bytes));
    if (!parsed.ok) throw new Error(`the user agent wrote a bad message: ${parsed.error.reason}`);
    const { message } = parsed;
    this.sent.push(message);
    this.sentTo.push(to);
    const tag = message.to.parameters.get('tag');
    if (message.kind === 'response' && message.cseq.method === 'INVITE' && tag !== undefined) this.toTag ??= tag;
  }
}

/** A peer in a call that was answered and acknowledged. */
export function establishedPeer(options: ConstructorParameters<typeof ScriptedPeer>[0] = {}): ScriptedPeer {
  const peer = new ScriptedPeer(options);
  peer.decide = (call) => call.accept('answer');
  peer.invite();
  peer.request('ACK');
  return peer;
}

export function statuses(responses: readonly SipResponse[]): number[] {
  return responses.map(({ status }) => status);
}
