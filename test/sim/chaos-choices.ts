import type { Room } from '../../server/rooms/room.ts';
import type { ParticipantView } from '../../server/rooms/views.ts';
import type { ChaosDay } from './chaos-day.ts';

/** Somebody who is in a room, whatever the room. */
export function anybody(
  { random, server }: ChaosDay,
  where: (room: Room) => boolean = () => true,
): { room: Room; participant: ParticipantView } | null {
  const rooms = [...server.rooms].filter(where);
  const all = rooms.flatMap((room) => room.participants.map((participant) => ({ room, participant })));
  return all.length === 0 ? null : random.pick(all);
}

export function anyRoom({ random, server }: ChaosDay): Room {
  return random.pick([...server.rooms]);
}
