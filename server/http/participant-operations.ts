import { z } from 'zod';
import type { ConferenceControl } from '../focus/control.ts';
import { roomName } from '../rooms/room-name.ts';
import { type Access, mayKnow } from './access.ts';
import { pathTo } from './base-path.ts';
import { type Operation, operation } from './operation.ts';
import { page, pageQuery } from './paging.ts';
import * as participantSchemas from './participant-schemas.ts';
import { HttpProblem } from './problems.ts';
import { roomParams } from './room-operations.ts';

export const participantParams = roomParams.extend({
  participant: z.string().meta({ description: "The participant's id." }),
});

export const participantOperations: readonly Operation[] = [
  operation({
    method: 'get',
    path: '/rooms/{room}/participants',
    id: 'listParticipants',
    scope: 'reader',
    summary: 'Who is in the room',
    params: roomParams,
    query: pageQuery,
    success: { status: 200, description: 'The participants.', json: participantSchemas.participantList },
    problems: ['room-not-found'],
    handle({ conference }, { params, query }) {
      const all = conference.room(params.room).participants;
      const { items: participants, nextCursor } = page(all, ({ joinedAt, id }) => `${joinedAt} ${id}`, query);
      return { json: { participants, nextCursor } };
    },
  }),
  operation({
    method: 'post',
    path: '/rooms/{room}/participants',
    id: 'addParticipant',
    scope: 'moderator',
    summary: 'Call somebody into the room; who does not answer leaves it again',
    params: roomParams,
    body: participantSchemas.newParticipant,
    success: {
      status: 201,
      description: 'The participant, who is being called.',
      json: participantSchemas.participant,
    },
    problems: ['room-not-found', 'participant-uri-invalid', 'room-full', 'server-full'],
    handle({ conference }, { params, body }) {
      const added = conference.addParticipant(params.room, body);
      return { json: added, location: pathTo('rooms', params.room, 'participants', added.id) };
    },
  }),
  operation({
    method: 'get',
    path: '/rooms/{room}/participants/{participant}',
    id: 'getParticipant',
    scope: 'reader',
    summary: 'One participant, and how the call sounds',
    params: participantParams,
    success: { status: 200, description: 'The participant.', json: participantSchemas.participantDetails },
    problems: ['room-not-found', 'participant-not-found'],
    handle: async ({ conference }, { params }) => ({
      json: await conference.participant(params.room, params.participant),
    }),
  }),
  operation({
    method: 'patch',
    path: '/rooms/{room}/participants/{participant}',
    id: 'updateParticipant',
    scope: 'moderator',
    summary: 'Mute, deafen, change gain, role or hand, move, let in; what is not said stays',
    params: participantParams,
    body: participantSchemas.participantPatch,
    success: { status: 200, description: 'The participant, changed.', json: participantSchemas.participant },
    problems: [
      ...(['room-not-found', 'participant-not-found', 'mixer-unavailable'] as const),
      ...(['room-full', 'participant-not-waiting', 'participant-elsewhere'] as const),
    ],
    async handle({ conference }, { params, body, access }) {
      if (body.room !== undefined) checkMayMoveTo(access, conference, body.room);
      return { json: await conference.updateParticipant(params.room, params.participant, body) };
    },
  }),
  operation({
    method: 'delete',
    path: '/rooms/{room}/participants/{participant}',
    id: 'removeParticipant',
    scope: 'moderator',
    summary: 'Hang up on a participant; who waits in the lobby is told that nobody let them in',
    params: participantParams,
    query: z.strictObject({
      reason: z.string().max(200).optional().meta({ description: 'Goes into the log and the BYE.' }),
    }),
    success: { status: 204, description: 'The participant is out.' },
    problems: ['room-not-found', 'participant-not-found'],
    async handle({ conference }, { params, query }) {
      await conference.removeParticipant(params.room, params.participant, query.reason);
      return {};
    },
  }),
];

/** A token for one room moves people within it and its breakout rooms; others are as if they were not there. */
function checkMayMoveTo(access: Access, conference: ConferenceControl, name: string): void {
  if (!mayKnow(access, { name: roomName(name) ?? name, breakoutOf: conference.breakoutOf(name) })) {
    throw new HttpProblem('room-not-found', { detail: `there is no room ${name}` });
  }
}
