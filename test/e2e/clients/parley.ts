import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApiClient } from './api-client.ts';
import { ChildProgram } from './child-program.ts';
import { freePort, LOOPBACK, type PortRange, reservePortRange } from './free-ports.ts';
import { type Metrics, readMetrics } from './metrics.ts';
import { pause } from './pause.ts';

export const PROJECT_FOLDER = findProjectFolder();
const SERVER = join(PROJECT_FOLDER, 'dist/server/main.js');
const API_TOKEN = 'test-token-of-the-end-to-end-tests';

function findProjectFolder(): string {
  for (let folder = new URL('.', import.meta.url); folder.pathname !== '/'; folder = new URL('..', folder)) {
    if (existsSync(new URL('package.json', folder))) return fileURLToPath(folder);
  }
  throw new Error('not within the project');
}

export interface ParleyOptions {
  /** With a video mixer, as the default is; without one it starts in half the time. */
  video?: boolean;
  /** Further PARLEY_ variables. */
  env?: Record<string, string>;
  /** The text of a parley.yaml. */
  config?: string;
  /** Flags for the command line. */
  flags?: readonly string[];
}

/** Of a machine on which other servers start as well. */
const READY_WITHIN_MS = 40_000;
const STOP_WITHIN_MS = 5_000;

/** The built server as a process, with ports and a data directory of its own. */
export class Parley {
  readonly api: ApiClient;
  readonly sipPort: number;
  readonly dataDir: string;
  /** That of its last life. */
  program: ChildProgram;
  readonly httpUrl: string;
  readonly #mediaPorts: PortRange;
  readonly #spawn: () => ChildProgram;

  static async start(options: ParleyOptions = {}): Promise<Parley> {
    if (!existsSync(SERVER)) throw new Error(`${SERVER} is missing: build first (npm run build)`);
    const dataDir = mkdtempSync(join(tmpdir(), 'parley-data-'));
    const sipPort = await freePort();
    const httpPort = await freePort();
    const mediaPorts = await reservePortRange();
    const flags = [...(options.flags ?? [])];
    if (options.config !== undefined) {
      writeFileSync(join(dataDir, 'parley.yaml'), options.config);
      flags.push('--config', join(dataDir, 'parley.yaml'));
    }
    const env = {
      PARLEY_BIND: LOOPBACK,
      PARLEY_PUBLIC_ADDRESS: LOOPBACK,
      PARLEY_SIP_PORT: String(sipPort),
      PARLEY_SIPS_PORT: String(sipPort + 1),
      PARLEY_BFCP_PORT: '0',
      PARLEY_HTTP_PORT: String(httpPort),
      PARLEY_RTP_MIN: String(mediaPorts.min),
      PARLEY_RTP_MAX: String(mediaPorts.max),
      PARLEY_DATA_DIR: dataDir,
      PARLEY_API_TOKEN: API_TOKEN,
      ...(options.video ? {} : { PARLEY_VIDEO_MIXERS: '0' }),
      ...options.env,
    };
    const spawn = (): ChildProgram => new ChildProgram(process.execPath, [SERVER, ...flags], { cwd: dataDir, env });
    const scheme = options.env?.['PARLEY_HTTP_TLS'] === 'true' ? 'https' : 'http';
    const parley = new Parley(spawn, dataDir, sipPort, `${scheme}://${LOOPBACK}:${httpPort}`, mediaPorts);
    await parley.ready();
    return parley;
  }

  private constructor(spawn: () => ChildProgram, dataDir: string, sipPort: number, httpUrl: string, ports: PortRange) {
    this.#spawn = spawn;
    this.program = spawn();
    this.dataDir = dataDir;
    this.sipPort = sipPort;
    this.api = new ApiClient(`${httpUrl}/api/v1`, API_TOKEN);
    this.httpUrl = httpUrl;
    this.#mediaPorts = ports;
  }

  get sipsPort(): number {
    return this.sipPort + 1;
  }

  sipUri(room: string): string {
    return `sip:${room}@${LOOPBACK}:${this.sipPort}`;
  }

  /** What it wrote so far, a line each; those of its log are JSON. */
  logLines(): string[] {
    return this.program.output.split('\n').filter((line) => line !== '');
  }

  async metrics(): Promise<Metrics> {
    const response = await fetch(`${this.httpUrl}/metrics`, { headers: { authorization: `Bearer ${API_TOKEN}` } });
    if (!response.ok) throw new Error(`GET /metrics: ${response.status}`);
    return readMetrics(await response.text());
  }

  /** The server's child processes that run the mixer; the one that has waited for longest first. */
  mixerPids(): number[] {
    return childPids(this.program.pid).filter((pid) => commandLine(pid).includes('mixer/main'));
  }

  /** Those that run the video mixer. */
  videoMixerPids(): number[] {
    return childPids(this.program.pid).filter((pid) => commandLine(pid).includes('mixer/video/main'));
  }

  /** The server's child processes that run ffmpeg, with their arguments. */
  ffmpegs(): { pid: number; args: string[] }[] {
    return childPids(this.program.pid)
      .map((pid) => ({ pid, args: commandLine(pid).split('\0') }))
      .filter(({ args }) => /(^|\/)ffmpeg$/.test(args[0] ?? ''));
  }

  /** SIGKILL of the server alone. Settled when its mixers, too, have gone by themselves. */
  async crash(): Promise<void> {
    await this.program.stop('SIGKILL');
  }

  /** After `crash`: on the same ports, with what it left. */
  async startAgain(): Promise<void> {
    this.program = this.#spawn();
    await this.ready();
  }

  /** SIGTERM; throws when the process is not gone within 5 s, or not with success. */
  async stop(): Promise<void> {
    const started = performance.now();
    const { code, signal } = await this.program.stop('SIGTERM', STOP_WITHIN_MS);
    const tookMs = performance.now() - started;
    this.#cleanUp();
    if (code !== 0) {
      const how = `code ${code}, signal ${signal}, after ${tookMs.toFixed(0)} ms`;
      throw new Error(`the server did not end well (${how}):\n${this.program.output.slice(-3_000)}`);
    }
    const fault = this.logLines().find((line) => line.includes('could not be handled: a fault'));
    if (fault !== undefined) throw new Error(fault);
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    const pids = this.program.running ? childPids(this.program.pid) : [];
    await this.program.stop('SIGKILL');
    for (const pid of pids) killIfThere(pid);
    this.#cleanUp();
  }

  #cleanUp(): void {
    this.#mediaPorts.release();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** Settled when it takes calls; ends it, and throws, where it never does. */
  async ready(): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS;
    while (this.program.running && performance.now() < deadline) {
      if ((await statusOf(`${this.httpUrl}/readyz`)) === 200) return;
      await pause(50);
    }
    const { output } = this.program;
    await this.program.stop('SIGKILL');
    this.#cleanUp();
    throw new Error(`the server was not ready within ${READY_WITHIN_MS} ms:\n${output.slice(-3_000)}`);
  }
}

/** Null when there is no answer. A certificate that the server made for itself is as good as any. */
async function statusOf(url: string): Promise<number | null> {
  if (url.startsWith('http:'))
    return fetch(url).then(
      ({ status }) => status,
      () => null,
    );
  return new Promise((resolve) => {
    const request = get(url, { rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? null);
    });
    request.on('error', () => resolve(null));
  });
}

function childPids(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    try {
      return readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    } catch {
      return [];
    }
  });
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

/** A zombie, which nobody has reaped yet, does not run. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It went with its parent.
  }
}
