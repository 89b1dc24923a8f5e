import type { SipUri } from './uri.ts';

/** `name-addr` or `addr-spec` with header parameters: From, To, Contact, Route, Record-Route, Refer-To (RFC 3261 §20). */
export interface NameAddress {
  readonly displayName: string | null;
  /** As written, without angle brackets. */
  readonly uriText: string;
  /** Null when the scheme is neither sip nor sips. */
  readonly uri: SipUri | null;
  /** Header parameters such as `tag`, `expires`, `q`; names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}
