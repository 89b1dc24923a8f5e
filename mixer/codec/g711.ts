import { WaveformConcealment } from '../audio/waveform-concealment.ts';
import type { AudioDecoder, AudioEncoder } from './codec.ts';

/**
 * PCMU and PCMA (ITU-T G.711, RFC 3551 §4.5.14): one octet a sample at 8 kHz.
 *
 * Encoding keeps to the Recommendation's decision values. Of 16-bit samples the magnitude is the one's complement, as in
 * the ITU's own software (G.191), so that ±1 is as silent as 0.
 */

export type G711Law = 'PCMU' | 'PCMA';

const SAMPLE_RATE_HZ = 8000;

/** G.711 table 2: 14-bit magnitudes, a bias of 33, eight segments that double in step, all bits inverted. */
function compressMuLaw(sample: number): number {
  const magnitude = (sample < 0 ? ~sample : sample) >> 2;
  const biased = Math.min(magnitude + 33, 8191);
  const segment = 31 - Math.clz32(biased) - 5;
  const code = (segment << 4) | ((biased >> (segment + 1)) & 0x0f);
  return (sample < 0 ? code : code | 0x80) ^ 0x7f;
}

function expandMuLaw(octet: number): number {
  const code = octet ^ 0xff;
  const segment = (code >> 4) & 0x07;
  const magnitude = ((((code & 0x0f) << 1) + 33) << segment) - 33;
  return (code & 0x80 ? -magnitude : magnitude) << 2;
}

/** G.711 table 1: 11-bit magnitudes, the first two segments alike in step, even bits inverted. */
function compressALaw(sample: number): number {
  const magnitude = (sample < 0 ? ~sample : sample) >> 4;
  const segment = magnitude < 16 ? 0 : 31 - Math.clz32(magnitude) - 3;
  const code = segment === 0 ? magnitude : (segment << 4) | ((magnitude >> (segment - 1)) & 0x0f);
  return (sample < 0 ? code : code | 0x80) ^ 0x55;
}

function expandALaw(octet: number): number {
  const code = octet ^ 0x55;
  const segment = (code >> 4) & 0x07;
  const step = ((code & 0x0f) << 1) + 1;
  const magnitude = segment === 0 ? step : (step + 32) << (segment - 1);
  return (code & 0x80 ? magnitude : -magnitude) << 3;
}

/** Neither law looks at the lowest two bits, so 16384 entries tell all. */
function compressionTable(compress: (sample: number) => number): Uint8Array {
  const table = new Uint8Array(16384);
  for (let i = 0; i < table.length; i++) table[i] = compress((i << 2) - 32768);
  return table;
}

function expansionTable(expand: (octet: number) => number): Int16Array {
  const table = new Int16Array(256);
  for (let i = 0; i < table.length; i++) table[i] = expand(i);
  return table;
}

/** Below any threshold of voice activity: −66 dBov, the two lowest steps of µ-law. */
const SILENT_PEAK = 16;

const COMPRESS: Record<G711Law, Uint8Array> = {
  PCMU: compressionTable(compressMuLaw),
  PCMA: compressionTable(compressALaw),
};
const EXPAND: Record<G711Law, Int16Array> = {
  PCMU: expansionTable(expandMuLaw),
  PCMA: expansionTable(expandALaw),
};

/** By octet: 1 for what is too quiet to be heard. */
const QUIET: Record<G711Law, Uint8Array> = { PCMU: quietTable(EXPAND.PCMU), PCMA: quietTable(EXPAND.PCMA) };

class G711Decoder implements AudioDecoder {
  readonly sampleRateHz = SAMPLE_RATE_HZ;
  readonly historyPackets = 0;
  private readonly table: Int16Array;
  private readonly quiet: Uint8Array;
  private readonly concealment = new WaveformConcealment(SAMPLE_RATE_HZ);

  constructor(law: G711Law) {
    this.table = EXPAND[law];
    this.quiet = QUIET[law];
  }

  decode(payload: Uint8Array, out: Int16Array, offset: number): number {
    const samples = payload.length;
    if (offset + samples > out.length) return 0;
    const table = this.table;
    for (let i = 0; i < samples; i++) out[offset + i] = table[payload[i]!]!;
    this.concealment.received(out, offset, samples);
    return samples;
  }

  samplesIn(payload: Uint8Array): number {
    return payload.length;
  }

  saysSilence(payload: Uint8Array): boolean {
    const quiet = this.quiet;
    for (let i = 0; i < payload.length; i++) if (quiet[payload[i]!] === 0) return false;
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

function quietTable(table: Int16Array): Uint8Array {
  return Uint8Array.from(table, (sample) => (Math.abs(sample) <= SILENT_PEAK ? 1 : 0));
}

class G711Encoder implements AudioEncoder {
  readonly hasMemory = false;
  readonly sampleRateHz = SAMPLE_RATE_HZ;
  private readonly table: Uint8Array;

  constructor(law: G711Law) {
    this.table = COMPRESS[law];
  }

  encode(pcm: Int16Array, offset: number, samples: number, out: Uint8Array, outOffset: number): number {
    const table = this.table;
    for (let i = 0; i < samples; i++) out[outOffset + i] = table[(pcm[offset + i]! + 32768) >> 2]!;
    return samples;
  }

  adopt(): void {}

  close(): void {}
}

export function createG711Decoder(law: G711Law): AudioDecoder {
  return new G711Decoder(law);
}

export function createG711Encoder(law: G711Law): AudioEncoder {
  return new G711Encoder(law);
}
