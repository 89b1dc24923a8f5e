/** What finishing has to know of the codecs in captures: how long a packet is, and what a silent one is. */

/** Of the one track of a capture; mono or stereo. */
export interface CaptureHeader {
  /** Matroska codec ID. */
  codecId: string;
  codecPrivate: Buffer;
  sampleRateHz: number;
  channels: number;
  bitDepth: number;
}

export interface CaptureCodec {
  packetMs(packet: Uint8Array): number;
  /** A packet of silence that is as long as that, or somewhat shorter; null where no packet is that short. */
  silence(ms: number): { packet: Uint8Array; ms: number } | null;
}

/** Opus frame lengths by TOC configuration, in units of 2.5 ms (RFC 6716 §3.1 table 2). */
const FRAME_UNITS = [
  4, 8, 16, 24, 4, 8, 16, 24, 4, 8, 16, 24, 4, 8, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8,
];

/** RFC 6716 §3.1: mono CELT full-band frames whose first decoded bit says silence, longest first. */
const SILENT_OPUS: readonly { packet: Uint8Array; ms: number }[] = [
  { ms: 20, packet: Uint8Array.of(0xf8, 0xff, 0xfe) },
  { ms: 10, packet: Uint8Array.of(0xf0, 0xff, 0xfe) },
  { ms: 5, packet: Uint8Array.of(0xe8, 0xff, 0xfe) },
  { ms: 2.5, packet: Uint8Array.of(0xe0, 0xff, 0xfe) },
];

/** Length of an Opus packet by its first bytes (RFC 6716 §3.1), milliseconds. */
function opusPacketMs(packet: Uint8Array): number {
  if (packet.length === 0) return 0;
  const frameMs = FRAME_UNITS[packet[0]! >> 3]! * 2.5;
  const code = packet[0]! & 3;
  if (code === 0) return frameMs;
  return code === 3 ? frameMs * ((packet[1] ?? 0) & 0x3f) : frameMs * 2;
}

const opus: CaptureCodec = {
  packetMs: opusPacketMs,
  silence: (ms) => SILENT_OPUS.find((silent) => silent.ms <= ms) ?? null,
};

const SILENCE_MS = 20;

function constantRate(bytesPerMs: number, silentByte: number): CaptureCodec {
  const packet = new Uint8Array(Math.round(bytesPerMs * SILENCE_MS)).fill(silentByte);
  return {
    packetMs: (sound) => sound.length / bytesPerMs,
    silence(ms) {
      if (ms >= SILENCE_MS) return { packet, ms: SILENCE_MS };
      const whole = Math.floor(ms);
      return whole < 1 ? null : { packet: packet.subarray(0, Math.round(whole * bytesPerMs)), ms: whole };
    },
  };
}

/** wFormatTag of a WAVEFORMATEX, which is what Matroska's A_MS/ACM holds. */
const PCMA_TAG = 6;
const PCMU_TAG = 7;
const G722_TAG = 0x028f;

/** Null for a codec that captures never have. */
export function captureCodec(header: CaptureHeader): CaptureCodec | null {
  const { codecId, codecPrivate, channels, sampleRateHz } = header;
  if (codecId === 'A_OPUS') return opus;
  if (codecId === 'A_PCM/INT/BIG' || codecId === 'A_PCM/INT/LIT') {
    return constantRate((sampleRateHz / 1_000) * channels * (header.bitDepth / 8), 0);
  }
  if (codecId !== 'A_MS/ACM' || codecPrivate.length < 16) return null;
  switch (codecPrivate.readUInt16LE(0)) {
    case PCMU_TAG:
      return constantRate(8 * channels, 0xff);
    case PCMA_TAG:
      return constantRate(8 * channels, 0xd5);
    case G722_TAG:
      // No code of G.722 stands for zero. This one settles within 20 ms, at -56 dBFS, which is the least there is.
      return constantRate(8, 0xfc);
    default:
      return null;
  }
}
