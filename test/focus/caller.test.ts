import { describe, expect, it } from 'vitest';
import { addressRanges } from '../../server/config/address-ranges.ts';
import { callerOf, describeForwarding } from '../../server/focus/caller.ts';
import { createRequest } from '../../server/sip/message/create-message.ts';
import type { SipRequest } from '../../server/sip/message/message.ts';
import { parseNameAddress } from '../../server/sip/message/name-address.ts';
import { createVia } from '../../server/sip/message/via.ts';

const SAID = { uri: 'sip:ann@example.com', displayName: 'Ann' };

function invite(...headers: Array<readonly [string, string]>): SipRequest {
  return createRequest({
    method: 'INVITE',
    requestUri: 'sip:demo@example.com',
    via: createVia('UDP', '192.0.2.1', 5060, 'z9hG4bK-1'),
    from: parseNameAddress('"Ann" <sip:ann@example.com>;tag=ann')!,
    to: parseNameAddress('<sip:demo@example.com>')!,
    callId: 'id',
    cseqNumber: 1,
    headers,
  });
}

describe('who calls (RFC 3325)', () => {
  const asserted = ['P-Asserted-Identity', '"Ann Other" <sip:+15551@trunk.example.com>, <tel:+15551>'] as const;

  it('is what From says, whatever a peer asserts that is not trusted', () => {
    expect(callerOf(invite(), true)).toEqual(SAID);
    expect(callerOf(invite(asserted, ['Privacy', 'id']), false)).toEqual(SAID);
  });

  it('is what a trusted peer asserts', () => {
    expect(callerOf(invite(asserted), true)).toEqual({ uri: 'sip:+15551@trunk.example.com', displayName: 'Ann Other' });
    expect(callerOf(invite(['P-Asserted-Identity', '<tel:+15551>']), true)).toEqual({
      uri: 'tel:+15551',
      displayName: 'Ann',
    });
    expect(callerOf(invite(['P-Asserted-Identity', 'nonsense']), true)).toEqual(SAID);
  });

  it.each(['id', 'user;id', 'ID;critical', 'header'])('is hidden with Privacy: %s', (privacy) => {
    const { uri, displayName } = callerOf(invite(asserted, ['Privacy', privacy]), true);
    expect([uri, displayName]).toEqual(['sip:anonymous@anonymous.invalid', 'Anonymous']);
  });

  it('is not hidden with Privacy: none', () => {
    expect(callerOf(invite(asserted, ['Privacy', 'none']), true).displayName).toBe('Ann Other');
  });

  it('is trusted by address and by range', () => {
    const trusted = addressRanges(['192.0.2.10', '198.51.100.0/24', '2001:db8::/32']);
    for (const address of ['192.0.2.10', '198.51.100.77', '2001:db8::1']) expect(trusted(address), address).toBe(true);
    for (const address of ['192.0.2.11', '198.51.101.1', '2001:db9::1']) expect(trusted(address), address).toBe(false);
    expect(addressRanges([])('192.0.2.10')).toBe(false);
  });
});

describe('how a call was forwarded', () => {
  it('is told with Diversion and History-Info, and not for ever', () => {
    const hops = Array.from({ length: 9 }, (_, hop) => `<sip:${hop}@example.com>;index=1.${hop}`).join(', ');
    expect(
      describeForwarding(invite(['Diversion', '"B" <tel:+15552>;reason=no-answer'], ['History-Info', hops])),
    ).toEqual({
      diversion: ['tel:+15552'],
      historyInfo: [0, 1, 2, 3, 4].map((hop) => `sip:${hop}@example.com`),
    });
    expect(describeForwarding(invite())).toEqual({});
  });
});
