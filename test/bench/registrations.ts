import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { NodeTimers } from '../../server/node-timers.ts';
import { type OpenRegistrar, openRegistrar, type RegistrarSettings } from '../../server/registrar/open-registrar.ts';
import { DigestClient } from '../../server/sip/auth/digest-client.ts';
import type { SipMessage, SipResponse } from '../../server/sip/message/message.ts';
import { parseMessage } from '../../server/sip/message/parse-message.ts';
import type { Flow } from '../../server/sip/transport/flow.ts';
import { UserAgent } from '../../server/sip/user-agent/user-agent.ts';
import { Database } from '../../server/store/database.ts';
import { collectGarbage } from './collect-garbage.ts';

/** Registrations through the stack in this process, bytes in and bytes out, without sockets. */
export interface RegistrationFigures {
  readonly users: number;
  /** First registrations: REGISTER, 401, REGISTER with digest, 200. */
  readonly firstPerSecond: number;
  /** By CPU time of one core; the database's part is in it. Refreshes on a nonce that is still good: one REGISTER, 200. */
  readonly refreshesPerSecond: number;
  readonly bytesPerBinding: number;
}

const DOMAIN = 'example.com';

class Phone {
  readonly flow: Flow;
  private readonly user: string;
  private readonly client: DigestClient;
  private cseq = 0;
  private branch = 0;
  private answerBytes: Uint8Array = new Uint8Array(0);

  constructor(index: number) {
    this.user = `user${index}`;
    this.client = new DigestClient(() => ({ username: this.user, password: 'a password' }));
    const address = `198.18.${index >> 8}.${index & 255}`;
    this.flow = {
      id: `udp ${address}`,
      protocol: 'udp',
      reliable: false,
      localAddress: '192.0.2.1',
      localPort: 5060,
      remoteAddress: address,
      remotePort: 5060,
      open: true,
      send: (bytes) => {
        this.answerBytes = bytes;
      },
    };
  }

  /** Signed when there was a challenge. */
  bytes(): Buffer {
    const { user, flow } = this;
    const cseq = ++this.cseq;
    const requestUri = `sip:${DOMAIN}`;
    const signed = this.client.credentials({ method: 'REGISTER', requestUri, body: new Uint8Array(0) });
    const lines = [
      `REGISTER ${requestUri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${flow.remoteAddress}:5060;branch=z9hG4bK${user}x${++this.branch};rport`,
      'Max-Forwards: 70',
      `From: <sip:${user}@${DOMAIN}>;tag=${user}`,
      `To: <sip:${user}@${DOMAIN}>`,
      `Call-ID: registration-of-${user}`,
      `CSeq: ${cseq} REGISTER`,
      `Contact: <sip:${user}@${flow.remoteAddress}:5060;transport=udp>`,
      'Expires: 3600',
      'User-Agent: Bench 1.0',
      ...signed.map(([name, value]) => `${name}: ${value}`),
      'Content-Length: 0',
    ];
    return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
  }

  challenged(): void {
    const { answer } = this;
    if (answer.status !== 401) throw new Error(`${answer.status} instead of 401`);
    this.client.challenged(answer);
  }

  accepted(): void {
    const { answer } = this;
    if (answer.status !== 200) throw new Error(`${answer.status} instead of 200`);
    this.client.answered(answer);
  }

  private get answer(): SipResponse {
    return parsed(this.answerBytes) as SipResponse;
  }
}

function parsed(bytes: Uint8Array): SipMessage {
  const result = parseMessage(Buffer.from(bytes));
  if (!result.ok) throw new Error(result.error.reason);
  return result.message;
}

/** CPU time for one message of each phone, in microseconds; what the phones do themselves is left out. */
function timed(phones: readonly Phone[], receive: (bytes: Buffer, flow: Flow) => void): number {
  const messages = phones.map((phone) => phone.bytes());
  const before = process.cpuUsage();
  for (let index = 0; index < phones.length; index++) receive(messages[index]!, phones[index]!.flow);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / phones.length;
}

function openOffice(database: Database, timers: NodeTimers): OpenRegistrar {
  const settings: RegistrarSettings = {
    domain: DOMAIN,
    aliases: [],
    algorithms: ['SHA-256'],
    qop: ['auth'],
    expiry: { minimumS: 60, maximumS: 3600 },
    maxContactsPerUser: 10,
    maxBindings: 1_000_000,
  };
  return openRegistrar(settings, {
    database,
    timers,
    log: pino({ level: 'silent' }),
    epochMs: Date.now,
    serviceRoute: () => '<sip:192.0.2.1:5060;lr>',
    flowOf: () => null,
    failed: () => {},
    isBanned: () => false,
  });
}

function openAgent(office: OpenRegistrar, timers: NodeTimers): UserAgent {
  return new UserAgent({
    timers,
    flows: { forResponse: (_via, flow) => flow, forRequest: (_uri, near) => near },
    handler: {
      invited: () => {},
      availability: () => 'unknown',
      referred: () => {},
      methods: { REGISTER: office.registrar },
    },
    publicAddress: '192.0.2.1',
    ports: { udp: 5060 },
    maxServerTransactions: 1_000_000,
  });
}

/** Takes some seconds. Transactions are left that keep the process going for 32 s. */
export function measureRegistrations(users: number): RegistrationFigures {
  const directory = mkdtempSync(join(tmpdir(), 'parley-bench-'));
  const database = new Database(directory);
  const timers = new NodeTimers();
  const office = openOffice(database, timers);
  const agent = openAgent(office, timers);
  const receive = (bytes: Buffer, flow: Flow) => agent.received(parsed(bytes), flow);
  for (let index = 0; index < users; index++) office.users.put(`user${index}`, 'a password', null);
  const phones = Array.from({ length: users }, (_, index) => new Phone(index));
  const challengeUs = timed(phones, receive);
  for (const phone of phones) phone.challenged();
  const firstUs = timed(phones, receive);
  for (const phone of phones) phone.accepted();
  const before = process.cpuUsage();
  // Writes the bindings, which wait for more of them otherwise.
  office.close();
  const { user, system } = process.cpuUsage(before);
  const writeUs = (user + system) / users;
  const refreshUs = timed(phones, receive);
  for (const phone of phones) phone.accepted();
  const bytesPerBinding = memoryOfBindings(office, users);
  office.close();
  database.close();
  rmSync(directory, { recursive: true });
  return {
    users,
    firstPerSecond: Math.round(1e6 / (challengeUs + firstUs + writeUs)),
    refreshesPerSecond: Math.round(1e6 / (refreshUs + writeUs)),
    bytesPerBinding,
  };
}

/** What the heap loses when all bindings go. */
function memoryOfBindings(office: OpenRegistrar, users: number): number {
  office.close();
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < users; index++) {
    for (const binding of office.bindings.of(`user${index}`)) office.bindings.remove(binding);
  }
  office.close();
  collectGarbage();
  return Math.round((before - process.memoryUsage().heapUsed) / users);
}
