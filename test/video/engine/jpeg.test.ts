import { expect, it } from 'vitest';
import type { Canvas } from '../../../mixer/video/engine/canvas.ts';
import { paintScene } from './scenes.ts';
import { av, engine } from './some-engine.ts';

/** Values as they are in the file: 0 to 255. */
function decoded(jpeg: Uint8Array): { width: number; height: number; y: number; u: number; v: number } {
  const context = new av.CodecContext();
  const [packet, frame] = [new av.Packet(), new av.Frame()];
  context.allocContext3(av.Codec.findDecoderByName(av.FF_DECODER_MJPEG));
  context.open2Sync(null, null);
  packet.alloc();
  frame.alloc();
  packet.data = Buffer.from(jpeg);
  context.sendPacketSync(packet);
  expect(context.receiveFrameSync(frame)).toBe(0);
  const { width, height } = frame;
  const [y, u, v] = frame.data!.map((plane) => plane[0]!);
  context.freeContext();
  packet.free();
  frame.free();
  return { width, height, y: y!, u: u!, v: v! };
}

const white = (canvas: Canvas) =>
  canvas.fill({ x: 0, y: 0, width: canvas.width, height: canvas.height }, { y: 235, u: 128, v: 128 });

it('is a JPEG of the same size, in the range that JPEG has', async () => {
  const canvas = engine.canvas(320, 180);
  white(canvas);
  const jpeg = await engine.jpegOf(canvas, 90);
  expect([...jpeg.subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
  const { width, height, y, u, v } = decoded(jpeg);
  expect([width, height]).toEqual([320, 180]);
  expect(y).toBeGreaterThanOrEqual(253);
  expect([Math.abs(u - 128), Math.abs(v - 128)].every((off) => off <= 1)).toBe(true);
  canvas.close();
});

it('is larger when it is better', async () => {
  const canvas = engine.canvas(320, 180);
  paintScene(canvas, 3);
  const sizes = await Promise.all(
    [1, 50, 80, 100].map(async (quality) => (await engine.jpegOf(canvas, quality)).length),
  );
  expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
  expect(sizes[3]).toBeGreaterThan(3 * sizes[0]!);
  canvas.close();
});

it('cannot be made of what is closed', async () => {
  const canvas = engine.canvas(320, 180);
  canvas.close();
  await expect(engine.jpegOf(canvas, 80)).rejects.toThrow(/JPEG/);
});
