import type { AudioCodecName } from '../protocol.ts';
import { element, float, matroskaFileHeader, NANOSECONDS_IN_MS, UNKNOWN_SIZE, unsigned } from './ebml.ts';

/**
 * The octets of a Matroska file (RFC 9559) of one mono audio track that is only ever appended to: segment and clusters of
 * unknown size, SimpleBlocks without lacing, time stamps in milliseconds. It can be read wherever it ends.
 */

const SEEK_PRE_ROLL = 0x56bb;
const AUDIO = 0xe1;
const SAMPLING_FREQUENCY = 0xb5;
const CHANNELS = 0x9f;
const BIT_DEPTH = 0x6264;

/** RFC 7845 §4.6: a decoder that begins anywhere is at home after 80 ms. */
const OPUS_PRE_ROLL_NS = 80 * NANOSECONDS_IN_MS;

/** Format tags of WAVEFORMATEX (RFC 2361; that of G.722 is registered by Microsoft without a document). */
const WAVE_PCMA = 0x0006;
const WAVE_PCMU = 0x0007;
const WAVE_G722 = 0x028f;

interface TrackFormat {
  codecId: string;
  codecPrivate: Uint8Array | null;
  sampleRateHz: number;
  bitDepth: number | null;
}

const FORMATS: Record<AudioCodecName, TrackFormat> = {
  opus: { codecId: 'A_OPUS', codecPrivate: opusHead(), sampleRateHz: 48_000, bitDepth: null },
  PCMU: acm(WAVE_PCMU, 8000, 8),
  PCMA: acm(WAVE_PCMA, 8000, 8),
  G722: acm(WAVE_G722, 16_000, 4),
  'L16/8000': l16(8000),
  'L16/16000': l16(16_000),
  'L16/48000': l16(48_000),
};

/**
 * The identification header (RFC 7845 §5.1) of one channel at 48 kHz.
 *
 * Deviation: pre-skip is 0. The capture begins in the middle of an encoder's life, so there is nothing to skip, and the
 * encoder's few milliseconds of delay stay in, as every listener has them: so the file is as long as its time line.
 */
function opusHead(): Uint8Array {
  const head = Buffer.alloc(19);
  head.write('OpusHead', 'latin1');
  head.writeUInt8(1, 8); // version
  head.writeUInt8(1, 9); // channels
  head.writeUInt32LE(48_000, 12);
  return head;
}

/** WAVEFORMATEX of 8000 octets a second; RFC 9559 has no codec of its own for these. */
function acm(tag: number, sampleRateHz: number, bitsPerSample: number): TrackFormat {
  const header = Buffer.alloc(18);
  header.writeUInt16LE(tag, 0);
  header.writeUInt16LE(1, 2); // channels
  header.writeUInt32LE(sampleRateHz, 4);
  header.writeUInt32LE(8000, 8); // octets a second
  header.writeUInt16LE(1, 12); // block alignment
  header.writeUInt16LE(bitsPerSample, 14);
  return { codecId: 'A_MS/ACM', codecPrivate: header, sampleRateHz, bitDepth: bitsPerSample };
}

/** As in RTP (RFC 3551 §4.5.11): network byte order. */
function l16(sampleRateHz: number): TrackFormat {
  return { codecId: 'A_PCM/INT/BIG', codecPrivate: null, sampleRateHz, bitDepth: 16 };
}

/** What a file begins with, up to its first cluster. */
export function matroskaHeader(codec: AudioCodecName, title: string, startedAt: Date): Uint8Array {
  const { codecId, codecPrivate, sampleRateHz, bitDepth } = FORMATS[codec];
  const audio = [float(SAMPLING_FREQUENCY, sampleRateHz), unsigned(CHANNELS, 1)];
  if (bitDepth !== null) audio.push(unsigned(BIT_DEPTH, bitDepth));
  const elements = [element(AUDIO, Buffer.concat(audio))];
  if (codec === 'opus') elements.unshift(unsigned(SEEK_PRE_ROLL, OPUS_PRE_ROLL_NS));
  return matroskaFileHeader({ type: 'audio', codecId, codecPrivate, elements }, title, startedAt);
}

/** ID, unknown size, and the time stamp in 6 octets. */
const CLUSTER = Uint8Array.of(0x1f, 0x43, 0xb6, 0x75, ...UNKNOWN_SIZE, 0xe7, 0x86, 0, 0, 0, 0, 0, 0);
export const CLUSTER_BYTES = CLUSTER.length;
/** A block's time stamp has 16 bits with a sign, milliseconds since its cluster's. */
export const LONGEST_CLUSTER_MS = 32_767;

/** Begins a cluster; allocates nothing. */
export function writeCluster(out: Uint8Array, offset: number, timestampMs: number): void {
  for (let i = 0; i < CLUSTER_BYTES; i++) out[offset + i] = CLUSTER[i]!;
  let rest = timestampMs;
  for (let i = CLUSTER_BYTES - 1; i >= CLUSTER_BYTES - 6; i--) {
    out[offset + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

export const BLOCK_HEAD_BYTES = 7;
/** What a size in two octets leaves; more than any packet has. */
export const LONGEST_BLOCK_PAYLOAD = 16_382 - 4;

/**
 * The octets in front of a packet, which any decoder can begin with; allocates nothing.
 *
 * @param relativeMs since the cluster's time stamp
 * @param length of the packet, at most `LONGEST_BLOCK_PAYLOAD`
 */
export function writeBlockHead(out: Uint8Array, offset: number, relativeMs: number, length: number): void {
  const size = length + 4;
  out[offset] = 0xa3;
  out[offset + 1] = 0x40 | (size >> 8);
  out[offset + 2] = size & 0xff;
  out[offset + 3] = 0x81; // the track's number
  out[offset + 4] = relativeMs >> 8;
  out[offset + 5] = relativeMs & 0xff;
  out[offset + 6] = 0x80; // a keyframe
}
