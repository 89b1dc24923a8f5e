import type { Engine } from '../../mixer/video/engine/engine.ts';
import type { VideoEncoderOptions } from '../../mixer/video/engine/video-encoder.ts';
import type { VideoStream } from './video-decoders.ts';

const FRAMES = 30;
const BASE: VideoEncoderOptions = {
  codec: 'H264',
  width: 160,
  height: 96,
  fps: 25,
  bitrateBps: 200_000,
  speed: 'good',
};

/** Streams of all kinds that we encode, to be damaged. */
export function videoStreams(engine: Engine): Promise<VideoStream[]> {
  const kinds: VideoEncoderOptions[] = [
    { ...BASE, h264: { profile: 'constrained-baseline', level: 31, maxNalBytes: null } },
    { ...BASE, h264: { profile: 'constrained-baseline', level: 31, maxNalBytes: 300 } },
    { ...BASE, width: 176, height: 144, h264: { profile: 'main', level: 31, maxNalBytes: null } },
    { ...BASE, width: 320, height: 180, h264: { profile: 'high', level: 31, maxNalBytes: null } },
    { ...BASE, codec: 'VP8' },
    { ...BASE, codec: 'VP8', width: 176, height: 144 },
  ];
  return Promise.all(kinds.map((options) => encoded(engine, options)));
}

async function encoded(engine: Engine, options: VideoEncoderOptions): Promise<VideoStream> {
  const encoder = await engine.openEncoder(options);
  const canvas = engine.canvas(options.width, options.height);
  const units: Uint8Array[] = [];
  for (let i = 0; i < FRAMES; i++) {
    for (let at = 0; at < canvas.planes[0].length; at++) canvas.planes[0][at] = (at * (3 + (i & 7)) + i * 11) >> 2;
    canvas.fill({ x: 2 * i, y: i & ~1, width: 40, height: 30 }, { y: 40 + i, u: 8 * i, v: 255 - 8 * i });
    const frame = await encoder.encode(canvas, i, i === 20);
    if (frame !== null) units.push(frame.data);
  }
  encoder.close();
  canvas.close();
  return { codec: options.codec, units };
}
