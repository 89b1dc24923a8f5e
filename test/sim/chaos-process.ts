import type { FromMixer, MixerErrorCode, Requests, ToMixer } from '../../mixer/protocol.ts';
import type { MixerProcessOptions } from '../../server/mixers/mixer-process.ts';
import type { FakeMixerProcess } from './chaos-mixer.ts';
import type { FakeVideoMixerProcess } from './chaos-video-mixer.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualTimers } from './virtual-timers.ts';

/** Where fake mixers live. */
export interface MixerWorld {
  readonly timers: VirtualTimers;
  readonly random: SeededRandom;
  readonly alive: Set<FakeMixerProcess>;
  readonly videoAlive: Set<FakeVideoMixerProcess>;
  /** What no server should ask of a mixer. */
  readonly problems: string[];
}

let world: MixerWorld | null = null;

/** Those that are started from now on live there. */
export function mixersLiveIn(given: MixerWorld): void {
  world = given;
}

export class Refused extends Error {
  readonly code: MixerErrorCode;

  constructor(code: MixerErrorCode) {
    super(code);
    this.code = code;
  }
}

/** In the place of a mixer's process. Takes its time for everything, but does it in order. */
export abstract class FakeProcess<R extends Requests<R>, E, S> {
  protected readonly world: MixerWorld;
  private readonly options: MixerProcessOptions<R, E>;
  private gone = false;
  private lastMs = 0;

  /** @param native what it found in the system, as it says in its greeting */
  constructor(options: MixerProcessOptions<R, E>, version: number, native: readonly string[]) {
    if (world === null) throw new Error('a mixer before there is a world for it');
    this.options = options;
    this.world = world;
    this.tell({ type: 'hello', version, pid: 1 + world.alive.size + world.videoAlive.size, native });
  }

  send(message: ToMixer<R, S>): void {
    this.inOrder(() => this.take(message));
  }

  kill(): void {
    this.crash();
  }

  disconnect(): void {
    this.gone = true;
    this.leave();
  }

  crash(): void {
    if (this.gone) return;
    this.disconnect();
    this.options.exited('crashed');
  }

  /** Something that happens to it of itself. */
  happens(event: E): void {
    this.tell({ type: 'event', ...event });
  }

  protected abstract configured(settings: S): void;

  /** @returns null: it is answered later, by `reply`. Throws what it refuses with. */
  protected abstract carryOut(method: keyof R & string, params: unknown, id: number): object | null;

  /** Is among the living no more. */
  protected abstract leave(): void;

  protected reply(id: number, result: object): void {
    this.tell({ type: 'reply', id, result: result as never });
  }

  private take(message: ToMixer<R, S>): void {
    if (message.type === 'configure') return this.configured(message.settings);
    const { id, method, params } = message;
    try {
      const result = this.carryOut(method, params, id);
      if (result !== null) this.reply(id, result);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.tell({ type: 'error', id, code: error.code, message: `${method} ${JSON.stringify(params)}` });
    }
  }

  private tell(message: FromMixer<R, E>): void {
    this.inOrder(() => this.options.received(message));
  }

  /** After a moment, but nothing overtakes what was before it. */
  private inOrder(action: () => void): void {
    const { timers, random } = this.world;
    this.lastMs = Math.max(this.lastMs, timers.now() + random.below(20));
    timers.set(this.lastMs - timers.now(), () => {
      if (!this.gone) action();
    });
  }
}
