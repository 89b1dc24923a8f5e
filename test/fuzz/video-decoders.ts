/** Damaged and made-up H.264 and VP8: decoders must make of it what they can, and neither fail, hang nor grow. */

import type { Engine } from '../../mixer/video/engine/engine.ts';
import type { VideoDecoder } from '../../mixer/video/engine/video-decoder.ts';
import type { VideoCodecName } from '../../mixer/video-protocol.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

export interface VideoStream {
  codec: VideoCodecName;
  /** As good encoders make them. */
  units: Uint8Array[];
}

export interface VideoFuzzResult {
  units: number;
  pictures: number;
  damaged: number;
  drawn: number;
  replaced: number;
}

/** A sender goes on for so many units; then another one comes. */
const UNITS_A_SENDER = 40;
const GREY = { y: 128, u: 128, v: 128 };
/** No unit of a small picture takes longer, on a busy machine. */
const MOST_MS = 20_000;

/** Throws, or ends the process, when something is wrong. */
export async function fuzzVideoDecoders(
  engine: Engine,
  streams: readonly VideoStream[],
  units: number,
  seed: number,
): Promise<VideoFuzzResult> {
  const random = new SeededRandom(seed);
  const canvas = engine.canvas(320, 180);
  const scaler = engine.pictureScaler();
  const result: VideoFuzzResult = { units, pictures: 0, damaged: 0, drawn: 0, replaced: 0 };
  let decoder: VideoDecoder | null = null;
  let stream = streams[0]!;
  for (let i = 0; i < units; i++) {
    if (decoder === null || i % UNITS_A_SENDER === 0) {
      if (decoder !== null) result.replaced += decoder.counters.replaced;
      decoder?.close();
      stream = random.pick(streams);
      decoder = engine.openDecoder({ codec: stream.codec });
    }
    const unit = damage(stream, streams, i % UNITS_A_SENDER, random);
    const started = performance.now();
    for (const picture of await decoder.decode(unit, random.chance(0.9), i)) {
      result.pictures++;
      if (picture.damaged) result.damaged++;
      const fill = random.chance(0.5) ? 'crop' : 'fit';
      if (scaler.draw(picture, canvas, { x: 10, y: 6, width: 202, height: 114 }, fill, GREY) !== null) result.drawn++;
      picture.release();
    }
    const took = performance.now() - started;
    if (took > MOST_MS)
      throw new Error(`seed ${seed}, unit ${i} took ${took} ms: ${Buffer.from(unit).toString('hex')}`);
    if (random.chance(0.005)) decoder.reset();
  }
  result.replaced += decoder?.counters.replaced ?? 0;
  decoder?.close();
  scaler.close();
  canvas.close();
  return result;
}

function damage(stream: VideoStream, streams: readonly VideoStream[], index: number, random: SeededRandom): Uint8Array {
  const { units } = stream;
  const unit = units[index % units.length]!;
  // The first ones are often whole, as nothing is decoded of what follows otherwise.
  if (random.chance(index === 0 ? 0.7 : 0.3)) return unit;
  if (random.chance(0.05)) return noise(random);
  if (random.chance(0.05)) return random.pick(random.pick(streams).units);
  if (random.chance(0.05)) return random.pick(units);
  const bytes = Uint8Array.from(unit);
  if (random.chance(0.2)) return bytes.subarray(0, random.below(bytes.length));
  if (random.chance(0.2)) return spliced(bytes, random.pick(units), random);
  const changes = 1 + random.below(random.chance(0.5) ? 3 : 30);
  // What says how the rest is to be read stands at the beginning.
  const reach = random.chance(0.5) ? Math.min(bytes.length, 60) : bytes.length;
  for (let i = 0; i < changes; i++) {
    const at = random.below(reach);
    if (random.chance(0.5)) bytes[at]! ^= 1 << random.below(8);
    else bytes[at] = random.pick([0, 1, 0xff, 0x80, random.below(256)]);
  }
  return bytes;
}

function spliced(bytes: Uint8Array, other: Uint8Array, random: SeededRandom): Uint8Array {
  const [from, to] = [random.below(bytes.length), random.below(other.length)];
  return Buffer.concat([bytes.subarray(0, from), other.subarray(to)]);
}

function noise(random: SeededRandom): Uint8Array {
  const start = random.chance(0.5) ? [0, 0, 0, 1, random.below(256)] : [];
  return Uint8Array.from([...start, ...Array.from({ length: random.below(400) }, () => random.below(256))]);
}
