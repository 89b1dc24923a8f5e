import type { Canvas } from '../../../mixer/video/engine/canvas.ts';
import type { PlanarPicture } from '../../../mixer/video/engine/planar-picture.ts';
import type { EncodedFrame, VideoEncoderOptions } from '../../../mixer/video/engine/video-encoder.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';
import { engine } from './some-engine.ts';

const BLOCKS = 8;
/** As a camera has it in a room. */
const NOISE = 3;

/** Something like people before a wall: shades, blocks with edges that move, and a camera's noise. */
export function paintScene(canvas: Canvas, time: number): void {
  const { width, height, planes, strides } = canvas;
  const random = new SeededRandom(time + 1);
  for (let y = 0; y < height; y++) {
    const line = y * strides[0];
    for (let x = 0; x < width; x++) {
      const shade = 60 + (100 * x) / width + 20 * Math.sin((y + time) / 20);
      planes[0][line + x] = shade + random.fraction() * 2 * NOISE - NOISE;
    }
  }
  planes[1].fill(118);
  planes[2].fill(140);
  for (let block = 0; block < BLOCKS; block++) {
    const size = 2 * Math.round(width / 20);
    const x = 2 * Math.round(((width - size) / 2) * (0.5 + 0.5 * Math.sin(time / 25 + block)));
    const y = 2 * Math.round(((height - size) / 2) * (block / BLOCKS));
    canvas.fill({ x, y, width: size, height: size }, { y: 40 + block * 22, u: 90 + block * 10, v: 170 - block * 10 });
  }
}

/** Of the luma, in dB. */
export function psnr(one: PlanarPicture, other: PlanarPicture): number {
  let sum = 0;
  for (let y = 0; y < one.height; y++) {
    for (let x = 0; x < one.width; x++) {
      const difference = one.planes[0][y * one.strides[0] + x]! - other.planes[0][y * other.strides[0] + x]!;
      sum += difference * difference;
    }
  }
  return 10 * Math.log10((255 * 255 * one.width * one.height) / sum);
}

export const SMALL: VideoEncoderOptions = {
  ...{ codec: 'H264', width: 320, height: 180, fps: 25, bitrateBps: 300_000, speed: 'fastest' },
  h264: { profile: 'constrained-baseline', level: 31, maxNalBytes: null },
};

/** Some frames of the scene. `keyAt` says which are asked for as key frames. */
export async function encodeScene(
  options: VideoEncoderOptions,
  frames: number,
  keyAt: (frame: number) => boolean = () => false,
): Promise<EncodedFrame[]> {
  const encoder = await engine.openEncoder(options);
  const canvas = engine.canvas(options.width, options.height);
  const encoded: EncodedFrame[] = [];
  for (let i = 0; i < frames; i++) {
    paintScene(canvas, i);
    const frame = await encoder.encode(canvas, i, keyAt(i));
    if (frame !== null) encoded.push(frame);
  }
  encoder.close();
  canvas.close();
  return encoded;
}

/** NAL units of Annex B, without start codes. */
export function nalUnits(data: Uint8Array): Uint8Array[] {
  const starts: number[] = [];
  for (let i = 0; i + 3 < data.length; i++) {
    if (data[i] === 0 && data[i + 1] === 0 && data[i + 2] === 1) starts.push(i + 3);
  }
  return starts.map((start, index) => {
    let end = (starts[index + 1] ?? data.length + 3) - 3;
    while (index + 1 < starts.length && data[end - 1] === 0) end--;
    return data.subarray(start, end);
  });
}
