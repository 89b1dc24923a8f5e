import { readRegister } from '../../server/registrar/register-request.ts';
import { MediaSession } from '../../server/sdp/media-session.ts';
import { parseSdp } from '../../server/sdp/parse-sdp.ts';
import { DigestServer } from '../../server/sip/auth/digest-server.ts';
import { Nonces } from '../../server/sip/auth/nonces.ts';
import type { Call, CallHandler, IncomingCall } from '../../server/sip/dialog/call.ts';
import { createMalformedResponse } from '../../server/sip/message/create-message.ts';
import type { SipRequest } from '../../server/sip/message/message.ts';
import { parseNameAddress } from '../../server/sip/message/name-address.ts';
import { parseMessage } from '../../server/sip/message/parse-message.ts';
import { parseUri } from '../../server/sip/message/uri.ts';
import type { Flow } from '../../server/sip/transport/flow.ts';
import { StreamFraming } from '../../server/sip/transport/stream-framing.ts';
import { stampVia } from '../../server/sip/transport/via-routing.ts';
import { UserAgent } from '../../server/sip/user-agent/user-agent.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';

const US = '192.0.2.2';
const PHONE = '192.0.2.1';
/** What the stack said last is kept, to be answered and to be distorted. */
const KEPT = 64;

/** A whole SIP stack between fake flows: bytes in, bytes out, no sockets and no wall clock. */
export class FuzzedStack {
  readonly timers = new VirtualTimers();
  readonly random: SeededRandom;
  readonly agent: UserAgent;
  /** What the stack sent last, in bytes that it may not touch any more. */
  readonly sent: Buffer[] = [];
  readonly calls: Call[] = [];
  readonly udp: Flow;
  tcp: Flow & { open: boolean };
  private framing = new StreamFraming();

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.udp = this.newFlow('udp');
    this.tcp = this.newFlow('tcp');
    const digest = new DigestServer({
      realm: US,
      users: { hashedPassword: () => null },
      nonces: new Nonces(),
      algorithms: ['SHA-256', 'MD5'],
      qop: ['auth', 'auth-int'],
    });
    this.agent = new UserAgent({
      timers: this.timers,
      random: this.random,
      flows: {
        forResponse: (_via, flow) => (flow.open ? flow : this.udp),
        forRequest: (_uri, near) => (near.open ? near : this.udp),
      },
      ways: {
        find: (_uri, found) =>
          found([
            { open: (_bytes, opened) => opened(this.random.chance(0.9) ? this.udp : null), unavailable: () => {} },
          ]),
      },
      handler: {
        invited: (call) => this.invited(call),
        referred: (referral) => (this.random.chance(0.5) ? referral.accept().report(200, 'OK') : referral.reject(603)),
        availability: () => this.random.pick(['available', 'unknown', 'busy'] as const),
        methods: {
          REGISTER: {
            optionTags: ['path'],
            received: (request, _flow, respond) => {
              digest.verify(request, PHONE, this.timers.now());
              const wanted = readRegister(request, { minimumS: 60, maximumS: 3600 });
              respond('status' in wanted ? wanted.status : 200);
            },
          },
        },
      },
      publicAddress: US,
      ports: { udp: 5060, tcp: 5060 },
      maxCalls: 200,
      maxServerTransactions: 2000,
    });
  }

  /** As the transports do it, of which only the sockets are missing. */
  datagram(bytes: Uint8Array, flow: Flow = this.udp): void {
    const parsed = parseMessage(Uint8Array.from(bytes));
    if (!parsed.ok) {
      const response = createMalformedResponse(parsed.error);
      if (response !== null) flow.send(response);
      return;
    }
    const { message } = parsed;
    this.agent.received(message.kind === 'request' ? stampVia(message, flow) : message, flow);
  }

  /** The next piece of the stream; after a piece that ends it, a new connection. */
  stream(bytes: Uint8Array): void {
    for (const item of this.framing.push(bytes)) {
      if (item.kind === 'message') this.datagram(item.bytes, this.tcp);
      if (item.kind === 'error') {
        const response = createMalformedResponse(item.error);
        if (response !== null) this.tcp.send(response);
        return this.reconnect();
      }
    }
  }

  reconnect(): void {
    const gone = this.tcp;
    gone.open = false;
    this.framing = new StreamFraming();
    this.tcp = this.newFlow('tcp');
    this.agent.transportFailed(gone);
  }

  /** Calls somebody, who may be anybody. */
  dial(): void {
    const call = this.agent.call(
      {
        target: parseUri(`sip:phone@${PHONE}`)!,
        from: parseNameAddress(`<sip:demo@${US}>`)!,
        contactUser: 'demo',
        offer: newSession().offer(),
      },
      this.handler(newSession()),
    );
    this.calls.push(call);
  }

  /** Something that the application could want of one of its calls. */
  meddle(): void {
    const { random } = this;
    if (this.calls.length === 0) return;
    const call = random.pick(this.calls);
    const choice = random.fraction();
    if (choice < 0.3) call.hangUp('fuzz');
    else if (choice < 0.6) call.reoffer(random.chance(0.5) ? () => newSession().offer() : null, () => {});
    else if (choice < 0.8) void call.probe();
    else call.refer('sip:other@example.com', () => {});
  }

  /** The status of the answer to an OPTIONS that is in order; 0 for none. */
  goodOptions(number: number): number {
    const before = this.sent.length;
    const lines = [
      `OPTIONS sip:${US} SIP/2.0`,
      `Via: SIP/2.0/UDP ${PHONE};branch=z9hG4bK-good-${number}`,
      `From: <sip:good@${PHONE}>;tag=good`,
      `To: <sip:${US}>`,
      `Call-ID: good-options-${number}`,
      'CSeq: 1 OPTIONS',
      'Content-Length: 0',
    ];
    this.datagram(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`));
    const answer = this.sent[before]?.toString('latin1') ?? '';
    return answer.includes(`good-options-${number}`) ? Number(answer.slice(8, 11)) : 0;
  }

  /** What is still there of all that came in. */
  get remains(): { calls: number; transactions: number; timers: number } {
    const { serverTransactions, clientTransactions } = this.agent.transactions;
    const transactions = serverTransactions + clientTransactions;
    return { calls: this.agent.calls, transactions, timers: this.timers.pending };
  }

  /** Forgets the oldest of what was sent. */
  trim(): void {
    if (this.sent.length > 2 * KEPT) this.sent.splice(0, this.sent.length - KEPT);
  }

  private invited(call: IncomingCall): void {
    const { random } = this;
    const session = newSession();
    call.handle(this.handler(session));
    this.calls.push(call);
    if (random.chance(0.2)) call.progress(183);
    const answer = (): void => {
      const result = call.offer === null ? null : session.answer(call.offer);
      if (result === null) call.accept(session.offer());
      else if (result.ok) call.accept(result.sdp);
      else call.reject(result.status, { headers: [['Warning', result.warning]] });
    };
    const choice = random.fraction();
    if (choice < 0.8) answer();
    else if (choice < 0.9) this.timers.set(random.below(5000), answer);
    else if (choice < 0.95) call.reject(486);
    else this.timers.set(60_000, () => call.reject(480));
  }

  private handler(session: MediaSession): CallHandler {
    const take = (answer: string): void => {
      session.offer();
      session.acceptAnswer(answer);
    };
    return {
      progressed: () => {},
      answered: take,
      confirmed: (answer) => answer !== null && take(answer),
      reoffered: (offer, reply) => {
        const result = offer === null ? null : session.answer(offer);
        const settle = (): void => {
          if (result === null) reply.accept(session.offer());
          else if (result.ok) reply.accept(result.sdp);
          else reply.reject(result.status);
        };
        if (this.random.chance(0.8)) settle();
        else this.timers.set(this.random.below(3000), settle);
      },
      key: () => {},
      referred: (referral) => (this.random.chance(0.5) ? referral.accept().report(486, 'Busy') : referral.reject(603)),
      ended: () => {},
    };
  }

  private newFlow(protocol: 'udp' | 'tcp'): Flow & { open: boolean } {
    return {
      id: `${protocol}-${this.random.token()}`,
      protocol,
      reliable: protocol === 'tcp',
      localAddress: US,
      localPort: 5060,
      remoteAddress: PHONE,
      remotePort: 5070,
      open: true,
      send: (bytes) => this.heard(bytes),
    };
  }

  /** Whatever came in, what goes out can be read, and so can its SDP. */
  private heard(bytes: Uint8Array): void {
    const parsed = parseMessage(Uint8Array.from(bytes));
    const text = Buffer.from(bytes);
    // The stateless refusal of a malformed message repeats its fields, as they were.
    if (!parsed.ok && !/^SIP\/2\.0 (400|505|513) /.test(text.toString('latin1', 0, 12))) {
      throw new Error(`we sent what cannot be read (${parsed.error.reason}): ${text.toString('latin1')}`);
    }
    if (parsed.ok && parsed.message.headers.get('content-type') === 'application/sdp') {
      const sdp = Buffer.from(parsed.message.body).toString('utf8');
      if (!parseSdp(sdp).ok) throw new Error(`we sent SDP that is none: ${sdp}`);
    }
    this.sent.push(text);
  }
}

export function requestIn(bytes: Uint8Array): SipRequest | null {
  const parsed = parseMessage(Uint8Array.from(bytes));
  return parsed.ok && parsed.message.kind === 'request' ? parsed.message : null;
}

function newSession(): MediaSession {
  return new MediaSession({ address: US, rtpPort: 20_000, rtcpPort: 20_001, sessionId: 1, srtp: 'optional' });
}
