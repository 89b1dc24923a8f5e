import { z } from 'zod';
import { LAYOUT_NAMES, type LayoutName, VIDEO_STREAM_NAMES } from '../../mixer/video-protocol.ts';
import type { NewParticipant, ParticipantPatch } from '../focus/control.ts';
import type { ParticipantDetails, ParticipantView, PictureQuality, Role } from '../rooms/views.ts';
import { nextCursor } from './paging.ts';

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

const perSecond = z.number().meta({ description: 'Pictures a second.' });
const lossPercent = z
  .number()
  .meta({ description: 'Lost on the way; a packet that is sent again as it was has come.' });

export const pictureQuality = z
  .object({
    stream: z.enum(VIDEO_STREAM_NAMES).meta({ description: '`main` is the camera.' }),
    received: z
      .object({
        codec: z.string(),
        width: z.int(),
        height: z.int(),
        fps: perSecond,
        bitrateBps: z.int().meta({ description: 'Of the last second.' }),
        lossPercent,
        jitterMs: z.number().meta({ description: 'Interarrival jitter (RFC 3550).' }),
        broken: z.int().meta({ description: 'Pictures that could not be made of what came.' }),
        keyFramesAsked: z.int(),
      })
      .nullable()
      .meta({ description: 'What we get; null: nothing that could be seen.' }),
    sent: z
      .object({
        codec: z.string(),
        width: z.int(),
        height: z.int(),
        fps: perSecond,
        bitrateBps: z.int().meta({ description: 'What the encoder is set to.' }),
        lossPercent: lossPercent.nullable(),
        packetsResent: z.int(),
        keyFrames: z.int(),
      })
      .nullable()
      .meta({ description: 'What they get; null: nothing.' }),
    roundTripMs: z.number().nullable().meta({ description: 'Null before the first report.' }),
  })
  .meta({ id: 'PictureQuality' }) satisfies z.ZodType<PictureQuality>;

export const participantDetails = participant
  .extend({
    quality: quality.nullable().meta({
      description: 'How the call sounds. Null when nothing was received yet, or the mixer is being started again.',
    }),
    pictures: z.array(pictureQuality).meta({ description: 'How their video fares: one for each stream.' }),
  })
  .meta({ id: 'ParticipantDetails' }) satisfies z.ZodType<ParticipantDetails>;

export const participantList = z
  .object({ participants: z.array(participant), nextCursor })
  .meta({ id: 'ParticipantList' });

export const newParticipant = z
  .strictObject({
    uri: z.string().meta({ description: 'Whom to call: a sip or sips URI.' }),
    displayName: z.string().min(1).max(200).nullable().default(null).meta({ description: 'How the others see them.' }),
    role: role.default('participant'),
    recorded: z.boolean().default(true).meta({ description: 'False: they are in no recording.' }),
    video: z.boolean().nullable().default(null).meta({
      description: 'Whether they are offered video; null: if anybody in the room has it.',
    }),
    slides: z.boolean().default(false).meta({
      description:
        'They are offered video with a second stream for slides, and floor control (BFCP), as room systems have it. Some phones do not stand two streams.',
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
