import { z } from 'zod';
import { mayKnow } from './access.ts';
import { anyEvent } from './event-schemas.ts';
import { type Operation, operation } from './operation.ts';
import { roomParams } from './room-operations.ts';

const success = {
  status: 200,
  description:
    'Server-sent events, until either side ends it: `state` with all that is there, and then each change under its name. ' +
    'With `Last-Event-ID`, what has happened since in place of `state`, if that is still known. ' +
    'The schema is that of the `data` of each event.',
  events: anyEvent,
} as const;

export const eventOperations: readonly Operation[] = [
  operation({
    method: 'get',
    path: '/events',
    id: 'streamEvents',
    scope: 'reader',
    narrows: true,
    summary: 'What happens in all rooms',
    params: z.object({}),
    success,
    problems: ['too-many-streams'],
    handle: ({ conference }, { access }) => ({
      events: {
        room: access.room,
        breakouts: true,
        state: () => conference.rooms().filter((room) => mayKnow(access, room)),
      },
    }),
  }),
  operation({
    method: 'get',
    path: '/rooms/{room}/events',
    id: 'streamRoomEvents',
    scope: 'reader',
    summary: 'What happens in one room; goes on when the room is closed and opened again',
    params: roomParams,
    success,
    problems: ['room-not-found', 'too-many-streams'],
    handle({ conference }, { params }) {
      const { name: room } = conference.room(params.room);
      // As it is when the stream begins, not now: between the two it may change.
      const state = () => conference.rooms().filter(({ name }) => name === room);
      return { events: { room, breakouts: false, state } };
    },
  }),
];
