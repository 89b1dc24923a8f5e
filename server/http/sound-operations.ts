import { z } from 'zod';
import { type Operation, operation } from './operation.ts';
import { page, pageQuery } from './paging.ts';
import * as soundSchemas from './sound-schemas.ts';

const soundParams = z.object({ sound: z.string().meta({ description: "The sound's id." }) });

/** Sounds that can be played in rooms. */
export const soundOperations: readonly Operation[] = [
  operation({
    method: 'get',
    path: '/sounds',
    id: 'listSounds',
    scope: 'reader',
    summary: 'The sounds that were uploaded',
    params: z.object({}),
    query: pageQuery,
    success: { status: 200, description: 'The sounds.', json: soundSchemas.soundList },
    problems: [],
    handle({ sounds }, { query }) {
      const { items, nextCursor } = page(sounds.list(), ({ createdAt, id }) => `${createdAt} ${id}`, query);
      return { json: { sounds: items, nextCursor } };
    },
  }),
  operation({
    method: 'post',
    path: '/sounds',
    id: 'addSound',
    scope: 'administrator',
    summary: 'Upload an audio file, to be played in rooms',
    params: z.object({}),
    query: z.strictObject({
      name: z.string().min(1).max(200).meta({ description: 'What people call it.' }),
    }),
    upload: 'A WAV, MP3, Ogg, M4A, FLAC, AIFF, AMR or Matroska file, of any rate and number of channels.',
    success: { status: 201, description: 'It can be played.', json: soundSchemas.sound },
    problems: ['sound-invalid', 'sound-too-large', 'sounds-unavailable'],
    async handle({ sounds }, { query, upload }) {
      const sound = await sounds.add(upload, query.name);
      return { json: sound, location: `/sounds/${sound.id}` };
    },
  }),
  operation({
    method: 'get',
    path: '/sounds/{sound}',
    id: 'getSound',
    scope: 'reader',
    summary: 'One sound',
    params: soundParams,
    success: { status: 200, description: 'The sound.', json: soundSchemas.sound },
    problems: ['sound-not-found'],
    handle: ({ sounds }, { params }) => ({ json: sounds.get(params.sound) }),
  }),
  operation({
    method: 'delete',
    path: '/sounds/{sound}',
    id: 'deleteSound',
    scope: 'administrator',
    summary: 'Remove a sound',
    params: soundParams,
    success: { status: 204, description: 'It is gone.' },
    problems: ['sound-not-found'],
    async handle({ sounds }, { params }) {
      await sounds.remove(params.sound);
      return {};
    },
  }),
];
