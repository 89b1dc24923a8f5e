import { z } from 'zod';
import { type ConferenceControl, ControlError } from '../focus/control.ts';
import { type Operation, operation } from './operation.ts';
import { page, pageQuery } from './paging.ts';
import { roomParams } from './room-operations.ts';
import * as schemas from './schemas.ts';

const recordingId = z.string().meta({ description: "The recording's id." });
const recordingParams = roomParams.extend({ recording: recordingId });

function findRecording(conference: ConferenceControl, room: string, id: string) {
  const found = conference.recordings(room).find((recording) => recording.id === id);
  if (!found) throw new ControlError('recording-not-found', `room ${room} has no recording ${id}`);
  return found;
}

/** False also when the room is not open: then nobody can list its recordings either. */
function isOfRoom(conference: ConferenceControl, room: string, id: string): boolean {
  const isOpen = conference.rooms().some(({ name }) => name === room);
  return isOpen && conference.recordings(room).some((recording) => recording.id === id);
}

export const recordingOperations: readonly Operation[] = [
  operation({
    method: 'get',
    path: '/rooms/{room}/recordings',
    id: 'listRecordings',
    scope: 'reader',
    summary: "The room's recordings",
    params: roomParams,
    query: pageQuery,
    success: { status: 200, description: 'The recordings.', json: schemas.recordingList },
    problems: ['room-not-found'],
    handle({ conference }, { params, query }) {
      const all = conference.recordings(params.room);
      const { items: recordings, nextCursor } = page(all, ({ startedAt, id }) => `${startedAt} ${id}`, query);
      return { json: { recordings, nextCursor } };
    },
  }),
  operation({
    method: 'post',
    path: '/rooms/{room}/recordings',
    id: 'startRecording',
    scope: 'moderator',
    summary: "Start to record the room's mix",
    params: roomParams,
    body: schemas.newRecording,
    bodyOptional: true,
    success: { status: 201, description: 'The recording runs.', json: schemas.recording },
    problems: ['room-not-found', 'recording-running', 'recording-unavailable', 'mixer-unavailable'],
    async handle({ conference }, { params }) {
      const recording = await conference.startRecording(params.room);
      const path = [recording.room, 'recordings', recording.id].map(encodeURIComponent).join('/');
      return { json: recording, location: `/rooms/${path}` };
    },
  }),
  operation({
    method: 'get',
    path: '/rooms/{room}/recordings/{recording}',
    id: 'getRecording',
    scope: 'reader',
    summary: 'One recording',
    params: recordingParams,
    success: { status: 200, description: 'The recording.', json: schemas.recording },
    problems: ['room-not-found', 'recording-not-found'],
    handle: ({ conference }, { params }) => ({ json: findRecording(conference, params.room, params.recording) }),
  }),
  operation({
    method: 'patch',
    path: '/rooms/{room}/recordings/{recording}',
    id: 'updateRecording',
    scope: 'moderator',
    summary: 'Stop a recording',
    params: recordingParams,
    body: schemas.recordingPatch,
    success: { status: 200, description: 'The recording, stopped.', json: schemas.recording },
    problems: ['room-not-found', 'recording-not-found', 'recording-not-running', 'mixer-unavailable'],
    handle: async ({ conference }, { params }) => ({
      json: await conference.stopRecording(params.room, params.recording),
    }),
  }),
  operation({
    method: 'delete',
    path: '/rooms/{room}/recordings/{recording}',
    id: 'deleteRecording',
    scope: 'moderator',
    summary: 'Remove a recording and its files',
    params: recordingParams,
    success: { status: 204, description: 'The recording is gone.' },
    problems: ['room-not-found', 'recording-not-found', 'recording-running'],
    async handle({ conference }, { params }) {
      await conference.deleteRecording(params.room, params.recording);
      return {};
    },
  }),
  operation({
    method: 'get',
    path: '/recordings/{recording}/file',
    id: 'downloadRecording',
    scope: 'reader',
    narrows: true,
    summary: 'The recorded sound as a file; the first call for a format makes it',
    params: z.object({ recording: recordingId }),
    query: z.strictObject({ format: schemas.recordingFormat.default('wav') }),
    success: {
      status: 200,
      description: 'The file, or with 206 the part that `Range` asked for.',
      files: ['audio/wav', 'audio/mp4', 'audio/x-matroska'],
    },
    problems: [
      'recording-not-found',
      'recording-running',
      'recording-empty',
      'recording-unavailable',
      'range-not-satisfiable',
    ],
    async handle({ conference }, { params, query, access }) {
      if (access.room !== null && !isOfRoom(conference, access.room, params.recording)) {
        throw new ControlError('recording-not-found', `there is no recording ${params.recording}`);
      }
      return { file: await conference.recordingFile(params.recording, query.format) };
    },
  }),
];
