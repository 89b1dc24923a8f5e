import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import pino from 'pino';
import { afterEach } from 'vitest';
import { type OpenRegistrar, openRegistrar, type RegistrarSettings } from '../../server/registrar/open-registrar.ts';
import { DigestClient } from '../../server/sip/auth/digest-client.ts';
import { createResponse, type ResponseParts } from '../../server/sip/message/create-message.ts';
import type { SipRequest, SipResponse } from '../../server/sip/message/message.ts';
import { parseMessage } from '../../server/sip/message/parse-message.ts';
import type { Flow, TransportProtocol } from '../../server/sip/transport/flow.ts';
import { Database } from '../../server/store/database.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';

const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

const SETTINGS: RegistrarSettings = {
  domain: 'example.com',
  aliases: ['192.0.2.9'],
  algorithms: ['SHA-256', 'MD5'],
  qop: ['auth'],
  expiry: { minimumS: 60, maximumS: 7200 },
  maxContactsPerUser: 4,
  maxBindings: 100,
};

const LOG_AS_THE_SERVER_DOES = {
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (level: string) => ({ level }) },
};

const directories: string[] = [];
const databases: Database[] = [];

afterEach(() => {
  for (const database of databases.splice(0)) database.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'parley-registrar-'));
  directories.push(directory);
  return directory;
}

export interface FlowOptions {
  protocol?: TransportProtocol;
  address?: string;
  port?: number;
  id?: string;
}

export function flow({ protocol = 'udp', address = '203.0.113.5', port = 40_000, id }: FlowOptions = {}): Flow {
  return {
    id: id ?? `${protocol} ${address} ${port}`,
    protocol,
    reliable: protocol !== 'udp',
    localAddress: '192.0.2.9',
    localPort: 5060,
    remoteAddress: address,
    remotePort: port,
    open: true,
    send: () => {},
  };
}

export interface RegisterText {
  user?: string;
  /** In the credentials; the user's unless told. */
  username?: string;
  contacts?: readonly string[];
  expires?: number | string;
  callId?: string;
  cseq?: number;
  headers?: readonly string[];
  uri?: string;
  to?: string;
}

/** A registrar on a database of its own, in virtual time, with users alice and bob. */
export class TestRegistrar {
  readonly timers: VirtualTimers;
  readonly directory: string;
  readonly database: Database;
  readonly office: OpenRegistrar;
  readonly logged: Array<Record<string, unknown>> = [];
  readonly failures: string[] = [];
  /** Addresses whose passwords are not looked at. */
  readonly banned = new Set<string>();
  private cseq = 0;

  constructor(settings: Partial<RegistrarSettings> = {}, before?: TestRegistrar) {
    this.timers = before?.timers ?? new VirtualTimers();
    this.directory = before?.directory ?? temporaryDirectory();
    this.cseq = before?.cseq ?? 0;
    this.database = new Database(this.directory);
    databases.push(this.database);
    const stream = new Writable({
      write: (line, _encoding, done) => {
        this.logged.push(JSON.parse(String(line)));
        done();
      },
    });
    this.office = openRegistrar(
      { ...SETTINGS, ...settings },
      {
        database: this.database,
        timers: this.timers,
        log: pino(LOG_AS_THE_SERVER_DOES, stream),
        epochMs: () => START_MS + this.timers.now(),
        serviceRoute: () => '<sip:192.0.2.9:5060;lr>',
        flowOf: ({ protocol, address, port, flowId }) =>
          protocol === 'udp' || flowId !== null ? flow({ protocol, address, port }) : null,
        failed: ({ remoteAddress }) => this.failures.push(remoteAddress),
        isBanned: ({ remoteAddress }) => this.banned.has(remoteAddress),
      },
    );
    if (before === undefined) {
      this.office.users.put('alice', 'wonderland', null);
      this.office.users.put('bob', 'the builder', null);
    }
  }

  /** The same server after it was stopped, or after it was killed. */
  restarted(how: 'stopped' | 'killed', settings: Partial<RegistrarSettings> = {}): TestRegistrar {
    if (how === 'stopped') this.office.close();
    databases.splice(databases.indexOf(this.database), 1);
    this.database.close();
    return new TestRegistrar(settings, this);
  }

  /** Sends as it is. */
  send(request: SipRequest, from: Flow = flow()): SipResponse {
    const answers: SipResponse[] = [];
    this.office.registrar.received(request, from, (status: number, parts?: ResponseParts) => {
      answers.push(createResponse(request, status, { toTag: 't', ...parts }));
    });
    if (answers.length !== 1) throw new Error(`${answers.length} answers`);
    return answers[0]!;
  }

  /** Registers with the right password: the answer after the challenge. */
  register(text: RegisterText = {}, from: Flow = flow(), password = passwordOf(text.user ?? 'alice')): SipResponse {
    const { user = 'alice', username = user } = text;
    const client = new DigestClient(() => ({ username, password }));
    const cseq = text.cseq ?? ++this.cseq;
    const unsigned = register({ ...text, cseq });
    if (client.challenged(this.send(unsigned, from)) !== 'retry') throw new Error('not challenged');
    const signed = client.credentials(unsigned).map(([name, value]) => `${name}: ${value}`);
    return this.send(register({ ...text, cseq, headers: [...(text.headers ?? []), ...signed] }), from);
  }

  contacts(user = 'alice'): string[] {
    return this.office.bindings.of(user).map(({ contact }) => contact);
  }
}

function passwordOf(user: string): string {
  return user === 'bob' ? 'the builder' : 'wonderland';
}

export function register(text: RegisterText = {}): SipRequest {
  const { user = 'alice', contacts = ['<sip:alice@10.0.0.5:5060>'], expires, callId = 'c1', cseq = 1 } = text;
  const lines = [
    `REGISTER ${text.uri ?? 'sip:example.com'} SIP/2.0`,
    'Via: SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK1',
    `From: <sip:${user}@example.com>;tag=f`,
    `To: ${text.to ?? `<sip:${user}@example.com>`}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} REGISTER`,
    'Max-Forwards: 70',
    ...contacts.map((contact) => `Contact: ${contact}`),
    ...(expires === undefined ? [] : [`Expires: ${expires}`]),
    ...(text.headers ?? []),
    'Content-Length: 0',
  ];
  const parsed = parseMessage(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`));
  if (!parsed.ok || parsed.message.kind !== 'request') throw new Error('the test wrote a bad REGISTER');
  return parsed.message;
}
