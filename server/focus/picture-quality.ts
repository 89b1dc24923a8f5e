import type { VideoStreamName, VideoStreamStatistics } from '../../mixer/video-protocol.ts';
import type { PictureQuality } from '../rooms/views.ts';

/** What a video mixer has counted of a stream, as it is shown. */
export function pictureQuality(stream: VideoStreamName, counted: VideoStreamStatistics): PictureQuality {
  const { received, sent, packetsExpected, packetsLost, jitterMs, remoteFractionLost, roundTripMs } = counted;
  return {
    stream,
    received: received && {
      ...received,
      lossPercent: packetsExpected === 0 ? 0 : oneDecimal((100 * Math.max(0, packetsLost)) / packetsExpected),
      jitterMs: oneDecimal(jitterMs),
      broken: counted.framesBroken,
      keyFramesAsked: counted.keyFramesAsked,
    },
    sent: sent && {
      ...sent,
      bitrateBps: Math.round(sent.bitrateBps),
      lossPercent: remoteFractionLost === null ? null : oneDecimal(100 * remoteFractionLost),
      packetsResent: counted.retransmitted,
      keyFrames: counted.keyFramesSent,
    },
    roundTripMs: roundTripMs === null ? null : oneDecimal(roundTripMs),
  };
}

function oneDecimal(value: number): number {
  return Math.round(10 * value) / 10;
}
