/** One Via value (RFC 3261 §20.42). */
export interface Via {
  /** `UDP`, `TCP`, `TLS`, `WS`, `WSS`: upper case. */
  readonly transport: string;
  readonly host: string;
  readonly port: number | null;
  readonly branch: string | null;
  /** All parameters, names in lower case; one without a value has '' (so `rport` asked for is ''). */
  readonly parameters: ReadonlyMap<string, string>;
}
