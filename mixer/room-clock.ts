import type { TalkersTiming } from './talkers-timing.ts';

export const TICK_MS = 20;
/** A clock that was held up makes up for this many ticks at once; what is missing beyond is left out. */
const MOST_TICKS_AT_ONCE = 5;
/** Rooms tick at such steps of a tick. Finer ones would only wake the process more often, which costs what a caller does. */
const STEP_MS = 4;
/** So few wake it no more often wherever they are. */
const ROOMS_WITHOUT_STEPS = 4;

/** How often it is looked whether a room should tick at another time. */
const REVIEW_EVERY_TICKS = 1000 / TICK_MS;
/** For less, listeners are not troubled with packets that come at other times than before. */
const LEAST_GAIN_MS = 2;
/**
 * From where it began: recordings and pictures go by a clock that does not move, so that even from one end to the other it
 * is less than a tick. In steps all of the 20 ms can be reached all the same.
 */
const MOST_SHIFT_MS = 2 * STEP_MS;
/** For each millisecond. Who ticks later has more waiting than before, to be caught up with, and makes listeners wait once. */
const LATER_COSTS_MS = 0.1;
const EARLIER_COSTS_MS = 0.02;
/** And not again for so long; but by so little, as clocks drift, it may be at any time. */
const MOVE_EVERY_TICKS = 10_000 / TICK_MS;
const SMALL_MOVE_MS = 3;
/** In each tick, until it is where it should be. */
const MOVE_MS_A_TICK = 1;
/** How long a tick takes for each participant, about: rooms that tick at the same time wait for each other. */
const TICK_MS_A_PARTICIPANT = 0.02;

export interface Ticking {
  /**
   * @param plannedMs when this tick was due, which is what its timing goes by, however late it comes.
   * @param tick counts 20 ms steps of this room since it was opened, also those that were left out.
   */
  tick(plannedMs: number, tick: number): void;
  /** When the sound is there that is mixed in a tick. */
  readonly timing: TalkersTiming;
  /** Participants. */
  readonly size: number;
}

interface Slot {
  room: Ticking;
  /** When tick 0 was due at first, and when it would have been at the pace of now. */
  openedMs: number;
  originMs: number;
  ticks: number;
  /** So much later, or earlier, than at first it is to tick. */
  shiftMs: number;
  movableAtTick: number;
}

/**
 * When each room's 20 ms tick is due. A new room begins where in the 20 ms fewest tick, so that work is even. Once people
 * speak in it, it goes to where their sound has just come: packets are sent every 20 ms too, so it would wait up to as
 * long for a tick at any other time. It goes there by a millisecond a tick, and never further than 8 ms from where it
 * began, so that its time does not part from the clock's. No timer inside: `run` does what is due and says when to come again.
 */
export class RoomClock {
  private readonly slots = new Map<Ticking, Slot>();
  /** Participants whose rooms tick at each millisecond of the 20. */
  private readonly crowd = new Uint32Array(TICK_MS);
  ticks = 0;
  /** Ticks that began more than a tick late, those left out included. */
  lateTicks = 0;

  add(room: Ticking, nowMs: number): void {
    const base = Math.floor(nowMs / TICK_MS) * TICK_MS + this.emptiestStep();
    const openedMs = base > nowMs ? base : base + TICK_MS;
    this.slots.set(room, { room, openedMs, originMs: openedMs, ticks: 0, shiftMs: 0, movableAtTick: 0 });
  }

  remove(room: Ticking): void {
    this.slots.delete(room);
  }

  /** Runs all that is due at `nowMs`; returns when the next tick is due, or null without rooms. */
  run(nowMs: number): number | null {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const slot of this.slots.values()) {
      const due = Math.floor((nowMs - slot.originMs) / TICK_MS) + 1;
      if (due > slot.ticks) this.catchUp(slot, due);
      const dueMs = slot.originMs + slot.ticks * TICK_MS;
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
      slot.room.tick(slot.originMs + tick * TICK_MS, tick);
    }
    const toGoMs = slot.openedMs + slot.shiftMs - slot.originMs;
    if (toGoMs !== 0) slot.originMs += Math.sign(toGoMs) * MOVE_MS_A_TICK;
    else if (slot.ticks % REVIEW_EVERY_TICKS === 0 && slot.room.timing.known) this.review(slot);
  }

  private review(slot: Slot): void {
    this.countCrowd(slot);
    const { timing } = slot.room;
    const stepMs = this.slots.size > ROOMS_WITHOUT_STEPS ? STEP_MS : 1;
    const mostMs = slot.ticks < slot.movableAtTick ? SMALL_MOVE_MS : TICK_MS;
    const phaseMs = phaseOf(slot.originMs);
    // Where it went while there were few rooms, it does not stay.
    const stays = slot.shiftMs % stepMs === 0;
    let bestMs = stays
      ? timing.presentWaitMs(phaseMs) + this.crowdMs(phaseMs) - LEAST_GAIN_MS
      : Number.POSITIVE_INFINITY;
    let best = slot.shiftMs;
    for (let shiftMs = -MOST_SHIFT_MS; shiftMs <= MOST_SHIFT_MS; shiftMs += stepMs) {
      const laterMs = shiftMs - slot.shiftMs;
      if (Math.abs(laterMs) > mostMs) continue;
      const phaseMs = phaseOf(slot.openedMs + shiftMs);
      const moveMs = laterMs > 0 ? laterMs * LATER_COSTS_MS : -laterMs * EARLIER_COSTS_MS;
      const waitMs = timing.waitMs(phaseMs) + this.crowdMs(phaseMs) + moveMs;
      if (waitMs >= bestMs) continue;
      best = shiftMs;
      bestMs = waitMs;
    }
    if (Math.abs(best - slot.shiftMs) > SMALL_MOVE_MS) slot.movableAtTick = slot.ticks + MOVE_EVERY_TICKS;
    slot.shiftMs = best;
  }

  /** How long others take that tick at about this time. */
  private crowdMs(phaseMs: number): number {
    let others = 0;
    for (let offset = 1 - STEP_MS; offset < STEP_MS; offset++) others += this.crowd[phaseOf(phaseMs + offset)]!;
    return others * TICK_MS_A_PARTICIPANT;
  }

  private countCrowd(without: Slot): void {
    this.crowd.fill(0);
    for (const slot of this.slots.values()) {
      if (slot !== without) this.crowd[phaseOf(slot.openedMs + slot.shiftMs)]! += slot.room.size;
    }
  }

  private emptiestStep(): number {
    const rooms = new Uint32Array(TICK_MS / STEP_MS);
    for (const { openedMs, shiftMs } of this.slots.values())
      rooms[Math.floor(phaseOf(openedMs + shiftMs) / STEP_MS)]!++;
    return rooms.indexOf(Math.min(...rooms)) * STEP_MS;
  }
}

/** Milliseconds since the last whole tick of the clock, 0 up to 20. */
export function phaseOf(ms: number): number {
  const phaseMs = ms % TICK_MS;
  return phaseMs < 0 ? phaseMs + TICK_MS : phaseMs;
}
