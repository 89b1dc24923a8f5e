import { describe, expect, it } from 'vitest';
import { RoomClock } from '../../mixer/room-clock.ts';
import { seededRandom } from '../rtp/jitter-simulation.ts';
import { type PhoneOptions, type SimulatedPhone, SimulatedRoom } from './simulated-room.ts';

const TONE_HZ = 440;
const RATE_HZ = 16_000;
/** Samples of 11 periods. */
const WHOLE_PERIODS = 400;

function roomWith(...speakers: PhoneOptions[]) {
  const room = new SimulatedRoom({ automaticGain: 'off', comfortNoiseDb: -127 }, new RoomClock());
  const talkers = speakers.map((options, index) => room.join(`talker${index}`, options));
  return { room, talkers, listener: room.join('listener', { codec: 'L16/16000' }) };
}

const speaker = (phaseMs: number, options: Partial<PhoneOptions> = {}): PhoneOptions => ({
  codec: 'L16/16000',
  toneHz: TONE_HZ,
  phaseMs,
  ...options,
});

const bufferMs = (phone: SimulatedPhone): number => phone.leg.statistics().bufferDelayMs;

/** What of a steady tone is something else: noise, or the tone at another time than before. */
function strayDb(pcm: Int16Array): number {
  let sine = 0;
  let cosine = 0;
  let energy = 0;
  const angle = (2 * Math.PI * TONE_HZ) / RATE_HZ;
  const samples = pcm.length - (pcm.length % WHOLE_PERIODS);
  for (let index = 0; index < samples; index++) {
    sine += pcm[index]! * Math.sin(angle * index);
    cosine += pcm[index]! * Math.cos(angle * index);
    energy += pcm[index]! ** 2;
  }
  const tone = (2 * (sine ** 2 + cosine ** 2)) / samples;
  return 10 * Math.log10(Math.max(energy - tone, 1e-9) / energy);
}

/** Packets that are late by a random time, exponentially distributed: calls that begin at many moments of the 20 ms. */
function jitteryCalls(meanMs: number, clock: () => ConstructorParameters<typeof SimulatedRoom>[1]) {
  const random = seededRandom(7);
  let delayMs = 0;
  let looks = 0;
  let concealed = 0;
  for (let phaseMs = 0; phaseMs < 20; phaseMs += 2) {
    const room = new SimulatedRoom({}, clock());
    const phone = room.join('talker', { codec: 'PCMU', toneHz: TONE_HZ, phaseMs });
    room.join('listener', { codec: 'PCMU' });
    phone.delays = () => -Math.log(1 - random()) * meanMs;
    room.run(4000);
    const before = phone.leg.statistics().concealedFrames;
    for (; room.nowMs < 40_000; looks++) {
      room.run(200);
      delayMs += bufferMs(phone);
    }
    concealed += phone.leg.statistics().concealedFrames - before;
  }
  return { delayMs: delayMs / looks, concealed };
}

describe('a room ticks when the sound of those who speak has come', () => {
  it('one who speaks waits for a few milliseconds, whenever in the 20 ms the packets come', () => {
    const waits = Array.from({ length: 20 }, (_, phaseMs) => {
      const { room, talkers } = roomWith(speaker(phaseMs));
      room.run(5000);
      return bufferMs(talkers[0]!);
    });
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(2);
    // A tone is shortened by whole periods, so that a little may stay.
    expect(Math.max(...waits)).toBeLessThanOrEqual(11);
    expect(waits.reduce((sum, wait) => sum + wait) / 20).toBeLessThanOrEqual(7.5);
  });

  it('of three none waits for longer than it must for the other two', () => {
    const { room, talkers } = roomWith(speaker(2), speaker(9), speaker(5));
    room.run(5000);
    expect(talkers.map(bufferMs).sort((a, b) => a - b)).toEqual([6, 10, 13]);
  });

  it('nothing is missed or said twice on the way to an earlier time: sound, numbers and time stamps go on', () => {
    for (const phaseMs of [9, 11, 13]) {
      const { room, talkers, listener } = roomWith(speaker(phaseMs));
      room.run(6000);
      expect(bufferMs(talkers[0]!)).toBeLessThanOrEqual(9);
      const { concealedFrames, latePackets } = talkers[0]!.leg.statistics();
      expect([concealedFrames, latePackets]).toEqual([0, 0]);
      for (const [index, { sequenceNumber, timestamp }] of listener.sent.slice(1).entries()) {
        expect((sequenceNumber - listener.sent[index]!.sequenceNumber) & 0xffff).toBe(1);
        expect((timestamp - listener.sent[index]!.timestamp) >>> 0).toBe((RATE_HZ * 20) / 1000);
      }
      expect(strayDb(listener.heard(500).pcm)).toBeLessThan(-60);
    }
  });

  it('over a network with jitter sound comes sooner, too, and no more of it is concealed', () => {
    for (const [meanMs, soonerMs] of [
      [0.5, 4],
      [2, 2],
      [5, 0],
    ] as const) {
      const following = jitteryCalls(meanMs, () => new RoomClock());
      const fixed = jitteryCalls(meanMs, () => ({ phaseMs: 0, firstTick: 0 }));
      expect(following.delayMs).toBeLessThan(fixed.delayMs - soonerMs);
      expect(following.concealed).toBeLessThanOrEqual(fixed.concealed * 1.2 + 3);
    }
  });

  it('a clock that drifts costs no sound, for as long as it need not go to the other end of the 20 ms', () => {
    for (const clockPpm of [100, -100]) {
      const { room, talkers, listener } = roomWith(speaker(10, { clockPpm }));
      room.run(60_000);
      expect(talkers[0]!.leg.statistics().concealedFrames).toBe(0);
      expect(bufferMs(talkers[0]!)).toBeLessThanOrEqual(12);
      expect(strayDb(listener.heard(500).pcm)).toBeLessThan(-60);
    }
  });
});
