import { z } from 'zod';
import * as announcementSchemas from './announcement-schemas.ts';
import { pathTo } from './base-path.ts';
import * as messageSchemas from './message-schemas.ts';
import { type Operation, operation } from './operation.ts';
import { page, pageQuery } from './paging.ts';
import { roomParams } from './room-operations.ts';
import * as roomSchemas from './room-schemas.ts';

const announcementParams = roomParams.extend({
  announcement: z.string().meta({ description: "The announcement's id." }),
});

/** What is done with a conference as a whole while it goes on. */
export const conferenceOperations: readonly Operation[] = [
  operation({
    method: 'post',
    path: '/rooms/{room}/end',
    id: 'endConference',
    scope: 'moderator',
    summary: 'Say that the conference ends, and hang up on everybody; the room stays',
    params: roomParams,
    body: roomSchemas.conferenceEnd,
    bodyOptional: true,
    success: { status: 204, description: 'The conference is over.' },
    problems: ['room-not-found'],
    async handle({ conference }, { params }) {
      await conference.endConference(params.room);
      return {};
    },
  }),
  operation({
    method: 'post',
    path: '/rooms/{room}/announcements',
    id: 'announce',
    scope: 'moderator',
    summary: 'Play a prompt, a recording or a sound to the room, or to one participant',
    params: roomParams,
    body: announcementSchemas.newAnnouncement,
    success: { status: 201, description: 'It is being played.', json: announcementSchemas.announcement },
    problems: [
      ...(['room-not-found', 'participant-not-found', 'prompt-not-found', 'sound-not-found'] as const),
      ...(['recording-not-found', 'recording-empty', 'recording-running', 'recording-unavailable'] as const),
    ],
    async handle({ conference }, { params, body }) {
      const announcement = await conference.announce(params.room, body);
      return { json: announcement, location: pathTo('rooms', params.room, 'announcements', announcement.id) };
    },
  }),
  operation({
    method: 'get',
    path: '/rooms/{room}/announcements',
    id: 'listAnnouncements',
    scope: 'reader',
    summary: 'What is being played, or waits for its turn',
    params: roomParams,
    query: pageQuery,
    success: { status: 200, description: 'The announcements.', json: announcementSchemas.announcementList },
    problems: ['room-not-found'],
    handle({ conference }, { params, query }) {
      const all = conference.announcements(params.room);
      const { items: announcements, nextCursor } = page(all, ({ createdAt, id }) => `${createdAt} ${id}`, query);
      return { json: { announcements, nextCursor } };
    },
  }),
  operation({
    method: 'get',
    path: '/rooms/{room}/announcements/{announcement}',
    id: 'getAnnouncement',
    scope: 'reader',
    summary: 'An announcement, and how far it is',
    params: announcementParams,
    success: { status: 200, description: 'The announcement.', json: announcementSchemas.announcementProgress },
    problems: ['room-not-found', 'announcement-not-found', 'mixer-unavailable'],
    handle: async ({ conference }, { params }) => ({
      json: await conference.updateAnnouncement(params.room, params.announcement, {}),
    }),
  }),
  operation({
    method: 'patch',
    path: '/rooms/{room}/announcements/{announcement}',
    id: 'updateAnnouncement',
    scope: 'moderator',
    summary: "Change an announcement's volume, or where it is",
    params: announcementParams,
    body: announcementSchemas.announcementPatch,
    success: { status: 200, description: 'The announcement.', json: announcementSchemas.announcementProgress },
    problems: ['room-not-found', 'announcement-not-found', 'mixer-unavailable'],
    handle: async ({ conference }, { params, body }) => ({
      json: await conference.updateAnnouncement(params.room, params.announcement, body),
    }),
  }),
  operation({
    method: 'delete',
    path: '/rooms/{room}/announcements/{announcement}',
    id: 'stopAnnouncement',
    scope: 'moderator',
    summary: 'Stop an announcement',
    params: announcementParams,
    success: { status: 204, description: 'It is not played any more.' },
    problems: ['room-not-found', 'announcement-not-found'],
    handle({ conference }, { params }) {
      conference.stopAnnouncement(params.room, params.announcement);
      return {};
    },
  }),
  operation({
    method: 'post',
    path: '/rooms/{room}/messages',
    id: 'sendMessage',
    scope: 'moderator',
    summary: 'Send a text to the participants, and tell who has got it',
    params: roomParams,
    body: messageSchemas.newMessage,
    success: {
      status: 200,
      description: 'What the phones said to it within three seconds.',
      json: messageSchemas.messageDeliveries,
    },
    problems: ['room-not-found', 'participant-not-found', 'participant-elsewhere', 'too-many-messages'],
    handle: async ({ conference }, { params, body }) => ({
      json: { deliveries: await conference.sendMessage(params.room, body) },
    }),
  }),
  operation({
    method: 'post',
    path: '/rooms/{room}/breakouts',
    id: 'openBreakouts',
    scope: 'moderator',
    summary: 'Open breakout rooms and move participants there',
    params: roomParams,
    body: roomSchemas.newBreakouts,
    success: { status: 200, description: 'The breakout rooms.', json: roomSchemas.breakoutList },
    problems: [
      ...(['room-not-found', 'participant-not-found', 'room-exists', 'room-name-invalid'] as const),
      ...(['room-is-breakout', 'participant-elsewhere', 'mixer-unavailable'] as const),
    ],
    handle: async ({ conference }, { params, body }) => ({
      json: { rooms: await conference.openBreakouts(params.room, body.groups) },
    }),
  }),
  operation({
    method: 'delete',
    path: '/rooms/{room}/breakouts',
    id: 'closeBreakouts',
    scope: 'moderator',
    summary: 'Bring everybody back from the breakout rooms, and close these',
    params: roomParams,
    success: { status: 204, description: 'All are back.' },
    problems: ['room-not-found', 'mixer-unavailable'],
    async handle({ conference }, { params }) {
      await conference.closeBreakouts(params.room);
      return {};
    },
  }),
];
