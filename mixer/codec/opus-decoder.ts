import type { AudioDecoder } from './codec.ts';
import type { OpusSampleRateHz } from './opus.ts';
import { type OpusDecoderRuntime, opusDecoderRuntime } from './opus-decoder-runtime.ts';
import { opusPacketHasFec, opusPacketSamples, opusPacketSaysSilence } from './opus-packet.ts';

/** Decodes Opus (RFC 6716, RFC 7587), always to mono. One whose WebAssembly instance broke goes on in a new one. */

/** Concealment keeps its level for so long, then goes down to silence in a straight line. */
const FADE_START_MS = 60;
const FADE_END_MS = 100;
/** After a faded concealment, sound comes back over so long. */
const FADE_IN_MS = 5;

/** Some 80 ms. */
const HISTORY_PACKETS = 4;

/** The shortest frame, of which whatever is concealed must be a multiple: 2.5 ms. */
const UNITS_PER_S = 400;
const MAX_CONCEALED_UNITS = 48;
/** The piece that is concealed at the moment, for all decoders; as long as it may be at 48 kHz. */
const concealment = new Int16Array((48_000 / UNITS_PER_S) * MAX_CONCEALED_UNITS);

class OpusDecoder implements AudioDecoder {
  readonly sampleRateHz: number;
  readonly historyPackets = HISTORY_PACKETS;
  private runtime: OpusDecoderRuntime;
  private decoder: number;
  private readonly unitSamples: number;
  /** Samples made up from nothing since the last packet. */
  private concealedSamples = 0;

  constructor(sampleRateHz: OpusSampleRateHz) {
    this.sampleRateHz = sampleRateHz;
    this.runtime = opusDecoderRuntime();
    this.decoder = this.runtime.open(sampleRateHz);
    this.unitSamples = sampleRateHz / UNITS_PER_S;
  }

  /** Returns 0 also while a broken instance is being replaced: that packet is lost. */
  decode(payload: Uint8Array, out: Int16Array, offset: number): number {
    const expected = this.samplesIn(payload);
    if (expected === 0 || offset + expected > out.length || !this.ready()) return 0;
    const samples = this.runtime.decode(this.decoder, payload, out, offset);
    if (samples > 0) this.soundIsBack(out, offset, samples);
    return samples;
  }

  samplesIn(payload: Uint8Array): number {
    return opusPacketSamples(payload, this.sampleRateHz);
  }

  saysSilence(payload: Uint8Array): boolean {
    return opusPacketSaysSilence(payload);
  }

  repairsPrevious(payload: Uint8Array): boolean {
    return payload.length > 0 && opusPacketHasFec(payload);
  }

  conceal(samples: number, out: Int16Array, offset: number, following: Uint8Array | null = null): void {
    const most = MAX_CONCEALED_UNITS * this.unitSamples;
    let done = 0;
    // The copy is of the end of what is missing (RFC 6716 §2.1.7); libopus makes up what is before it.
    const repaired = following !== null && samples <= most && opusPacketHasFec(following);
    while (done < samples && (repaired || this.concealedSamples < this.fadeEndSamples)) {
      const wanted = Math.min(samples - done, most);
      const made = this.concealPiece(wanted, repaired ? following : null);
      if (made === 0) break;
      const used = Math.min(made, wanted);
      if (repaired) {
        out.set(concealment.subarray(0, used), offset + done);
        this.soundIsBack(out, offset + done, used);
      } else {
        this.copyFading(out, offset + done, used);
      }
      done += used;
    }
    out.fill(0, offset + done, offset + samples);
    this.concealedSamples += samples - done;
  }

  close(): void {
    this.runtime.close(this.decoder);
  }

  private get fadeEndSamples(): number {
    return (FADE_END_MS * this.sampleRateHz) / 1000;
  }

  /** Fills `concealment` with whole units, at least `wanted` samples. */
  private concealPiece(wanted: number, following: Uint8Array | null): number {
    if (!this.ready()) return 0;
    const samples = Math.ceil(wanted / this.unitSamples) * this.unitSamples;
    return this.runtime.conceal(this.decoder, following, samples, concealment, 0);
  }

  private copyFading(out: Int16Array, offset: number, samples: number): void {
    for (let i = 0; i < samples; i++) {
      out[offset + i] = concealment[i]! * this.concealmentGain(this.concealedSamples + i);
    }
    this.concealedSamples += samples;
  }

  private concealmentGain(at: number): number {
    const ms = (at * 1000) / this.sampleRateHz;
    if (ms <= FADE_START_MS) return 1;
    return ms >= FADE_END_MS ? 0 : (FADE_END_MS - ms) / (FADE_END_MS - FADE_START_MS);
  }

  private soundIsBack(out: Int16Array, offset: number, samples: number): void {
    const from = this.concealedSamples === 0 ? 1 : this.concealmentGain(this.concealedSamples);
    this.concealedSamples = 0;
    if (from === 1) return;
    const length = Math.min(samples, (FADE_IN_MS * this.sampleRateHz) / 1000);
    for (let i = 0; i < length; i++) out[offset + i] = out[offset + i]! * (from + ((1 - from) * i) / length);
  }

  private ready(): boolean {
    if (!this.runtime.broken) return true;
    this.runtime = opusDecoderRuntime();
    if (this.runtime.broken) return false;
    this.decoder = this.runtime.open(this.sampleRateHz);
    return true;
  }
}

/** A decoder whose output has this sampling rate, whatever the packets' bandwidth. */
export function createOpusDecoder(sampleRateHz: OpusSampleRateHz): AudioDecoder {
  return new OpusDecoder(sampleRateHz);
}
