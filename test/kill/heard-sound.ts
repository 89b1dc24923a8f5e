import { audioCodec } from '../../mixer/codec/registry.ts';
import { READ_RATE_HZ } from './coded-sound.ts';
import type { Stretch } from './found-speech.ts';

/** A packet that a caller got from the room, PCMU. */
export interface HeardPacket {
  /** By the callers' clock. */
  readonly atMs: number;
  readonly ssrc: number;
  readonly timestamp: number;
  readonly payload: Uint8Array;
}

const PER_MS = READ_RATE_HZ / 1_000;
/** A stream that is so far from where it was has begun anew, as after the death of a mixer. */
const SAME_STREAM_MS = 500;

/**
 * What a caller heard in a stretch of the callers' clock, as sound at 8 kHz. Each stream of packets lies where the one of
 * them that came the soonest says; so neither what the machine had to do nor a jitter buffer is in it.
 */
export function heardSound(packets: readonly HeardPacket[], { fromMs, toMs }: Stretch): Float32Array {
  const sound = new Float32Array(Math.ceil((toMs - fromMs) * PER_MS));
  const decoder = audioCodec('PCMU').createDecoder();
  const pcm = new Int16Array(READ_RATE_HZ);
  for (const stream of streamsOf(packets)) {
    const zeroMs = Math.min(...stream.map(zeroOf));
    for (const { timestamp, payload } of stream) {
      const at = Math.round((zeroMs + timestamp / PER_MS - fromMs) * PER_MS);
      const samples = decoder.decode(payload, pcm, 0);
      for (let i = 0; i < samples; i++) if (at + i >= 0 && at + i < sound.length) sound[at + i] = pcm[i]! / 32_768;
    }
  }
  decoder.close();
  return sound;
}

const zeroOf = ({ atMs, timestamp }: HeardPacket): number => atMs - timestamp / PER_MS;

function streamsOf(packets: readonly HeardPacket[]): HeardPacket[][] {
  const streams: HeardPacket[][] = [];
  let last: HeardPacket | null = null;
  for (const packet of packets) {
    const goesOn = last?.ssrc === packet.ssrc && Math.abs(zeroOf(packet) - zeroOf(last)) < SAME_STREAM_MS;
    if (goesOn) streams.at(-1)!.push(packet);
    else streams.push([packet]);
    last = packet;
  }
  return streams;
}
