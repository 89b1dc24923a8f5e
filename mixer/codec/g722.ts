import { WaveformConcealment } from '../audio/waveform-concealment.ts';
import type { AudioDecoder, AudioEncoder } from './codec.ts';
import { G722LineNoise } from './g722-line-noise.ts';
import { QMF, SubBand, saturate } from './g722-sub-band.ts';

/**
 * G.722 at 64 kbit/s (ITU-T G.722, RFC 3551 §4.5.2): 16 kHz in two sub-bands of ADPCM; an octet holds two samples, with
 * the higher band's two bits on top.
 */

const SAMPLE_RATE_HZ = 16000;
const TAPS = 24;
/** So long a piece goes through the filters at once; longer payloads take turns. */
const CHUNK_OCTETS = 160;
/** 140 ms: a decoder that missed what was before is then within 1 dB of one that did not. */
const HISTORY_PACKETS = 7;
const INITIAL_STEP_LOW = 32;
const INITIAL_STEP_HIGH = 8;

/** Q6 (G.722 table 5): decision levels of the lower band's quantizer. */
const Q6 = Int32Array.of(
  ...[0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121],
  ...[1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919],
);
/** Q2: the higher band's one decision level. */
const Q2 = 564;
/** QM6 (G.722 table 11): the six-bit inverse quantizer of the lower band, by its code. */
const QM6 = Int32Array.of(
  ...[-136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576],
  ...[-7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040],
  ...[-728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456],
  ...[4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136],
);

/** QUANTL: the six-bit code of a difference. */
function quantizeLow(difference: number, step: number): number {
  const magnitude = difference < 0 ? ~difference : difference;
  let low = 1;
  let high = 30;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (magnitude < Math.imul(Q6[middle]!, step) >> 12) high = middle;
    else low = middle + 1;
  }
  // Interval 1 is the innermost; table 6 numbers them downwards from 61, or for negative ones from 63, 62, 31 … 4.
  if (difference >= 0) return 62 - low;
  return low < 3 ? 64 - low : 34 - low;
}

/** Of the filters: the last samples before the piece, then the piece. Of whoever is at work. */
const sharedLine = new Int32Array(TAPS - 2 + 2 * CHUNK_OCTETS);

class G722Encoder implements AudioEncoder {
  readonly hasMemory = true;
  readonly sampleRateHz = SAMPLE_RATE_HZ;
  private readonly low = new SubBand(INITIAL_STEP_LOW);
  private readonly high = new SubBand(INITIAL_STEP_HIGH);
  /** The last samples. */
  private readonly history = new Int32Array(TAPS - 2);

  /** `samples` must be even. */
  encode(pcm: Int16Array, offset: number, samples: number, out: Uint8Array, outOffset: number): number {
    if (samples & 1) throw new RangeError(`G.722 encodes pairs of samples, not ${samples}`);
    const octets = samples >> 1;
    for (let done = 0; done < octets; done += CHUNK_OCTETS) {
      this.encodeChunk(pcm, offset + 2 * done, Math.min(CHUNK_OCTETS, octets - done), out, outOffset + done);
    }
    return octets;
  }

  private encodeChunk(pcm: Int16Array, offset: number, octets: number, out: Uint8Array, outOffset: number): void {
    const line = sharedLine;
    const { low, high } = this;
    line.set(this.history);
    for (let i = 0; i < 2 * octets; i++) line[TAPS - 2 + i] = pcm[offset + i]!;
    for (let i = 0; i < octets; i++) {
      let odd = 0;
      let even = 0;
      for (let tap = 0, at = 2 * i; tap < 12; tap++, at += 2) {
        odd += Math.imul(line[at]!, QMF[tap]!);
        even += Math.imul(line[at + 1]!, QMF[11 - tap]!);
      }
      const lowCode = quantizeLow(saturate(((even + odd) >> 14) - low.estimate), low.step);
      low.adaptLow(lowCode >> 2);

      const difference = saturate(((even - odd) >> 14) - high.estimate);
      const outer = (difference < 0 ? ~difference : difference) >= Math.imul(Q2, high.step) >> 12;
      const highCode = (difference < 0 ? 1 : 3) - (outer ? 1 : 0);
      high.adaptHigh(highCode);
      out[outOffset + i] = (highCode << 6) | lowCode;
    }
    keepEnd(this.history, 2 * octets);
  }

  adopt(other: AudioEncoder): void {
    if (!(other instanceof G722Encoder)) throw new TypeError('a G.722 encoder can go on only from another');
    this.low.adopt(other.low);
    this.high.adopt(other.high);
    this.history.set(other.history);
  }

  close(): void {}
}

class G722Decoder implements AudioDecoder {
  readonly sampleRateHz = SAMPLE_RATE_HZ;
  readonly historyPackets = HISTORY_PACKETS;
  private readonly low = new SubBand(INITIAL_STEP_LOW);
  private readonly high = new SubBand(INITIAL_STEP_HIGH);
  /** The last sums and differences of the sub-bands, in turn. */
  private readonly history = new Int32Array(TAPS - 2);
  private readonly concealment = new WaveformConcealment(SAMPLE_RATE_HZ);
  private readonly noise = new G722LineNoise();
  /** The last packet, so that `noise` can go on from here. */
  private decoded = false;

  decode(payload: Uint8Array, out: Int16Array, offset: number): number {
    const octets = payload.length;
    if (offset + 2 * octets > out.length) return 0;
    for (let done = 0; done < octets; done += CHUNK_OCTETS) {
      this.decodeChunk(payload, done, Math.min(CHUNK_OCTETS, octets - done), out, offset + 2 * done);
    }
    this.concealment.received(out, offset, 2 * octets);
    this.decoded = true;
    return 2 * octets;
  }

  private decodeChunk(payload: Uint8Array, from: number, octets: number, out: Int16Array, offset: number): void {
    const line = sharedLine;
    const { low, high } = this;
    line.set(this.history);
    for (let i = 0; i < octets; i++) {
      const octet = payload[from + i]!;
      const lowCode = octet & 0x3f;
      const lowSample = clampBand(low.estimate + (Math.imul(low.step, QM6[lowCode]!) >> 15));
      low.adaptLow(lowCode >> 2);
      const highEstimate = high.estimate;
      const highSample = clampBand(highEstimate + high.adaptHigh(octet >> 6));

      const newest = TAPS - 2 + 2 * i;
      line[newest] = lowSample + highSample;
      line[newest + 1] = lowSample - highSample;
      let odd = 0;
      let even = 0;
      for (let tap = 0, at = 2 * i; tap < 12; tap++, at += 2) {
        odd += Math.imul(line[at]!, QMF[tap]!);
        even += Math.imul(line[at + 1]!, QMF[11 - tap]!);
      }
      out[offset + 2 * i] = saturate(even >> 11);
      out[offset + 2 * i + 1] = saturate(odd >> 11);
    }
    keepEnd(this.history, 2 * octets);
  }

  samplesIn(payload: Uint8Array): number {
    return 2 * payload.length;
  }

  saysSilence(payload: Uint8Array): boolean {
    if (this.decoded) this.noise.continueFrom(this.low.logStep, this.high.logStep);
    this.decoded = false;
    return this.noise.isIn(payload);
  }

  heardNothing(): void {
    this.noise.learn();
  }

  repairsPrevious(): boolean {
    return false;
  }

  conceal(samples: number, out: Int16Array, offset: number): void {
    this.concealment.conceal(samples, out, offset);
  }

  close(): void {}
}

/** Keeps what is the history of the next piece, this one being `samples` long. */
function keepEnd(history: Int32Array, samples: number): void {
  for (let i = 0; i < history.length; i++) history[i] = sharedLine[samples + i]!;
}

/** LIMIT: sub-band signals have 15 bits. */
function clampBand(value: number): number {
  return value > 16383 ? 16383 : Math.max(value, -16384);
}

export function createG722Decoder(): AudioDecoder {
  return new G722Decoder();
}

export function createG722Encoder(): AudioEncoder {
  return new G722Encoder();
}
