import { expect, it } from 'vitest';
import { guarded, type PacketFault } from '../../mixer/net/guarded-handler.ts';

it('a packet that cannot be handled is left out, and told with where it came from, but not each time', () => {
  const handled: number[] = [];
  const told: PacketFault[] = [];
  const handler = guarded(
    (packet) => {
      if (packet[0] === 66) throw new Error('not this one');
      handled.push(packet[0]!);
    },
    (fault) => told.push(fault),
  );
  const put = (octet: number, nowMs: number): void => handler(Uint8Array.of(octet), 1, '192.0.2.7', 4000, nowMs);
  put(1, 0);
  for (let nowMs = 20; nowMs < 10_000; nowMs += 20) put(66, nowMs);
  put(2, 10_000);
  expect(handled).toEqual([1, 2]);
  expect(told).toEqual([
    { address: '192.0.2.7', port: 4000, faults: 1, reason: expect.stringContaining('not this one') },
  ]);
  put(66, 10_020);
  expect(told[1]).toMatchObject({ faults: 500 });
});
