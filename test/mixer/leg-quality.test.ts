import { expect, test } from 'vitest';
import { opusPacketHasFec } from '../../mixer/codec/opus-packet.ts';
import { speech } from '../speech/speech.ts';
import { reportLoss } from './report-loss.ts';
import { type SimulatedPhone, SimulatedRoom } from './simulated-room.ts';

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

test('who reports loss and can use FEC gets it, and the others go on as before', () => {
  const room = new SimulatedRoom();
  // It begins with half a second of silence.
  room.join('talker', { codec: 'PCMU', sound: speech('high', 8000) });
  const options = { codec: 'opus', parameters: { useinbandfec: '1' } } as const;
  const loser = room.join('loser', options);
  const other = room.join('other', options);
  const plain = room.join('plain', { codec: 'opus' });
  const withFec = (phone: SimulatedPhone, fromMs: number): number =>
    phone.sent.filter(({ atMs, payload }) => atMs > fromMs && opusPacketHasFec(payload)).length;
  room.run(2000);
  expect(withFec(loser, 0)).toBe(0);
  reportLoss(loser, 0.1);
  reportLoss(plain, 0.1);
  room.run(2000);
  expect(withFec(loser, 2500)).toBeGreaterThan(30);
  expect(withFec(other, 0)).toBe(0);
  expect(withFec(plain, 0)).toBe(0);
  expect(loser.leg.statistics().quality?.sent?.lossPercent).toBeCloseTo(10, 0);
  expect(plain.leg.statistics().quality!.sent!.mos).toBeLessThan(loser.leg.statistics().quality!.sent!.mos);
  for (let count = 0; count < 4; count++) reportLoss(loser, 0);
  room.run(2000);
  expect(withFec(loser, 4500)).toBe(0);
});
