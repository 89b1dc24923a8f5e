import type { AudioCodecName } from '../protocol.ts';

/**
 * What every audio codec of the mixer looks like. PCM everywhere in the mixer: signed 16-bit, mono, in Int16Array.
 * Buffers belong to the caller, who must make them large enough; nothing is kept of them after a call.
 */

export interface AudioDecoder {
  /** Of its output. */
  readonly sampleRateHz: number;
  /**
   * Decodes one payload into `out` from `offset`; returns the number of samples written; 0 for a payload that cannot be
   * decoded. Never throws on bad input.
   */
  decode(payload: Uint8Array, out: Int16Array, offset: number): number;
  /**
   * Number of samples that the payload will decode to, without decoding it (for G.711 and G.722 from its length, for
   * Opus from its packet headers); 0 for a payload that cannot be decoded.
   */
  samplesIn(payload: Uint8Array): number;
  /**
   * Whether the packet tells, without being decoded, that it holds silence. False: it may hold anything. To be asked once
   * for each packet in turn, except those that are decoded or left out unasked.
   */
  saysSilence(payload: Uint8Array): boolean;
  /** So many of the last packets that were not decoded must be, before the one that is heard. */
  readonly historyPackets: number;
  /** In the last packet, which was asked and then decoded, there was nothing to hear: for those that learn what silence is. */
  heardNothing?(): void;
  /**
   * Fills `samples` samples in place of a packet that is missing (fades to silence after ~60–100 ms); `following` is the
   * payload of the packet right after it, if that is there, which may hold a copy of what is missing.
   */
  conceal(samples: number, out: Int16Array, offset: number, following?: Uint8Array | null): void;
  /** Whether the payload holds a copy of what was right before it, so that `conceal` can do well with it. */
  repairsPrevious(payload: Uint8Array): boolean;
  /** Gives back what the decoder holds; it must not be used afterwards. */
  close(): void;
}

export interface AudioEncoder {
  readonly sampleRateHz: number;
  /**
   * Encodes `samples` samples of `pcm` from `offset`; writes the payload into `out` at `outOffset`; returns its length
   * in bytes; 0 when there is nothing to send.
   */
  encode(pcm: Int16Array, offset: number, samples: number, out: Uint8Array, outOffset: number): number;
  /** Whether what it makes depends on what it encoded before, so that a decoder is not at home with another's packets at once. */
  readonly hasMemory: boolean;
  /** Goes on as if it had encoded all that `other`, of the same codec and `lowDelay`, has; with its own options from then on. */
  adopt(other: AudioEncoder): void;
  /** Gives back what the encoder holds; it must not be used afterwards. */
  close(): void;
}

/** What the load of the machine leaves for encoding; goes down and up while encoders are at work. */
export interface ComplexityLimit {
  /** 0–10. */
  readonly complexity: number;
}

export interface ComplexityLimits extends ComplexityLimit {
  /** For encoders that one person hears. */
  readonly own: ComplexityLimit;
}

/** Settings of an Opus encoder (RFC 7587 §6.1); other codecs ignore them. Two encoders with equal options make equal bytes. */
export interface EncoderOptions {
  /** 0–10: CPU against quality. */
  complexity: number;
  /** Keeps `complexity` down, now or later. */
  complexityLimit?: ComplexityLimit;
  bitrateBps: number;
  /** `useinbandfec`: carry a coarse copy of the last frame. Works only with an expected loss above 0. */
  inbandFec: boolean;
  /** `usedtx`: send nothing in silence, but for a packet every 400 ms (RFC 6716 §2.1.9, RFC 7587 §3.1.3). */
  dtx: boolean;
  /** 0–100. */
  expectedLossPercent: number;
  /** `maxplaybackrate`: what the listener can play at most; nothing above half of it is encoded. */
  maxPlaybackRateHz?: number;
  /** `cbr`: packets are all of one length. */
  constantBitrate?: boolean;
  /** CELT only: half the time of an encode, for more bits; and 2.5 ms of delay in place of 6.5. */
  lowDelay?: boolean;
}

export interface AudioCodec {
  readonly name: AudioCodecName;
  /** 8000, 16000 or 48000. */
  readonly sampleRateHz: number;
  /** Of RTP timestamps, which for G.722 is not the sampling rate (RFC 3551 §4.5.2). */
  readonly rtpClockRateHz: number;
  createDecoder(): AudioDecoder;
  createEncoder(options: EncoderOptions): AudioEncoder;
}
