/** How many pairs of ports are in the range: RTP takes an even port, RTCP the next. */
export function portPairs({ rtpMin, rtpMax }: { rtpMin: number; rtpMax: number }): number {
  return Math.max(0, Math.floor((rtpMax - rtpMin + 1) / 2));
}

export interface PortUse {
  rtpMin: number;
  rtpMax: number;
  /** Undefined: not said. */
  maxCalls?: number | undefined;
  videoMixers?: number | undefined;
}

/**
 * How the pairs are shared: where there is video, it gets the last third of them, but never what `maxCalls` needs for sound.
 * A call takes one of those for sound, and one for each of its video streams.
 */
export function portShares(use: PortUse): { audio: number; video: number } {
  const pairs = portPairs(use);
  const { maxCalls = 0, videoMixers = 1 } = use;
  const video = videoMixers === 0 ? 0 : Math.max(0, Math.min(Math.floor(pairs / 3), pairs - maxCalls));
  return { audio: pairs - video, video };
}
