import { z } from 'zod';
import type { Announcement, AnnouncementPatch, AnnouncementProgress, NewAnnouncement } from '../focus/control.ts';
import { nextCursor } from './paging.ts';

// Each schema is pinned to the type that the conference uses, so that neither changes without the other.

const timestamp = z.iso.datetime();

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
