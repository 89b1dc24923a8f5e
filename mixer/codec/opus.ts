import type { AudioEncoder, EncoderOptions } from './codec.ts';
import { type OpusEncoders, opusEncoders } from './opus-encoders.ts';

/** Encodes Opus (RFC 6716, RFC 7587), always mono. One whose library broke goes on in a new one. */

export type OpusSampleRateHz = 8000 | 16000 | 24000 | 48000;

/** Requests of opus_encoder_ctl. */
const SET_APPLICATION = 4000;
const SET_BITRATE = 4002;
const SET_MAX_BANDWIDTH = 4004;
const SET_VBR = 4006;
const SET_COMPLEXITY = 4010;
const SET_INBAND_FEC = 4012;
const SET_PACKET_LOSS_PERC = 4014;
const SET_DTX = 4016;

const APPLICATION_RESTRICTED_LOWDELAY = 2051;
/** CELT alone does with half the time all that there is to be done. */
const LOW_DELAY_EFFORT = 2;
const MOST_COMPLEXITY = 10;

/** 60 ms is also the longest that surely fits the stack of the WebAssembly. */
const MAX_FRAME_MS = 60;

/** What is no longer than that says only that there is silence. */
const DTX_OCTETS = 2;

class OpusEncoder implements AudioEncoder {
  readonly hasMemory = true;
  readonly sampleRateHz: number;
  private readonly options: EncoderOptions;
  private library: OpusEncoders;
  private state: unknown;
  /** As it was last set. */
  private complexity = -1;

  constructor(sampleRateHz: OpusSampleRateHz, options: EncoderOptions, library: OpusEncoders) {
    this.sampleRateHz = sampleRateHz;
    this.options = options;
    this.library = library;
    this.state = this.open();
  }

  private open(): unknown {
    const state = this.library.open(this.sampleRateHz);
    this.configure(state);
    return state;
  }

  private configure(state: unknown): void {
    const { bitrateBps, inbandFec, dtx, expectedLossPercent, maxPlaybackRateHz, constantBitrate } = this.options;
    this.complexity = this.allowedComplexity();
    if (this.options.lowDelay) this.set(state, SET_APPLICATION, APPLICATION_RESTRICTED_LOWDELAY);
    this.set(state, SET_COMPLEXITY, this.complexity);
    if (maxPlaybackRateHz !== undefined) this.set(state, SET_MAX_BANDWIDTH, bandwidthFor(maxPlaybackRateHz));
    this.set(state, SET_VBR, constantBitrate ? 0 : 1);
    this.set(state, SET_BITRATE, bitrateBps);
    this.set(state, SET_INBAND_FEC, inbandFec ? 1 : 0);
    this.set(state, SET_PACKET_LOSS_PERC, expectedLossPercent);
    this.set(state, SET_DTX, dtx ? 1 : 0);
  }

  /**
   * `samples` must make 2.5, 5, 10, 20, 40 or 60 ms. Returns 0 when the module broke: that frame is lost. With DTX 0 also
   * in silence, where libopus makes one or two octets: "the packet does not need to be transmitted" (opus.h, opus_encode).
   */
  encode(pcm: Int16Array, offset: number, samples: number, out: Uint8Array, outOffset: number): number {
    if (samples * 1000 > MAX_FRAME_MS * this.sampleRateHz) {
      throw new RangeError(`an Opus frame of ${samples} samples is longer than ${MAX_FRAME_MS} ms`);
    }
    if (this.library.broken) {
      this.library = opusEncoders();
      this.state = this.open();
    }
    const complexity = this.allowedComplexity();
    if (complexity !== this.complexity) {
      this.complexity = complexity;
      this.set(this.state, SET_COMPLEXITY, complexity);
    }
    const length = this.library.encode(this.state, pcm, offset, samples, out, outOffset);
    return this.options.dtx && length <= DTX_OCTETS ? 0 : length;
  }

  /**
   * Copies the encoder's memory, in which its settings are too, and sets it as this one is to be. Where that cannot be, as
   * between CELT alone and more, it goes on from its own history, and the decoder has to bear it.
   */
  adopt(other: AudioEncoder): void {
    if (!(other instanceof OpusEncoder)) throw new TypeError('an Opus encoder can go on only from another');
    if (this.library !== other.library || this.library.broken) return;
    if ((this.options.lowDelay ?? false) !== (other.options.lowDelay ?? false)) return;
    this.library.copy(other.state, this.state);
    this.configure(this.state);
  }

  private allowedComplexity(): number {
    const { complexity, complexityLimit, lowDelay } = this.options;
    const allowed = complexityLimit === undefined ? complexity : Math.min(complexity, complexityLimit.complexity);
    return lowDelay ? Math.min(MOST_COMPLEXITY, allowed * LOW_DELAY_EFFORT) : allowed;
  }

  close(): void {
    this.library.close(this.state);
  }

  private set(state: unknown, request: number, value: number): void {
    const error = this.library.set(state, request, value);
    if (error < 0) throw new RangeError(`Opus refuses the value ${value} for its setting ${request} (error ${error})`);
  }
}

/** OPUS_BANDWIDTH_*: the least audio bandwidth with all that such a listener can play (RFC 7587 §3.1.1, RFC 6716 table 1). */
function bandwidthFor(playbackRateHz: number): number {
  if (playbackRateHz <= 8000) return 1101;
  if (playbackRateHz <= 12_000) return 1102;
  if (playbackRateHz <= 16_000) return 1103;
  return playbackRateHz <= 24_000 ? 1104 : 1105;
}

/** An encoder whose input has this sampling rate. Throws a RangeError for options out of range. */
export function createOpusEncoder(
  sampleRateHz: OpusSampleRateHz,
  options: EncoderOptions,
  library: OpusEncoders = opusEncoders(),
): AudioEncoder {
  return new OpusEncoder(sampleRateHz, options, library);
}
