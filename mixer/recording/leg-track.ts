import type { AudioCodecName } from '../protocol.ts';
import type { PlayedPackets } from './played-packets.ts';
import type { TrackFile } from './track-file.ts';

/**
 * So far may the sender's clock and the mix be apart before the track is put right. The mix moves by 2.5 to 15 ms at a
 * time, when the jitter buffer stretches a packet; so at the end of that one the track is off by no more than 20.
 */
const MOST_APART_MS = 3;
/**
 * The mix is late by what its limiter (2 ms) and its Opus encoder take (2.5 ms of CELT alone, 6.5 ms with SILK), which a
 * track does not go through: by 2 ms more or less than this.
 */
const MIX_DELAY_MS = 6.5;

export interface LegTrackOptions {
  clockRateOf(codec: AudioCodecName): number;
  /** For a run of one codec; null when there are too many. */
  openFile(codec: AudioCodecName): TrackFile | null;
  closeFile(file: TrackFile): void;
}

/**
 * One participant's packets on the time line of a recording, as they were received: where the mix has them.
 *
 * Their time stamps follow the sender's RTP clock, so that the sound is as even as it was sent; when that and the mix are
 * too far apart, as after a pause, a jump or some minutes of two clocks, they begin anew where the mix is.
 */
export class LegTrack {
  file: TrackFile | null = null;
  private readonly options: LegTrackOptions;
  private codec: AudioCodecName | null = null;
  private ticksPerMs = 0;
  private anchorMs = Number.NEGATIVE_INFINITY;
  private anchorTimestamp = 0;

  constructor(options: LegTrackOptions) {
    this.options = options;
  }

  /** The packets of the 20 ms that begin at `positionMs`. */
  take(played: PlayedPackets, positionMs: number): void {
    for (let index = 0; index < played.count; index++) {
      const codec = played.codecs[index]!;
      if (codec !== this.codec) this.begin(codec);
      if (this.file === null) continue;
      const payload = played.payloads[index]!;
      const atMs = this.place(played.timestamps[index]!, positionMs + played.offsetsMs[index]! + MIX_DELAY_MS);
      this.file.write(payload, payload.length, atMs);
    }
  }

  end(): void {
    if (this.file !== null) this.options.closeFile(this.file);
    this.file = null;
  }

  private begin(codec: AudioCodecName): void {
    this.end();
    this.codec = codec;
    this.ticksPerMs = this.options.clockRateOf(codec) / 1000;
    this.anchorMs = Number.NEGATIVE_INFINITY;
    this.file = this.options.openFile(codec);
  }

  private place(timestamp: number, mixMs: number): number {
    const byClockMs = this.anchorMs + ((timestamp - this.anchorTimestamp) | 0) / this.ticksPerMs;
    if (Math.abs(byClockMs - mixMs) <= MOST_APART_MS) return byClockMs;
    this.anchorMs = mixMs;
    this.anchorTimestamp = timestamp;
    return mixMs;
  }
}
