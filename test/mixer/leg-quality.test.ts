import { expect, test } from 'vitest';
import { SimulatedRoom } from './simulated-room.ts';

test('a participant who sends well is received with a good score; nothing is known yet of the other way', () => {
  const room = new SimulatedRoom();
  const phone = room.join('anna', { codec: 'PCMU', toneHz: 400 });
  expect(phone.leg.statistics().quality).toBeNull();
  room.run(5000);
  const { quality } = phone.leg.statistics();
  expect(quality?.received.mos).toBeGreaterThan(4.3);
  expect(quality).toMatchObject({ received: { lossPercent: 0, concealedPercent: 0 }, sent: null, roundTripMs: null });
});

test('lost packets show as loss and concealment, and in the score', () => {
  const room = new SimulatedRoom();
  const phone = room.join('anna', { codec: 'G722', toneHz: 400 });
  phone.loses = (packet) => packet % 10 === 0;
  room.run(10_000);
  const { received } = phone.leg.statistics().quality!;
  expect(received.lossPercent).toBeCloseTo(10, 0);
  expect(received.concealedPercent).toBeCloseTo(10, 0);
  expect(received.mos).toBeLessThan(3.6);
});
