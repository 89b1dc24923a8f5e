import { z } from 'zod';
import type { RoomPolicy } from '../rooms/views.ts';
import { type Operation, operation } from './operation.ts';
import * as schemas from './schemas.ts';

export const roomParams = z.object({ room: z.string().meta({ description: "The room's name." }) });

/** Leaves out what was not said, so that it is not taken for a value. */
const said = (policy: { [Key in keyof RoomPolicy]?: RoomPolicy[Key] | undefined }) =>
  Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined)) as Partial<RoomPolicy>;

export const roomOperations: readonly Operation[] = [
  operation({
    method: 'get',
    path: '/rooms',
    id: 'listRooms',
    summary: 'All rooms, with who is in them',
    params: z.object({}),
    success: { status: 200, description: 'The rooms.', json: schemas.roomList },
    problems: [],
    handle: ({ conference }) => ({ json: { rooms: conference.rooms() } }),
  }),
  operation({
    method: 'post',
    path: '/rooms',
    id: 'createRoom',
    summary: 'Make a room',
    params: z.object({}),
    body: schemas.newRoom,
    success: { status: 201, description: 'The room was made.', json: schemas.room },
    problems: ['room-exists', 'room-name-invalid'],
    handle({ conference }, { body: { name, ...policy } }) {
      const room = conference.createRoom(name, said(policy));
      return { json: room, location: `/rooms/${encodeURIComponent(room.name)}` };
    },
  }),
  operation({
    method: 'get',
    path: '/rooms/{room}',
    id: 'getRoom',
    summary: 'One room',
    params: roomParams,
    success: { status: 200, description: 'The room.', json: schemas.room },
    problems: ['room-not-found'],
    handle: ({ conference }, { params }) => ({ json: conference.room(params.room) }),
  }),
  operation({
    method: 'patch',
    path: '/rooms/{room}',
    id: 'updateRoom',
    summary: "Change a room's policy; what is not said stays",
    params: roomParams,
    body: schemas.roomPatch,
    success: { status: 200, description: 'The room, changed.', json: schemas.room },
    problems: ['room-not-found'],
    handle: ({ conference }, { params, body }) => ({ json: conference.updateRoom(params.room, said(body)) }),
  }),
  operation({
    method: 'delete',
    path: '/rooms/{room}',
    id: 'deleteRoom',
    summary: 'End the conference: hang up on everybody. A configured room stays, empty',
    params: roomParams,
    success: { status: 204, description: 'The conference is over.' },
    problems: ['room-not-found'],
    async handle({ conference }, { params }) {
      await conference.deleteRoom(params.room);
      return {};
    },
  }),
  operation({
    method: 'post',
    path: '/rooms/{room}/mute',
    id: 'muteRoom',
    summary: 'Mute or unmute everybody, but for exceptions',
    params: roomParams,
    body: schemas.roomMute,
    success: { status: 204, description: 'All are muted, or unmuted.' },
    problems: ['room-not-found', 'participant-not-found', 'mixer-unavailable'],
    async handle({ conference }, { params, body }) {
      await conference.muteAll(params.room, body.muted, body.except);
      return {};
    },
  }),
];
