import { describe, expect, it } from 'vitest';
import { LegReceiver } from '../../mixer/leg-receiver.ts';
import type { AudioFormat } from '../../mixer/protocol.ts';
import { RtpPacket, writeRtpHeader } from '../../mixer/rtp/rtp-packet.ts';
import { SoundDelay, type SoundLateness } from '../../mixer/sound-delay.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { PLAIN_CONTROL, SimulatedRoom } from './simulated-room.ts';

const RATE_HZ = 8000;
const L16: AudioFormat = { codec: 'L16/8000', payloadType: 97, clockRateHz: RATE_HZ, parameters: {} };
/** Where the sender's time stamps begin, so that they wrap soon. */
const FIRST_TIMESTAMP = 0xffff_fff0;
/** Of the sender's clock, when it took its first sample. */
const FIRST_NTP_MS = 1_700_000_000_000;

interface Line {
  packetMs: number;
  /** From the end of a packet to its arrival, of packet n. */
  transitMs(n: number): number;
  /** Ours is ahead of the sender's clock by so much. */
  clockAheadMs?: number;
}

/** Sends samples that are numbers, and gives what was told beside what is true of each tick. */
function listen({ packetMs, transitMs, clockAheadMs = 0 }: Line, seconds: number) {
  const receiver = new LegReceiver({ decodes: 0 });
  receiver.configure([L16]);
  const sound = new SoundDelay();
  receiver.soundDelay = sound;
  const packet = new RtpPacket();
  const bytes = new Uint8Array(12 + packetMs * 16);
  const samples = (packetMs * RATE_HZ) / 1000;
  const told: ({ atMs: number; truth: number } & SoundLateness)[] = [];
  let sent = 0;
  const arrivalOf = (n: number): number => (n + 1) * packetMs + transitMs(n);
  const reference = { ntpMs: FIRST_NTP_MS + 1000, rtpTimestamp: (FIRST_TIMESTAMP + RATE_HZ) >>> 0 };
  // Our clock reads 0 when the sender takes its first sample.
  const wallClockOffsetMs = FIRST_NTP_MS + clockAheadMs;
  for (let nowMs = 20; nowMs < seconds * 1000; nowMs += 20) {
    for (; arrivalOf(sent) <= nowMs; sent++) {
      const timestamp = (FIRST_TIMESTAMP + sent * samples) >>> 0;
      writeRtpHeader(bytes, 97, sent === 0, sent, timestamp, 7);
      for (let i = 0; i < samples; i++) {
        const sample = (sent * samples + i) % 30_000;
        bytes[12 + 2 * i] = sample >> 8;
        bytes[13 + 2 * i] = sample & 0xff;
      }
      packet.parse(bytes, bytes.length);
      receiver.put(packet, arrivalOf(sent));
    }
    if (!receiver.pull(nowMs, 'everything')) continue;
    const due = sound.due(reference, wallClockOffsetMs, nowMs);
    // Whole, as no sample is zero for long: when the first sample of the tick was taken.
    const takenMs = Math.floor(nowMs / 3750) * 3750 + (receiver.frame[0]! * 1000) / RATE_HZ;
    const truth = nowMs - (takenMs > nowMs ? takenMs - 3750 : takenMs);
    if (due) told.push({ atMs: nowMs, truth, ...due });
  }
  return told;
}

describe('how late sound is in the mix', () => {
  it.each([10, 20, 30, 60])('is told to the sample by the clock of the sender, with packets of %i ms', (packetMs) => {
    const told = listen({ packetMs, transitMs: () => 5, clockAheadMs: 250 }, 10);
    expect(told.length).toBeGreaterThan(8);
    for (const { senderNtpMs, truth } of told) expect(senderNtpMs).toBeCloseTo(truth + 250, -0.5);
  });

  it('is told from the arrival to the mix: what the jitter buffer and the rest of the tick take', () => {
    const told = listen({ packetMs: 20, transitMs: () => 5 }, 10);
    // A packet is taken by the first tick after it has come.
    for (const { delayMs, truth } of told) expect(truth - delayMs).toBe(25);
  });

  it('is told once a second while it stays, and soon when it changes', () => {
    const told = listen({ packetMs: 20, transitMs: (n) => (n < 250 ? 5 : 105) }, 10);
    const times = told.map(({ atMs }) => atMs);
    const changed = times.filter((atMs) => atMs > 5000 && atMs < 7000);
    expect(changed.length).toBeGreaterThan(2);
    expect(told.at(-1)!.senderNtpMs! - told[0]!.senderNtpMs!).toBeGreaterThan(80);
    for (const [index, atMs] of times.slice(1).entries()) expect(atMs - times[index]!).toBeGreaterThanOrEqual(100);
    expect(told.length).toBeLessThan(30);
  });

  it('does not follow the jitter of single packets', () => {
    const random = new SeededRandom(3);
    const told = listen({ packetMs: 20, transitMs: () => random.below(30) }, 30).filter(({ atMs }) => atMs > 10_000);
    const delays = told.map(({ delayMs }) => delayMs);
    expect(Math.max(...delays) - Math.min(...delays)).toBeLessThan(20);
    expect(told.length).toBeLessThan(45);
  });
});

describe('what is told', () => {
  it('has no clock of the sender before its first report, and is told anew with it', () => {
    const sound = new SoundDelay();
    sound.note(1000, RATE_HZ, 30, 10, 100);
    expect(sound.due(null, 0, 100)).toEqual({ delayMs: 40, senderNtpMs: null });
    sound.note(1160, RATE_HZ, 30, 10, 200);
    expect(sound.due({ ntpMs: 0, rtpTimestamp: 1160 }, 5000, 200)).toEqual({ delayMs: 40, senderNtpMs: 5210 });
  });

  it('is nothing where no sound comes, and begins anew after a pause or with another source', () => {
    const sound = new SoundDelay();
    expect(sound.due(null, 0, 0)).toBeNull();
    sound.note(0, RATE_HZ, 200, 0, 0);
    expect(sound.due(null, 0, 501)).toBeNull();
    sound.note(0, RATE_HZ, 20, 0, 1000);
    expect(sound.due(null, 0, 1000)).toMatchObject({ delayMs: 20 });
    sound.reset();
    expect(sound.due(null, 0, 1200)).toBeNull();
    sound.note(0, RATE_HZ, 90, 0, 1300);
    expect(sound.due(null, 0, 1300)).toMatchObject({ delayMs: 90 });
  });
});

it('a mixer tells it of those of whom it is wanted, as long as it is', () => {
  const room = new SimulatedRoom();
  const seen = room.join('seen', { codec: 'PCMA', toneHz: 500 }, { tellsSound: true });
  room.join('heard', { codec: 'PCMA', toneHz: 600 });
  const told = () => room.events.splice(0).filter(({ event }) => event === 'legSound');
  room.run(3000);
  const events = told();
  expect(events.length).toBeGreaterThanOrEqual(3);
  expect(events.length).toBeLessThan(8);
  for (const event of events) expect(event).toMatchObject({ leg: 'seen', senderNtpMs: null });
  seen.leg.control(PLAIN_CONTROL);
  room.run(2000);
  expect(told()).toEqual([]);
});

it('sound waits for pictures that come later, and not any more when they do not', () => {
  const room = new SimulatedRoom();
  const seen = room.join('seen', { codec: 'PCMU', toneHz: 500 }, { tellsSound: true });
  const delays = () => room.events.splice(0).flatMap((event) => (event.event === 'legSound' ? [event.delayMs] : []));
  room.run(3000);
  expect(delays().at(-1)).toBeLessThan(40);
  seen.leg.control({ ...PLAIN_CONTROL, tellsSound: true, minDelayMs: 200 });
  room.run(6000);
  const waits = delays().at(-1)!;
  expect(waits).toBeGreaterThanOrEqual(195);
  expect(waits).toBeLessThan(225);
  seen.leg.control({ ...PLAIN_CONTROL, tellsSound: true, minDelayMs: 0 });
  room.run(10_000);
  expect(delays().at(-1)).toBeLessThan(60);
});
