import type { Way, Ways } from './dialog/ways.ts';
import type { SipUri } from './message/uri.ts';
import type { DestinationHealth } from './resolve/destination-health.ts';
import type { Destination } from './transport/destination.ts';
import type { Flow } from './transport/flow.ts';

export interface DestinationWaysOptions {
  /** RFC 3263 §4; never rejects. */
  readonly resolve: (uri: SipUri) => Promise<readonly Destination[]>;
  /** A flow for a request of that many bytes; rejects when there is none. */
  readonly connect: (destination: Destination, requestBytes: number) => Promise<Flow>;
  readonly health: DestinationHealth;
}

/** Where calls of ours can go: what DNS says, those that lately answered first (RFC 3263 §4.3). */
export class DestinationWays implements Ways {
  private readonly options: DestinationWaysOptions;

  constructor(options: DestinationWaysOptions) {
    this.options = options;
  }

  find(uri: SipUri, found: (ways: readonly Way[]) => void): void {
    const { resolve, health } = this.options;
    void resolve(uri).then((destinations) => {
      found(health.order(destinations).map((destination) => this.wayTo(destination)));
    });
  }

  private wayTo(destination: Destination): Way {
    const { connect, health } = this.options;
    return {
      open: (requestBytes, opened) => void connect(destination, requestBytes).then(opened, () => opened(null)),
      unavailable: (seconds) => {
        if (seconds > 0) health.unavailable(destination, seconds * 1000);
      },
    };
  }
}
