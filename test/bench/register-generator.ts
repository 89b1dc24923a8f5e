import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { LOOPBACK } from '../e2e/clients/free-ports.ts';

/** Registers many phones with digest over UDP, from one process: started by the benchmark with one job, gives one result. */

export interface RegisterJob {
  readonly sipPort: number;
  /** Each user has as many as the others; none is one too many. */
  readonly phones: number;
  readonly users: number;
  readonly password: string;
  /** After the first registration of each phone: how often all of them refresh. */
  readonly refreshes: number;
}

export type FromRegisterGenerator =
  | { readonly type: 'round'; readonly registered: number; readonly seconds: number }
  | { readonly type: 'failed'; readonly reason: string };

interface Phone {
  readonly id: string;
  readonly user: string;
  nonce: string | null;
  nonceCount: number;
  cseq: number;
}

const CONCURRENCY = 50;

async function run(job: RegisterJob): Promise<void> {
  const socket = createSocket({
    type: 'udp4',
    recvBufferSize: 4 << 20,
    lookup: (host, _options, found) => found(null, host, 4),
  });
  await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
  const { port } = socket.address();
  const phones = Array.from({ length: job.phones }, (_, index): Phone => {
    return { id: `phone${index}`, user: userName(index % job.users), nonce: null, nonceCount: 0, cseq: 0 };
  });
  const byCallId = new Map(phones.map((phone) => [phone.id, phone]));
  const send = (phone: Phone): void => socket.send(register(phone, port, job.password), job.sipPort, LOOPBACK);

  function round(): Promise<void> {
    return new Promise((resolve, reject) => {
      let next = 0;
      let registered = 0;
      socket.removeAllListeners('message');
      socket.on('message', (bytes) => {
        const text = bytes.toString('latin1');
        const phone = byCallId.get(/^Call-ID: (.*)\r$/m.exec(text)?.[1] ?? '');
        if (phone === undefined) return;
        const status = text.slice(8, 11);
        if (status === '401') {
          phone.nonce = /nonce="([^"]+)"/.exec(text)?.[1] ?? '';
          phone.nonceCount = 0;
          return send(phone);
        }
        if (status !== '200') return reject(new Error(text.slice(0, 300)));
        if (++registered === phones.length) resolve();
        else if (next < phones.length) send(phones[next++]!);
      });
      while (next < Math.min(CONCURRENCY, phones.length)) send(phones[next++]!);
    });
  }

  for (let number = 0; number <= job.refreshes; number++) {
    const startedMs = performance.now();
    await round();
    tell({ type: 'round', registered: phones.length, seconds: (performance.now() - startedMs) / 1_000 });
    // The benchmark looks at the server between the rounds.
    await new Promise((resolve) => process.once('message', resolve));
  }
  socket.close();
}

export function userName(index: number): string {
  return `user${index}`;
}

function register(phone: Phone, port: number, password: string): string {
  const { id, user, nonce } = phone;
  const uri = `sip:${LOOPBACK}`;
  const cseq = ++phone.cseq;
  const credentials = nonce === null ? [] : [`Authorization: ${authorization(phone, nonce, uri, password)}`];
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

function authorization(phone: Phone, nonce: string, uri: string, password: string): string {
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const nc = (++phone.nonceCount).toString(16).padStart(8, '0');
  const ha1 = hash(`${phone.user}:${LOOPBACK}:${password}`);
  const response = hash(`${ha1}:${nonce}:${nc}:c:auth:${hash(`REGISTER:${uri}`)}`);
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
