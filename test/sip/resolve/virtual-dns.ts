import type {
  DnsAnswer,
  DnsRecords,
  DnsRecordType,
  DnsResolver,
  NaptrRecord,
  SrvRecord,
} from '../../../server/sip/resolve/dns-resolver.ts';

/** A zone as it stands in RFCs: `name type data`, a line each; lines with `!` instead of data do not answer. */
export class VirtualDns implements DnsResolver {
  /** `type name`, in the order asked. */
  readonly asked: string[] = [];
  ttlSeconds: number | null = 300;
  private readonly lines: string[][];

  constructor(zone: string) {
    this.lines = zone
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .map((line) => line.split(/\s+/));
  }

  async query<T extends DnsRecordType>(type: T, name: string): Promise<DnsAnswer<DnsRecords[T]> | null> {
    this.asked.push(`${type} ${name}`);
    const found = this.lines.filter(([owner, kind]) => owner === name && kind?.toLowerCase() === type);
    if (found.some(([, , data]) => data === '!')) return null;
    const records = found.map(([, , ...data]) => READ[type](data)) as DnsRecords[T][];
    return { records, ttlSeconds: this.ttlSeconds };
  }
}

const READ: { [T in DnsRecordType]: (data: string[]) => DnsRecords[T] } = {
  naptr: ([order, preference, flags = '', service = '', replacement = '']): NaptrRecord => ({
    order: Number(order),
    preference: Number(preference),
    flags,
    service,
    replacement,
  }),
  srv: ([priority, weight, port, target = '']): SrvRecord => ({
    priority: Number(priority),
    weight: Number(weight),
    port: Number(port),
    target,
  }),
  a: ([address = '']) => address,
  aaaa: ([address = '']) => address,
};
