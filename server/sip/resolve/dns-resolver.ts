/** RFC 3403 §4.1. */
export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  readonly service: string;
  readonly replacement: string;
}

/** RFC 2782. */
export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** '' or `.`: the service is decidedly not there. */
  readonly target: string;
}

export interface DnsAnswer<T> {
  /** Empty when there are none. */
  readonly records: readonly T[];
  /** Null where the asked one does not tell. */
  readonly ttlSeconds: number | null;
}

export interface DnsRecords {
  naptr: NaptrRecord;
  srv: SrvRecord;
  /** IPv4 addresses. */
  a: string;
  /** IPv6 addresses. */
  aaaa: string;
}

export type DnsRecordType = keyof DnsRecords;

/** What SIP asks of the DNS. Null: there was no answer, so nobody knows. */
export interface DnsResolver {
  query<T extends DnsRecordType>(type: T, name: string): Promise<DnsAnswer<DnsRecords[T]> | null>;
}
