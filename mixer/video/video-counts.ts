import type { VideoMixerStatistics } from '../video-protocol.ts';

/** What a video mixer process has done since its start. */
export type VideoCounts = Pick<
  VideoMixerStatistics,
  'composed' | 'encodes' | 'encodesUnshared' | 'decodes' | 'framesBroken' | 'framesSkipped'
>;

export function newCounts(): VideoCounts {
  return { composed: 0, encodes: 0, encodesUnshared: 0, decodes: 0, framesBroken: 0, framesSkipped: 0 };
}
