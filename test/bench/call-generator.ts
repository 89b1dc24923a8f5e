import { performance } from 'node:perf_hooks';
import { LOOPBACK } from '../e2e/clients/free-ports.ts';
import { DurationHistogram, type DurationSummary } from './histogram.ts';
import { openUdpSocket } from './open-udp-socket.ts';

/** Many short calls from one process, without media: started by the benchmark with one job, gives one result. */

export interface CallJob {
  readonly sipPort: number;
  readonly uri: string;
  readonly calls: number;
  /** Begun each second; null: as fast as the server answers. */
  readonly callsPerSecond: number | null;
  /** At a time. */
  readonly concurrency: number;
  /** The calls stay up, on hold, until this process ends. */
  readonly stay: boolean;
}

export interface CallResult {
  readonly completed: number;
  /** Of calls that were not answered with 200: how many, by status; 0 for no answer at all. */
  readonly failed: Record<number, number>;
  readonly seconds: number;
  /** From INVITE to 200. */
  readonly setUpMs: DurationSummary;
  readonly generatorCpu: number;
}

interface Call {
  readonly id: string;
  readonly startedMs: number;
  readonly giveUp: NodeJS.Timeout;
  ended: boolean;
}

const GIVE_UP_MS = 10_000;

async function run(job: CallJob): Promise<CallResult> {
  const socket = await openUdpSocket();
  const { port } = socket.address();
  const calls = new Map<string, Call>();
  const setUp = new DurationHistogram();
  const failed: Record<number, number> = {};
  const send = (text: string): void => socket.send(text, job.sipPort, LOOPBACK);
  let begun = 0;
  let over = 0;
  let completed = 0;
  let finished = (): void => {};
  const allOver = new Promise<void>((resolve) => {
    finished = resolve;
  });

  function begin(): void {
    const id = `${process.pid}-${++begun}`;
    const giveUp = setTimeout(() => end(id, 0), GIVE_UP_MS);
    calls.set(id, { id, startedMs: performance.now(), giveUp, ended: false });
    send(request('INVITE', job.uri, id, '', 1, port, offer(port) + (job.stay ? 'a=inactive\r\n' : '')));
  }

  function fill(): void {
    if (job.callsPerSecond !== null) return;
    while (begun < job.calls && calls.size < job.concurrency) begin();
  }

  function end(id: string, status: number): void {
    const call = calls.get(id);
    if (call === undefined || call.ended) return;
    call.ended = true;
    clearTimeout(call.giveUp);
    if (status === 200) completed++;
    else failed[status] = (failed[status] ?? 0) + 1;
    calls.delete(id);
    if (++over === job.calls) finished();
    else fill();
  }

  socket.on('message', (bytes) => {
    const text = bytes.toString('latin1');
    if (!text.startsWith('SIP/')) return;
    const status = Number(text.slice(8, 11));
    if (status < 200) return;
    const id = field(text, 'Call-ID');
    const method = field(text, 'CSeq').split(' ')[1];
    const call = calls.get(id);
    if (call === undefined) return;
    if (method === 'BYE') return end(id, status);
    const to = field(text, 'To');
    if (status >= 300) {
      send(request('ACK', job.uri, id, to, 1, port, ''));
      return end(id, status);
    }
    setUp.add(performance.now() - call.startedMs);
    const target = /<([^>]+)>/.exec(field(text, 'Contact'))?.[1] ?? job.uri;
    send(request('ACK', target, `${id}`, to, 1, port, '', 'ack'));
    if (job.stay) return end(id, 200);
    send(request('BYE', target, id, to, 2, port, ''));
  });

  const startedMs = performance.now();
  const cpuBefore = process.cpuUsage();
  if (job.callsPerSecond !== null) {
    const rate = job.callsPerSecond;
    const clock = setInterval(() => {
      const due = Math.min(job.calls, Math.floor(((performance.now() - startedMs) * rate) / 1_000));
      while (begun < due) begin();
      if (begun >= job.calls) clearInterval(clock);
    }, 1);
  }
  fill();
  await allOver;
  const seconds = (performance.now() - startedMs) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  if (!job.stay) socket.close();
  return { completed, failed, seconds, setUpMs: setUp.summary(), generatorCpu: (user + system) / 1e6 / seconds };
}

function request(
  method: string,
  uri: string,
  id: string,
  to: string,
  sequence: number,
  port: number,
  body: string,
  branch = method === 'ACK' ? 'INVITE' : method,
): string {
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${LOOPBACK}:${port};branch=z9hG4bK-${id}-${branch}`,
    'Max-Forwards: 70',
    `From: <sip:bench@${LOOPBACK}>;tag=${id}`,
    `To: ${to || `<${uri}>`}`,
    `Call-ID: ${id}`,
    `CSeq: ${sequence} ${method}`,
    `Contact: <sip:bench@${LOOPBACK}:${port}>`,
    ...(body ? ['Content-Type: application/sdp'] : []),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

/** As SIPp's own: PCMU alone. Nobody listens at the port above ours. */
function offer(port: number): string {
  return `v=0\r\no=bench 1 1 IN IP4 ${LOOPBACK}\r\ns=-\r\nc=IN IP4 ${LOOPBACK}\r\nt=0 0\r\nm=audio ${port + 1} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n`;
}

function field(text: string, name: string): string {
  const at = text.indexOf(`\r\n${name}: `);
  return at < 0 ? '' : text.slice(at + name.length + 4, text.indexOf('\r\n', at + 2));
}

process.once('message', (job: CallJob) => {
  run(job).then(
    (result) => process.send!(result),
    (error: unknown) => process.send!({ error: String(error) }),
  );
});
process.once('disconnect', () => process.exit());
