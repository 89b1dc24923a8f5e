import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseVia } from '../../../server/sip/message/via.ts';
import { ConnectionAliases } from '../../../server/sip/transport/connection-aliases.ts';
import { type PeerIdentity, sipDomains } from '../../../server/sip/transport/peer-identity.ts';
import type { StreamConnection } from '../../../server/sip/transport/stream-connection.ts';
import { issue } from './certificates.ts';

describe('the SIP domains of a certificate (RFC 5922 §7.1)', () => {
  it.each([
    ['URI:sip:Example.com', ['example.com']],
    [
      'URI:sip:one.example.com, DNS:two.example.com, URI:sip:three.example.com',
      ['one.example.com', 'three.example.com'],
    ],
    [
      'DNS:One.example.com, IP Address:2001:DB8:0:0:0:0:0:1, DNS:two.example.com',
      ['one.example.com', 'two.example.com'],
    ],
    ['URI:sip:alice@example.com, DNS:host.example.com', ['host.example.com']],
    ['URI:sips:example.com, URI:https://example.com/, DNS:host.example.com', ['host.example.com']],
    ['DNS:*.example.com, email:sip@example.com, DirName:CN = example.com', []],
    ['DNS:"a.example.com, DNS:b.example.com", DNS:c.example.com', ['c.example.com']],
    ['URI:"sip:a.example.com, URI:sip:b.example.com"', []],
    ['what is this, DNS:c.example.com', []],
    ['', []],
  ])('of %s', (subjectAltName, domains) => {
    expect(sipDomains(subjectAltName)).toEqual(domains);
  });

  it('a name that holds what looks like two is not taken for two', () => {
    const host = 'bad.example.com, DNS:victim.example.com';
    const { certificate } = issue('bad', { hosts: [host, 'good.example.com'], issuer: null });
    const { subjectAltName } = new X509Certificate(certificate);
    expect(subjectAltName).toContain('victim.example.com');
    expect(sipDomains(subjectAltName ?? '')).toEqual(['good.example.com']);
  });
});

describe('aliases of connections', () => {
  const aConnection = () => ({ open: true }) as StreamConnection & { open: boolean };
  const verified = (...domains: string[]): PeerIdentity => ({ domains, fault: null });
  const via = (sentBy: string, transport = 'TLS') => parseVia(`SIP/2.0/${transport} ${sentBy};branch=z9hG4bK1;alias`)!;

  it('lead to the name and port of sent-by, 5061 where it has none', () => {
    const aliases = new ConnectionAliases();
    const connection = aConnection();
    aliases.add(connection, verified('a.example.com', 'b.example.com'));
    expect(aliases.honour(via('A.example.com'), connection)).toBeNull();
    expect(aliases.honour(via('b.example.com:5071'), connection)).toBeNull();
    expect(aliases.find('a.Example.com', 5061)).toBe(connection);
    expect(aliases.find('b.example.com', 5071)).toBe(connection);
    expect(aliases.find('a.example.com', 5071)).toBeNull();
    expect(aliases.find('b.example.com', 5061)).toBeNull();
  });

  it('without `alias`, and on connections of ours, nothing happens', () => {
    const aliases = new ConnectionAliases();
    const connection = aConnection();
    aliases.add(connection, verified('a.example.com'));
    expect(aliases.honour(parseVia('SIP/2.0/TLS a.example.com;branch=z9hG4bK1')!, connection)).toBeNull();
    expect(aliases.honour(via('a.example.com'), aConnection())).toBeNull();
    expect(aliases.size).toBe(0);
  });

  it.each([
    ['who has shown nothing', via('a.example.com'), { domains: [], fault: 'no certificate' }, 'no certificate'],
    ['another name', via('b.example.com'), verified('a.example.com'), 'the certificate is not for sent-by'],
    ['a name below', via('x.a.example.com'), verified('a.example.com'), 'the certificate is not for sent-by'],
    ['an address', via('192.0.2.1'), verified('192.0.2.1'), 'sent-by is an address, for which no SIP certificate is'],
    ['another transport', via('a.example.com', 'TCP'), verified('a.example.com'), 'the Via is not of TLS'],
  ])('are refused for %s, which is told once', (_what, refused, identity, reason) => {
    const aliases = new ConnectionAliases();
    const connection = aConnection();
    aliases.add(connection, identity);
    expect(aliases.honour(refused, connection)).toBe(reason);
    expect(aliases.honour(refused, connection)).toBeNull();
    expect(aliases.find(refused.host, 5061)).toBeNull();
  });

  it('of two connections the latest is used; what the older leaves behind does not touch it', () => {
    const aliases = new ConnectionAliases();
    const [older, newer] = [aConnection(), aConnection()];
    for (const connection of [older, newer]) {
      aliases.add(connection, verified('a.example.com'));
      aliases.honour(via('a.example.com'), connection);
    }
    aliases.remove(older);
    expect(aliases.find('a.example.com', 5061)).toBe(newer);
    newer.open = false;
    expect(aliases.find('a.example.com', 5061)).toBeNull();
    aliases.remove(newer);
    expect(aliases.size).toBe(0);
  });

  it('are eight for a connection at most', () => {
    const aliases = new ConnectionAliases();
    const connection = aConnection();
    aliases.add(connection, verified('a.example.com'));
    const told = Array.from({ length: 20 }, (_, n) => aliases.honour(via(`a.example.com:${6000 + n}`), connection));
    expect(aliases.size).toBe(8);
    expect(told.filter((reason) => reason !== null)).toEqual(['too many aliases']);
    expect(aliases.honour(via('a.example.com:6000'), connection)).toBeNull();
    expect(aliases.find('a.example.com', 6000)).toBe(connection);
  });
});
