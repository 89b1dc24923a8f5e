import { expect, test } from 'vitest';
import { createOpusEncoder } from '../../mixer/codec/opus.ts';
import { EncodeStream } from '../../mixer/encode-once.ts';
import { LegSender } from '../../mixer/leg-sender.ts';
import { PacketBuffers } from '../../mixer/net/packet-buffers.ts';
import { RtpPacket } from '../../mixer/rtp/rtp-packet.ts';
import { speechLike } from '../audio/signals.ts';

const RATE_HZ = 48_000;
const FRAME = RATE_HZ / 50;
const TICKS = 200;

interface Sent {
  tick: number;
  sequenceNumber: number;
  timestamp: number;
  marker: boolean;
}

/** A second of speech, two of silence, a second of speech. */
function sentWith(dtx: boolean): Sent[] {
  const voice = { complexity: 5, bitrateBps: 24_000, inbandFec: false, expectedLossPercent: 0 };
  const stream = new EncodeStream(createOpusEncoder(RATE_HZ, { ...voice, dtx }), 20);
  const sent: Sent[] = [];
  let tick = 0;
  const sender = new LegSender(new PacketBuffers(1), {
    send({ bytes }, length) {
      const packet = new RtpPacket();
      expect(packet.parse(bytes, length)).toBe(true);
      const { sequenceNumber, timestamp, marker } = packet;
      sent.push({ tick, sequenceNumber, timestamp, marker });
    },
  });
  sender.clockRateHz = RATE_HZ;
  const speech = speechLike(RATE_HZ, RATE_HZ, 9000);
  const silence = new Int16Array(FRAME);
  for (; tick < TICKS; tick++) {
    const at = (tick % 50) * FRAME;
    stream.encode(tick < 50 || tick >= 150 ? speech.subarray(at, at + FRAME) : silence, tick);
    sender.send(stream);
  }
  stream.close();
  return sent;
}

/** For each packet but the first: by how many ticks, numbers and samples it is after the one before. */
function steps(sent: Sent[]): [ticks: number, numbers: number, samples: number][] {
  return sent
    .slice(1)
    .map((packet, index) => [
      packet.tick - sent[index]!.tick,
      (packet.sequenceNumber - sent[index]!.sequenceNumber) & 0xffff,
      (packet.timestamp - sent[index]!.timestamp) >>> 0,
    ]);
}

test('with DTX nothing is sent in silence but a packet now and then; numbers go on, time too', () => {
  const sent = sentWith(true);
  const inSilence = sent.filter(({ tick }) => tick >= 75 && tick < 150);
  expect(inSilence.length).toBeGreaterThan(0);
  // One in 400 ms.
  expect(inSilence.length).toBeLessThan(8);
  for (const [ticks, numbers, samples] of steps(sent)) expect([numbers, samples]).toEqual([1, ticks * FRAME]);
  expect(sent.filter(({ tick }) => tick < 50 || tick >= 155)).toHaveLength(95);
});

test('the marker is on the first packet, and on those after a pause (RFC 3551 §4.1)', () => {
  const sent = sentWith(true);
  const afterPause = steps(sent).map(([ticks]) => ticks > 1);
  expect(afterPause.filter((after) => after).length).toBeGreaterThan(1);
  expect(sent.map(({ marker }) => marker)).toEqual([true, ...afterPause]);
});

test('without DTX each tick has its packet', () => {
  const sent = sentWith(false);
  expect(sent).toHaveLength(TICKS);
  expect(sent.filter(({ marker }) => marker)).toHaveLength(1);
});
