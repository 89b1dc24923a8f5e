import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { Overload } from '../../server/guard/overload.ts';
import { RequestGuard } from '../../server/guard/request-guard.ts';
import { Messages } from '../../server/messages/messages.ts';
import { type OpenRegistrar, openRegistrar } from '../../server/registrar/open-registrar.ts';
import { roomName } from '../../server/rooms/room-name.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import { MediaSession } from '../../server/sdp/media-session.ts';
import type { CallHandler, IncomingCall } from '../../server/sip/dialog/call.ts';
import { parseMessage } from '../../server/sip/message/parse-message.ts';
import { SipServer, type SipServerOptions } from '../../server/sip/sip-server.ts';
import { StreamFraming } from '../../server/sip/transport/stream-framing.ts';
import { Database } from '../../server/store/database.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';
import { VirtualDns } from '../sip/resolve/virtual-dns.ts';

/** The whole SIP side on real sockets of loopback, in virtual time; in place of the focus, one who takes every call. */

export const DOMAIN = 'example.com';
export const PASSWORD = 'wonderland';
/** A room that messages can be sent to; nobody is in it. */
export const ROOM = 'demo';

export type Loopback = '127.0.0.1' | '::1';

const OPTIONS_AFTERWARDS = 'good-options-afterwards';

export class RunningServer {
  readonly timers = new VirtualTimers();
  readonly office: OpenRegistrar;
  readonly sip: SipServer;
  /** Of calls that came to the application. */
  readonly calls: IncomingCall[] = [];
  readonly crashes: unknown[] = [];
  readonly address: Loopback;
  readonly #database: Database;
  readonly #directory: string;

  static async start(address: Loopback = '127.0.0.1', options: Partial<SipServerOptions> = {}): Promise<RunningServer> {
    const server = new RunningServer(address, options);
    await server.sip.listen();
    return server;
  }

  private constructor(address: Loopback, options: Partial<SipServerOptions>) {
    this.address = address;
    this.#directory = mkdtempSync(join(tmpdir(), 'parley-rfc-'));
    this.#database = new Database(this.#directory);
    const { timers } = this;
    const log = pino({ level: 'error' }, { write: (line: string) => void this.crashes.push(line) });
    const guard = new RequestGuard({
      log,
      now: () => timers.now(),
      bans: { afterFailures: 1000, windowMs: 60_000, banMs: 60_000 },
      requestsPerSecond: 1000,
      requestsPerSecondPrivate: 1000,
      scanners: [],
      overload: new Overload(),
      isSignedIn: () => false,
    });
    this.office = openRegistrar(
      {
        domain: DOMAIN,
        aliases: ['2001:db8::10', '2001:db8::10:5070'],
        algorithms: ['SHA-256'],
        qop: ['auth'],
        expiry: { minimumS: 60, maximumS: 7200 },
        maxContactsPerUser: 10,
        maxBindings: 100,
      },
      {
        database: this.#database,
        timers,
        log,
        epochMs: () => timers.now(),
        serviceRoute: (flow) => this.sip.routeFor(flow),
        flowOf: () => null,
        failed: (flow) => guard.failed(flow),
        isBanned: (flow) => guard.isBanned(flow),
      },
    );
    this.sip = new SipServer({
      timers,
      log,
      bind: address,
      port: 0,
      tls: null,
      webSocketOrigins: [],
      publicAddress: [address],
      dns: new VirtualDns(''),
      maxCalls: 100,
      invited: (call) => this.#invited(call),
      referred: (referral) => referral.reject(603),
      availability: (options) => (roomName(options.uri?.user ?? null) === null ? 'unknown' : 'available'),
      methods: { REGISTER: this.office.registrar, MESSAGE: this.#messages() },
      packages: {},
      locate: () => null,
      guard,
      flowClosed: () => {},
      ...options,
    });
  }

  /** Lets time pass until nothing is left of what came in; says what remains when that never is. */
  async quiet(): Promise<{ calls: number; transactions: number }> {
    for (let round = 0; round < 40 && this.sip.calls + this.sip.transactions > 0; round++) {
      this.timers.advance(8_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { calls: this.sip.calls, transactions: this.sip.transactions };
  }

  async stop(): Promise<void> {
    await this.sip.close();
    this.office.close();
    this.#database.close();
    rmSync(this.#directory, { recursive: true });
  }

  #messages(): Messages {
    const rooms = new Rooms({ maxParticipants: 10 });
    rooms.open(ROOM, 'configured');
    return new Messages({
      rooms,
      focus: { members: () => [], participantOf: () => undefined },
      location: this.office.location,
      timers: new VirtualTimers(),
      log: pino({ level: 'silent' }),
      domain: DOMAIN,
      identify: (request, flow) => this.office.signIn.identify(request, flow),
      isTrusted: () => false,
      send: (message, concluded) => this.sip.send(message, concluded),
    });
  }

  #invited(call: IncomingCall): void {
    this.calls.push(call);
    call.handle(NO_HANDLER);
    if (roomName(call.request.uri?.user ?? null) === null) return call.reject(404);
    const session = new MediaSession({ address: this.address, rtpPort: 20_000, rtcpPort: 20_001, sessionId: 1 });
    if (call.offer === null) return call.accept(session.offer());
    const answer = session.answer(call.offer);
    if (answer.ok) call.accept(answer.sdp);
    else call.reject(answer.status, { headers: [['Warning', answer.warning]] });
  }
}

const NO_HANDLER: CallHandler = {
  progressed: () => {},
  answered: () => {},
  confirmed: () => {},
  reoffered: (_offer, reply) => reply.reject(488),
  key: () => {},
  referred: (referral) => referral.reject(603),
  ended: () => {},
};

/** What came back for a message, and for the good OPTIONS after it. */
export interface Outcome {
  /** Whole responses, the provisional ones too; not that to the OPTIONS. */
  readonly responses: string[];
  readonly optionsStatus: number;
}

/**
 * Sends a message in one datagram, from the port where its Via wants the answers (RFC 3261 §18.2.2), and a good OPTIONS
 * after it: when that is answered, all that the server has to say at once has come. Of IPv6 there is one loopback address
 * only, where the port may be somebody else's: there `rport` is put into the Via, so that any port does (RFC 3581).
 */
export async function overUdp(server: RunningServer, given: Uint8Array): Promise<Outcome> {
  const ipv6 = server.address === '::1';
  const message = ipv6 ? withRport(given) : given;
  const socket = createSocket(ipv6 ? 'udp6' : 'udp4');
  if (ipv6) socket.bind(0, server.address);
  else socket.bind(viaPort(message), ownLoopbackAddress());
  await once(socket, 'listening');
  const responses: string[] = [];
  const answered = new Promise<string>((resolve) => {
    socket.on('message', (bytes) => {
      const text = bytes.toString('utf8');
      if (text.includes(OPTIONS_AFTERWARDS)) resolve(text);
      else responses.push(text);
    });
  });
  const { address, port } = socket.address();
  socket.send(message, server.sip.port, server.address);
  socket.send(
    goodOptions('UDP', ipv6 ? `[${address}]:${port}` : `${address}:${port}`),
    server.sip.port,
    server.address,
  );
  const optionsStatus = statusOf(await answered);
  socket.close();
  return { responses, optionsStatus };
}

export interface StreamOutcome extends Outcome {
  /** Whether the server closed the connection, as where the next message begins could not be known. */
  readonly closed: boolean;
}

/** Sends a message over a connection of its own, cut in two; the OPTIONS follows over the same, or another if it must. */
export async function overTcp(server: RunningServer, message: Uint8Array): Promise<StreamOutcome> {
  const connection = await openConnection(server);
  const half = message.length >> 1;
  connection.socket.write(message.subarray(0, half));
  connection.socket.write(message.subarray(half));
  connection.socket.write(goodOptions('TCP', '127.0.0.1'));
  // Messages of other connections are looked at later: when the second OPTIONS is answered, so is the first.
  const other = await openConnection(server);
  other.socket.write(goodOptions('TCP', '127.0.0.1'));
  await other.heard(() => other.messages.length > 0);
  const optionsStatus = statusOf(other.messages[0]!);
  await connection.heard(() => connection.closed || connection.messages.some(isOptionsAnswer), 100);
  other.socket.destroy();
  const { closed } = connection;
  connection.socket.destroy();
  return { responses: connection.messages.filter((text) => !isOptionsAnswer(text)), optionsStatus, closed };
}

const isOptionsAnswer = (text: string): boolean => text.includes(OPTIONS_AFTERWARDS);

async function openConnection(server: RunningServer) {
  const socket = connect(server.sip.port, server.address);
  const framing = new StreamFraming();
  const connection = {
    socket,
    messages: [] as string[],
    closed: false,
    /** Waits until it is so, or for as long as is told. */
    async heard(isSo: () => boolean, timeoutMs = 5_000): Promise<void> {
      const deadline = performance.now() + timeoutMs;
      while (!isSo() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 1));
    },
  };
  socket.on('data', (bytes) => {
    for (const item of framing.push(bytes)) {
      if (item.kind === 'message') connection.messages.push(Buffer.from(item.bytes).toString('utf8'));
    }
  });
  socket.on('error', () => {});
  socket.on('end', () => {
    connection.closed = true;
  });
  await once(socket, 'connect');
  return connection;
}

/** The statuses of the final responses. */
export function finals(responses: readonly string[]): number[] {
  return responses.map(statusOf).filter((status) => status >= 200);
}

export function statusOf(response: string): number {
  return Number(/^SIP\/2\.0 (\d{3}) /.exec(response)?.[1]);
}

/** The values of a header field of a response that we wrote, a line each. */
export function headersOf(response: string, name: string): string[] {
  const head = response.slice(0, response.indexOf('\r\n\r\n'));
  return head.split('\r\n').flatMap((line) => (line.startsWith(`${name}: `) ? [line.slice(name.length + 2)] : []));
}

function goodOptions(protocol: string, sentBy: string): string {
  const number = ++optionsSent;
  return [
    'OPTIONS sip:127.0.0.1 SIP/2.0',
    `Via: SIP/2.0/${protocol} ${sentBy};branch=z9hG4bK${OPTIONS_AFTERWARDS}${number}`,
    'From: <sip:tester@127.0.0.1>;tag=1',
    'To: <sip:127.0.0.1>',
    `Call-ID: ${OPTIONS_AFTERWARDS}-${number}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

let optionsSent = 0;

function withRport(message: Uint8Array): Buffer {
  const text = Buffer.from(message).toString('latin1');
  return Buffer.from(text.replace(/^(Via:\s*SIP\/2\.0\/\w+\s+[^\s;]+)/m, '$1;rport'), 'latin1');
}

function viaPort(message: Uint8Array): number {
  const parsed = parseMessage(Uint8Array.from(message));
  const via = parsed.ok ? parsed.message.via : parsed.error.responseTo?.via;
  return via?.port ?? 5060;
}

/** All of 127.0.0.0/8 is loopback: so that tests in other processes have port 5060 too. */
function ownLoopbackAddress(): string {
  return `127.${80 + (process.pid & 63)}.${(process.pid >> 6) & 255}.${1 + ((process.pid >> 14) & 127)}`;
}
