export const TICK_MS = 20;
/** A clock that was held up makes up for this many ticks at once; what is missing beyond is left out. */
const MOST_TICKS_AT_ONCE = 5;
/** Rooms begin at such steps of a tick. Finer ones would only wake the process more often, which costs what a caller does. */
const STEP_MS = 5;

export interface Ticking {
  /**
   * @param plannedMs when this tick was due, which is what its timing goes by, however late it comes.
   * @param tick counts 20 ms steps of this room since it was opened, also those that were left out.
   */
  tick(plannedMs: number, tick: number): void;
}

interface Slot {
  room: Ticking;
  openedMs: number;
  ticks: number;
}

/**
 * When each room's 20 ms tick is due. Rooms are spread over the 20 ms, each step of it getting about as many, so that
 * work is even. No timer inside: `run` does what is due and says when to come again.
 */
export class RoomClock {
  private readonly slots = new Map<Ticking, Slot>();
  private readonly roomsAtStep = new Uint32Array(TICK_MS / STEP_MS);
  ticks = 0;
  /** Ticks that began more than a tick late, those left out included. */
  lateTicks = 0;

  add(room: Ticking, nowMs: number): void {
    const { roomsAtStep } = this;
    let step = 0;
    for (let other = 1; other < roomsAtStep.length; other++) if (roomsAtStep[other]! < roomsAtStep[step]!) step = other;
    roomsAtStep[step]!++;
    const base = Math.floor(nowMs / TICK_MS) * TICK_MS + step * STEP_MS;
    this.slots.set(room, { room, openedMs: base > nowMs ? base : base + TICK_MS, ticks: 0 });
  }

  remove(room: Ticking): void {
    const slot = this.slots.get(room);
    if (!slot) return;
    this.slots.delete(room);
    this.roomsAtStep[(slot.openedMs % TICK_MS) / STEP_MS]!--;
  }

  /** Runs all that is due at `nowMs`; returns when the next tick is due, or null without rooms. */
  run(nowMs: number): number | null {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const slot of this.slots.values()) {
      const due = Math.floor((nowMs - slot.openedMs) / TICK_MS) + 1;
      if (due > slot.ticks) this.catchUp(slot, due);
      const dueMs = slot.openedMs + slot.ticks * TICK_MS;
      if (dueMs < nextMs) nextMs = dueMs;
    }
    return nextMs === Number.POSITIVE_INFINITY ? null : nextMs;
  }

  private catchUp(slot: Slot, due: number): void {
    this.lateTicks += due - slot.ticks - 1;
    if (due - slot.ticks > MOST_TICKS_AT_ONCE) slot.ticks = due - MOST_TICKS_AT_ONCE;
    while (slot.ticks < due) {
      const tick = slot.ticks++;
      this.ticks++;
      slot.room.tick(slot.openedMs + tick * TICK_MS, tick);
    }
  }
}
