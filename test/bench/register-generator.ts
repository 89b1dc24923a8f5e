import { createHash } from 'node:crypto';
import { LOOPBACK } from '../e2e/clients/free-ports.ts';
import { openUdpSocket } from './open-udp-socket.ts';

/** Registers many phones with digest over UDP, from one process: started by the benchmark with one job, gives one result. */

export interface RegisterJob {
  readonly sipPort: number;
  /** Each user has as many as the others; none is one too many. */
  readonly phones: number;
  readonly users: number;
  readonly password: string;
  /** After the first registration of each phone: how often all of them refresh. */
  readonly refreshes: number;
  /** For so long they go on refreshing then, in one last round. */
  readonly sustainSeconds: number;
}

export type FromRegisterGenerator =
  | { readonly type: 'round'; readonly registered: number; readonly seconds: number }
  | { readonly type: 'failed'; readonly reason: string };

interface Phone {
  readonly id: string;
  readonly user: string;
  /** H(A1) of its password. */
  readonly secret: string;
  nonce: string | null;
  nonceCount: number;
  cseq: number;
}

/** At a time: enough that the server never waits for us. */
const CONCURRENCY = 100;

async function run(job: RegisterJob): Promise<void> {
  const socket = await openUdpSocket();
  const { port } = socket.address();
  const phones = Array.from({ length: job.phones }, (_, index): Phone => {
    const user = userName(index % job.users);
    const secret = hash(`${user}:${LOOPBACK}:${job.password}`);
    return { id: `phone${index}`, user, secret, nonce: null, nonceCount: 0, cseq: 0 };
  });
  const byCallId = new Map(phones.map((phone) => [phone.id, phone]));
  const send = (phone: Phone): void => socket.send(register(phone, port), job.sipPort, LOOPBACK);

  /** Of all phones, or as many of them, again and again, as go into that time. Gives how many it were. */
  function round(untilMs: number | null): Promise<number> {
    return new Promise((resolve, reject) => {
      let next = 0;
      let registered = 0;
      socket.removeAllListeners('message');
      socket.on('message', (bytes) => {
        const text = bytes.toString('latin1');
        const phone = byCallId.get(callIdOf(text));
        if (phone === undefined) return;
        const status = text.slice(8, 11);
        if (status === '401') {
          phone.nonce = /nonce="([^"]+)"/.exec(text)?.[1] ?? '';
          phone.nonceCount = 0;
          return send(phone);
        }
        if (status !== '200') return reject(new Error(text.slice(0, 300)));
        registered++;
        if (untilMs === null ? next < phones.length : performance.now() < untilMs)
          send(phones[next++ % phones.length]!);
        else if (registered === next) resolve(registered);
      });
      while (next < Math.min(CONCURRENCY, phones.length)) send(phones[next++]!);
    });
  }

  for (let number = 0; number <= job.refreshes + 1; number++) {
    const startedMs = performance.now();
    const registered = await round(number > job.refreshes ? startedMs + job.sustainSeconds * 1_000 : null);
    tell({ type: 'round', registered, seconds: (performance.now() - startedMs) / 1_000 });
    // The benchmark looks at the server between the rounds.
    await new Promise((resolve) => process.once('message', resolve));
  }
  socket.close();
}

function callIdOf(text: string): string {
  const at = text.indexOf('\r\nCall-ID: ') + 11;
  return text.slice(at, text.indexOf('\r', at));
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export function userName(index: number): string {
  return `user${index}`;
}

function register(phone: Phone, port: number): string {
  const { id, user, nonce } = phone;
  const uri = `sip:${LOOPBACK}`;
  const cseq = ++phone.cseq;
  const credentials = nonce === null ? [] : [`Authorization: ${authorization(phone, nonce, uri)}`];
  return [
    `REGISTER ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${LOOPBACK}:${port};branch=z9hG4bK-${id}-${cseq}`,
    'Max-Forwards: 70',
    `From: <sip:${user}@${LOOPBACK}>;tag=${id}`,
    `To: <sip:${user}@${LOOPBACK}>`,
    `Call-ID: ${id}`,
    `CSeq: ${cseq} REGISTER`,
    `Contact: <sip:${id}@${LOOPBACK}:${port}>`,
    'Expires: 3600',
    'User-Agent: Bench 1.0',
    ...credentials,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

const HA2 = hash(`REGISTER:sip:${LOOPBACK}`);

function authorization(phone: Phone, nonce: string, uri: string): string {
  const nc = (++phone.nonceCount).toString(16).padStart(8, '0');
  const response = hash(`${phone.secret}:${nonce}:${nc}:c:auth:${HA2}`);
  const quoted = { username: phone.user, realm: LOOPBACK, nonce, uri, response, cnonce: 'c' };
  const parts = Object.entries(quoted).map(([key, value]) => `${key}="${value}"`);
  return `Digest ${[...parts, 'algorithm=SHA-256', 'qop=auth', `nc=${nc}`].join(', ')}`;
}

function tell(message: FromRegisterGenerator): void {
  process.send!(message);
}

process.once('message', (job: RegisterJob) => {
  run(job).then(
    () => process.disconnect(),
    (error: unknown) => tell({ type: 'failed', reason: String(error) }),
  );
});
