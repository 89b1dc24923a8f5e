import { z } from 'zod';
import { LAYOUT_NAMES, type LayoutName } from '../../mixer/video-protocol.ts';
import type {
  Announcement,
  AnnouncementPatch,
  AnnouncementProgress,
  BreakoutGroup,
  MessageDelivery,
  NewAnnouncement,
  NewMessage,
  NewParticipant,
  NewRecording,
  ParticipantPatch,
  RecordingMark,
  RoomPatch,
} from '../focus/control.ts';
import type { RegistrationView, UserView } from '../registrar/user-control.ts';
import { policyNotes, policyShape, type RoomPolicy, type SaidPolicy } from '../rooms/policy.ts';
import {
  type ParticipantDetails,
  type ParticipantView,
  RECORDING_FORMATS,
  type RecordingFileView,
  type RecordingFormat,
  type RecordingView,
  type Role,
  type RoomView,
} from '../rooms/views.ts';
import type { SoundView } from '../sounds/sound-library.ts';
import { nextCursor } from './paging.ts';
import { type ProblemDocument, problemCodes } from './problems.ts';

// Each schema is pinned to the type that the conference uses, so that neither changes without the other.

const role: z.ZodType<Role> = z.enum(['participant', 'moderator', 'listener']).meta({ id: 'Role' });
const layout: z.ZodType<LayoutName> = z.enum(LAYOUT_NAMES).meta({ id: 'Layout' });
const timestamp = z.iso.datetime();

export const participant = z
  .object({
    id: z.string(),
    uri: z.string().meta({ description: 'The SIP URI that the participant calls from, or was called at.' }),
    displayName: z.string().nullable(),
    role,
    state: z.enum(['connecting', 'entering', 'lobby', 'waiting', 'connected', 'on-hold', 'disconnecting']).meta({
      description:
        'entering: is asked for PIN or name; lobby: waits to be admitted; waiting: for the moderator to come.',
    }),
    muted: z
      .object({ by: z.enum(['moderator', 'self']) })
      .nullable()
      .meta({ description: 'Null when the participant can be heard.' }),
    deaf: z.boolean().meta({ description: 'Hears nobody.' }),
    gainDb: z.number().meta({ description: 'Gain on what the participant sends.' }),
    volumeDb: z.number().meta({ description: 'Gain on what the participant hears.' }),
    talking: z.boolean(),
    levelDb: z.number().nullable().meta({ description: 'Level of what the participant sends, dB of full scale.' }),
    hand: z.boolean().meta({ description: 'Has raised a hand.' }),
    handRaisedAt: timestamp.nullable().meta({ description: 'Whose is earliest has raised it first.' }),
    speaksTo: z.array(z.string()).nullable().meta({ description: 'Who alone hears this one, by id; null: all do.' }),
    recorded: z.boolean().meta({ description: 'False: in no recording, neither in the mix nor in a track.' }),
    audio: z
      .object({
        codec: z.string(),
        clockRateHz: z.int(),
        direction: z.string().meta({ description: 'As the server sees it: sendrecv, sendonly, recvonly or inactive.' }),
      })
      .nullable(),
    video: z
      .object({
        codec: z.string(),
        direction: z.string().meta({ description: 'As the server sees it, as of `audio`.' }),
        width: z.int().nullable().meta({ description: 'Of the pictures that come; null: none do.' }),
        height: z.int().nullable(),
        slides: z.boolean().meta({ description: 'Shows slides as well, as a second stream.' }),
      })
      .nullable()
      .meta({ description: 'Null: sound alone.' }),
    camera: z.boolean().meta({ description: 'False: a moderator has turned their picture off.' }),
    layout: layout.nullable().meta({ description: 'What they have chosen to see; null: as the room has it.' }),
    hideSelf: z
      .boolean()
      .nullable()
      .meta({ description: 'Whether they do not see themselves; null: as the room has it.' }),
    joinedAt: timestamp,
  })
  .meta({ id: 'Participant' }) satisfies z.ZodType<ParticipantView>;

const scoreOf = (what: string) =>
  z.number().meta({ description: `Estimated mean opinion score of ${what}, 1 (bad) to 4.5 (ITU-T G.107).` });

export const quality = z
  .object({
    received: z.object({
      mos: scoreOf('what we get from the participant'),
      lossPercent: z.number().meta({ description: 'Lost on the way, since the call began.' }),
      jitterMs: z.number().meta({ description: 'Interarrival jitter (RFC 3550).' }),
      concealedPercent: z.number().meta({ description: 'Lost or too late, and made up.' }),
      burstLossPercent: z.number().meta({ description: 'Loss within bursts (RFC 3611 §4.7.2).' }),
      burstMs: z.number().meta({ description: 'How long bursts last, on average.' }),
      gapLossPercent: z.number().meta({ description: 'Loss between bursts.' }),
      gapMs: z.number().meta({ description: 'How long it is between bursts, on average.' }),
    }),
    sent: z
      .object({
        mos: scoreOf('what the participant gets from us'),
        lossPercent: z.number().meta({ description: 'Lost on the way, by the last report (RFC 3550).' }),
        jitterMs: z.number().nullable(),
        discardedPercent: z.number().nullable().meta({ description: 'Too late for the phone (RFC 3611).' }),
        burstLossPercent: z.number().nullable().meta({ description: 'Loss within bursts (RFC 3611).' }),
      })
      .nullable()
      .meta({ description: "By the phone's own reports; null before the first." }),
    roundTripMs: z.number().nullable().meta({ description: 'Null before the first report.' }),
    bufferDelayMs: z.number().meta({ description: 'What our jitter buffer adds at present.' }),
  })
  .meta({ id: 'Quality' });

export const participantDetails = participant
  .extend({
    quality: quality.nullable().meta({
      description: 'How the call sounds. Null when nothing was received yet, or the mixer is being started again.',
    }),
  })
  .meta({ id: 'ParticipantDetails' }) satisfies z.ZodType<ParticipantDetails>;

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
export const participantList = z
  .object({ participants: z.array(participant), nextCursor })
  .meta({ id: 'ParticipantList' });
export const recordingList = z.object({ recordings: z.array(recording), nextCursor }).meta({ id: 'RecordingList' });

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

export const newParticipant = z
  .strictObject({
    uri: z.string().meta({ description: 'Whom to call: a sip or sips URI.' }),
    displayName: z.string().min(1).max(200).nullable().default(null).meta({ description: 'How the others see them.' }),
    role: role.default('participant'),
    recorded: z.boolean().default(true).meta({ description: 'False: they are in no recording.' }),
    video: z.boolean().nullable().default(null).meta({
      description: 'Whether they are offered video; null: if anybody in the room has it.',
    }),
    confirm: z.boolean().default(false).meta({
      description: 'They hear that they are invited and must press 1; else they are hung up on. Keeps mailboxes out.',
    }),
    retries: z.int().min(0).max(20).default(0).meta({
      description: 'How often they are called again when they are busy, do not answer or do not press 1.',
    }),
    retryAfterS: z.int().min(1).max(3600).default(30).meta({ description: 'Seconds from one call to the next.' }),
  })
  .meta({ id: 'NewParticipant' }) satisfies z.ZodType<NewParticipant>;

export const participantPatch = z
  .strictObject({
    muted: z.boolean(),
    deaf: z.boolean(),
    gainDb: z.number().min(-60).max(20),
    volumeDb: z.number().min(-30).max(20),
    role,
    hand: z.boolean(),
    recorded: z.boolean().meta({ description: 'False: they are in no recording from now on.' }),
    speaksTo: z
      .array(z.string())
      .max(100)
      .nullable()
      .meta({ description: 'Participants of the room who alone hear this one: a whisper. Null: all do.' }),
    camera: z.boolean().meta({ description: 'False turns their picture off: the others see their name.' }),
    layout: layout.nullable().meta({ description: 'What they see; null: as the room has it.' }),
    hideSelf: z
      .boolean()
      .nullable()
      .meta({ description: 'Whether they do not see themselves; null: as the room has it.' }),
    room: z.string().meta({ description: 'Moves them there.' }),
    admitted: z.literal(true).meta({ description: 'Lets them in from the lobby, or from waiting for a moderator.' }),
  })
  .partial()
  .meta({ id: 'ParticipantPatch' }) satisfies z.ZodType<ParticipantPatch>;

const announcementGain = z.number().min(-60).max(20);
const announcementPosition = z.int().min(0).max(86_400_000);

export const newAnnouncement = z
  .strictObject({
    prompt: z
      .string()
      .min(1)
      .max(64)
      .nullable()
      .default(null)
      .meta({ description: 'Id of a prompt, ours or your own.' }),
    recording: z.string().nullable().default(null).meta({ description: 'Id of a recording of this room.' }),
    sound: z.string().nullable().default(null).meta({ description: 'Id of a sound that was uploaded.' }),
    participant: z.string().nullable().default(null).meta({ description: 'Who alone hears it; null: all do.' }),
    gainDb: announcementGain.default(0),
    startMs: announcementPosition.default(0).meta({ description: 'Where to begin.' }),
    repeat: z.boolean().default(false).meta({ description: 'Until it is removed.' }),
  })
  .refine(({ prompt, recording, sound }) => [prompt, recording, sound].filter((one) => one !== null).length === 1, {
    message: 'There must be one of `prompt`, `recording` and `sound`.',
  })
  .meta({ id: 'NewAnnouncement' }) satisfies z.ZodType<NewAnnouncement>;

export const announcement = newAnnouncement
  .safeExtend({
    id: z.string(),
    room: z.string(),
    createdAt: timestamp.meta({ description: 'When it was asked for.' }),
  })
  .meta({ id: 'Announcement' }) satisfies z.ZodType<Announcement>;

export const announcementList = z
  .object({ announcements: z.array(announcement), nextCursor })
  .meta({ id: 'AnnouncementList' });

export const announcementProgress = announcement
  .safeExtend({
    positionMs: z.number().meta({ description: 'What is played next, from the beginning.' }),
    durationMs: z.number(),
  })
  .meta({ id: 'AnnouncementProgress' }) satisfies z.ZodType<AnnouncementProgress>;

export const announcementPatch = z
  .strictObject({
    gainDb: announcementGain,
    positionMs: announcementPosition.meta({ description: 'Where to go on; the end when there is not so much.' }),
  })
  .partial()
  .meta({ id: 'AnnouncementPatch' }) satisfies z.ZodType<AnnouncementPatch>;

export const sound = z
  .object({
    id: z.string(),
    name: z.string().meta({ description: 'What people call it.' }),
    durationMs: z.number(),
    createdAt: timestamp,
  })
  .meta({ id: 'Sound' }) satisfies z.ZodType<SoundView>;

export const soundList = z.object({ sounds: z.array(sound), nextCursor }).meta({ id: 'SoundList' });

const messageText = z
  .string()
  .min(1)
  .max(1000)
  .refine((text) => text === '' || text.trim() !== '', { message: 'There must be more than blanks.' })
  // Unpaired surrogates cannot be written as UTF-8.
  .refine((text) => !/\p{Cs}|[^\P{Cc}\t\n\r]/u.test(text), {
    message: 'There must be no control characters but tabs and line breaks, and no half characters.',
  });

export const newMessage = z
  .strictObject({
    text: messageText.meta({ description: 'Plain text, sent by SIP MESSAGE.' }),
    to: z
      .array(z.string())
      .min(1)
      .max(1000)
      .nullable()
      .default(null)
      .meta({ description: 'Who gets it, by id, also who waits to be let in. Null: all who have entered.' }),
  })
  .meta({ id: 'NewMessage' }) satisfies z.ZodType<NewMessage>;

const messageDelivery = z
  .object({
    participant: z.string(),
    outcome: z.enum(['delivered', 'refused', 'unreachable', 'pending']).meta({
      description:
        'delivered: the phone took it; refused: it did not, perhaps as it takes no texts; unreachable: it does not answer; pending: it had not answered when this was.',
    }),
    status: z.int().nullable().meta({ description: 'That of SIP; null while it is pending.' }),
  })
  .meta({ id: 'MessageDelivery' }) satisfies z.ZodType<MessageDelivery>;

export const messageDeliveries = z.object({ deliveries: z.array(messageDelivery) }).meta({ id: 'MessageDeliveries' });

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

export const user = z
  .object({
    name: z.string(),
    uri: z.string().meta({ description: 'What others call: the address of record.' }),
    displayName: z.string().nullable(),
    createdAt: timestamp,
    changedAt: timestamp.meta({ description: 'When the password or the display name was last set.' }),
    registrations: z.int().meta({ description: 'How many phones are registered.' }),
  })
  .meta({ id: 'User' }) satisfies z.ZodType<UserView>;

export const userList = z.object({ users: z.array(user), nextCursor }).meta({ id: 'UserList' });

export const userPut = z
  .strictObject({
    password: z.string().min(8).max(128).meta({ description: 'Only digests of it are kept.' }),
    displayName: z.string().min(1).max(128).nullable().default(null),
  })
  .meta({ id: 'UserPut' });

export const registration = z
  .object({
    id: z.string(),
    contact: z.string().meta({ description: 'The URI that the phone gave.' }),
    source: z.string().meta({ description: 'Address and port that it registered from.' }),
    transport: z.string().meta({ description: 'udp, tcp, tls, ws or wss.' }),
    userAgent: z.string().nullable(),
    q: z.number().nullable().meta({ description: 'Preference, 0 to 1.' }),
    instance: z.string().nullable().meta({ description: "The phone's own identity (RFC 5626)." }),
    path: z.array(z.string()).meta({ description: 'Proxies on the way to the phone (RFC 3327).' }),
    registeredAt: timestamp,
    expiresAt: timestamp,
  })
  .meta({ id: 'Registration' }) satisfies z.ZodType<RegistrationView>;

export const registrationList = z
  .object({ registrations: z.array(registration), nextCursor })
  .meta({ id: 'RegistrationList' });

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(problemCodes).meta({ description: 'Stable: what programs decide by.' }),
    detail: z.string().optional(),
    errors: z
      .array(
        z.object({
          pointer: z.string().optional().meta({ description: 'JSON pointer into the body.' }),
          parameter: z.string().optional().meta({ description: 'Name of the query parameter.' }),
          detail: z.string(),
        }),
      )
      .optional(),
    requestId: z.string().optional(),
  })
  .meta({ id: 'Problem', description: 'A problem document (RFC 9457).' });

// A document that we write is one that the schema describes; the other way round, `undefined` is in the way.
type Described = ProblemDocument extends z.input<typeof problem> ? true : never;
export const problemIsDescribed: Described = true;
