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

/** The place of a binding, which a refresh fills anew: so that it need not be searched for among all of a flow. */
interface Entry {
  binding: Binding;
}

/** Who can be reached where: the location service of RFC 3261 §10, in memory. */
export class Bindings {
  private readonly options: BindingsOptions;
  private readonly byUser = new Map<string, Entry[]>();
  /** Those of each flow that can still be used, by `flowKey`. */
  private readonly byFlow = new Map<string, Entry[]>();
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
    const found: Binding[] = [];
    for (const { binding } of this.byUser.get(user) ?? []) if (binding.expiresMs > now) found.push(binding);
    return found;
  }

  /** The user who has registered over this flow: from the same address and port, or over the same connection. */
  userAt(flow: Flow): string | null {
    const key = flowKey(sourceOf(flow));
    const now = this.options.epochMs();
    const found = key === null ? undefined : this.byFlow.get(key)?.find(({ binding }) => binding.expiresMs > now);
    return found?.binding.user ?? null;
  }

  /** As `userAt`; null also where several users have registered over this flow: it is that of a proxy, say. */
  onlyUserAt(flow: Flow): string | null {
    const key = flowKey(sourceOf(flow));
    const now = this.options.epochMs();
    let only: string | null = null;
    for (const { binding } of key === null ? [] : (this.byFlow.get(key) ?? [])) {
      if (binding.expiresMs <= now || binding.user === only) continue;
      if (only !== null) return null;
      only = binding.user;
    }
    return only;
  }

  newId(): number {
    return ++this.lastId;
  }

  /** Adds a binding, or replaces the one of the same id. */
  put(binding: Binding): void {
    const known = this.byUser.get(binding.user)?.find((entry) => entry.binding.id === binding.id);
    if (known === undefined) {
      this.add(binding);
    } else {
      const moved = flowKey(known.binding.source) !== flowKey(binding.source);
      if (moved) this.removeFromFlow(known);
      known.binding = binding;
      if (moved) this.addToFlow(known);
    }
    this.options.changed(binding.id, binding);
    this.sweepLater();
  }

  remove(binding: Binding): void {
    const entries = this.byUser.get(binding.user) ?? [];
    const at = entries.findIndex((entry) => entry.binding.id === binding.id);
    if (at < 0) return;
    this.removeFromFlow(entries[at]!);
    if (entries.length === 1) this.byUser.delete(binding.user);
    else entries.splice(at, 1);
    this.count--;
    this.options.changed(binding.id, null);
  }

  /** A connection is gone. Gives the bindings that went with it. */
  flowClosed(flow: Flow): Binding[] {
    // Over UDP nothing closes; what could not be sent once may go through the next time.
    const key = flow.reliable ? flowKey(sourceOf(flow)) : null;
    if (key === null) return [];
    const gone =
      this.byFlow
        .get(key)
        ?.map(({ binding }) => binding)
        .filter(endsWithFlow) ?? [];
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
    const entry = { binding };
    const entries = this.byUser.get(binding.user);
    if (entries === undefined) this.byUser.set(binding.user, [entry]);
    else entries.push(entry);
    this.addToFlow(entry);
    this.count++;
  }

  private addToFlow(entry: Entry): void {
    const key = flowKey(entry.binding.source);
    if (key === null) return;
    const entries = this.byFlow.get(key);
    if (entries === undefined) this.byFlow.set(key, [entry]);
    else entries.push(entry);
  }

  private removeFromFlow(entry: Entry): void {
    const key = flowKey(entry.binding.source);
    const entries = key === null ? undefined : this.byFlow.get(key);
    if (key === null || entries === undefined) return;
    const at = entries.indexOf(entry);
    if (at >= 0) entries.splice(at, 1);
    if (entries.length === 0) this.byFlow.delete(key);
  }

  /** One timer for all: reading leaves out what has expired, so it need not go at once. */
  private sweepLater(): void {
    if (this.sweeping !== null || this.count === 0) return;
    this.sweeping = this.options.timers.set(SWEEP_MS, () => {
      this.sweeping = null;
      const now = this.options.epochMs();
      for (const entries of [...this.byUser.values()]) {
        for (const { binding } of [...entries]) {
          if (binding.expiresMs <= now) this.remove(binding);
        }
      }
      this.sweepLater();
    });
  }
}
