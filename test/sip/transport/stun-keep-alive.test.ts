import { describe, expect, it } from 'vitest';
import { answerStun } from '../../../server/sip/transport/stun-keep-alive.ts';
import { transports, udpPhone, until } from './running-transports.ts';

/** The transaction of the samples in RFC 5769. */
const COOKIE_AND_TRANSACTION = '2112a442b7e7a701bc34d686fa87dfae';
const REQUEST = Buffer.from(`00010000${COOKIE_AND_TRANSACTION}`, 'hex');

describe('STUN as a keep-alive (RFC 5626 §3.5.2)', () => {
  it('tells an IPv4 address as RFC 5769 §2.2 has it', () => {
    expect(answerStun(REQUEST, '192.0.2.1', 32853)?.toString('hex')).toBe(
      `0101000c${COOKIE_AND_TRANSACTION}002000080001a147e112a643`,
    );
  });

  it('tells an IPv6 address as RFC 5769 §2.3 has it', () => {
    expect(answerStun(REQUEST, '2001:db8:1234:5678:11:2233:4455:6677', 32853)?.toString('hex')).toBe(
      `01010018${COOKIE_AND_TRANSACTION}002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9`,
    );
    expect(answerStun(REQUEST, '::1', 1)).toHaveLength(44);
  });

  it.each([
    ['another method', `00030000${COOKIE_AND_TRANSACTION}`],
    ['an answer', `01010000${COOKIE_AND_TRANSACTION}`],
    ['another cookie', '000100002112a443b7e7a701bc34d686fa87dfae'],
    ['a wrong length', `00010004${COOKIE_AND_TRANSACTION}`],
    ['half a header', '00010000'],
  ])('is not %s', (_what, hex) => {
    expect(answerStun(Buffer.from(hex, 'hex'), '192.0.2.1', 5060)).toBeNull();
  });

  it('is answered on the SIP port, and is no message', async () => {
    const { heard, udpPort } = await transports();
    const phone = await udpPhone();
    phone.send(REQUEST, udpPort);
    await until(() => phone.got.length === 1);
    expect(heard).toMatchObject({ received: [], malformed: [], sent: [] });
  });
});
