import { z } from 'zod';
import { type Operation, operation } from './operation.ts';
import { roomParams } from './room-operations.ts';
import * as schemas from './schemas.ts';

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
    body: schemas.conferenceEnd,
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
    summary: 'Play a prompt or a recording to the room, or to one participant',
    params: roomParams,
    body: schemas.newAnnouncement,
    success: { status: 201, description: 'It is being played.', json: schemas.announcement },
    problems: [
      ...(['room-not-found', 'participant-not-found', 'prompt-not-found'] as const),
      ...(['recording-not-found', 'recording-empty', 'recording-running', 'recording-unavailable'] as const),
    ],
    async handle({ conference }, { params, body }) {
      const announcement = await conference.announce(params.room, body);
      const path = `/rooms/${encodeURIComponent(params.room)}/announcements/${announcement.id}`;
      return { json: announcement, location: path };
    },
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
    path: '/rooms/{room}/breakouts',
    id: 'openBreakouts',
    scope: 'moderator',
    summary: 'Open breakout rooms and move participants there',
    params: roomParams,
    body: schemas.newBreakouts,
    success: { status: 200, description: 'The breakout rooms.', json: schemas.breakoutList },
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
