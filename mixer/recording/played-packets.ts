import type { AudioCodecName } from '../protocol.ts';

/** Packets of 2.5 ms, and some that hold nothing. */
const MOST_PACKETS = 16;
const NO_PAYLOAD = new Uint8Array(0);

/** Which packets the jitter buffer gave to a participant's last 20 ms, and where in these; filled without allocation. */
export class PlayedPackets {
  count = 0;
  readonly codecs: AudioCodecName[] = new Array(MOST_PACKETS).fill('PCMU');
  /** Valid until the next tick. */
  readonly payloads: Uint8Array[] = new Array(MOST_PACKETS).fill(NO_PAYLOAD);
  /** Of the RTP clock. */
  readonly timestamps = new Uint32Array(MOST_PACKETS);
  /** Their first sample, after the beginning of the 20 ms. */
  readonly offsetsMs = new Float64Array(MOST_PACKETS);

  add(codec: AudioCodecName, payload: Uint8Array, timestamp: number, offsetMs: number): void {
    const { count } = this;
    if (count === MOST_PACKETS) return;
    this.codecs[count] = codec;
    this.payloads[count] = payload;
    this.timestamps[count] = timestamp;
    this.offsetsMs[count] = offsetMs;
    this.count++;
  }
}
