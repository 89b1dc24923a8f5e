import { z } from 'zod';
import { type Operation, operation } from './operation.ts';
import { roomParams } from './room-operations.ts';
import * as schemas from './schemas.ts';

const participantParams = roomParams.extend({ participant: z.string().meta({ description: "The participant's id." }) });

export const participantOperations: readonly Operation[] = [
  operation({
    method: 'get',
    path: '/rooms/{room}/participants',
    id: 'listParticipants',
    summary: 'Who is in the room',
    params: roomParams,
    success: { status: 200, description: 'The participants.', json: schemas.participantList },
    problems: ['room-not-found'],
    handle: ({ conference }, { params }) => ({ json: { participants: conference.room(params.room).participants } }),
  }),
  operation({
    method: 'post',
    path: '/rooms/{room}/participants',
    id: 'addParticipant',
    summary: 'Call somebody into the room; who does not answer leaves it again',
    params: roomParams,
    body: schemas.newParticipant,
    success: { status: 201, description: 'The participant, who is being called.', json: schemas.participant },
    problems: ['room-not-found', 'participant-uri-invalid', 'room-full', 'server-full'],
    handle({ conference }, { params, body }) {
      const added = conference.addParticipant(params.room, body);
      const path = `/rooms/${encodeURIComponent(params.room)}/participants/${encodeURIComponent(added.id)}`;
      return { json: added, location: path };
    },
  }),
  operation({
    method: 'get',
    path: '/rooms/{room}/participants/{participant}',
    id: 'getParticipant',
    summary: 'One participant, and how the call sounds',
    params: participantParams,
    success: { status: 200, description: 'The participant.', json: schemas.participantDetails },
    problems: ['room-not-found', 'participant-not-found'],
    handle: async ({ conference }, { params }) => ({
      json: await conference.participant(params.room, params.participant),
    }),
  }),
  operation({
    method: 'patch',
    path: '/rooms/{room}/participants/{participant}',
    id: 'updateParticipant',
    summary: 'Mute, deafen, change gain, role or hand; what is not said stays',
    params: participantParams,
    body: schemas.participantPatch,
    success: { status: 200, description: 'The participant, changed.', json: schemas.participant },
    problems: ['room-not-found', 'participant-not-found', 'mixer-unavailable'],
    handle: async ({ conference }, { params, body }) => ({
      json: await conference.updateParticipant(params.room, params.participant, body),
    }),
  }),
  operation({
    method: 'delete',
    path: '/rooms/{room}/participants/{participant}',
    id: 'removeParticipant',
    summary: 'Hang up on a participant',
    params: participantParams,
    success: { status: 204, description: 'The participant is out.' },
    problems: ['room-not-found', 'participant-not-found'],
    async handle({ conference }, { params }) {
      await conference.removeParticipant(params.room, params.participant);
      return {};
    },
  }),
];
