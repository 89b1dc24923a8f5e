import { z } from 'zod';
import type { BreakoutGroup, RoomPatch } from '../focus/control.ts';
import { policyNotes, policyShape, type RoomPolicy, type SaidPolicy } from '../rooms/policy.ts';
import type { RoomView } from '../rooms/views.ts';
import { nextCursor } from './paging.ts';
import { participant } from './participant-schemas.ts';
import { recording } from './recording-schemas.ts';

// Each schema is pinned to the type that the conference uses, so that neither changes without the other.

/** Each member with what the configuration's documents say of it. */
const policy = Object.fromEntries(
  Object.entries(policyShape).map(([key, schema]) => [
    key,
    (schema as z.ZodType).meta({ description: policyNotes[key as keyof RoomPolicy].meaning }),
  ]),
) as typeof policyShape;

const { pin, moderatorPin, ...shownPolicy } = policy;

export const room = z
  .object({
    name: z.string(),
    ...shownPolicy,
    pinRequired: z.boolean().meta({ description: 'Whether everybody is asked for a PIN.' }),
    moderatorPinSet: z.boolean(),
    breakoutOf: z.string().nullable().meta({ description: 'The room that its participants go back to.' }),
    origin: z.enum(['configured', 'created', 'adhoc']).meta({
      description: 'Configured rooms are always there, created ones until deleted, ad-hoc ones until empty.',
    }),
    recording: z.enum(['off', 'recording', 'paused']).meta({ description: 'Whether a recording runs.' }),
    version: z.int().meta({ description: 'Goes up by one with every change of anything in the room.' }),
    floor: z.array(z.string()).meta({ description: 'Who alone is heard by all, by id; empty: the floor is free.' }),
    activeSpeaker: z.string().nullable().meta({ description: 'Who speaks at present, by id; null: nobody.' }),
    spotlight: z.array(z.string()).meta({ description: 'Who is shown first and large, by id.' }),
    places: z
      .array(z.string().nullable())
      .meta({ description: 'Who is at which place of the picture, by id; null: whoever comes. Empty: none is fixed.' }),
    presenter: z.string().nullable().meta({ description: 'Whose slides are shown, by id; null: nobody shows any.' }),
    participants: z.array(participant),
    recordings: z.array(recording).meta({ description: 'The latest 20, oldest first; what runs is among them.' }),
  })
  .meta({ id: 'Room' }) satisfies z.ZodType<RoomView>;

const forAdministrators = 'Only shown to administrators.';

export const roomDetails = room
  .extend({
    pin: pin.optional().meta({ description: forAdministrators }),
    moderatorPin: moderatorPin.optional().meta({ description: forAdministrators }),
  })
  .meta({ id: 'RoomDetails' }) satisfies z.ZodType<RoomView>;

export const breakoutList = z.object({ rooms: z.array(room) }).meta({ id: 'BreakoutList' });

export const conferenceEnd = z.strictObject({}).meta({ id: 'ConferenceEnd' });

export const roomList = z.object({ rooms: z.array(room), nextCursor }).meta({ id: 'RoomList' });

const somePolicy = z.strictObject(policy).partial() satisfies z.ZodType<SaidPolicy>;

const MOST_PLACES = 49;

export const roomPatch = z
  .strictObject({
    ...somePolicy.shape,
    spotlight: z
      .array(z.string())
      .max(MOST_PLACES)
      .optional()
      .meta({ description: 'Who is to be shown first and large, by id; empty: nobody.' }),
    places: z.array(z.string().nullable()).max(MOST_PLACES).optional().meta({
      description: 'Who is to be at which place of the picture, by id; null: whoever comes. Empty: none is fixed.',
    }),
  })
  .meta({ id: 'RoomPatch' }) satisfies z.ZodType<RoomPatch>;

export const newRoom = z
  .strictObject({ name: z.string().meta({ description: 'What people dial.' }), ...somePolicy.shape })
  .meta({ id: 'NewRoom' });

export const newBreakouts = z
  .strictObject({
    groups: z
      .array(
        z.strictObject({
          name: z.string().optional().meta({ description: "The room's name; else one is made." }),
          participants: z.array(z.string()).min(1).max(10_000),
        }),
      )
      .min(1)
      .max(100),
  })
  .meta({ id: 'NewBreakouts' }) satisfies z.ZodType<{ groups: BreakoutGroup[] }>;

export const roomMute = z
  .strictObject({
    muted: z.boolean(),
    except: z
      .union([z.literal('moderators'), z.array(z.string())])
      .default([])
      .meta({ description: 'Who stays as they are: all moderators, or participants by id.' }),
  })
  .meta({ id: 'RoomMute' });

export const floor = z
  .strictObject({
    participants: z
      .array(z.string())
      .min(1)
      .max(100)
      .meta({ description: 'Who alone is heard by all from now on, by id. They must have entered the room.' }),
  })
  .meta({ id: 'Floor' });
