import { isIP } from 'node:net';
import type { SipUri } from '../message/uri.ts';
import type { Destination } from '../transport/destination.ts';
import type { TransportProtocol } from '../transport/flow.ts';
import { defaultPort } from '../transport/via-routing.ts';
import { defaultTransport, directTarget, namedTransport, targetHost } from './direct-target.ts';
import type { DnsResolver, NaptrRecord } from './dns-resolver.ts';
import { orderServers } from './srv-order.ts';

export interface TargetOptions {
  readonly dns: DnsResolver;
  /** Numbers from 0 to below 1. */
  readonly random: () => number;
  /** What we can send over. */
  readonly protocols: ReadonlySet<TransportProtocol>;
  readonly families: { readonly ipv4: boolean; readonly ipv6: boolean };
}

/** Records that a name may lead to; a bound on what a stranger's DNS makes us ask and try. */
const MAX_DESTINATIONS = 16;

/** NAPTR service fields (RFC 3263 §4.1). */
const SERVICES: Readonly<Record<string, TransportProtocol>> = {
  'SIP+D2U': 'udp',
  'SIP+D2T': 'tcp',
  'SIPS+D2T': 'tls',
};

const SRV_PREFIXES: Partial<Record<TransportProtocol, string>> = {
  udp: '_sip._udp.',
  tcp: '_sip._tcp.',
  tls: '_sips._tcp.',
};

interface Service {
  readonly protocol: TransportProtocol;
  /** Of its SRV records. */
  readonly name: string;
}

/** Where a request to a URI can go, in the order to try them (RFC 3263 §4); empty when it cannot be reached from here. */
export async function resolveTarget(uri: SipUri, options: TargetOptions): Promise<Destination[]> {
  const direct = directTarget(uri);
  if (direct === null) return [];
  if (direct !== 'name') return options.protocols.has(direct.protocol) ? [direct] : [];
  const found = await new TargetSearch(uri, options).find();
  return found.filter(({ protocol }) => options.protocols.has(protocol)).slice(0, MAX_DESTINATIONS);
}

/** The search for one URI with a name. */
class TargetSearch {
  private readonly uri: SipUri;
  private readonly options: TargetOptions;
  private readonly target: string;

  constructor(uri: SipUri, options: TargetOptions) {
    this.uri = uri;
    this.options = options;
    this.target = targetHost(uri);
  }

  async find(): Promise<Destination[]> {
    const named = namedTransport(this.uri);
    const protocol = named === 'any' || named === null ? defaultTransport(this.uri) : named;
    if (this.uri.port !== null) return this.at(this.target, protocol, this.uri.port);
    const services = named === 'any' ? await this.services() : [serviceOf(protocol, this.target)];
    const servers = await this.servers(services);
    return servers ?? this.at(this.target, protocol, defaultPort(protocol));
  }

  /** By NAPTR; without such records, those that SRV records are asked for one after the other (RFC 3263 §4.1). */
  private async services(): Promise<Service[]> {
    const answer = await this.options.dns.query('naptr', this.target);
    const usable = (answer?.records ?? [])
      .filter((record) => this.isUsable(record))
      .sort((a, b) => a.order - b.order || a.preference - b.preference);
    if (usable.length > 0) {
      return usable.map((record) => ({ protocol: protocolOf(record)!, name: withoutRootDot(record.replacement) }));
    }
    const usual: TransportProtocol[] = this.uri.scheme === 'sips' ? ['tls'] : ['udp', 'tcp'];
    return usual.map((protocol) => serviceOf(protocol, this.target));
  }

  private isUsable(record: NaptrRecord): boolean {
    const protocol = protocolOf(record);
    if (protocol === undefined || record.flags.toLowerCase() !== 's') return false;
    return this.options.protocols.has(protocol) && (this.uri.scheme !== 'sips' || protocol === 'tls');
  }

  /** Null when there is no SRV record at all; empty when they say that the service is not there. */
  private async servers(services: readonly Service[]): Promise<Destination[] | null> {
    const destinations: Destination[] = [];
    let any = false;
    for (const { protocol, name } of services) {
      if (!this.options.protocols.has(protocol)) continue;
      const answer = await this.options.dns.query('srv', name);
      const records = answer?.records ?? [];
      any ||= records.length > 0;
      for (const { target, port } of orderServers(records, this.options.random)) {
        if (destinations.length >= MAX_DESTINATIONS) break;
        const host = withoutRootDot(target);
        if (host !== '' && port > 0) destinations.push(...(await this.at(host, protocol, port)));
      }
    }
    return any ? destinations : null;
  }

  /** The addresses of a host; IPv6 first, as RFC 6724 wants it (RFC 7984 §3). */
  private async at(host: string, protocol: TransportProtocol, port: number): Promise<Destination[]> {
    const { dns, families } = this.options;
    if (isIP(host) !== 0) return [this.destination(host, protocol, port)];
    const [six, four] = await Promise.all([
      families.ipv6 ? dns.query('aaaa', host) : null,
      families.ipv4 ? dns.query('a', host) : null,
    ]);
    const addresses = [...(six?.records ?? []), ...(four?.records ?? [])];
    return addresses.map((address) => this.destination(address, protocol, port));
  }

  private destination(address: string, protocol: TransportProtocol, port: number): Destination {
    return { protocol, address, port, serverName: this.uri.host };
  }
}

const protocolOf = ({ service }: NaptrRecord): TransportProtocol | undefined => SERVICES[service.toUpperCase()];

function serviceOf(protocol: TransportProtocol, target: string): Service {
  return { protocol, name: `${SRV_PREFIXES[protocol]}${target}` };
}

const withoutRootDot = (name: string): string => (name.endsWith('.') ? name.slice(0, -1) : name);
