import type { VideoMedia } from '../../../mixer/video-protocol.ts';
import { FORMAT } from './video-load.ts';

/** What is agreed with all senders and viewers. */

/** As a tier of 720p has it. */
export const BITRATE_BPS = 1_500_000;
/** For the video mixers. */
export const FIRST_PORT = 46_000;
export const LAST_PORT = 47_999;

export function media(direction: VideoMedia['direction'], port: number): VideoMedia {
  return {
    remote: { address: '127.0.0.1', rtpPort: port, rtcpPort: port + 1 },
    ...{ rtcpMux: true, direction, send: FORMAT, receive: [FORMAT], crypto: null },
    limits: {
      ...{ maxWidth: 1280, maxHeight: 720, maxPixels: 1280 * 720, maxPixelsPerSecond: 2 ** 30 },
      ...{ maxFps: 25, maxBitrateBps: BITRATE_BPS },
    },
  };
}
