import type { SipUri } from '../message/uri.ts';
import type { Via } from '../message/via.ts';
import type { Flow } from '../transport/flow.ts';

/** How the transactions and dialogs find a way out; the transports implement it. */
export interface Flows {
  /**
   * The way for the responses to a request that came in over `flow` with this topmost Via (RFC 3261 §18.2.2, RFC 3581 §4):
   * the same connection while it is open; over UDP the source, or the sent-by port without `rport`. Null: there is none.
   */
  forResponse(via: Via, flow: Flow): Flow | null;
  /**
   * A way to the host, port and transport that the URI names; `near` is a flow of the same dialog, whose socket is
   * used where it can be. Connections may still be opening, and names be resolved: what is sent waits for that.
   * Null: it cannot be reached from here.
   */
  forRequest(uri: SipUri, near: Flow): Flow | null;
  /**
   * TCP to the end of a way over UDP, for a request that is too large for that (RFC 3261 §18.1.1). `opened` is called once,
   * at once or when the connection stands; null: it cannot be made, as always where this is left out.
   */
  stream?(near: Flow, opened: (flow: Flow | null) => void): void;
}
