import { z } from 'zod';
import { type EventName, eventNames } from '../events/room-event.ts';
import { participant, recording, room } from './schemas.ts';

const about = {
  id: z.string().meta({ description: 'Nothing else ever has it; the one for `Last-Event-ID`.' }),
  at: z.iso.datetime(),
  room: z.string().meta({ description: 'Its name.' }),
  version: z.int().meta({ description: "The room's, after the change." }),
};

const settings = room
  .omit({ name: true, version: true, participants: true, recordings: true })
  .meta({ id: 'RoomSettings', description: 'What the room is like, without who is in it.' });

const roomEvent = (event: EventName, id: string) =>
  z.object({ ...about, event: z.literal(event), settings }).meta({ id });
const participantEvent = (event: EventName, id: string) =>
  z.object({ ...about, event: z.literal(event), participant }).meta({ id });

/** Of every event, the data of its server-sent event and the body of its webhook. */
export const eventSchemas: Record<EventName, z.ZodObject> = {
  'room-opened': roomEvent('room-opened', 'RoomOpened'),
  'room-changed': roomEvent('room-changed', 'RoomChanged'),
  'room-closed': roomEvent('room-closed', 'RoomClosed'),
  'participant-joined': participantEvent('participant-joined', 'ParticipantJoined'),
  'participant-changed': participantEvent('participant-changed', 'ParticipantChanged'),
  'participant-left': participantEvent('participant-left', 'ParticipantLeft'),
  'recording-changed': z
    .object({ ...about, event: z.literal('recording-changed'), recording })
    .meta({ id: 'RecordingChanged' }),
};

/** For the documents. */
export const eventMeanings: Record<EventName, string> = {
  'room-opened': 'There is a room of this name now.',
  'room-changed': 'Its settings are others.',
  'room-closed': 'The room is no more.',
  'participant-joined': 'Somebody has come, or is being called.',
  'participant-changed': 'Anything of a participant is different: state, mute, role, hand, talking.',
  'participant-left': 'Somebody has gone.',
  'recording-changed': 'A recording has begun, stopped or failed.',
};

/** The first of a stream, unless it resumes: all that is there. */
export const stateEvent = z
  .object({ id: about.id, rooms: z.array(room) })
  .meta({ id: 'StateEvent', description: 'The data of the event `state`.' });

export const anyEvent = z.union([stateEvent, ...eventNames.map((name) => eventSchemas[name])]);
export const eventName = z.enum(eventNames as [EventName, ...EventName[]]).meta({ id: 'EventName' });
