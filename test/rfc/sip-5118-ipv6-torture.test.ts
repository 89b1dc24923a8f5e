import { describe, expect, it } from 'vitest';
import type { SipRequest } from '../../server/sip/message/message.ts';
import { parseMessage } from '../../server/sip/message/parse-message.ts';
import { parseVia } from '../../server/sip/message/via.ts';
import { RFC_5118, tortureMessage } from './torture-cases.ts';

function request(name: string): SipRequest {
  const parsed = parseMessage(tortureMessage(5118, name));
  if (!parsed.ok || parsed.message.kind !== 'request') throw new Error(`${name} is no request`);
  return parsed.message;
}

describe('RFC 5118', () => {
  it.each(RFC_5118)('§$section $title ($name): $expected.parse', ({ name, expected }) => {
    const parsed = parseMessage(tortureMessage(5118, name));
    expect(parsed.ok ? 'ok' : parsed.error.responseTo === null ? 'dropped' : 'rejected').toBe(expected.parse);
    if (!parsed.ok) expect(parsed.error.status).toBe(expected.status);
  });

  it('§4.3, §4.4: what is within the brackets is the address; a port stands behind them', () => {
    expect(request('port-ambiguous').uri).toMatchObject({ host: '2001:db8::10:5070', port: null });
    expect(request('port-unambiguous').uri).toMatchObject({ host: '2001:db8::10', port: 5070 });
  });

  it('§4.5: received is taken with brackets and without', () => {
    expect(request('via-received-param-with-delim').via.parameters.get('received')).toBe('[2001:db8::9:255]');
    expect(request('via-received-param-no-delim').via.parameters.get('received')).toBe('2001:db8::9:255');
  });

  it('§4.7, §4.9: IPv4 and IPv6 side by side, and IPv4 within IPv6', () => {
    expect(request('mult-ip-in-header').via).toMatchObject({ host: '2001:db8::9:1', port: 6050 });
    const lower = parseVia(request('mult-ip-in-header').headers.all('via')[2] ?? '');
    expect(lower).toMatchObject({ transport: 'TCP', host: '2001:db8::9:255' });
    expect(request('ipv4-mapped-ipv6').via).toMatchObject({ host: '::ffff:192.0.2.10', port: 19823 });
  });

  it('§4.10: the extra colon that the grammar of RFC 3261 allowed means nothing', () => {
    expect(request('ipv6-bug-abnf-3-colons').uri?.host).toBe('2001:db8::192.0.2.1');
    expect(request('ipv6-correct-abnf-2-colons').uri?.host).toBe('2001:db8::192.0.2.1');
  });
});
