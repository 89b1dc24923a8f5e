import type { Timers } from '../../timers.ts';
import type { Destination } from '../transport/destination.ts';

const MAX_REMEMBERED = 1_000;

/** Which destinations were found not to answer, so that the next request does not wait for them first (RFC 3263 §4.3). */
export class DestinationHealth {
  private readonly timers: Timers;
  private readonly unavailableUntilMs = new Map<string, number>();

  constructor(timers: Timers) {
    this.timers = timers;
  }

  unavailable(destination: Destination, forMs: number): void {
    const key = keyOf(destination);
    this.unavailableUntilMs.delete(key);
    this.unavailableUntilMs.set(key, this.timers.now() + forMs);
    if (this.unavailableUntilMs.size > MAX_REMEMBERED) {
      this.unavailableUntilMs.delete(this.unavailableUntilMs.keys().next().value!);
    }
  }

  /** The same destinations, those that lately did not answer last; they are tried all the same, as nobody else is left. */
  order(destinations: readonly Destination[]): Destination[] {
    const [well, ill]: [Destination[], Destination[]] = [[], []];
    for (const destination of destinations) (this.isAvailable(destination) ? well : ill).push(destination);
    return [...well, ...ill];
  }

  private isAvailable(destination: Destination): boolean {
    return (this.unavailableUntilMs.get(keyOf(destination)) ?? 0) <= this.timers.now();
  }
}

const keyOf = ({ protocol, address, port }: Destination): string => `${protocol} ${address} ${port}`;
