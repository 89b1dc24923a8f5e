/** What a video mixer process has done since its start; see `VideoMixerStatistics`. */
export interface VideoCounts {
  composed: number;
  encodes: number;
  encodesUnshared: number;
  decodes: number;
  framesBroken: number;
  framesSkipped: number;
}

export function newCounts(): VideoCounts {
  return { composed: 0, encodes: 0, encodesUnshared: 0, decodes: 0, framesBroken: 0, framesSkipped: 0 };
}
