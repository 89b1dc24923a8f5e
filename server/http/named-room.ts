import { roomName } from '../rooms/room-name.ts';
import { HttpProblem } from './problems.ts';

/**
 * The room that a body names, which need not be there, as `roomName` gives it; null: all rooms. Throws when no room can
 * have that name.
 */
export function namedRoom(name: string | null): string | null {
  const room = name === null ? null : roomName(name);
  if (name !== null && room === null) {
    throw new HttpProblem('room-name-invalid', { detail: `${name} cannot be a room's name` });
  }
  return room;
}
