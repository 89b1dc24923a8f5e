/**
 * G.711 by its formulas, slowly: the tests' own, so that an error in the mixer's tables is not in both ends.
 * Samples are 16 bit. Source: ITU-T G.711; the bit inversions are those of its tables 1a and 2a.
 */

export type G711Law = 'PCMU' | 'PCMA';

const MU_LAW_BIAS = 132;
const MU_LAW_LIMIT = 32_635;

function encodeMuLaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(MU_LAW_LIMIT, Math.abs(sample)) + MU_LAW_BIAS;
  const segment = 31 - Math.clz32(magnitude) - 7;
  const step = (magnitude >> (segment + 3)) & 0x0f;
  return ~(sign | (segment << 4) | step) & 0xff;
}

function decodeMuLaw(code: number): number {
  const bits = ~code & 0xff;
  const segment = (bits >> 4) & 0x07;
  const magnitude = ((((bits & 0x0f) << 3) + MU_LAW_BIAS) << segment) - MU_LAW_BIAS;
  return bits & 0x80 ? -magnitude : magnitude;
}

function encodeALaw(sample: number): number {
  const sign = sample >= 0 ? 0x80 : 0;
  const magnitude = Math.min(32_767, sample >= 0 ? sample : -sample - 1);
  const segment = magnitude < 256 ? 0 : 31 - Math.clz32(magnitude) - 7;
  const step = (magnitude >> (segment === 0 ? 4 : segment + 3)) & 0x0f;
  return (sign | (segment << 4) | step) ^ 0x55;
}

function decodeALaw(code: number): number {
  const bits = code ^ 0x55;
  const segment = (bits >> 4) & 0x07;
  const step = ((bits & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 256) << (segment - 1);
  return bits & 0x80 ? magnitude : -magnitude;
}

/** `samples` in −1…1. */
export function encodeG711(law: G711Law, samples: Float32Array): Buffer {
  const encode = law === 'PCMU' ? encodeMuLaw : encodeALaw;
  const payload = Buffer.alloc(samples.length);
  for (let index = 0; index < samples.length; index++) {
    payload[index] = encode(Math.max(-32_768, Math.min(32_767, Math.round(samples[index]! * 32_768))));
  }
  return payload;
}

/** Appends to `samples` at `offset`. */
export function decodeG711(law: G711Law, payload: Uint8Array, samples: Float32Array, offset: number): void {
  const decode = law === 'PCMU' ? decodeMuLaw : decodeALaw;
  for (let index = 0; index < payload.length; index++) samples[offset + index] = decode(payload[index]!) / 32_768;
}
