import { WaveformConcealment } from '../audio/waveform-concealment.ts';
import type { AudioDecoder, AudioEncoder } from './codec.ts';

/** L16 (RFC 3551 §4.5.11): samples of 16 bits, the higher octet first; for recorders and bots, which need no decoder. */

/** Below any threshold of voice activity: −66 dBov. */
const SILENT_PEAK = 16;

class L16Decoder implements AudioDecoder {
  readonly sampleRateHz: number;
  readonly historyPackets = 0;
  private readonly concealment: WaveformConcealment;

  constructor(sampleRateHz: number) {
    this.sampleRateHz = sampleRateHz;
    this.concealment = new WaveformConcealment(sampleRateHz);
  }

  decode(payload: Uint8Array, out: Int16Array, offset: number): number {
    const samples = this.samplesIn(payload);
    if (offset + samples > out.length) return 0;
    for (let i = 0; i < samples; i++) out[offset + i] = (payload[2 * i]! << 8) | payload[2 * i + 1]!;
    this.concealment.received(out, offset, samples);
    return samples;
  }

  samplesIn(payload: Uint8Array): number {
    return payload.length >> 1;
  }

  saysSilence(payload: Uint8Array): boolean {
    const samples = this.samplesIn(payload);
    for (let i = 0; i < samples; i++) {
      const sample = ((payload[2 * i]! << 24) >> 16) | payload[2 * i + 1]!;
      if (sample > SILENT_PEAK || sample < -SILENT_PEAK) return false;
    }
    return true;
  }

  repairsPrevious(): boolean {
    return false;
  }

  conceal(samples: number, out: Int16Array, offset: number): void {
    this.concealment.conceal(samples, out, offset);
  }

  close(): void {}
}

class L16Encoder implements AudioEncoder {
  readonly hasMemory = false;
  readonly sampleRateHz: number;

  constructor(sampleRateHz: number) {
    this.sampleRateHz = sampleRateHz;
  }

  encode(pcm: Int16Array, offset: number, samples: number, out: Uint8Array, outOffset: number): number {
    for (let i = 0; i < samples; i++) {
      const sample = pcm[offset + i]!;
      out[outOffset + 2 * i] = sample >> 8;
      out[outOffset + 2 * i + 1] = sample;
    }
    return 2 * samples;
  }

  adopt(): void {}

  close(): void {}
}

export function createL16Decoder(sampleRateHz: number): AudioDecoder {
  return new L16Decoder(sampleRateHz);
}

export function createL16Encoder(sampleRateHz: number): AudioEncoder {
  return new L16Encoder(sampleRateHz);
}
