/** The timers of the transactions, by their names in RFC 3261 §17 and RFC 6026 §7. */
export type TimerName = 'A' | 'B' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M';

/** Round-trip time estimate (RFC 3261 §17.1.1.1). */
export const T1_MS = 500;
/** The longest interval between retransmissions of a non-INVITE request or of a response to INVITE. */
export const T2_MS = 4000;
/** The longest time that a message remains in the network. */
export const T4_MS = 5000;
/** How long a transaction tries, and how long a late retransmission may still come. */
export const TIMEOUT_MS = 64 * T1_MS;

/** How long an INVITE may be without any answer before it gets 100 (RFC 3261 §17.2.1). */
export const TRYING_MS = 200;

/**
 * The first value of each timer (RFC 3261, table 4), in milliseconds; null where the transport makes it needless.
 * A timer of 0 expires at once. A, E and G grow from here: see `doubled`.
 */
export const TIMER_VALUES: Record<TimerName, { readonly unreliable: number; readonly reliable: number | null }> = {
  /** INVITE is sent again. */
  A: { unreliable: T1_MS, reliable: null },
  /** INVITE got no answer. */
  B: { unreliable: TIMEOUT_MS, reliable: TIMEOUT_MS },
  /** Retransmissions of a refusal of INVITE may still come; at least 32 s. */
  D: { unreliable: TIMEOUT_MS, reliable: 0 },
  /** A request other than INVITE is sent again. */
  E: { unreliable: T1_MS, reliable: null },
  /** A request other than INVITE got no answer. */
  F: { unreliable: TIMEOUT_MS, reliable: TIMEOUT_MS },
  /** The refusal of INVITE is sent again. */
  G: { unreliable: T1_MS, reliable: null },
  /** No ACK came for the refusal of INVITE. */
  H: { unreliable: TIMEOUT_MS, reliable: TIMEOUT_MS },
  /** Retransmissions of the ACK may still come. */
  I: { unreliable: T4_MS, reliable: 0 },
  /** Retransmissions of a request other than INVITE may still come. */
  J: { unreliable: TIMEOUT_MS, reliable: 0 },
  /** Retransmissions of the response to a request other than INVITE may still come. */
  K: { unreliable: T4_MS, reliable: 0 },
  /** Retransmissions of an accepted INVITE may still come (RFC 6026 §7.1). */
  L: { unreliable: TIMEOUT_MS, reliable: TIMEOUT_MS },
  /** Further 2xx to INVITE may still come (RFC 6026 §7.2). */
  M: { unreliable: TIMEOUT_MS, reliable: TIMEOUT_MS },
};

/** The next interval of a retransmission timer: twice the last, at most T2 (timer A grows without that bound). */
export function doubled(lastMs: number, limitMs: number = T2_MS): number {
  return Math.min(lastMs * 2, limitMs);
}
