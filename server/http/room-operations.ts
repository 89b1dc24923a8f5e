import { z } from 'zod';
import { saidOf } from '../rooms/policy.ts';
import { mayKnow } from './access.ts';
import { pathTo } from './base-path.ts';
import { type Operation, operation } from './operation.ts';
import { page, pageQuery } from './paging.ts';
import * as roomSchemas from './room-schemas.ts';

export const roomParams = z.object({ room: z.string().meta({ description: "The room's name." }) });

const pictureQuery = z.strictObject({
  width: z.coerce
    .number()
    .int()
    .min(160)
    .max(1920)
    .default(640)
    .meta({ description: 'In pixels, rounded up to a multiple of 160; the height follows from it.' }),
});

export const roomOperations: readonly Operation[] = [
  operation({
    method: 'get',
    path: '/rooms',
    id: 'listRooms',
    scope: 'reader',
    narrows: true,
    summary: 'All rooms, with who is in them',
    params: z.object({}),
    query: pageQuery,
    success: { status: 200, description: 'The rooms.', json: roomSchemas.roomList },
    problems: [],
    handle({ conference }, { query, access }) {
      const known = conference.rooms().filter((room) => mayKnow(access, room));
      const { items: rooms, nextCursor } = page(known, ({ name }) => name, query);
      return { json: { rooms, nextCursor } };
    },
  }),
  operation({
    method: 'post',
    path: '/rooms',
    id: 'createRoom',
    scope: 'administrator',
    summary: 'Make a room',
    params: z.object({}),
    body: roomSchemas.newRoom,
    success: { status: 201, description: 'The room was made.', json: roomSchemas.room },
    problems: ['room-exists', 'room-name-invalid', 'room-policy-invalid'],
    handle({ conference }, { body: { name, ...policy } }) {
      const room = conference.createRoom(name, saidOf(policy));
      return { json: room, location: pathTo('rooms', room.name) };
    },
  }),
  operation({
    method: 'get',
    path: '/rooms/{room}',
    id: 'getRoom',
    scope: 'reader',
    summary: 'One room',
    params: roomParams,
    success: { status: 200, description: 'The room.', json: roomSchemas.roomDetails },
    problems: ['room-not-found'],
    handle: ({ conference }, { params, access }) => ({
      json: access.scope === 'administrator' ? conference.roomDetails(params.room) : conference.room(params.room),
    }),
  }),
  operation({
    method: 'patch',
    path: '/rooms/{room}',
    id: 'updateRoom',
    scope: 'moderator',
    summary: "Change a room's policy, or who is where in its picture; what is not said stays",
    params: roomParams,
    body: roomSchemas.roomPatch,
    success: { status: 200, description: 'The room, changed.', json: roomSchemas.room },
    problems: ['room-not-found', 'participant-not-found', 'room-policy-invalid'],
    handle: ({ conference }, { params, body }) => ({ json: conference.updateRoom(params.room, body) }),
  }),
  operation({
    method: 'delete',
    path: '/rooms/{room}',
    id: 'deleteRoom',
    scope: 'administrator',
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
    method: 'get',
    path: '/rooms/{room}/picture.jpg',
    id: 'getRoomPicture',
    scope: 'reader',
    summary: 'What the room looks like now; made twice a second at most',
    params: roomParams,
    query: pictureQuery,
    success: { status: 200, description: 'The picture.', picture: 'image/jpeg' },
    problems: ['room-not-found', 'picture-unavailable', 'mixer-unavailable'],
    handle: async ({ conference }, { params, query }) => ({
      picture: await conference.picture(params.room, query.width),
    }),
  }),
  operation({
    method: 'post',
    path: '/rooms/{room}/mute',
    id: 'muteRoom',
    scope: 'moderator',
    summary: 'Mute or unmute everybody, but for exceptions',
    params: roomParams,
    body: roomSchemas.roomMute,
    success: { status: 204, description: 'All are muted, or unmuted.' },
    problems: ['room-not-found', 'participant-not-found', 'mixer-unavailable'],
    async handle({ conference }, { params, body }) {
      await conference.muteAll(params.room, body.muted, body.except);
      return {};
    },
  }),
  operation({
    method: 'put',
    path: '/rooms/{room}/floor',
    id: 'giveFloor',
    scope: 'moderator',
    summary: 'Give the floor: only these are heard by all, until it is given to others or back',
    params: roomParams,
    body: roomSchemas.floor,
    success: { status: 200, description: 'Who has the floor now.', json: roomSchemas.floor },
    problems: ['room-not-found', 'participant-not-found', 'participant-elsewhere', 'mixer-unavailable'],
    handle: async ({ conference }, { params, body }) => ({
      json: { participants: await conference.giveFloor(params.room, body.participants) },
    }),
  }),
  operation({
    method: 'delete',
    path: '/rooms/{room}/floor',
    id: 'freeFloor',
    scope: 'moderator',
    summary: 'Take the floor back: all are heard again who are not muted',
    params: roomParams,
    success: { status: 204, description: 'The floor is free.' },
    problems: ['room-not-found', 'mixer-unavailable'],
    async handle({ conference }, { params }) {
      await conference.giveFloor(params.room, []);
      return {};
    },
  }),
];
