import { z } from 'zod';
import { type EventName, eventNames } from '../events/room-event.ts';
import { participant } from './participant-schemas.ts';
import { recording } from './recording-schemas.ts';
import { room } from './room-schemas.ts';

const about = {
  id: z.string().meta({ description: 'Nothing else ever has it; the one for `Last-Event-ID`.' }),
  at: z.iso.datetime(),
  room: z.string().meta({ description: 'Its name.' }),
  version: z.int().meta({ description: "The room's, after the change." }),
};

const settings = room
  .omit({
    name: true,
    version: true,
    participants: true,
    floor: true,
    activeSpeaker: true,
    spotlight: true,
    places: true,
    presenter: true,
    recording: true,
    recordings: true,
  })
  .meta({ id: 'RoomSettings', description: 'What the room is like, without who is in it.' });

const roomEvent = (event: EventName, id: string) =>
  z.object({ ...about, event: z.literal(event), settings }).meta({ id });
const participantEvent = (event: EventName, id: string) =>
  z.object({ ...about, event: z.literal(event), participant }).meta({ id });

const recordingEvent = (event: EventName, id: string) =>
  z.object({ ...about, event: z.literal(event), recording }).meta({ id });

/** Of every event, the data of its server-sent event and the body of its webhook. */
export const eventSchemas: Record<EventName, z.ZodObject> = {
  'room-opened': roomEvent('room-opened', 'RoomOpened')
    .extend({ recordings: z.array(recording) })
    .meta({ id: 'RoomOpened' }),
  'room-changed': roomEvent('room-changed', 'RoomChanged'),
  'room-closed': roomEvent('room-closed', 'RoomClosed'),
  'participant-joined': participantEvent('participant-joined', 'ParticipantJoined'),
  'participant-changed': participantEvent('participant-changed', 'ParticipantChanged'),
  'participant-left': participantEvent('participant-left', 'ParticipantLeft'),
  'floor-changed': z
    .object({ ...about, event: z.literal('floor-changed'), ...room.pick({ floor: true }).shape })
    .meta({ id: 'FloorChanged' }),
  'speaker-changed': z
    .object({ ...about, event: z.literal('speaker-changed'), ...room.pick({ activeSpeaker: true }).shape })
    .meta({ id: 'SpeakerChanged' }),
  'stage-changed': z
    .object({
      ...{ ...about, event: z.literal('stage-changed') },
      ...room.pick({ spotlight: true, places: true, presenter: true }).shape,
    })
    .meta({ id: 'StageChanged' }),
  'recording-changed': recordingEvent('recording-changed', 'RecordingChanged'),
  'recording-ready': recordingEvent('recording-ready', 'RecordingReady'),
  'recording-removed': recordingEvent('recording-removed', 'RecordingRemoved'),
};

/** For the documents. */
export const eventMeanings: Record<EventName, string> = {
  'room-opened': 'There is a room of this name now.',
  'room-changed': 'Its settings are others.',
  'room-closed': 'The room is no more.',
  'participant-joined': 'Somebody has come, or is being called.',
  'participant-changed': 'Anything of a participant is different: state, mute, role, hand, talking.',
  'participant-left': 'Somebody has gone.',
  'floor-changed': 'The floor was given to others, or given back.',
  'speaker-changed': 'Somebody else speaks, or nobody does.',
  'stage-changed': 'Others are spotlighted, have fixed places in the picture, or show slides.',
  'recording-changed': 'A recording has begun, paused, gone on, stopped or failed, or a file of it has got on.',
  'recording-ready': 'All files are there that were wanted of a recording, and their copies elsewhere.',
  'recording-removed': 'A recording and its files were removed.',
};

/** The first of a stream, unless it resumes: all that is there. */
export const stateEvent = z
  .object({ id: about.id, rooms: z.array(room) })
  .meta({ id: 'StateEvent', description: 'The data of the event `state`.' });

export const anyEvent = z.union([stateEvent, ...eventNames.map((name) => eventSchemas[name])]);
export const eventName = z.enum(eventNames as [EventName, ...EventName[]]).meta({ id: 'EventName' });
