import { describe, expect, it } from 'vitest';
import { audioCodec } from '../../mixer/codec/registry.ts';
import type { AudioCodecName } from '../../mixer/protocol.ts';
import { speech } from '../speech/speech.ts';
import { type PhoneOptions, PLAIN_CONTROL, type SimulatedPhone, SimulatedRoom } from './simulated-room.ts';

/** From so many on who has been silent for five seconds is looked at every other tick. */
const LARGE = 20;
const SILENT_MS = 8000;
const TICK_MS = 20;

const LISTENER_RATE_HZ = 16_000;
const LISTENER_FRAME = (LISTENER_RATE_HZ * TICK_MS) / 1000;

/** A room in which nobody speaks but the one who is `late`, in the first seat or the second. */
function roomOf(legs: number, speaker: PhoneOptions, control = PLAIN_CONTROL, seat = 0, phaseMs = 7) {
  const room = new SimulatedRoom({}, { phaseMs, firstTick: 0 });
  const join = (id: string) => room.join(id, { codec: 'L16/16000' });
  const others = seat === 1 ? [join('first')] : [];
  const late = room.join('late', speaker, control);
  while (others.length < legs - 1) others.push(join(`other${others.length}`));
  return { room, late, listener: others[0]!, others };
}

function lateSpeech(codec: AudioCodecName): PhoneOptions {
  const sampleRateHz = audioCodec(codec).sampleRateHz as 8000 | 16000 | 48000;
  const spoken = speech('low', sampleRateHz);
  const begins = (SILENT_MS * sampleRateHz) / 1000;
  return { codec, sound: (sample) => (sample < begins ? 0 : (spoken[sample - begins] ?? 0)) };
}

function readsIn(phone: SimulatedPhone, fromMs: number, untilMs: number): number {
  return phone.readsMs.filter((atMs) => atMs >= fromMs && atMs < untilMs).length;
}

/** Of one frame. */
function levelDb(pcm: Int16Array, at: number): number {
  let sum = 0;
  for (let index = at; index < at + LISTENER_FRAME; index++) sum += (pcm[index] ?? 0) ** 2;
  return 10 * Math.log10(sum / LISTENER_FRAME / 32768 ** 2 + 1e-13);
}

function frameOfOnset(pcm: Int16Array): number {
  for (let frame = 0; ; frame++) if (levelDb(pcm, frame * LISTENER_FRAME) > -50) return frame;
}

/** By how many samples `late` is later than `reference` around `at`, at most 70 ms. */
function lag(reference: Int16Array, late: Int16Array, at: number, windowMs: number): number {
  const window = (windowMs * LISTENER_RATE_HZ) / 1000;
  let best = 0;
  let bestAlike = Number.NEGATIVE_INFINITY;
  for (let lag = -0.01 * LISTENER_RATE_HZ; lag <= 0.07 * LISTENER_RATE_HZ; lag++) {
    let product = 0;
    let energy = 1;
    for (let index = 0; index < window; index++) {
      product += reference[at + index]! * (late[at + index + lag] ?? 0);
      energy += (late[at + index + lag] ?? 0) ** 2;
    }
    if (product / Math.sqrt(energy) <= bestAlike) continue;
    bestAlike = product / Math.sqrt(energy);
    best = lag;
  }
  return best;
}

describe('who has been silent for long, in a large room', () => {
  it('is looked at every other tick, half of them in each', () => {
    const { room, others } = roomOf(LARGE, { codec: 'PCMU' });
    room.run(5500);
    room.run(1000);
    for (const phone of others) expect(readsIn(phone, 5500, 6500)).toBe(25);
    const inOne = others.filter((phone) => readsIn(phone, 6000, 6000 + TICK_MS) > 0).length;
    expect(inOne).toBeGreaterThanOrEqual(9);
    expect(inOne).toBeLessThanOrEqual(10);
  });

  it('is looked at in each tick while speaking, and again when there is a word', () => {
    const { room, late } = roomOf(LARGE, { codec: 'PCMU', toneHz: 500 });
    room.run(7000);
    expect(readsIn(late, 6000, 7000)).toBe(50);
    late.toneHz = 0;
    room.run(7000);
    expect(readsIn(late, 13_000, 14_000)).toBe(25);
    late.toneHz = 500;
    room.run(1100);
    expect(readsIn(late, 14_100, 15_100)).toBe(50);
  });

  it('is looked at in each tick in a room that is not large', () => {
    const { room, late } = roomOf(LARGE - 1, { codec: 'PCMU' });
    room.run(7000);
    expect(readsIn(late, 6000, 7000)).toBe(50);
  });

  it('is looked at when all have been sent what is theirs', () => {
    const { room, others } = roomOf(LARGE, { codec: 'PCMU', toneHz: 500 });
    room.run(6000);
    let soundSentToAll = true;
    for (const phone of others) {
      phone.onRead = () => {
        soundSentToAll &&= others.every(({ sent }) => sent.at(-1)!.atMs === room.nowMs);
      };
    }
    room.run(1000);
    expect(soundSentToAll).toBe(true);
  });

  it('is looked at in each tick again when told something that what comes matters for', () => {
    const { room, late, others } = roomOf(LARGE, { codec: 'PCMU', toneHz: 500 }, { ...PLAIN_CONTROL, muted: true });
    room.run(7000);
    expect(readsIn(late, 6000, 7000)).toBe(25);
    late.leg.control(PLAIN_CONTROL);
    room.run(1000);
    expect(readsIn(late, 7000, 8000)).toBe(50);
    expect(others[0]!.levelDb(500, 7200)).toBeGreaterThan(-23);

    const recorded = others[1]!;
    recorded.leg.notePlayedPackets(true);
    room.run(10_000);
    expect(readsIn(recorded, 8000, 18_000)).toBe(500);
    recorded.leg.notePlayedPackets(false);
    room.run(6000);
    expect(readsIn(recorded, 23_000, 24_000)).toBe(25);
  });

  it('is asked no more when gone to a small room', () => {
    const { room, late } = roomOf(LARGE, { codec: 'PCMU' });
    room.run(7000);
    const small = new SimulatedRoom();
    room.room.remove(late.leg);
    late.leg.depart();
    late.leg.moveTo(small.room);
    late.leg.arrive();
    small.room.add(late.leg);
    small.run(1000);
    expect(late.readsMs.length).toBeGreaterThan(0);
    expect(late.leg.polled).toBe(false);
  });

  it.each([true, false])('has keys that are told once each (telephone events: %s)', (telephoneEvents) => {
    const { sampleRateHz } = audioCodec('PCMU');
    const begins = 7 * sampleRateHz;
    const tone = (sample: number, hz: number) => 8000 * Math.sin((2 * Math.PI * hz * sample) / sampleRateHz);
    const five = (sample: number) =>
      sample < begins || sample >= begins + 0.12 * sampleRateHz ? 0 : tone(sample, 770) + tone(sample, 1336);
    const { room, late } = roomOf(LARGE, {
      codec: 'PCMU',
      telephoneEvents,
      ...(telephoneEvents ? {} : { sound: five }),
    });
    room.run(7000);
    expect(late.leg.polled).toBe(true);
    if (telephoneEvents) for (let sent = 1; sent <= 6; sent++) late.sendKey(5, 1000, sent > 3, 160 * Math.min(sent, 4));
    room.run(1000);
    expect(room.events.filter(({ event }) => event === 'legKey')).toEqual([
      expect.objectContaining({ leg: 'late', key: '5' }),
    ]);
  });

  const CASES = (['PCMU', 'G722', 'opus'] as const).flatMap((codec) =>
    [0, 1].flatMap((seat) => [0, 7, 14].map((phaseMs) => ({ codec, seat, phaseMs }))),
  );

  it.each(CASES)(
    'is heard from the first syllable on, and soon as early as all: $codec, seat $seat, tick at $phaseMs ms',
    ({ codec, seat, phaseMs }) => {
      const [reference, late] = [LARGE - 1, LARGE].map((legs) => {
        const { room, listener } = roomOf(legs, lateSpeech(codec), PLAIN_CONTROL, seat, phaseMs);
        room.run(SILENT_MS + 2900);
        return listener.heard(SILENT_MS - 100).pcm;
      }) as [Int16Array, Int16Array];
      const onset = LISTENER_FRAME * frameOfOnset(reference);
      const firstLag = lag(reference, late, onset, 60);
      expect(firstLag).toBeGreaterThanOrEqual(0);
      expect(firstLag).toBeLessThanOrEqual(2 * LISTENER_FRAME);
      for (let at = onset; at < onset + 3 * LISTENER_FRAME; at += LISTENER_FRAME) {
        expect(Math.abs(levelDb(reference, at) - levelDb(late, at + firstLag))).toBeLessThan(1);
      }
      for (const afterMs of [500, 1000, 1500, 2000]) {
        expect(lag(reference, late, onset + (afterMs * LISTENER_RATE_HZ) / 1000, 150)).toBe(0);
      }
    },
  );
});
