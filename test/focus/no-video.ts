import type { VideoStreams } from '../../server/focus/participant-video.ts';

/** A server without video mixers. */
export function noVideo(): VideoStreams {
  const unused = (): never => {
    throw new Error('there is no video');
  };
  return {
    ...{ available: false, isUp: false },
    ...{ openStream: unused, updateStream: unused, moveStream: unused, closeStream: unused },
    streamStatistics: unused,
    ...{ sendKeyFrame: unused, soundDelay: () => {} },
  };
}
