import type { AudioDecoder, AudioEncoder, EncoderOptions } from './codec.ts';
import { isOpusPacketStereo, opusPacketSamples, opusPacketSaysSilence } from './opus-packet.ts';
import { type OpusHandler, type OpusRuntime, opusRuntime } from './opus-runtime.ts';

/** Opus (RFC 6716, RFC 7587), always mono. A codec whose WebAssembly instance broke goes on with a new one. */

export type OpusSampleRateHz = 8000 | 16000 | 24000 | 48000;

/** Requests of opus_encoder_ctl. */
const SET_BITRATE = 4002;
const SET_COMPLEXITY = 4010;
const SET_INBAND_FEC = 4012;
const SET_PACKET_LOSS_PERC = 4014;
const SET_DTX = 4016;

/** 60 ms is also the longest that surely fits the module's stack. */
const MAX_FRAME_MS = 60;

/** Concealment keeps its level for so long, then goes down to silence in a straight line. */
const FADE_START_MS = 60;
const FADE_END_MS = 100;
/** After a faded concealment, sound comes back over so long. */
const FADE_IN_MS = 5;

/** TOC octets of CELT packets of one frame of 20, 10, 5 and 2.5 ms, and those lengths in units of 2.5 ms. */
const CELT_TOCS = [0xf8, 0xf0, 0xe8, 0xe0];
const CELT_UNITS = [8, 4, 2, 1];
const UNITS_PER_S = 400;

class OpusDecoder implements AudioDecoder {
  readonly sampleRateHz: number;
  private runtime: OpusRuntime;
  private handler: OpusHandler;
  private concealedSamples = 0;
  private stereo = false;
  /** A packet that holds nothing but its TOC. */
  private readonly emptyPacket = new Uint8Array(1);
  private readonly concealment: Int16Array;

  constructor(sampleRateHz: OpusSampleRateHz) {
    this.sampleRateHz = sampleRateHz;
    this.runtime = opusRuntime();
    this.handler = this.runtime.open(sampleRateHz);
    this.concealment = new Int16Array((sampleRateHz / UNITS_PER_S) * CELT_UNITS[0]!);
  }

  decode(payload: Uint8Array, out: Int16Array, offset: number): number {
    const expected = this.samplesIn(payload);
    if (expected === 0 || offset + expected > out.length) return 0;
    const samples = this.decodePacket(payload, out, offset);
    if (samples === 0) return 0;
    this.stereo = isOpusPacketStereo(payload);
    if (this.concealedSamples > 0) {
      this.fadeIn(out, offset, samples);
      this.concealedSamples = 0;
    }
    return samples;
  }

  samplesIn(payload: Uint8Array): number {
    return opusPacketSamples(payload, this.sampleRateHz);
  }

  saysSilence(payload: Uint8Array): boolean {
    return opusPacketSaysSilence(payload);
  }

  /**
   * Through the decoder's own concealment. The module has no call to conceal some length, but a frame without octets is
   * one that was not sent (RFC 6716 §3.2.1) and is concealed for the duration that its TOC says; no more is read of the TOC.
   */
  conceal(samples: number, out: Int16Array, offset: number): void {
    const fadeEnd = (FADE_END_MS * this.sampleRateHz) / 1000;
    let done = 0;
    while (done < samples && this.concealedSamples < fadeEnd) {
      const made = this.concealPiece(samples - done);
      if (made === 0) break;
      const used = Math.min(made, samples - done);
      for (let i = 0; i < used; i++) {
        out[offset + done + i] = this.concealment[i]! * this.concealmentGain(this.concealedSamples + i);
      }
      done += used;
      this.concealedSamples += used;
    }
    out.fill(0, offset + done, offset + samples);
    this.concealedSamples += samples - done;
  }

  /** Conceals as many whole units of 2.5 ms as one frame holds and are wanted, but at least one. */
  private concealPiece(wanted: number): number {
    const unitSamples = this.sampleRateHz / UNITS_PER_S;
    let choice = 0;
    while (choice < CELT_UNITS.length - 1 && CELT_UNITS[choice]! * unitSamples > wanted) choice++;
    this.emptyPacket[0] = CELT_TOCS[choice]! | (this.stereo ? 4 : 0);
    return this.decodePacket(this.emptyPacket, this.concealment, 0);
  }

  private concealmentGain(at: number): number {
    const ms = (at * 1000) / this.sampleRateHz;
    if (ms <= FADE_START_MS) return 1;
    return ms >= FADE_END_MS ? 0 : (FADE_END_MS - ms) / (FADE_END_MS - FADE_START_MS);
  }

  private fadeIn(out: Int16Array, offset: number, samples: number): void {
    const from = this.concealmentGain(this.concealedSamples);
    if (from === 1) return;
    const length = Math.min(samples, (FADE_IN_MS * this.sampleRateHz) / 1000);
    for (let i = 0; i < length; i++) out[offset + i] = out[offset + i]! * (from + ((1 - from) * i) / length);
  }

  private decodePacket(packet: Uint8Array, out: Int16Array, offset: number): number {
    if (this.runtime.broken) {
      this.runtime = opusRuntime();
      this.handler = this.runtime.open(this.sampleRateHz);
    }
    return this.runtime.decode(this.handler, packet, out, offset);
  }

  close(): void {
    this.runtime.close(this.handler);
  }
}

class OpusEncoder implements AudioEncoder {
  readonly sampleRateHz: number;
  private readonly options: EncoderOptions;
  private runtime: OpusRuntime;
  private handler: OpusHandler;

  constructor(sampleRateHz: OpusSampleRateHz, options: EncoderOptions) {
    this.sampleRateHz = sampleRateHz;
    this.options = options;
    this.runtime = opusRuntime();
    this.handler = this.open();
  }

  private open(): OpusHandler {
    const { complexity, bitrateBps, inbandFec, dtx, expectedLossPercent } = this.options;
    const handler = this.runtime.open(this.sampleRateHz);
    setControl(handler, SET_COMPLEXITY, complexity);
    setControl(handler, SET_BITRATE, bitrateBps);
    setControl(handler, SET_INBAND_FEC, inbandFec ? 1 : 0);
    setControl(handler, SET_PACKET_LOSS_PERC, expectedLossPercent);
    setControl(handler, SET_DTX, dtx ? 1 : 0);
    return handler;
  }

  /** `samples` must make 2.5, 5, 10, 20, 40 or 60 ms. Returns 0 when the module broke: that frame is lost. */
  encode(pcm: Int16Array, offset: number, samples: number, out: Uint8Array, outOffset: number): number {
    if (samples * 1000 > MAX_FRAME_MS * this.sampleRateHz) {
      throw new RangeError(`an Opus frame of ${samples} samples is longer than ${MAX_FRAME_MS} ms`);
    }
    if (this.runtime.broken) {
      this.runtime = opusRuntime();
      this.handler = this.open();
    }
    return this.runtime.encode(this.handler, pcm, offset, samples, out, outOffset);
  }

  close(): void {
    this.runtime.close(this.handler);
  }
}

function setControl(handler: OpusHandler, request: number, value: number): void {
  const error = handler._encoder_ctl(request, value);
  if (error < 0) throw new RangeError(`Opus refuses the value ${value} for its setting ${request} (error ${error})`);
}

/** A decoder whose output has this sampling rate, whatever the packets' bandwidth. */
export function createOpusDecoder(sampleRateHz: OpusSampleRateHz): AudioDecoder {
  return new OpusDecoder(sampleRateHz);
}

/** An encoder whose input has this sampling rate. Throws a RangeError for options out of range. */
export function createOpusEncoder(sampleRateHz: OpusSampleRateHz, options: EncoderOptions): AudioEncoder {
  return new OpusEncoder(sampleRateHz, options);
}
