import type { Frame } from 'node-av/lib';
import { setOptions } from '../../../mixer/video/engine/node-av.ts';
import { av } from './some-engine.ts';

export interface ForeignStream {
  encoder: 'libx264' | 'libvpx';
  width: number;
  height: number;
  /** As the library calls it. */
  pixelFormat?: 'yuv420p' | 'yuvj420p' | 'yuv422p' | 'gray';
  pixelAspect?: { num: number; den: number };
  options?: Record<string, string | number>;
  /** Paints frame `index`; planes of all others are grey. */
  paint?: (frame: Frame, index: number) => void;
}

const FORMATS = () => ({
  yuv420p: av.AV_PIX_FMT_YUV420P,
  yuvj420p: av.AV_PIX_FMT_YUVJ420P,
  yuv422p: av.AV_PIX_FMT_YUV422P,
  gray: av.AV_PIX_FMT_GRAY8,
});

/** What others may send, and no encoder of ours does: other shapes of pixels, ranges and formats. */
export async function foreignStream(stream: ForeignStream, frames: number): Promise<Uint8Array[]> {
  const { width, height, pixelFormat = 'yuv420p', pixelAspect } = stream;
  const context = new av.CodecContext();
  const codec = av.Codec.findEncoderByName(stream.encoder as typeof av.FF_ENCODER_LIBX264);
  context.allocContext3(codec);
  context.width = width;
  context.height = height;
  context.pixelFormat = FORMATS()[pixelFormat];
  context.timeBase = new av.Rational(1, 25);
  context.bitRate = 500_000n;
  context.threadCount = 1;
  if (pixelAspect) context.sampleAspectRatio = new av.Rational(pixelAspect.num, pixelAspect.den);
  setOptions(av, context, stream.options ?? {});
  const opened = await context.open2(null, null);
  if (opened < 0)
    throw new Error(`${stream.encoder} ${pixelFormat} ${width}x${height}: ${av.FFmpegError.strerror(opened)}`);
  const [frame, packet] = [new av.Frame(), new av.Packet()];
  packet.alloc();
  const units: Uint8Array[] = [];
  for (let i = 0; i <= frames; i++) {
    if (i < frames) {
      frame.alloc();
      frame.format = FORMATS()[pixelFormat];
      frame.width = width;
      frame.height = height;
      frame.getBuffer(0);
      for (const plane of frame.data!) plane.fill(128);
      stream.paint?.(frame, i);
      frame.pts = BigInt(i);
    }
    context.sendFrameSync(i < frames ? frame : null);
    while (context.receivePacketSync(packet) >= 0) {
      units.push(packet.data!);
      packet.unref();
    }
  }
  context.freeContext();
  frame.free();
  packet.free();
  return units;
}
