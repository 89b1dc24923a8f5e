import { z } from 'zod';
import type { NewRecording, RecordingMark } from '../focus/control.ts';
import { RECORDING_FORMATS, type RecordingFileView, type RecordingFormat, type RecordingView } from '../rooms/views.ts';
import { nextCursor } from './paging.ts';

// Each schema is pinned to the type that the conference uses, so that neither changes without the other.

const timestamp = z.iso.datetime();

export const recordingFormat = z.enum(RECORDING_FORMATS).meta({
  description:
    'Sound: wav (PCM), mp3, m4a (AAC), ogg and mka (Opus). Sound, and the picture where there is one: mp4 (H.264, AAC), webm (VP8, Opus), mkv (H.264, Opus). poster: one picture (JPEG); sheet: up to 16 with their times (JPEG). zip: all tracks in step, with time line and captions; tracks: one Matroska file with all tracks; png: the waveform; vtt: captions, who spoke when; jsonl: the time line.',
}) satisfies z.ZodType<RecordingFormat>;

export const recordingFile = z
  .object({
    format: recordingFormat,
    normalized: z.boolean().meta({ description: 'Brought to a common loudness.' }),
    state: z.enum(['queued', 'working', 'ready', 'failed']),
    progress: z.number().meta({ description: 'The share that is done, 0 to 1.' }),
    bytes: z.number().nullable(),
    sha256: z.string().nullable().meta({ description: 'Checksum, hexadecimal.' }),
    error: z.string().nullable().meta({ description: 'Why it failed.' }),
    stored: z.string().nullable().meta({ description: 'Where else it is: s3://bucket/key, or a path.' }),
  })
  .meta({ id: 'RecordingFile' }) satisfies z.ZodType<RecordingFileView>;

export const recording = z
  .object({
    id: z.string(),
    room: z.string(),
    state: z.enum(['recording', 'paused', 'stopped', 'failed']),
    startedAt: timestamp,
    stoppedAt: timestamp.nullable(),
    durationMs: z.number().nullable().meta({ description: 'What was recorded, without pauses; null before the end.' }),
    bytes: z.number().nullable().meta({ description: 'Size of what was captured; null before the end.' }),
    error: z.string().nullable().meta({ description: 'Why it failed.' }),
    startedBy: z.enum(['moderator', 'keys', 'policy']),
    tracks: z.boolean().meta({ description: 'Each participant has a track of their own, too.' }),
    video: z.boolean().meta({ description: 'It has a picture, of some of the time at least.' }),
    videoError: z
      .string()
      .nullable()
      .meta({ description: 'Why the picture was not recorded any more while the sound was.' }),
    encrypted: z.boolean().meta({ description: 'It is encrypted on the disk.' }),
    participants: z
      .array(z.string())
      .meta({ description: 'Names of those who were recorded, or their URIs, as they came; the first 100.' }),
    files: z.array(recordingFile).meta({ description: 'What was made of it, or is to be.' }),
  })
  .meta({ id: 'Recording' }) satisfies z.ZodType<RecordingView>;

export const recordingList = z.object({ recordings: z.array(recording), nextCursor }).meta({ id: 'RecordingList' });

export const newRecording = z
  .strictObject({
    tracks: z.boolean().meta({ description: "A track of each participant, too. As the room's `recordTracks`." }),
    video: z.boolean().meta({
      description: "The picture of the room, too, when somebody has video. As the room's `recordVideo`.",
    }),
    announced: z.boolean().meta({ description: "All are told of it. As the room's `recordingAnnounced`." }),
  })
  .partial()
  .meta({ id: 'NewRecording' }) satisfies z.ZodType<NewRecording>;

export const recordingPatch = z
  .strictObject({
    state: z.enum(['recording', 'paused', 'stopped']).meta({ description: 'What was stopped never goes on.' }),
  })
  .meta({ id: 'RecordingPatch' });

export const newRecordingMark = z
  .strictObject({ text: z.string().min(1).max(200).meta({ description: 'What is to be found there.' }) })
  .meta({ id: 'NewRecordingMark' });

export const recordingMark = newRecordingMark
  .extend({
    positionMs: z.number().meta({ description: 'In what is recorded, from its beginning.' }),
    at: timestamp,
  })
  .meta({ id: 'RecordingMark' }) satisfies z.ZodType<RecordingMark>;

const isNormalized = z.boolean().default(false).meta({ description: 'Brought to a common loudness.' });

export const newRecordingFile = z
  .strictObject({ format: recordingFormat, normalized: isNormalized })
  .meta({ id: 'NewRecordingFile' });

export const newRecordingLink = z
  .strictObject({
    format: recordingFormat,
    normalized: isNormalized,
    expiresInSeconds: z.int().min(60).max(604_800).default(86_400).meta({ description: 'A minute to a week.' }),
  })
  .meta({ id: 'NewRecordingLink' });

export const recordingLink = z
  .object({
    url: z.string().meta({ description: 'From the root of this server on, such as /api/v1/recordings/…' }),
    expiresAt: timestamp,
  })
  .meta({ id: 'RecordingLink' });
