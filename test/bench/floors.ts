import { type ChildProcess, execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PROJECT_FOLDER } from '../e2e/clients/parley.ts';
import { endChild, GeneratorProcess } from './generator-process.ts';
import { type Durations, LEAST_SHARE, type LoadFigures, measureLoad, percent } from './load-figures.ts';
import { callersOf, type Load } from './load-protocol.ts';

const NODE_ECHO = fileURLToPath(new URL(`udp-echo${import.meta.url.slice(-3)}`, import.meta.url));
const C_ECHO = join(PROJECT_FOLDER, 'test/bench/udp-echo.c');

interface Echo {
  child: ChildProcess;
  ports: number[];
}

/** The same packets through processes that only send them back. */
export interface Floor {
  /** What went through it: codecs and callers. */
  name: string;
  node: LoadFigures;
  /** Null without a C compiler. */
  c: LoadFigures | null;
}

/** Measures each floor once in a run: the same packets cost an echo the same, whoever talks. */
export class Floors {
  readonly measured = new Map<string, Floor>();
  readonly #durations: Durations;
  readonly #folder = mkdtempSync(join(tmpdir(), 'parley-echo-'));
  #program: Promise<string | null> | null = null;
  /** Why there is no echo in C; null while there is. */
  withoutC: string | null = null;

  constructor(durations: Durations) {
    this.#durations = durations;
  }

  async of(load: Load): Promise<Floor> {
    const name = `${load.codecs.join('+')}, ${callersOf(load)} callers`;
    const known = this.measured.get(name);
    if (known) return known;
    this.#program ??= this.#compile();
    const program = await this.#program;
    const node = await this.#measure(load, await startNodeEcho(callersOf(load)));
    const c = program === null ? null : await this.#measure(load, await startCEcho(program, callersOf(load)));
    const floor = { name, node, c };
    this.measured.set(name, floor);
    return floor;
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #compile(): Promise<string | null> {
    const program = join(this.#folder, 'udp-echo');
    const compiler = process.env['CC'] ?? 'cc';
    try {
      await promisify(execFile)(compiler, ['-O2', '-o', program, C_ECHO]);
      return program;
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such program' : String(error);
      this.withoutC = `no floor in C: \`${compiler}\` (or what CC names) did not compile ${C_ECHO}: ${reason}`;
      return null;
    }
  }

  async #measure(load: Load, { child, ports }: Echo): Promise<LoadFigures> {
    const generator = new GeneratorProcess();
    try {
      await generator.start({ ...load, target: { kind: 'echo', ports } });
      await pause(this.#durations.settleSeconds * 1_000);
      const { measureSeconds } = this.#durations;
      const { figures } = await measureLoad(generator, load, [child.pid!], measureSeconds, async () => {});
      const { packetsReceived, packetsSent } = figures.load;
      if (packetsReceived < LEAST_SHARE * packetsSent) {
        figures.doubts.push(`only ${percent(packetsReceived / packetsSent)} of the packets came back`);
      }
      await generator.stop();
      return figures;
    } finally {
      await generator.end();
      await endChild(child);
    }
  }
}

async function startNodeEcho(sockets: number): Promise<Echo> {
  const child = fork(NODE_ECHO, [String(sockets)]);
  const [ports] = (await once(child, 'message')) as [number[]];
  return { child, ports };
}

async function startCEcho(program: string, sockets: number): Promise<Echo> {
  const child = spawn(program, [String(sockets)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ports: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    ports.push(Number(line));
    if (ports.length === sockets) return { child, ports };
  }
  throw new Error(`the echo in C opened ${ports.length} of ${sockets} sockets`);
}
