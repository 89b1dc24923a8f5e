import { describe, expect, it } from 'vitest';
import { resolvePublicAddress } from '../../server/config/public-address.ts';

const address = (text: string, family: 'IPv4' | 'IPv6' = 'IPv4', internal = false) => {
  const common = { address: text, netmask: '', mac: '00:00:00:00:00:00', internal, cidr: null };
  return family === 'IPv4' ? { ...common, family } : { ...common, family, scopeid: 0 };
};
const lo = [address('127.0.0.1', 'IPv4', true), address('::1', 'IPv6', true)];

describe('the address that others are told', () => {
  it('is the one that the server listens on', () => {
    expect(resolvePublicAddress('192.0.2.7', { lo }).address).toBe('192.0.2.7');
  });

  it('is the first that is not loopback, when the server listens on all', () => {
    const interfaces = {
      lo,
      eth0: [address('2001:db8::1', 'IPv6'), address('192.0.2.1')],
      eth1: [address('192.0.2.2')],
    };
    expect(resolvePublicAddress('0.0.0.0', interfaces)).toEqual({
      address: '192.0.2.1',
      how: 'network interface eth0',
    });
  });

  it('is rather not one of a bridge of containers, nor link-local', () => {
    const interfaces = {
      docker0: [address('172.17.0.1')],
      usb0: [address('169.254.3.4')],
      wlan0: [address('10.0.0.5')],
    };
    expect(resolvePublicAddress('0.0.0.0', interfaces).address).toBe('10.0.0.5');
    expect(resolvePublicAddress('0.0.0.0', { docker0: interfaces.docker0 }).address).toBe('172.17.0.1');
  });

  it('is of the family that the server listens on', () => {
    const interfaces = { lo, eth0: [address('192.0.2.1'), address('fe80::1', 'IPv6'), address('2001:db8::1', 'IPv6')] };
    expect(resolvePublicAddress('::', interfaces).address).toBe('2001:db8::1');
    expect(resolvePublicAddress('0.0.0.0', interfaces).address).toBe('192.0.2.1');
  });

  it('is loopback where there is nothing else', () => {
    expect(resolvePublicAddress('0.0.0.0', { lo, eth0: [address('2001:db8::1', 'IPv6')] }).address).toBe('127.0.0.1');
    expect(resolvePublicAddress('::', { lo }).address).toBe('::1');
  });
});
