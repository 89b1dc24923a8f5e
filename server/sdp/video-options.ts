import type { VideoMedia } from '../../mixer/video-protocol.ts';
import { type H264Level, h264Level } from './h264-profile.ts';

/** A codec as it is chosen by configuration: of H.264, each packetization mode (RFC 6184 §6.2) is one of its own. */
export const VIDEO_CODECS = ['H264', 'H264/0', 'VP8'] as const;
/** `H264` is packetization mode 1. */
export type VideoCodecChoice = (typeof VIDEO_CODECS)[number];

/** The largest picture that we take, 30 times a second: 1280×720 (H.264 level 3.1) or 1920×1080 (level 4). */
export type LargestPicture = '720p' | '1080p';

/** That there is video at all. */
export interface VideoOptions {
  /** In the order of preference; `VIDEO_CODECS` when left out. */
  codecs?: readonly VideoCodecChoice[];
  /** `720p` when left out. */
  maxReceive?: LargestPicture;
  /** What we take at most, for `b=`, bits a second; by `maxReceive` when left out: 2 or 4 Mbit/s. */
  maxReceiveBps?: number;
  /** False: a second stream, marked `a=content:slides` (RFC 4796), is refused. True when left out. */
  slides?: boolean;
}

/** What became of the video of a session; null: there is no such stream, or no longer. */
export interface AgreedVideo {
  video: VideoMedia | null;
  slides: VideoMedia | null;
}

/** The options with all that was left out, as numbers. */
export interface VideoSettings {
  codecs: readonly VideoCodecChoice[];
  level: H264Level;
  /** Macroblocks a picture, for VP8. */
  maxFs: number;
  maxFps: number;
  maxReceiveBps: number;
  slides: boolean;
}

export function videoSettings(options: VideoOptions): VideoSettings {
  const large = options.maxReceive === '1080p';
  return {
    codecs: options.codecs ?? VIDEO_CODECS,
    level: h264Level(large ? 40 : 31),
    // 120×68 and 80×45 macroblocks.
    maxFs: large ? 8160 : 3600,
    maxFps: 30,
    maxReceiveBps: options.maxReceiveBps ?? (large ? 4_000_000 : 2_000_000),
    slides: options.slides ?? true,
  };
}
