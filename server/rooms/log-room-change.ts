import type { Log } from '../log.ts';
import type { Room, RoomChange } from './room.ts';

/** What happens in rooms, at `debug`; the start and end of calls and recordings have lines of their own. */
export function logRoomChange(log: Log, room: Room, change: RoomChange): void {
  const { change: event, ...what } = change;
  log.debug({ room: room.name, version: room.version, event, ...what }, 'room changed');
}
