import { describe, expect, it } from 'vitest';
import { RoomClock, type Ticking } from '../../mixer/room-clock.ts';

class RecordedRoom implements Ticking {
  readonly ticks: { plannedMs: number; tick: number }[] = [];

  tick(plannedMs: number, tick: number): void {
    this.ticks.push({ plannedMs, tick });
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
    expect([...atPhase.values()]).toEqual(new Array(4).fill(25));
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
});
