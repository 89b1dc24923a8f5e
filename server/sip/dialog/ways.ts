import type { SipUri } from '../message/uri.ts';
import type { Flow } from '../transport/flow.ts';

/** One place that a request can be sent to. */
export interface Way {
  /**
   * A flow to it that fits a request of that many bytes: a large one does not go over UDP (RFC 3261 §18.1.1).
   * `opened` is called once, at once or later; with null when there is no getting there.
   */
  open(requestBytes: number, opened: (flow: Flow | null) => void): void;
  /** It did not answer, or said so: others are to be preferred for so long. */
  unavailable(seconds: number): void;
}

/** Finds out where a request outside of dialogs goes (RFC 3263). */
export interface Ways {
  /** `found` is called once, at once or later, with the places to try in their order; none: the name leads nowhere. */
  find(uri: SipUri, found: (ways: readonly Way[]) => void): void;
}
