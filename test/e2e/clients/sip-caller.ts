import { randomBytes } from 'node:crypto';
import { LOOPBACK } from './free-ports.ts';
import { header, type ReceivedRequest, readMessage, type SipReply } from './sip-text.ts';
import { openTcp, openUdp, type Wire } from './sip-wire.ts';

/**
 * A small user agent of the tests' own, UDP or TCP, for what the ready-made phones cannot be made to do, and for many
 * calls from one process. It shares no code with the server.
 */

export interface SipCallerOptions {
  serverPort: number;
  transport?: 'UDP' | 'TCP';
  user?: string;
}

export interface RequestOptions {
  headers?: readonly string[];
  body?: string;
  timeoutMs?: number;
}

interface Pending {
  provisional: (reply: SipReply) => void;
  final: (reply: SipReply) => void;
  /** Never answered, as nobody is there any more. */
  stop: () => void;
}

/** RFC 3261 §17.1.1.1. */
const T1_MS = 500;
const T2_MS = 4_000;

const token = (): string => randomBytes(8).toString('hex');

/** One INVITE and all that follows in its dialog. */
export class OutgoingCall {
  readonly callId = token();
  readonly branch = `z9hG4bK${token()}`;
  readonly uri: string;
  /** The final answer to the first INVITE. */
  answer: SipReply | null = null;
  /** What the far end sent in this dialog, in order. */
  readonly requests: ReceivedRequest[] = [];
  readonly #caller: SipCaller;
  readonly #fromTag = token();
  readonly #byeWaiters: Array<() => void> = [];
  #sequence = 1;

  constructor(caller: SipCaller, uri: string) {
    this.#caller = caller;
    this.uri = uri;
  }

  /** Sends the INVITE and, for a 2xx, the ACK; `ackBody` is the answer to a late offer. */
  async invite(
    sdp: string | null,
    ackBody?: (answer: SipReply) => string,
    headers: readonly string[] = [],
  ): Promise<SipReply> {
    const answer = await this.#invite(sdp, ackBody, headers);
    this.answer = answer;
    return answer;
  }

  /** Changes the session; the answer may be a failure, which leaves it as it was (RFC 3261 §14.1). */
  reinvite(sdp: string | null, ackBody?: (answer: SipReply) => string): Promise<SipReply> {
    this.#sequence++;
    return this.#invite(sdp, ackBody);
  }

  /** For the INVITE that is under way; resolves with the answer to the CANCEL itself. */
  cancel(): Promise<SipReply> {
    return this.#caller.transact('CANCEL', this.#text('CANCEL', this.branch, this.uri, ''), this.branch, 5_000);
  }

  async bye(): Promise<SipReply> {
    return this.request('BYE');
  }

  /** Any other request within the dialog. */
  request(method: string, options: RequestOptions = {}): Promise<SipReply> {
    this.#sequence++;
    const branch = `z9hG4bK${token()}`;
    const text = this.#text(method, branch, this.#remoteTarget(), options.body ?? '', options.headers);
    return this.#caller.transact(method, text, branch, options.timeoutMs ?? 10_000);
  }

  /** Resolves when the far end has said BYE. */
  async ended(timeoutMs: number): Promise<void> {
    if (this.requests.some(({ method }) => method === 'BYE')) return;
    await new Promise<void>((resolve, reject) => {
      const deadline = setTimeout(() => reject(new Error(`no BYE within ${timeoutMs} ms`)), timeoutMs);
      this.#byeWaiters.push(() => {
        clearTimeout(deadline);
        resolve();
      });
    });
  }

  /** @internal */
  received(request: ReceivedRequest): void {
    this.requests.push(request);
    if (request.method === 'BYE') for (const resolve of this.#byeWaiters.splice(0)) resolve();
  }

  /** `call-id;to-tag=…;from-tag=…`, as Replaces and Join want it: seen from the server. */
  get reference(): string {
    const toTag = /;tag=([^;]+)/.exec(this.answer ? header(this.answer, 'to') : '')?.[1];
    return `${this.callId};to-tag=${toTag};from-tag=${this.#fromTag}`;
  }

  async #invite(
    sdp: string | null,
    ackBody?: (answer: SipReply) => string,
    headers: readonly string[] = [],
  ): Promise<SipReply> {
    const branch = this.answer ? `z9hG4bK${token()}` : this.branch;
    const target = this.answer ? this.#remoteTarget() : this.uri;
    const text = this.#text('INVITE', branch, target, sdp ?? '', headers);
    const answer = await this.#caller.transact('INVITE', text, branch, 40_000);
    if (answer.status < 300) {
      this.answer ??= answer;
      const ack = this.#text('ACK', `z9hG4bK${token()}`, this.#remoteTarget(), ackBody?.(answer) ?? '');
      this.#caller.send(ack);
      this.#caller.acknowledge(`${this.callId} ${this.#sequence}`, ack);
    } else {
      this.#caller.send(this.#text('ACK', branch, target, '', [], header(answer, 'to')));
    }
    return answer;
  }

  #remoteTarget(): string {
    return /<([^>]+)>/.exec(this.answer ? header(this.answer, 'contact') : '')?.[1] ?? this.uri;
  }

  #text(
    method: string,
    branch: string,
    uri: string,
    body: string,
    headers: readonly string[] = [],
    to?: string,
  ): string {
    const caller = this.#caller;
    const remote = to ?? (this.answer && method !== 'CANCEL' ? header(this.answer, 'to') : `<${this.uri}>`);
    return [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/${caller.transport} ${LOOPBACK}:${caller.localPort};branch=${branch};rport`,
      'Max-Forwards: 70',
      `From: "${caller.user}" <sip:${caller.user}@${LOOPBACK}>;tag=${this.#fromTag}`,
      `To: ${remote}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${this.#sequence} ${method}`,
      `Contact: <sip:${caller.user}@${LOOPBACK}:${caller.localPort};transport=${caller.transport.toLowerCase()}>`,
      ...headers,
      ...(body && !headers.some((line) => /^content-type:/i.test(line)) ? ['Content-Type: application/sdp'] : []),
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
  }
}

export class SipCaller {
  readonly user: string;
  /** The texts of the MESSAGEs that came outside of its calls. */
  readonly messages: string[] = [];
  #wire: Wire | null = null;
  #pending = new Map<string, Pending>();
  #calls = new Map<string, OutgoingCall>();
  #acknowledgements = new Map<string, string>();

  static async open(options: SipCallerOptions): Promise<SipCaller> {
    const caller = new SipCaller(options.user ?? 'caller');
    const open = options.transport === 'TCP' ? openTcp : openUdp;
    caller.#wire = await open(options.serverPort, (text) => caller.#received(text));
    return caller;
  }

  private constructor(user: string) {
    this.user = user;
  }

  get transport(): 'UDP' | 'TCP' {
    return this.#open().transport;
  }

  get localPort(): number {
    return this.#open().localPort;
  }

  call(uri: string): OutgoingCall {
    const call = new OutgoingCall(this, uri);
    this.#calls.set(call.callId, call);
    return call;
  }

  /** A request outside any dialog. */
  request(method: string, uri: string, options: RequestOptions = {}): Promise<SipReply> {
    return this.call(uri).request(method, options);
  }

  /** @internal Bytes as they are; also for what is not SIP at all. */
  send(text: string): void {
    this.#open().send(text);
  }

  /** @internal Keeps the ACK, for when the 2xx comes again (RFC 3261 §13.2.2.4). */
  acknowledge(key: string, ack: string): void {
    this.#acknowledgements.set(key, ack);
  }

  /** @internal A client transaction: retransmits over UDP until answered. */
  transact(method: string, text: string, branch: string, timeoutMs: number): Promise<SipReply> {
    return new Promise((resolve, reject) => {
      const key = `${branch} ${method}`;
      let intervalMs = T1_MS;
      let timer: NodeJS.Timeout | null = null;
      const stopRetransmitting = (): void => {
        if (timer) clearTimeout(timer);
        timer = null;
      };
      const retransmit = (): void => {
        this.send(text);
        timer = setTimeout(retransmit, intervalMs);
        intervalMs = Math.min(intervalMs * 2, method === 'INVITE' ? Number.POSITIVE_INFINITY : T2_MS);
      };
      const deadline = setTimeout(() => {
        stopRetransmitting();
        this.#pending.delete(key);
        reject(new Error(`no final answer to ${method} within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(key, {
        provisional: () => {
          if (method === 'INVITE') stopRetransmitting();
        },
        final: (reply) => {
          stopRetransmitting();
          clearTimeout(deadline);
          this.#pending.delete(key);
          resolve(reply);
        },
        stop: () => {
          stopRetransmitting();
          clearTimeout(deadline);
        },
      });
      if (this.transport === 'UDP') retransmit();
      else this.send(text);
    });
  }

  close(): void {
    for (const { stop } of this.#pending.values()) stop();
    this.#pending.clear();
    this.#wire?.close();
    this.#wire = null;
  }

  #open(): Wire {
    if (!this.#wire) throw new Error('closed');
    return this.#wire;
  }

  #received(text: string): void {
    const message = readMessage(text);
    if ('status' in message) this.#reply(message);
    else this.#request(message);
  }

  #reply(reply: SipReply): void {
    const branch = /branch=([^;,\s]+)/.exec(header(reply, 'via'))?.[1];
    const [sequence, method] = header(reply, 'cseq').split(' ');
    const pending = this.#pending.get(`${branch} ${method}`);
    if (pending) (reply.status < 200 ? pending.provisional : pending.final)(reply);
    else if (method === 'INVITE' && reply.status >= 200 && reply.status < 300) {
      const ack = this.#acknowledgements.get(`${header(reply, 'call-id')} ${sequence}`);
      if (ack) this.send(ack);
    }
  }

  #request(request: ReceivedRequest): void {
    if (request.method === 'ACK') return;
    const call = this.#calls.get(header(request, 'call-id'));
    const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].flatMap((name) =>
      (request.headers.get(name.toLowerCase()) ?? []).map((value) => `${name}: ${value}`),
    );
    const text = request.method === 'MESSAGE' && !call;
    if (text) this.messages.push(request.body);
    this.send(
      `SIP/2.0 ${call || text ? '200 OK' : '481 No Such Call'}\r\n${copied.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`,
    );
    call?.received(request);
  }
}
