import type { Flow } from '../sip/transport/flow.ts';
import type { Timer, Timers } from '../timers.ts';
import { type Binding, endsWithFlow, flowKey, sourceOf } from './binding.ts';

export interface BindingsOptions {
  readonly timers: Timers;
  /** Wall-clock time, milliseconds since 1970: bindings outlive the process. */
  readonly epochMs: () => number;
  /** Told of each change: the binding as it is now, or null when it is gone. */
  readonly changed: (id: number, binding: Binding | null) => void;
}

const SWEEP_MS = 10_000;

/** Who can be reached where: the location service of RFC 3261 §10, in memory. */
export class Bindings {
  private readonly options: BindingsOptions;
  private readonly byUser = new Map<string, Binding[]>();
  /** Those of each flow that can still be used, by `flowKey`. */
  private readonly byFlow = new Map<string, Binding[]>();
  private lastId = 0;
  private count = 0;
  private sweeping: Timer | null = null;

  constructor(options: BindingsOptions) {
    this.options = options;
  }

  /** Expired ones count until they are swept away. */
  get size(): number {
    return this.count;
  }

  /** What an earlier run kept; the connections of that time are gone, and with them what depended on them. */
  restore(bindings: readonly Binding[]): void {
    for (const binding of bindings) {
      this.lastId = Math.max(this.lastId, binding.id);
      if (endsWithFlow(binding)) this.options.changed(binding.id, null);
      else this.add(binding);
    }
    this.sweepLater();
  }

  /** Those that have not expired, in the order in which they were made. */
  of(user: string): Binding[] {
    const now = this.options.epochMs();
    return this.byUser.get(user)?.filter(({ expiresMs }) => expiresMs > now) ?? [];
  }

  /** The user who has registered over this flow: from the same address and port, or over the same connection. */
  userAt(flow: Flow): string | null {
    const key = flowKey(sourceOf(flow));
    const now = this.options.epochMs();
    const found = key === null ? undefined : this.byFlow.get(key)?.find(({ expiresMs }) => expiresMs > now);
    return found?.user ?? null;
  }

  newId(): number {
    return ++this.lastId;
  }

  /** Adds a binding, or replaces the one of the same id. */
  put(binding: Binding): void {
    const known = this.byUser.get(binding.user)?.findIndex(({ id }) => id === binding.id) ?? -1;
    if (known < 0) {
      this.add(binding);
    } else {
      const bindings = this.byUser.get(binding.user)!;
      this.removeFromFlow(bindings[known]!);
      bindings[known] = binding;
      this.addToFlow(binding);
    }
    this.options.changed(binding.id, binding);
    this.sweepLater();
  }

  remove(binding: Binding): void {
    const bindings = this.byUser.get(binding.user) ?? [];
    const at = bindings.findIndex(({ id }) => id === binding.id);
    if (at < 0) return;
    this.removeFromFlow(bindings[at]!);
    if (bindings.length === 1) this.byUser.delete(binding.user);
    else bindings.splice(at, 1);
    this.count--;
    this.options.changed(binding.id, null);
  }

  /** A connection is gone. Gives the bindings that went with it. */
  flowClosed(flow: Flow): Binding[] {
    // Over UDP nothing closes; what could not be sent once may go through the next time.
    const key = flow.reliable ? flowKey(sourceOf(flow)) : null;
    if (key === null) return [];
    const gone = this.byFlow.get(key)?.filter(endsWithFlow) ?? [];
    for (const binding of gone) this.remove(binding);
    this.byFlow.delete(key);
    return gone;
  }

  /** No timer is left after it. */
  close(): void {
    this.sweeping?.clear();
    this.sweeping = null;
  }

  private add(binding: Binding): void {
    const bindings = this.byUser.get(binding.user);
    if (bindings === undefined) this.byUser.set(binding.user, [binding]);
    else bindings.push(binding);
    this.addToFlow(binding);
    this.count++;
  }

  private addToFlow(binding: Binding): void {
    const key = flowKey(binding.source);
    if (key === null) return;
    const bindings = this.byFlow.get(key);
    if (bindings === undefined) this.byFlow.set(key, [binding]);
    else bindings.push(binding);
  }

  private removeFromFlow(binding: Binding): void {
    const key = flowKey(binding.source);
    const bindings = key === null ? undefined : this.byFlow.get(key);
    if (key === null || bindings === undefined) return;
    const at = bindings.findIndex(({ id }) => id === binding.id);
    if (at >= 0) bindings.splice(at, 1);
    if (bindings.length === 0) this.byFlow.delete(key);
  }

  /** One timer for all: reading leaves out what has expired, so it need not go at once. */
  private sweepLater(): void {
    if (this.sweeping !== null || this.count === 0) return;
    this.sweeping = this.options.timers.set(SWEEP_MS, () => {
      this.sweeping = null;
      const now = this.options.epochMs();
      for (const bindings of [...this.byUser.values()]) {
        for (const binding of [...bindings]) {
          if (binding.expiresMs <= now) this.remove(binding);
        }
      }
      this.sweepLater();
    });
  }
}
