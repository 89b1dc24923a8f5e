import type { LookupAddress } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';
import type { DnsAnswer, DnsRecords, DnsRecordType, DnsResolver } from './dns-resolver.ts';

const TIMEOUT_MS = 2_000;
const TRIES = 2;

/** These say that there is nothing; all else, that nobody knows. */
const NOTHING_THERE = new Set(['ENOTFOUND', 'ENODATA']);

type Ask = { [T in DnsRecordType]: (name: string) => Promise<DnsAnswer<DnsRecords[T]>> };

/** The name servers of this host; for addresses also its own table of hosts, which containers' names stand in. */
export class NodeDns implements DnsResolver {
  private readonly resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });

  private readonly ask: Ask = {
    naptr: async (name) => ({ records: await this.resolver.resolveNaptr(name), ttlSeconds: null }),
    srv: async (name) => {
      const found = await this.resolver.resolveSrv(name);
      return { records: found.map(({ name: target, ...record }) => ({ ...record, target })), ttlSeconds: null };
    },
    a: async (name) => addresses(await this.resolver.resolve4(name, { ttl: true })),
    aaaa: async (name) => addresses(await this.resolver.resolve6(name, { ttl: true })),
  };

  async query<T extends DnsRecordType>(type: T, name: string): Promise<DnsAnswer<DnsRecords[T]> | null> {
    try {
      return await this.ask[type](name);
    } catch (error) {
      const answer = NOTHING_THERE.has((error as NodeJS.ErrnoException).code ?? '') ? NONE : null;
      if (type !== 'a' && type !== 'aaaa') return answer;
      const known = await lookup(name, { all: true, family: type === 'a' ? 4 : 6 }).catch((): LookupAddress[] => []);
      if (known.length === 0) return answer;
      return { records: known.map(({ address }) => address as DnsRecords[T]), ttlSeconds: null };
    }
  }
}

const NONE = { records: [], ttlSeconds: null };

function addresses(found: ReadonlyArray<{ address: string; ttl: number }>): DnsAnswer<string> {
  return {
    records: found.map(({ address }) => address),
    ttlSeconds: found.length === 0 ? null : Math.min(...found.map(({ ttl }) => ttl)),
  };
}
