import type { NameAddress } from '../message/name-address.ts';
import type { SipUri } from '../message/uri.ts';
import type { Flow } from '../transport/flow.ts';

/** Where somebody takes requests. */
export interface PeerContact {
  readonly uri: SipUri;
  /** The proxies before it, in order. */
  readonly routes: readonly NameAddress[];
  /** What reaches it while it is open, whatever the URI says; null: the URI tells. */
  readonly flow: Flow | null;
  /** How much it is preferred to others of the same user, 0 to 1 (RFC 3261 §16.6); 1 where left out. */
  readonly q?: number;
}

/** One place that a request can be sent to. */
export interface Way {
  /** What the request is addressed to there, where that is not the URI that was asked for (RFC 3261 §16.6). */
  readonly contact?: PeerContact;
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
  /**
   * `found` is called once, at once or later, with the places to try in their order; none: it leads nowhere, for which
   * `status` stands, 404 unless told.
   */
  find(uri: SipUri, found: (ways: readonly Way[], status?: number) => void): void;
}

/** The ways to a contact: its flow, or what its URI or that of the first proxy before it says. */
export function waysTo({ uri, routes, flow }: PeerContact, others: Ways, found: (ways: readonly Way[]) => void): void {
  if (flow?.open) found([wayOver(flow)]);
  else others.find(routes[0]?.uri ?? uri, found);
}

/** Deviation: a large request goes over UDP too (RFC 3261 §18.1.1), as nobody connects through the peer's NAT. */
function wayOver(flow: Flow): Way {
  return { open: (_requestBytes, opened) => opened(flow.open ? flow : null), unavailable: () => {} };
}
