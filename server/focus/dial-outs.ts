import type { Log } from '../log.ts';
import type { Room } from '../rooms/room.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { ParticipantView } from '../rooms/views.ts';
import type { Timer, Timers } from '../timers.ts';
import type { Callee } from './focus-options.ts';

export interface DialOutsOptions {
  readonly rooms: Rooms;
  readonly timers: Timers;
  readonly log: Log;
  /** Places one call; the participant keeps the id of the callee, where it has one. */
  call(room: Room, callee: Callee, report: (status: number) => void): ParticipantView;
  /** Whether one more call can be made into the room now. */
  mayCall(room: Room): boolean;
}

export interface Attempts {
  /** How often it is tried again. */
  readonly retries: number;
  readonly retryAfterS: number;
}

interface DialOut {
  readonly room: string;
  readonly callee: Callee;
  readonly retryAfterS: number;
  left: number;
  status: number;
  timer: Timer | null;
}

/** Busy, not there, or a mailbox that pressed nothing (200): another time it may be otherwise. */
const WORTH_ANOTHER_TRY = new Set([200, 408, 480, 486, 487, 500, 503, 504]);

/** Calls that are made again when nothing came of them. */
export class DialOuts {
  private readonly options: DialOutsOptions;
  private readonly byId = new Map<string, DialOut>();

  constructor(options: DialOutsOptions) {
    this.options = options;
  }

  start(room: Room, callee: Callee, { retries, retryAfterS }: Attempts): ParticipantView {
    if (retries === 0) return this.options.call(room, callee, () => {});
    let status = 0;
    const view = this.options.call(room, callee, (told) => {
      status = told;
      const dialOut = this.byId.get(view.id);
      if (dialOut) dialOut.status = told;
    });
    const again = { ...callee, id: view.id };
    this.byId.set(view.id, { room: room.name, callee: again, retryAfterS, left: retries, status, timer: null });
    return view;
  }

  /** Is in the room: it was not in vain. */
  entered(id: string): void {
    this.byId.delete(id);
  }

  /** The call is over. */
  gone(id: string): void {
    const dialOut = this.byId.get(id);
    if (!dialOut) return;
    if (dialOut.left === 0 || !WORTH_ANOTHER_TRY.has(dialOut.status)) return void this.byId.delete(id);
    dialOut.left--;
    dialOut.timer = this.options.timers.set(dialOut.retryAfterS * 1000, () => this.again(id, dialOut));
  }

  /** Nobody is to be called again. False when nobody was to be. */
  cancel(id: string): boolean {
    this.byId.get(id)?.timer?.clear();
    return this.byId.delete(id);
  }

  /** Between two attempts, called from this room. */
  waits(room: Room, id: string): boolean {
    const dialOut = this.byId.get(id);
    return dialOut?.room === room.name && dialOut.timer !== null;
  }

  /** The conference is over, or the server stops. */
  cancelAll(room: Room | null = null): void {
    for (const [id, dialOut] of this.byId) if (room === null || dialOut.room === room.name) this.cancel(id);
  }

  private again(id: string, dialOut: DialOut): void {
    const { rooms, log, call, mayCall } = this.options;
    dialOut.timer = null;
    const room = rooms.get(dialOut.room);
    if (room === undefined || !mayCall(room)) {
      log.info({ room: dialOut.room, participant: id }, 'not called again: the room takes no more');
      return void this.byId.delete(id);
    }
    log.info({ room: room.name, participant: id, left: dialOut.left }, 'called again');
    dialOut.status = 0;
    call(room, dialOut.callee, (status) => {
      dialOut.status = status;
    });
  }
}
