import { describe, expect, it } from 'vitest';
import { parseUri } from '../../../server/sip/message/uri.ts';
import { resolveTarget, type TargetOptions } from '../../../server/sip/resolve/resolve-target.ts';
import { orderServers } from '../../../server/sip/resolve/srv-order.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';
import { VirtualDns } from './virtual-dns.ts';

const ALL = ['udp', 'tcp', 'tls'] as const;

async function leadsTo(uri: string, dns: VirtualDns, more: Partial<TargetOptions> = {}): Promise<string[]> {
  const found = await resolveTarget(parseUri(uri)!, {
    dns,
    random: () => 0,
    protocols: new Set(ALL),
    families: { ipv4: true, ipv6: true },
    ...more,
  });
  return found.map(({ protocol, address, port }) => `${protocol} ${address} ${port}`);
}

/** The example of RFC 3263 §4.1 and §4.2, with the addresses that it leaves out. */
const EXAMPLE = `
  example.com NAPTR 50 50 s SIPS+D2T _sips._tcp.example.com
  example.com NAPTR 90 50 s SIP+D2T _sip._tcp.example.com.
  example.com NAPTR 100 50 s SIP+D2U _sip._udp.example.com
  example.com NAPTR 10 50 s SIP+D2S _sip._sctp.example.com
  _sip._tcp.example.com SRV 0 1 5060 server1.example.com
  _sip._tcp.example.com SRV 0 2 5060 server2.example.com.
  _sips._tcp.example.com SRV 0 0 5061 secure.example.com
  _sip._udp.example.com SRV 0 0 5070 server1.example.com
  server1.example.com A 192.0.2.1
  server2.example.com A 192.0.2.2
  server2.example.com AAAA 2001:db8::2
  secure.example.com A 192.0.2.3
  example.com A 192.0.2.9
`;

describe('RFC 3263 §4', () => {
  it.each([
    // Addresses and ports decide without any question.
    ['sip:a@192.0.2.7', ['udp 192.0.2.7 5060']],
    ['sip:a@192.0.2.7:5070;transport=tcp', ['tcp 192.0.2.7 5070']],
    ['sip:a@192.0.2.7;transport=tls', ['tls 192.0.2.7 5061']],
    ['sips:a@[2001:db8::7]', ['tls 2001:db8::7 5061']],
    ['sips:a@192.0.2.7;transport=tcp', ['tls 192.0.2.7 5061']],
    ['sip:a@elsewhere.example.org;maddr=192.0.2.8', ['udp 192.0.2.8 5060']],
    // What cannot be.
    ['sips:a@192.0.2.7;transport=udp', []],
    ['sip:a@192.0.2.7;transport=sctp', []],
    ['sip:a@example.com;transport=ws', []],
  ])('%s needs no DNS', async (uri, destinations) => {
    const dns = new VirtualDns('');
    expect(await leadsTo(uri, dns)).toEqual(destinations);
    expect(dns.asked).toEqual([]);
  });

  it.each([
    [
      'NAPTR says the transports, the preferred first; those that we do not speak are left out',
      'sip:a@example.com',
      ['tls 192.0.2.3 5061', 'tcp 192.0.2.1 5060', 'tcp 2001:db8::2 5060', 'tcp 192.0.2.2 5060', 'udp 192.0.2.1 5070'],
    ],
    ['for sips only those with TLS', 'sips:a@example.com', ['tls 192.0.2.3 5061']],
    ['a transport in the URI goes to its SRV records', 'sip:a@example.com;transport=udp', ['udp 192.0.2.1 5070']],
    ['also that of TLS', 'sip:a@example.com;transport=tls', ['tls 192.0.2.3 5061']],
    ['a port in the URI goes to the addresses', 'sip:a@example.com:5099', ['udp 192.0.2.9 5099']],
    ['with the transport', 'sip:a@example.com:5099;transport=tcp', ['tcp 192.0.2.9 5099']],
    ['without SRV records too', 'sip:a@server1.example.com;transport=tcp', ['tcp 192.0.2.1 5060']],
    ['and for sips', 'sips:a@secure.example.com', ['tls 192.0.2.3 5061']],
    ['IPv6 is tried first', 'sip:a@server2.example.com', ['udp 2001:db8::2 5060', 'udp 192.0.2.2 5060']],
    ['maddr is what counts', 'sip:a@192.0.2.7;maddr=server1.example.com', ['udp 192.0.2.1 5060']],
    ['a name that is not there leads nowhere', 'sip:a@nowhere.example.com', []],
  ])('%s', async (_rule, uri, destinations) => {
    expect(await leadsTo(uri, new VirtualDns(EXAMPLE))).toEqual(destinations);
  });

  it('what a URI names is what a certificate must be for, not what the DNS says (RFC 5922 §7.2)', async () => {
    const [found] = await resolveTarget(parseUri('sips:a@example.com')!, {
      dns: new VirtualDns(EXAMPLE),
      random: () => 0,
      protocols: new Set(ALL),
      families: { ipv4: true, ipv6: false },
    });
    expect(found?.serverName).toBe('example.com');
  });

  it('only transports and families that we have are asked for', async () => {
    const dns = new VirtualDns(EXAMPLE);
    const only = { protocols: new Set(['udp'] as const), families: { ipv4: true, ipv6: false } };
    expect(await leadsTo('sip:a@example.com', dns, only)).toEqual(['udp 192.0.2.1 5070']);
    expect(dns.asked).toEqual(['naptr example.com', 'srv _sip._udp.example.com', 'a server1.example.com']);
  });

  it('without NAPTR, UDP before TCP', async () => {
    const dns = new VirtualDns(`
      _sip._tcp.example.org SRV 0 0 5060 one.example.org
      _sip._udp.example.org SRV 10 0 5060 two.example.org
      _sip._udp.example.org SRV 5 0 5062 one.example.org
      one.example.org A 192.0.2.1
      two.example.org A 192.0.2.2
    `);
    const destinations = ['udp 192.0.2.1 5062', 'udp 192.0.2.2 5060', 'tcp 192.0.2.1 5060'];
    expect(await leadsTo('sip:a@example.org', dns)).toEqual(destinations);
  });

  it('a NAPTR of another kind, or that nobody answers, counts as none', async () => {
    const dns = new VirtualDns(`
      example.org NAPTR 10 10 u E2U+sip !^.*$!sip:info@example.org!
      example.org A 192.0.2.1
      silent.example.org NAPTR !
      silent.example.org A 192.0.2.2
    `);
    expect(await leadsTo('sip:a@example.org', dns)).toEqual(['udp 192.0.2.1 5060']);
    expect(await leadsTo('sip:a@silent.example.org', dns)).toEqual(['udp 192.0.2.2 5060']);
  });

  it('an SRV record of `.` says that there is no service: the name itself is not tried (RFC 2782)', async () => {
    const dns = new VirtualDns('_sip._udp.example.org SRV 0 0 0 .\nexample.org A 192.0.2.1');
    expect(await leadsTo('sip:a@example.org;transport=udp', dns)).toEqual([]);
  });

  it('a zone of a thousand records makes us neither ask nor try all of them', async () => {
    const zone = Array.from({ length: 1000 }, (_, index) => [
      `_sip._udp.big.example SRV ${index} 0 5060 h${index}.big.example`,
      `h${index}.big.example A 192.0.2.${index % 250}`,
    ]);
    const dns = new VirtualDns(zone.flat().join('\n'));
    expect(await leadsTo('sip:a@big.example;transport=udp', dns)).toHaveLength(16);
    expect(dns.asked.length).toBeLessThan(40);
  });
});

describe('the order of SRV records (RFC 2782)', () => {
  const record = (priority: number, weight: number, target: string) => ({ priority, weight, port: 5060, target });

  it('is by priority first', () => {
    const records = [record(20, 100, 'c'), record(10, 0, 'a'), record(15, 0, 'b')];
    expect(orderServers(records, Math.random).map(({ target }) => target)).toEqual(['a', 'b', 'c']);
  });

  it('within one priority follows the weights', () => {
    const records = [record(1, 0, 'none'), record(1, 10, 'one'), record(1, 30, 'three')];
    const random = new SeededRandom(7);
    const firsts: Record<string, number> = { none: 0, one: 0, three: 0 };
    for (let draw = 0; draw < 10_000; draw++) {
      const ordered = orderServers(records, () => random.below(1_000_000) / 1_000_000);
      expect(ordered).toHaveLength(3);
      firsts[ordered[0]!.target]!++;
    }
    expect(firsts['none']! / 10_000).toBeCloseTo(1 / 41, 1);
    expect(firsts['one']! / 10_000).toBeCloseTo(10 / 41, 1);
    expect(firsts['three']! / 10_000).toBeCloseTo(30 / 41, 1);
  });

  it('is by chance when none has a weight', () => {
    const records = [record(1, 0, 'a'), record(1, 0, 'b')];
    expect(orderServers(records, () => 0.99)).toHaveLength(2);
  });
});
