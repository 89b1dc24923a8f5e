import pino from 'pino';
import { Messages } from '../../server/messages/messages.ts';
import { Authentication } from '../../server/registrar/authentication.ts';
import { Bindings } from '../../server/registrar/bindings.ts';
import { Location } from '../../server/registrar/location.ts';
import { Registrar } from '../../server/registrar/registrar.ts';
import { SignIn } from '../../server/registrar/sign-in.ts';
import { Users } from '../../server/registrar/users.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import { MediaSession } from '../../server/sdp/media-session.ts';
import { parseSdp } from '../../server/sdp/parse-sdp.ts';
import { parseAuthValue, writeDigest } from '../../server/sip/auth/auth-parameters.ts';
import { digestResponse, hashedPassword } from '../../server/sip/auth/digest.ts';
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
import { type MethodHandler, UserAgent } from '../../server/sip/user-agent/user-agent.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';

const US = '192.0.2.2';
const PHONE = '192.0.2.1';
/** What the stack said last is kept, to be answered and to be distorted. */
const KEPT = 64;
/** Who may register, and their password. */
const USER = 'phone';
const PASSWORD = 'fuzz';

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
  private readonly log = pino({ level: 'silent' });
  private readonly digest: DigestServer;
  private readonly users: Users;
  private readonly bindings: Bindings;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.udp = this.newFlow('udp');
    this.tcp = this.newFlow('tcp');
    const epochMs = () => this.timers.now();
    const algorithms = ['SHA-256', 'MD5'] as const;
    this.users = new Users({
      store: { all: () => [], put: () => {}, delete: () => {} },
      realm: US,
      algorithms,
      epochMs,
    });
    this.users.put(USER, PASSWORD, null);
    this.bindings = new Bindings({ timers: this.timers, epochMs, changed: () => {} });
    const { users } = this;
    const nonces = new Nonces({ maxRemembered: 100 });
    this.digest = new DigestServer({ realm: US, users, nonces, algorithms, qop: ['auth', 'auth-int'] });
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
        methods: this.methods(),
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
    this.bindings.flowClosed(gone);
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

  /** An Authorization field as the user would make it; good once. */
  credentials(method: string, uri: string): string {
    const [[, challenge] = []] = this.digest.challenge(PHONE, this.timers.now(), false);
    const nonce = parseAuthValue(challenge ?? '')!.parameters.get('nonce')!;
    const algorithm = 'SHA-256';
    const ha1 = hashedPassword(algorithm, USER, US, PASSWORD);
    const protection = { qop: 'auth', nc: '00000001', cnonce: 'fuzz' } as const;
    const body = new Uint8Array(0);
    const response = digestResponse({ algorithm, ha1, nonce, method, uri, protection, body });
    const parameters = { username: USER, realm: US, nonce, uri, response, algorithm, ...protection };
    return `Authorization: ${writeDigest('credentials', new Map(Object.entries(parameters)))}`;
  }

  /** How many registrations there are. */
  get registered(): number {
    return this.bindings.size;
  }

  /** What is still there of all that came in. */
  get remains(): { calls: number; transactions: number; timers: number; registrations: number } {
    const { serverTransactions, clientTransactions } = this.agent.transactions;
    const transactions = serverTransactions + clientTransactions;
    const { timers, bindings } = this;
    return { calls: this.agent.calls, transactions, timers: timers.pending, registrations: bindings.size };
  }

  /** Forgets the oldest of what was sent. */
  trim(): void {
    if (this.sent.length > 2 * KEPT) this.sent.splice(0, this.sent.length - KEPT);
  }

  /** The registrar and the messages, as the server has them. */
  private methods(): Record<string, MethodHandler> {
    const { timers, log, digest, users, bindings } = this;
    const authentication = new Authentication({ digest, timers, log, failed: () => {}, isBanned: () => false });
    const registrar = new Registrar({
      authentication,
      bindings,
      log,
      epochMs: () => timers.now(),
      hosts: [US],
      serviceRoute: () => `<sip:${US};lr>`,
      expiry: { minimumS: 60, maximumS: 7200 },
      maxContactsPerUser: 4,
      maxBindings: 100,
    });
    const rooms = new Rooms({ maxParticipants: 9 });
    rooms.open('demo', 'configured');
    const uri = `sip:${USER}@${PHONE}`;
    const contact = { uri: parseUri(uri)!, routes: [], flow: this.udp };
    const signIn = new SignIn(authentication, bindings, users);
    const messages = new Messages({
      rooms,
      focus: { members: () => [{ id: 'p1', uri, displayName: null, contact }], participantOf: () => undefined },
      location: new Location({ users, bindings, hosts: [US], flowOf: () => this.udp }),
      timers: this.timers,
      log,
      domain: US,
      identify: (request, flow) => signIn.identify(request, flow),
      isTrusted: () => false,
      send: (request, concluded) => this.agent.send(request, concluded),
    });
    return { REGISTER: registrar, MESSAGE: messages };
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
