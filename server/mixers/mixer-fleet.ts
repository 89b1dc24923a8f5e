import type { MixerEvent, MixerRequests, MixerSettings, Requests } from '../../mixer/protocol.ts';
import type { Log } from '../log.ts';
import type { Timers } from '../timers.ts';
import { DEADLINE_MS, MixerChannel, MixerError } from './mixer-channel.ts';
import { MixerProcess, type MixerProgram } from './mixer-process.ts';

/** A dead mixer is replaced at once; one that keeps dying this soon after its start, after a pause. */
const QUICK_DEATH_MS = 2000;
const QUICK_DEATH_DELAY_MS = 1000;
/** A program that does not even start is tried again ever more seldom, up to this. */
const LONGEST_DELAY_MS = 30_000;

/** A process, at work or in reserve. */
interface Running<R extends Requests<R>, E, S> {
  process: MixerProcess<R, E, S>;
  channel: MixerChannel<R, E, S>;
  pid: number;
  native: readonly string[];
}

/** A place for a mixer process, with its part of the port range. */
export interface Mixer<R extends Requests<R> = MixerRequests, E = MixerEvent, S = MixerSettings> {
  readonly index: number;
  running: Running<R, E, S> | null;
  startedMs: number;
  quickDeaths: number;
  /** How busy the process is, as it last said. */
  load: number;
  /** How many are in the rooms that are placed on it, for who places rooms. */
  legs: number;
}

/** What is the same for all who run a fleet of this kind. */
export interface FleetKind {
  /** As in the log: `mixer`, `video mixer`. */
  readonly name: string;
  /** Of the protocol that it speaks. */
  readonly version: number;
  readonly program: MixerProgram;
  /** One process more stands by. */
  readonly reserve: boolean;
  /** Nothing goes without one: `start` rejects where a process does not. Otherwise it is tried again and again. */
  readonly required: boolean;
}

type OwnPorts = { rtpPortMin: number; rtpPortMax: number };

export interface MixerFleetOptions<R extends Requests<R> = MixerRequests, E = MixerEvent, S = MixerSettings> {
  kind: FleetKind;
  count: number;
  settings: Omit<S, keyof OwnPorts>;
  rtpPortMin: number;
  rtpPortMax: number;
  timers: Timers;
  log: Log;
  event(event: E): void;
  /** A process begins to work there, at first or in place of one that died. */
  employed(mixer: Mixer<R, E, S>): void;
  /** The process there has died; what it had is to be given to the next. */
  died?(mixer: Mixer<R, E, S>): void;
  /**
   * Whether a process that has these native parts is of any use. When one is not, none is, and all end.
   * Absent: each is.
   */
  isOfUse?(native: readonly string[]): boolean;
}

/**
 * The mixer processes of one kind. One that dies is replaced; to make that quick, one process more than needed may be
 * running, with everything loaded.
 */
export class MixerFleet<
  R extends Requests<R> = MixerRequests,
  E extends { event: string; load?: number } = MixerEvent,
  S extends OwnPorts = MixerSettings,
> {
  restarts = 0;
  readonly mixers: Mixer<R, E, S>[] = [];
  private readonly options: MixerFleetOptions<R, E, S>;
  private readonly processes = new Set<MixerProcess<R, E, S>>();
  private spare: Running<R, E, S> | null = null;
  private stopping = false;
  /** Launches in a row that came to nothing. */
  private failedLaunches = 0;

  constructor(options: MixerFleetOptions<R, E, S>) {
    this.options = options;
  }

  /** Starts all processes; settled when each has greeted, or has failed to and is not required. */
  async start(): Promise<void> {
    const starting: Promise<void>[] = [];
    for (let index = 0; index < this.options.count; index++) {
      const mixer: Mixer<R, E, S> = { index, running: null, startedMs: 0, quickDeaths: 0, load: 0, legs: 0 };
      this.mixers.push(mixer);
      starting.push(
        this.launch().then(
          (running) => this.employ(mixer, running),
          (error: Error) => this.notStarted(error),
        ),
      );
    }
    await Promise.all(starting);
    if (this.options.kind.reserve) this.reserve();
  }

  get ready(): boolean {
    return this.mixers.every((mixer) => mixer.running !== null);
  }

  stop(): void {
    this.stopping = true;
    for (const process of this.processes) process.disconnect();
  }

  /** @param takesMs how long the request takes by its nature */
  request<M extends keyof R & string>(
    mixer: Mixer<R, E, S>,
    method: M,
    params: R[M]['params'],
    takesMs = 0,
  ): Promise<R[M]['result']> {
    if (!mixer.running) return Promise.reject(new MixerError('mixer-gone', `${method}: the mixer is being replaced`));
    return mixer.running.channel.request(method, params, DEADLINE_MS + takesMs);
  }

  /** A new process, when it has greeted; rejects when it ends before. */
  private launch(): Promise<Running<R, E, S>> {
    const { kind, timers, log } = this.options;
    return new Promise((resolve, reject) => {
      const process: MixerProcess<R, E, S> = new MixerProcess<R, E, S>({
        program: kind.program,
        received: (message) => channel.received(message),
        exited: (reason) => {
          this.processes.delete(process);
          channel.closed(reason);
          reject(new Error(`a ${kind.name} process ${reason}`));
          this.died(process, reason);
        },
      });
      const channel = new MixerChannel<R, E, S>({
        version: kind.version,
        timers,
        send: (message) => process.send(message),
        event: (event) => this.happened(event, channel),
        failed: (reason) => {
          log.error({ reason }, `${kind.name} failed`);
          process.kill();
        },
        greeted: (pid, native) => resolve({ process, channel, pid, native }),
      });
      this.processes.add(process);
    });
  }

  private happened(event: E, channel: MixerChannel<R, E, S>): void {
    if (event.event !== 'load') return this.options.event(event);
    const mixer = this.mixers.find(({ running }) => running?.channel === channel);
    if (mixer) mixer.load = event.load ?? 0;
  }

  private employ(mixer: Mixer<R, E, S>, running: Running<R, E, S>): void {
    const { kind, log, timers, isOfUse } = this.options;
    if (this.stopping) return;
    if (isOfUse?.(running.native) === false) return this.stop();
    mixer.running = running;
    mixer.load = 0;
    mixer.startedMs = timers.now();
    running.channel.configure(this.settingsOf(mixer.index));
    log.info({ mixer: mixer.index, pid: running.pid, native: running.native }, `${kind.name} at work`);
    this.options.employed(mixer);
  }

  /** Sees to it that a process stands by, or takes the place of one that died. */
  private reserve(): void {
    if (this.stopping) return;
    this.launch().then(
      (running) => {
        this.failedLaunches = 0;
        const waiting = this.mixers.find((mixer) => mixer.running === null);
        if (waiting) this.replace(waiting, running);
        else this.spare = running;
      },
      (error: Error) => this.launchLater(error),
    );
  }

  private notStarted(error: Error): void {
    if (this.options.kind.required) throw error;
    this.launchLater(error);
  }

  private launchLater({ message }: Error): void {
    if (this.stopping) return;
    const { kind, log, timers } = this.options;
    const delayMs = Math.min(LONGEST_DELAY_MS, QUICK_DEATH_DELAY_MS * 2 ** Math.min(this.failedLaunches++, 10));
    log.error({ reason: message, delayMs }, `${kind.name} could not be started`);
    timers.set(delayMs, () => this.reserve());
  }

  private replace(mixer: Mixer<R, E, S>, running: Running<R, E, S>): void {
    this.employ(mixer, running);
    if (this.options.kind.reserve) this.reserve();
  }

  /** Each process has its own part of the port range, so that it can bind without asking. */
  private settingsOf(index: number): S {
    const { rtpPortMin, rtpPortMax, count, settings } = this.options;
    const pairs = Math.floor((rtpPortMax - rtpPortMin + 1) / 2 / count);
    const min = rtpPortMin + index * pairs * 2;
    const ports: OwnPorts = { rtpPortMin: min, rtpPortMax: min + pairs * 2 - 1 };
    return { ...settings, ...ports } as S;
  }

  private died(process: MixerProcess<R, E, S>, reason: string): void {
    if (this.stopping) return;
    if (this.spare?.process === process) {
      this.spare = null;
      return this.reserve();
    }
    const mixer = this.mixers.find(({ running }) => running?.process === process);
    if (!mixer) return;
    mixer.running = null;
    this.restarts++;
    const { kind, log, timers } = this.options;
    mixer.quickDeaths = timers.now() - mixer.startedMs < QUICK_DEATH_MS ? mixer.quickDeaths + 1 : 0;
    const delayMs = mixer.quickDeaths > 1 ? QUICK_DEATH_DELAY_MS : 0;
    log.error({ mixer: mixer.index, reason, delayMs }, `${kind.name} died`);
    this.options.died?.(mixer);
    if (delayMs > 0) timers.set(delayMs, () => this.putSpareToWork(mixer));
    else this.putSpareToWork(mixer);
  }

  /** Without one at hand, `reserve` gives the next that greets to whom one is missing. */
  private putSpareToWork(mixer: Mixer<R, E, S>): void {
    const { spare } = this;
    if (this.stopping || mixer.running) return;
    if (!this.options.kind.reserve) return this.reserve();
    if (!spare) return;
    this.spare = null;
    this.replace(mixer, spare);
  }
}
