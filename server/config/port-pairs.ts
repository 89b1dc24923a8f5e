/** How many calls find media ports in the range: RTP takes an even port, RTCP the next. */
export function portPairs({ rtpMin, rtpMax }: { rtpMin: number; rtpMax: number }): number {
  return Math.max(0, Math.floor((rtpMax - rtpMin + 1) / 2));
}
