/** A SIP or SIPS URI (RFC 3261 §19.1), unescaped. */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  readonly user: string | null;
  readonly password: string | null;
  /** Host name, IPv4, or IPv6 without brackets; lower case. */
  readonly host: string;
  readonly port: number | null;
  /** Names in lower case; a parameter without a value has ''. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly headers: ReadonlyMap<string, string>;
}
