import type { MixerEvent, MixerMethod, MixerParams, MixerResult, MixerSettings } from '../../mixer/protocol.ts';
import type { Log } from '../log.ts';
import type { Timers } from '../timers.ts';
import { DEADLINE_MS, MixerChannel, MixerError } from './mixer-channel.ts';
import { MixerProcess } from './mixer-process.ts';

/** A dead mixer is replaced at once; one that keeps dying this soon after its start, after a pause. */
const QUICK_DEATH_MS = 2000;
const QUICK_DEATH_DELAY_MS = 1000;

/** A process, at work or in reserve. */
interface Running {
  process: MixerProcess;
  channel: MixerChannel;
  pid: number;
  native: readonly string[];
}

/** A place for a mixer process, with its part of the port range. */
export interface Mixer {
  readonly index: number;
  running: Running | null;
  startedMs: number;
  quickDeaths: number;
  /** Busy share of the process, as it last said; 0–1. */
  load: number;
  /** How many are in the rooms that are placed on it, for who places rooms. */
  legs: number;
}

export interface MixerFleetOptions {
  count: number;
  program: string;
  settings: Omit<MixerSettings, 'rtpPortMin' | 'rtpPortMax'>;
  rtpPortMin: number;
  rtpPortMax: number;
  timers: Timers;
  log: Log;
  event(event: MixerEvent): void;
  /** A process begins to work there, at first or in place of one that died. */
  employed(mixer: Mixer): void;
}

/**
 * The mixer processes. One that dies is replaced; to make that quick, one process more than needed is running and has
 * everything loaded.
 */
export class MixerFleet {
  restarts = 0;
  readonly mixers: Mixer[] = [];
  private readonly options: MixerFleetOptions;
  private readonly processes = new Set<MixerProcess>();
  private spare: Running | null = null;
  private stopping = false;

  constructor(options: MixerFleetOptions) {
    this.options = options;
  }

  /** Starts all processes; settled when each has greeted. */
  async start(): Promise<void> {
    const starting: Promise<void>[] = [];
    for (let index = 0; index < this.options.count; index++) {
      const mixer: Mixer = { index, running: null, startedMs: 0, quickDeaths: 0, load: 0, legs: 0 };
      this.mixers.push(mixer);
      starting.push(this.launch().then((running) => this.employ(mixer, running)));
    }
    await Promise.all(starting);
    this.reserve();
  }

  get ready(): boolean {
    return this.mixers.every((mixer) => mixer.running !== null);
  }

  stop(): void {
    this.stopping = true;
    for (const process of this.processes) process.disconnect();
  }

  /** @param takesMs how long the request takes by its nature */
  request<M extends MixerMethod>(
    mixer: Mixer,
    method: M,
    params: MixerParams<M>,
    takesMs = 0,
  ): Promise<MixerResult<M>> {
    if (!mixer.running) return Promise.reject(new MixerError('mixer-gone', `${method}: the mixer is being replaced`));
    return mixer.running.channel.request(method, params, DEADLINE_MS + takesMs);
  }

  /** A new process, when it has greeted; rejects when it ends before. */
  private launch(): Promise<Running> {
    return new Promise((resolve, reject) => {
      const process: MixerProcess = new MixerProcess({
        program: this.options.program,
        received: (message) => channel.received(message),
        exited: (reason) => {
          this.processes.delete(process);
          channel.closed(reason);
          reject(new Error(`a mixer process ${reason}`));
          this.died(process, reason);
        },
      });
      const channel = new MixerChannel({
        timers: this.options.timers,
        send: (message) => process.send(message),
        event: (event) => this.happened(event, channel),
        failed: (reason) => {
          this.options.log.error({ reason }, 'mixer failed');
          process.kill();
        },
        greeted: (pid, native) => resolve({ process, channel, pid, native }),
      });
      this.processes.add(process);
    });
  }

  private happened(event: MixerEvent, channel: MixerChannel): void {
    if (event.event !== 'load') return this.options.event(event);
    const mixer = this.mixers.find(({ running }) => running?.channel === channel);
    if (mixer) mixer.load = event.load;
  }

  private employ(mixer: Mixer, running: Running): void {
    const { log, timers } = this.options;
    mixer.running = running;
    mixer.load = 0;
    mixer.startedMs = timers.now();
    running.channel.configure(this.settingsOf(mixer.index));
    log.info({ mixer: mixer.index, pid: running.pid, native: running.native }, 'mixer at work');
    this.options.employed(mixer);
  }

  /** Sees to it that a process stands by. */
  private reserve(): void {
    if (this.stopping) return;
    this.launch().then(
      (running) => {
        const waiting = this.mixers.find((mixer) => mixer.running === null);
        if (waiting) this.replace(waiting, running);
        else this.spare = running;
      },
      (error: Error) => {
        if (this.stopping) return;
        this.options.log.error({ reason: error.message }, 'no mixer in reserve');
        this.options.timers.set(QUICK_DEATH_DELAY_MS, () => this.reserve());
      },
    );
  }

  private replace(mixer: Mixer, running: Running): void {
    this.employ(mixer, running);
    this.reserve();
  }

  /** Each process has its own part of the port range, so that it can bind without asking. */
  private settingsOf(index: number): MixerSettings {
    const { rtpPortMin, rtpPortMax, count, settings } = this.options;
    const pairs = Math.floor((rtpPortMax - rtpPortMin + 1) / 2 / count);
    const min = rtpPortMin + index * pairs * 2;
    return { ...settings, rtpPortMin: min, rtpPortMax: min + pairs * 2 - 1 };
  }

  private died(process: MixerProcess, reason: string): void {
    if (this.stopping) return;
    if (this.spare?.process === process) {
      this.spare = null;
      return this.reserve();
    }
    const mixer = this.mixers.find(({ running }) => running?.process === process);
    if (!mixer) return;
    mixer.running = null;
    this.restarts++;
    const { log, timers } = this.options;
    mixer.quickDeaths = timers.now() - mixer.startedMs < QUICK_DEATH_MS ? mixer.quickDeaths + 1 : 0;
    const delayMs = mixer.quickDeaths > 1 ? QUICK_DEATH_DELAY_MS : 0;
    log.error({ mixer: mixer.index, reason, delayMs }, 'mixer died');
    if (delayMs > 0) timers.set(delayMs, () => this.putSpareToWork(mixer));
    else this.putSpareToWork(mixer);
  }

  /** Without one at hand, `reserve` gives the next that greets to whom one is missing. */
  private putSpareToWork(mixer: Mixer): void {
    const { spare } = this;
    if (this.stopping || !spare || mixer.running) return;
    this.spare = null;
    this.replace(mixer, spare);
  }
}
