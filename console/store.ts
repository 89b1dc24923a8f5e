import { useLayoutEffect, useState } from 'preact/hooks';

/** A value that changes, and who wants to know. */
export class Store<Value> {
  private value: Value;
  private readonly listeners = new Set<() => void>();

  constructor(value: Value) {
    this.value = value;
  }

  get(): Value {
    return this.value;
  }

  set(value: Value): void {
    if (Object.is(value, this.value)) return;
    this.value = value;
    for (const listener of [...this.listeners]) listener();
  }

  /** Gives what ends it. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
}

/** The store's value, or the part of it that `pick` takes: the component is made anew only when that is another. */
export function useStore<Value, Part = Value>(
  store: Store<Value>,
  pick: (value: Value) => Part = (value) => value as unknown as Part,
): Part {
  const part = pick(store.get());
  const [, show] = useState<{ part: Part }>({ part });
  useLayoutEffect(() => {
    let shown = part;
    return store.subscribe(() => {
      const now = pick(store.get());
      if (Object.is(now, shown)) return;
      shown = now;
      show({ part: now });
    });
  });
  return part;
}
