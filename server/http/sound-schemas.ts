import { z } from 'zod';
import type { SoundView } from '../sounds/sound-library.ts';
import { nextCursor } from './paging.ts';

// Each schema is pinned to the type that the conference uses, so that neither changes without the other.

const timestamp = z.iso.datetime();

export const sound = z
  .object({
    id: z.string(),
    name: z.string().meta({ description: 'What people call it.' }),
    durationMs: z.number(),
    createdAt: timestamp,
  })
  .meta({ id: 'Sound' }) satisfies z.ZodType<SoundView>;

export const soundList = z.object({ sounds: z.array(sound), nextCursor }).meta({ id: 'SoundList' });
