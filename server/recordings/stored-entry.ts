import { z } from 'zod';
import { RECORDING_FORMATS, type RecordingFileView, type RecordingView } from '../rooms/views.ts';

/** Where in a recording one of its parts begins: there is a new one after a mixer died. */
export interface RecordingPart {
  number: number;
  startMs: number;
}

/** What only this folder needs to know of a recording. */
export interface EntryInternals {
  readonly parts: readonly RecordingPart[];
  /** Of the picture; none when there is none. */
  readonly videoParts: readonly RecordingPart[];
  /** What was captured is on this disk; false: only what was made of it was kept, and that elsewhere. */
  readonly captured: boolean;
}

/** What is known of a recording. */
export interface CatalogueEntry extends EntryInternals {
  readonly view: RecordingView;
}

export interface StoredEntry extends CatalogueEntry {
  /** It is only there until its copies elsewhere are gone, too. */
  readonly removed: boolean;
}

const part = z.object({ number: z.int(), startMs: z.number() });

const recordingFile: z.ZodType<RecordingFileView> = z.object({
  format: z.enum(RECORDING_FORMATS),
  normalized: z.boolean(),
  state: z.enum(['queued', 'working', 'ready', 'failed']),
  progress: z.number(),
  bytes: z.number().nullable(),
  sha256: z.string().nullable(),
  error: z.string().nullable(),
  stored: z.string().nullable(),
});

/** As it is on the disk; what older versions did not write has what was so then. */
export const storedEntry = z
  .object({
    id: z.string().regex(/^[0-9]{8}-[0-9]{6}-[0-9a-f]{12}$/),
    room: z.string(),
    state: z.enum(['recording', 'paused', 'stopped', 'failed']),
    startedAt: z.iso.datetime(),
    stoppedAt: z.iso.datetime().nullable(),
    durationMs: z.number().nullable(),
    bytes: z.number().nullable(),
    error: z.string().nullable(),
    startedBy: z.enum(['moderator', 'keys', 'policy']).default('moderator'),
    tracks: z.boolean().default(false),
    encrypted: z.boolean().default(false),
    participants: z.array(z.string()).default([]),
    files: z.array(recordingFile).default([]),
    video: z.boolean().default(false),
    videoError: z.string().nullable().default(null),
    parts: z.array(part).default([{ number: 1, startMs: 0 }]),
    videoParts: z.array(part).default([]),
    captured: z.boolean().default(true),
    removed: z.boolean().default(false),
  })
  .transform(({ parts, videoParts, captured, removed, ...view }): StoredEntry => {
    return { view, parts, videoParts, captured, removed };
  });

/** What is written. */
export function entryText({ view, ...internals }: StoredEntry): string {
  return `${JSON.stringify({ ...view, ...internals }, null, 2)}\n`;
}
