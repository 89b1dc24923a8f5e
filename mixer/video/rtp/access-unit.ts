import type { VideoCodecName } from '../../video-protocol.ts';

/** What a picture is decoded from. */
export interface AccessUnit {
  codec: VideoCodecName;
  /** Its own memory. H.264: a byte stream (annex B), with the parameter sets before a key frame. VP8: a frame. */
  data: Uint8Array;
  /** 90 kHz, 32 bits. */
  rtpTimestamp: number;
  /** Decoding can begin here: an IDR picture, or one with a recovery point, or a VP8 key frame. */
  keyFrame: boolean;
  /** All of it came. False only with H.264, where the decoder can make up what is missing. */
  intact: boolean;
  /** Something was lost since the last intact key frame, so that the picture may be damaged though this unit is whole. */
  afterLoss: boolean;
  /** When the first of its packets came. */
  arrivedMs: number;
}
