import { z } from 'zod';
import { type ConferenceControl, ControlError } from '../focus/control.ts';
import { searchRecordings } from '../recordings/search.ts';
import { roomName } from '../rooms/room-name.ts';
import type { RecordingView } from '../rooms/views.ts';
import { type Access, mayKnow } from './access.ts';
import { BASE_PATH } from './base-path.ts';
import { type Operation, operation } from './operation.ts';
import { page, pageQuery } from './paging.ts';
import type { ProblemCode } from './problems.ts';
import * as recordingSchemas from './recording-schemas.ts';
import { roomParams } from './room-operations.ts';

const recordingId = z.string().meta({ description: "The recording's id." });
const recordingParams = roomParams.extend({ recording: recordingId });

function findRecording(conference: ConferenceControl, room: string, id: string) {
  const found = conference.recordings(room).find((recording) => recording.id === id);
  if (!found) throw new ControlError('recording-not-found', `room ${room} has no recording ${id}`);
  return found;
}

/** One whose room the token is for, be it open or closed, or of a breakout room of that. Errors: `recording-not-found`. */
function knownRecording(access: Access, conference: ConferenceControl, id: string): RecordingView {
  const found = conference.recording(id);
  if (!maySee(access, conference, found)) throw new ControlError('recording-not-found', `there is no recording ${id}`);
  return found;
}

function maySee(access: Access, conference: ConferenceControl, { room }: RecordingView): boolean {
  return access.room === null || mayKnow(access, { name: room, breakoutOf: conference.breakoutOf(room) });
}

const pageKey = ({ startedAt, id }: RecordingView) => `${startedAt} ${id}`;

const anyRecording = z.object({ recording: recordingId });
const moment = z.iso.datetime({ offset: true });
const text = z.string().min(1).max(200);

const searchQuery = pageQuery.extend({
  q: text.optional().meta({
    description: "Words, each of which is in the room's name, in a participant's, or in the id.",
  }),
  room: text.optional().meta({ description: 'Of this room only.' }),
  state: recordingSchemas.recording.shape.state.optional(),
  participant: text.optional().meta({ description: 'Part of the name of one who was recorded.' }),
  from: moment.optional().meta({ description: 'That began then or later.' }),
  to: moment.optional().meta({ description: 'That began before then.' }),
});

const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

const fileQuery = z.strictObject({
  format: recordingSchemas.recordingFormat.default('wav'),
  normalized: flag.default(false).meta({ description: 'Brought to a common loudness.' }),
  wait: flag.default(true).meta({ description: 'False: 202 when it is not there yet, while it is being made.' }),
  expires: z.string().optional().meta({ description: 'Of a link.' }),
  signature: z.string().optional().meta({ description: 'Of a link.' }),
});

/** What is being made is asked for again after that. */
const RETRY_AFTER_S = 2;

const FILE_PROBLEMS = [
  'recording-not-found',
  'recording-running',
  'recording-empty',
  'recording-captures-gone',
  'recording-unavailable',
] as const satisfies ProblemCode[];

export const recordingOperations: readonly Operation[] = [
  operation({
    method: 'get',
    path: '/rooms/{room}/recordings',
    id: 'listRecordings',
    scope: 'reader',
    summary: "The room's recordings",
    params: roomParams,
    query: pageQuery,
    success: { status: 200, description: 'The recordings.', json: recordingSchemas.recordingList },
    problems: ['room-not-found'],
    handle({ conference }, { params, query }) {
      const all = conference.recordings(params.room);
      const { items: recordings, nextCursor } = page(all, pageKey, query);
      return { json: { recordings, nextCursor } };
    },
  }),
  operation({
    method: 'post',
    path: '/rooms/{room}/recordings',
    id: 'startRecording',
    scope: 'moderator',
    summary: "Start to record the room's mix, and each participant if wanted",
    params: roomParams,
    body: recordingSchemas.newRecording,
    bodyOptional: true,
    success: { status: 201, description: 'The recording runs.', json: recordingSchemas.recording },
    problems: ['room-not-found', 'room-empty', 'recording-running', 'recording-unavailable', 'mixer-unavailable'],
    async handle({ conference }, { params, body }) {
      const recording = await conference.startRecording(params.room, body);
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
    success: { status: 200, description: 'The recording.', json: recordingSchemas.recording },
    problems: ['room-not-found', 'recording-not-found'],
    handle: ({ conference }, { params }) => ({ json: findRecording(conference, params.room, params.recording) }),
  }),
  operation({
    method: 'patch',
    path: '/rooms/{room}/recordings/{recording}',
    id: 'updateRecording',
    scope: 'moderator',
    summary: 'Pause a recording, let it go on, or stop it',
    params: recordingParams,
    body: recordingSchemas.recordingPatch,
    success: { status: 200, description: 'The recording, as it is now.', json: recordingSchemas.recording },
    problems: ['room-not-found', 'recording-not-found', 'recording-not-running', 'mixer-unavailable'],
    handle: async ({ conference }, { params, body }) => ({
      json: await conference.updateRecording(params.room, params.recording, body.state),
    }),
  }),
  operation({
    method: 'post',
    path: '/rooms/{room}/recordings/{recording}/marks',
    id: 'markRecording',
    scope: 'moderator',
    summary: 'Mark this moment of a recording that runs: it is in the time line and in the captions',
    params: recordingParams,
    body: recordingSchemas.newRecordingMark,
    success: { status: 200, description: 'The mark.', json: recordingSchemas.recordingMark },
    problems: ['room-not-found', 'recording-not-found', 'recording-not-running'],
    handle: ({ conference }, { params, body }) => ({
      json: conference.markRecording(params.room, params.recording, body.text),
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
    path: '/recordings',
    id: 'listAllRecordings',
    scope: 'reader',
    narrows: true,
    summary: 'Recordings of all rooms, also of those that are closed by now',
    params: z.object({}),
    query: searchQuery,
    success: { status: 200, description: 'The recordings, oldest first.', json: recordingSchemas.recordingList },
    problems: [],
    handle({ conference }, { query, access }) {
      const { from, to, room, limit, cursor, ...search } = query;
      const all = conference.allRecordings().filter((recording) => maySee(access, conference, recording));
      const found = searchRecordings(all, {
        ...search,
        room: room && (roomName(room) ?? room),
        fromMs: from === undefined ? undefined : Date.parse(from),
        toMs: to === undefined ? undefined : Date.parse(to),
      });
      const { items: recordings, nextCursor } = page(found, pageKey, { limit, cursor });
      return { json: { recordings, nextCursor } };
    },
  }),
  operation({
    method: 'get',
    path: '/recordings/{recording}',
    id: 'findRecording',
    scope: 'reader',
    narrows: true,
    summary: 'One recording, of whatever room',
    params: anyRecording,
    success: { status: 200, description: 'The recording.', json: recordingSchemas.recording },
    problems: ['recording-not-found'],
    handle: ({ conference }, { params, access }) => ({ json: knownRecording(access, conference, params.recording) }),
  }),
  operation({
    method: 'delete',
    path: '/recordings/{recording}',
    id: 'removeRecording',
    scope: 'moderator',
    narrows: true,
    summary: 'Remove a recording of whatever room, its files and their copies',
    params: anyRecording,
    success: { status: 204, description: 'The recording is gone.' },
    problems: ['recording-not-found', 'recording-running'],
    async handle({ conference }, { params, access }) {
      await conference.removeRecording(knownRecording(access, conference, params.recording).id);
      return {};
    },
  }),
  operation({
    method: 'get',
    path: '/recordings/{recording}/file',
    id: 'downloadRecording',
    scope: 'reader',
    narrows: true,
    linked: true,
    summary: 'The recording as a file; the first call for a format makes it',
    params: anyRecording,
    query: fileQuery,
    success: {
      status: 200,
      description: 'The file, or with 206 the part that `Range` asked for.',
      files: [
        ...['audio/wav', 'audio/mpeg', 'audio/mp4', 'audio/webm', 'audio/ogg', 'audio/matroska'],
        ...['video/mp4', 'video/webm', 'video/matroska', 'image/jpeg', 'image/png'],
        ...['application/zip', 'text/vtt', 'application/jsonl'],
      ],
      mayWait: recordingSchemas.recordingFile,
    },
    problems: [...FILE_PROBLEMS, 'link-invalid', 'range-not-satisfiable'],
    async handle({ conference }, { params, query, access }) {
      const { id } = knownRecording(access, conference, params.recording);
      const { format, normalized, wait } = query;
      if (!wait) {
        const { file, here } = await conference.wantRecordingFile(id, format, normalized, false);
        if (!here) return { json: file, accepted: { retryAfterS: RETRY_AFTER_S } };
      }
      return { file: await conference.recordingFile(id, format, normalized) };
    },
  }),
  operation({
    method: 'post',
    path: '/recordings/{recording}/files',
    id: 'makeRecordingFile',
    scope: 'moderator',
    narrows: true,
    summary: 'Have a file of a recording made in the background, also one that could not be made before',
    params: anyRecording,
    body: recordingSchemas.newRecordingFile,
    success: { status: 202, description: 'The file, as far as it is.', json: recordingSchemas.recordingFile },
    problems: FILE_PROBLEMS,
    async handle({ conference }, { params, body, access }) {
      const { id } = knownRecording(access, conference, params.recording);
      const { file } = await conference.wantRecordingFile(id, body.format, body.normalized, true);
      return { json: file, accepted: { retryAfterS: RETRY_AFTER_S } };
    },
  }),
  operation({
    method: 'post',
    path: '/recordings/{recording}/links',
    id: 'linkRecording',
    scope: 'moderator',
    narrows: true,
    secretAnswer: true,
    summary: 'Make a link to a file of a recording that needs no token until it expires',
    params: anyRecording,
    body: recordingSchemas.newRecordingLink,
    success: { status: 200, description: 'The link.', json: recordingSchemas.recordingLink },
    problems: ['recording-not-found', 'recording-running'],
    handle({ conference, links }, { params, body, access }) {
      const { id, stoppedAt } = knownRecording(access, conference, params.recording);
      if (stoppedAt === null) throw new ControlError('recording-running', `${id} is still being recorded`);
      const { format, normalized, expiresInSeconds } = body;
      const { expires, signature } = links.sign({ recording: id, format, normalized }, expiresInSeconds);
      const query = new URLSearchParams({
        ...{ format, normalized: String(normalized), expires: String(expires), signature },
      });
      const url = `${BASE_PATH}/recordings/${encodeURIComponent(id)}/file?${query}`;
      return { json: { url, expiresAt: new Date(expires * 1000).toISOString() } };
    },
  }),
];
