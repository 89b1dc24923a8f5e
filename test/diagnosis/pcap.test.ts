import { expect, it } from 'vitest';
import { pcapOf } from '../../server/diagnosis/pcap.ts';
import { capturedIn } from './read-pcap.ts';

const datagram = (sourceAddress: string, destinationAddress: string, text: string) => ({
  ...{ atMs: 1_767_323_045_678, sourceAddress, sourcePort: 5060, destinationAddress, destinationPort: 4000 },
  payload: Buffer.from(text),
});

it('a capture has the packets with right lengths, checksums and times, over IPv4 and IPv6', () => {
  const file = pcapOf([
    datagram('192.0.2.1', '198.51.100.2', 'INVITE'),
    datagram('2001:db8::1', '2001:db8::2', 'odd'),
    datagram('::', '192.0.2.1', ''),
  ]);
  const packets = capturedIn(file);
  expect(packets).toMatchObject([
    {
      version: 4,
      source: '192.0.2.1',
      destination: '198.51.100.2',
      sourcePort: 5060,
      destinationPort: 4000,
      text: 'INVITE',
    },
    { version: 6, source: '20010db8000000000000000000000001', text: 'odd' },
    { version: 6, destination: '00000000000000000000ffffc0000201', text: '' },
  ]);
  expect(packets[0]!.atMs).toBe(1_767_323_045_678);
});
