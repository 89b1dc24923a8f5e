/** For what can only be waited for by the clock: sound that takes its time. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Looks again and again until it is so; throws with `what` and the last look when it never is. */
export async function eventually<Value>(
  what: string,
  look: () => Promise<Value> | Value,
  isSo: (value: Value) => boolean,
  timeoutMs = 15_000,
): Promise<Value> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await look();
    if (isSo(value)) return value;
    if (performance.now() > deadline) {
      throw new Error(`not within ${timeoutMs} ms: ${what}; last: ${JSON.stringify(value)}`);
    }
    await pause(25);
  }
}
