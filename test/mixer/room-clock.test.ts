import { describe, expect, it } from 'vitest';
import { phaseOf, RoomClock, type Ticking } from '../../mixer/room-clock.ts';
import { TalkersTiming } from '../../mixer/talkers-timing.ts';

class RecordedRoom implements Ticking {
  readonly ticks: { plannedMs: number; tick: number }[] = [];
  readonly timing = new TalkersTiming();
  size: number;
  /** Who speaks, by when in the 20 ms their packets come; by the clock of one that drifts, too fast by so much. */
  talkers: { phaseMs: number; ppm?: number; targetMs?: number }[] = [];

  constructor(size = 5) {
    this.size = size;
  }

  tick(plannedMs: number, tick: number): void {
    this.ticks.push({ plannedMs, tick });
    for (const { phaseMs, ppm = 0, targetMs = 0 } of this.talkers) {
      const readyMs = phaseMs - (plannedMs * ppm) / 1e6;
      this.timing.note(plannedMs, phaseOf(plannedMs - readyMs), targetMs);
    }
  }

  get phaseMs(): number {
    return phaseOf(this.ticks.at(-1)!.plannedMs);
  }

  /** Between the last `count` ticks. */
  intervals(count: number): number[] {
    const ticks = this.ticks.slice(-count - 1);
    return ticks.slice(1).map(({ plannedMs }, index) => plannedMs - ticks[index]!.plannedMs);
  }
}

/** Calls the clock exactly when it asks to be called. */
function runUntil(clock: RoomClock, fromMs: number, untilMs: number): void {
  for (let nowMs: number | null = fromMs; nowMs !== null && nowMs <= untilMs; ) nowMs = clock.run(nowMs);
}

describe('the rooms clock', () => {
  it('ticks a room every 20 ms, in order, at the planned times', () => {
    const clock = new RoomClock();
    const room = new RecordedRoom();
    clock.add(room, 1000);
    runUntil(clock, 1000, 2000);
    expect(room.ticks.length).toBeGreaterThanOrEqual(49);
    for (const [index, { plannedMs, tick }] of room.ticks.entries()) {
      expect(tick).toBe(index);
      expect(plannedMs).toBe(room.ticks[0]!.plannedMs + 20 * index);
    }
    expect(clock.lateTicks).toBe(0);
  });

  it('spreads rooms evenly over the 20 ms', () => {
    const clock = new RoomClock();
    const rooms = Array.from({ length: 100 }, () => new RecordedRoom());
    for (const room of rooms) clock.add(room, 500);
    runUntil(clock, 500, 700);
    const atPhase = new Map<number, number>();
    for (const room of rooms) {
      const phase = room.ticks[0]!.plannedMs % 20;
      atPhase.set(phase, (atPhase.get(phase) ?? 0) + 1);
    }
    expect([...atPhase.values()]).toEqual(new Array(5).fill(20));
  });

  it('catches up after it was held up, and counts what was late', () => {
    const clock = new RoomClock();
    const room = new RecordedRoom();
    clock.add(room, 0);
    const first = clock.run(0)!;
    clock.run(first);
    clock.run(first + 63);
    expect(room.ticks.map(({ tick }) => tick)).toEqual([0, 1, 2, 3]);
    expect(clock.lateTicks).toBe(2);
  });

  it('leaves out what is too long ago, so that the room is not behind for ever', () => {
    const clock = new RoomClock();
    const room = new RecordedRoom();
    clock.add(room, 0);
    const first = clock.run(0)!;
    clock.run(first);
    clock.run(first + 1000);
    expect(room.ticks.map(({ tick }) => tick)).toEqual([0, 46, 47, 48, 49, 50]);
    expect(clock.ticks).toBe(6);
    expect(clock.lateTicks).toBe(49);
  });

  it('says null when there is no room left', () => {
    const clock = new RoomClock();
    const room = new RecordedRoom();
    clock.add(room, 0);
    clock.remove(room);
    clock.remove(room);
    expect(clock.run(100)).toBeNull();
    expect(room.ticks).toEqual([]);
  });

  it('a room goes to where the packets of those who speak have just come, by a millisecond a tick', () => {
    const clock = new RoomClock();
    const room = new RecordedRoom();
    room.talkers = [{ phaseMs: 9.5 }];
    clock.add(room, 1000);
    runUntil(clock, 1000, 5000);
    expect(room.phaseMs).toBe(13);
    expect(new Set(room.intervals(room.ticks.length - 1))).toEqual(new Set([20, 19]));
    for (const [index, { tick }] of room.ticks.entries()) expect(tick).toBe(index);
  });

  it('with several who speak, to the time at which none waits for long; with much jitter, later', () => {
    for (const [talkers, phaseMs] of [
      [[{ phaseMs: 3 }, { phaseMs: 7 }, { phaseMs: 9 }], 12],
      [[{ phaseMs: 18 }, { phaseMs: 1 }, { phaseMs: 14.5 }], 4],
      [[{ phaseMs: 4.5, targetMs: 20 }], 13],
    ] as const) {
      const clock = new RoomClock();
      const room = new RecordedRoom();
      room.talkers = [...talkers];
      clock.add(room, 1000);
      runUntil(clock, 1000, 5000);
      expect(room.phaseMs).toBe(phaseMs);
    }
  });

  it('its time never parts from the clock by more than 8 ms, whoever speaks, and it does not move too often', () => {
    const clock = new RoomClock();
    const room = new RecordedRoom();
    clock.add(room, 1000);
    let moves = 0;
    for (let turn = 0; turn < 200; turn++) {
      room.talkers = [{ phaseMs: (turn * 7) % 20 }, { phaseMs: (turn * 13) % 20 }];
      runUntil(clock, 1000 + turn * 2000, 3000 + turn * 2000);
      if (room.intervals(100).some((interval) => interval !== 20)) moves++;
    }
    const { plannedMs, tick } = room.ticks.at(-1)!;
    expect(Math.abs(plannedMs - room.ticks[0]!.plannedMs - tick * 20)).toBeLessThanOrEqual(8);
    expect(moves).toBeLessThanOrEqual(20);
  });

  it('follows a clock that drifts, before its packets are late', () => {
    for (const [ppm, mostMeanMs] of [
      [-300, 3],
      [-50, 4],
      [50, 8],
      [300, 14],
    ] as const) {
      const clock = new RoomClock();
      const room = new RecordedRoom();
      room.talkers = [{ phaseMs: 10, ppm }];
      clock.add(room, 1000);
      runUntil(clock, 1000, 300_000);
      const waits = room.ticks.slice(200).map(({ plannedMs }) => phaseOf(plannedMs - 10 + (plannedMs * ppm) / 1e6));
      expect(waits.reduce((sum, wait) => sum + wait) / waits.length).toBeLessThan(mostMeanMs);
      // Each time that it has drifted by 20 ms, the other end of them has to be gone to.
      const jumps = waits.filter((wait, index) => index > 0 && wait > waits[index - 1]! + 5).length;
      expect(jumps).toBeLessThanOrEqual(Math.ceil((300 * Math.abs(ppm)) / 20_000));
    }
  });

  it('many rooms keep to the steps of a tick, and do not all go to the same', () => {
    const clock = new RoomClock();
    const rooms = Array.from({ length: 100 }, () => new RecordedRoom());
    for (const room of rooms) {
      room.talkers = [{ phaseMs: 11 }];
      clock.add(room, 500);
    }
    runUntil(clock, 500, 60_000);
    const atPhase = new Map<number, number>();
    for (const { phaseMs } of rooms) atPhase.set(phaseMs, (atPhase.get(phaseMs) ?? 0) + 1);
    for (const phaseMs of atPhase.keys()) expect(phaseMs % 4).toBe(0);
    expect(atPhase.get(16)!).toBeGreaterThan(40);
    expect(atPhase.get(16)!).toBeLessThan(80);
  });

  it('stays where it is for little, for a few words, and when nobody speaks', () => {
    for (const [talkers, untilMs] of [
      [[], 60_000],
      [[{ phaseMs: 16 }], 60_000],
      [[{ phaseMs: 9 }], 1700],
    ] as const) {
      const clock = new RoomClock();
      const room = new RecordedRoom();
      room.talkers = [...talkers];
      clock.add(room, 1000);
      runUntil(clock, 1000, untilMs);
      room.talkers = [];
      runUntil(clock, untilMs, 60_000);
      expect(room.phaseMs).toBe(0);
    }
  });
});
