import type { Load } from './load-protocol.ts';
import { MARKED_TALKERS } from './load-signal.ts';

/** Callers whose streams are searched for markers. */
const OBSERVED_CALLERS = 12;

/** Of many rooms one each, of a few several. Where all talk, those whose voice has no markers. */
export function isObserved(load: Load, room: number, seat: number): boolean {
  const first = firstObserved(load);
  const each = observedInEachRoom(load);
  return seat >= first && seat < first + each && room * each + seat - first < OBSERVED_CALLERS;
}

/** Whether the added delay is measured by what this caller sends or gets. */
export function isMeasured(load: Load, room: number, seat: number): boolean {
  const marks = seat < Math.min(MARKED_TALKERS, load.talkersPerRoom) && isObserved(load, room, firstObserved(load));
  return marks || isObserved(load, room, seat);
}

function firstObserved({ callersPerRoom, talkersPerRoom }: Load): number {
  return talkersPerRoom < callersPerRoom ? talkersPerRoom : MARKED_TALKERS;
}

function observedInEachRoom(load: Load): number {
  const others = Math.max(0, load.callersPerRoom - firstObserved(load));
  return Math.min(others, Math.ceil(OBSERVED_CALLERS / load.rooms));
}
