import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ChildProgram } from './child-program.ts';
import { freePort, LOOPBACK } from './free-ports.ts';
import { eventually } from './pause.ts';

/** The scenario files stand beside the tests, also when this file runs from dist. */
const SCENARIO_FOLDER = fileURLToPath(new URL('../scenarios/', import.meta.url));

export interface SippOptions {
  /** A file of test/e2e/scenarios, without its ending; one that SIPp brings along; or the text of one. */
  scenario: string | { builtIn: string } | { xml: string };
  /** The user part that is called. */
  room: string;
  serverPort: number;
  calls?: number;
  callsPerSecond?: number;
  /** How long a `<pause/>` of the scenario is. */
  pauseMs?: number;
  transport?: 'udp' | 'tcp';
  /** Further values for `[name]` in the scenario. */
  keys?: Record<string, string | number>;
  /** Any free one unless told. */
  sipPort?: number;
  /** For the scenarios of third party call control: where the two controllers meet. */
  controllersMeetAt?: number;
  /** The URI that `[authentication]` signs, without `sip:`; that of the server unless told. */
  signedUri?: string;
  folder?: string;
}

export interface SippResult {
  exitCode: number | null;
  successful: number;
  failed: number;
  /** The program's final screen and error file, for messages. */
  report: string;
}

function scenarioArguments(scenario: SippOptions['scenario'], folder: string): string[] {
  if (typeof scenario === 'string') return ['-sf', join(SCENARIO_FOLDER, `${scenario}.xml`)];
  if ('builtIn' in scenario) return ['-sn', scenario.builtIn];
  const path = join(folder, 'scenario.xml');
  writeFileSync(path, scenario.xml);
  return ['-sf', path];
}

/** The text of a scenario that SIPp brings along. */
export function builtInScenario(name: string): string {
  const { stdout, stderr } = spawnSync('sipp', ['-sd', name], { encoding: 'utf8' });
  // It is printed to either, by version.
  const text = `${stdout}${stderr}`;
  return text.slice(text.indexOf('<?xml'), text.indexOf('</scenario>') + '</scenario>'.length);
}

/** SIPp with a scenario. It cannot record: give it the port of an RtpEndpoint for that. */
export class SippClient {
  readonly #program: ChildProgram;
  readonly #folder: string;

  static async start(options: SippOptions): Promise<SippClient> {
    const folder = mkdtempSync(join(tmpdir(), 'parley-sipp-'));
    const sipPort = options.sipPort ?? (await freePort());
    const controlPort = await freePort();
    // For sound and pictures, with RTCP.
    const mediaPort = await freePort(4);
    const keys = Object.entries(options.keys ?? {}).flatMap(([name, value]) => ['-key', name, String(value)]);
    const program = new ChildProgram(
      'sipp',
      [
        `${LOOPBACK}:${options.serverPort}`,
        ...scenarioArguments(options.scenario, folder),
        ...['-s', options.room],
        ...['-i', LOOPBACK, '-p', String(sipPort), '-cp', String(controlPort)],
        ...['-mi', LOOPBACK, '-mp', String(mediaPort)],
        ...['-m', String(options.calls ?? 1), '-r', String(options.callsPerSecond ?? 1)],
        ...['-l', String(options.calls ?? 1)],
        ...['-t', options.transport === 'tcp' ? 't1' : 'u1'],
        ...(options.controllersMeetAt === undefined ? [] : ['-3pcc', `${LOOPBACK}:${options.controllersMeetAt}`]),
        ...(options.signedUri === undefined ? [] : ['-auth_uri', options.signedUri]),
        ...['-d', String(options.pauseMs ?? 0)],
        ...['-trace_err', '-trace_screen', '-trace_logs', '-nostdin'],
        ...keys,
      ],
      { cwd: options.folder ?? folder, env: { TERM: 'dumb' } },
    );
    return new SippClient(program, folder);
  }

  private constructor(program: ChildProgram, folder: string) {
    this.#program = program;
    this.#folder = folder;
  }

  get running(): boolean {
    return this.#program.running;
  }

  /** Waits for what the scenario logs (`<log message=…/>`). */
  async logged(pattern: RegExp): Promise<RegExpExecArray> {
    const found = await eventually(
      `SIPp logs ${pattern}`,
      () => pattern.exec(this.#files(/_logs\.log$/).join('\n')),
      (match) => match !== null || !this.running,
    );
    if (found === null)
      throw new Error(`SIPp ended: ${this.#files(/_errors\.log$/).join('\n')}\n${this.#program.output}`);
    return found;
  }

  #files(name: RegExp): string[] {
    return readdirSync(this.#folder)
      .filter((file) => name.test(file))
      .map((file) => readFileSync(join(this.#folder, file), 'utf8'));
  }

  /** Waits until all calls are over. */
  async finished(timeoutMs: number): Promise<SippResult> {
    const deadline = setTimeout(() => this.#program.process.kill('SIGKILL'), timeoutMs);
    const { code } = await this.#program.exited;
    clearTimeout(deadline);
    const report = [...this.#files(/_(errors|screen)\.log$/), this.#program.output].join('\n').slice(-6_000);
    const last = (name: string): number =>
      Number([...report.matchAll(new RegExp(`${name}.*\\|\\s*(\\d+)\\s*$`, 'gm'))].at(-1)?.[1] ?? Number.NaN);
    rmSync(this.#folder, { recursive: true, force: true });
    return { exitCode: code, successful: last('Successful call'), failed: last('Failed call'), report };
  }

  async stop(): Promise<void> {
    await this.#program.stop('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
