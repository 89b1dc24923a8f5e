import type { Frame, SoftwareScaleContext } from 'node-av/lib';
import type { Canvas } from './canvas.ts';
import { failure, type NodeAv } from './node-av.ts';
import type { Picture } from './picture.ts';

/** Of the library's quantizer: which gives the best picture and which the worst, and its unit. */
const BEST = 2;
const WORST = 31;
const UNIT = 118;

/**
 * @param quality 1 to 100.
 * @throws Error when the library cannot make it.
 */
export async function jpegOf(av: NodeAv, picture: Canvas | Picture, quality: number): Promise<Uint8Array> {
  const frame = fullRangeCopy(av, picture);
  const context = new av.CodecContext();
  const packet = new av.Packet();
  packet.alloc();
  try {
    const quantizer = Math.round(WORST - ((Math.min(100, Math.max(1, quality)) - 1) * (WORST - BEST)) / 99);
    context.allocContext3(av.Codec.findEncoderByName(av.FF_ENCODER_MJPEG));
    context.width = picture.width;
    context.height = picture.height;
    context.pixelFormat = av.AV_PIX_FMT_YUVJ420P;
    context.timeBase = new av.Rational(1, 1);
    context.threadCount = 1;
    context.setFlags(av.AV_CODEC_FLAG_QSCALE);
    context.globalQuality = quantizer * UNIT;
    frame.quality = quantizer * UNIT;
    let code = await context.open2(null, null);
    if (code >= 0) code = await context.sendFrame(frame);
    if (code >= 0) code = context.receivePacketSync(packet);
    if (code < 0 || packet.data === null) throw failure(av, 'encode JPEG', code);
    return packet.data;
  } finally {
    context.freeContext();
    packet.free();
    frame.free();
  }
}

/** JPEG knows only values from 0 to 255. */
function fullRangeCopy(av: NodeAv, picture: Canvas | Picture): Frame {
  const { width, height, planes, strides } = picture;
  const frame = new av.Frame();
  frame.alloc();
  frame.format = av.AV_PIX_FMT_YUVJ420P;
  frame.width = width;
  frame.height = height;
  frame.colorRange = av.AVCOL_RANGE_JPEG;
  const code = frame.getBuffer(0);
  const target = frame.data;
  let scaler: SoftwareScaleContext | null = null;
  try {
    if (code < 0 || target === null || planes[0].length === 0) throw failure(av, 'make room for a JPEG', code);
    scaler = new av.SoftwareScaleContext();
    const from = 'fullRange' in picture && picture.fullRange ? av.AV_PIX_FMT_YUVJ420P : av.AV_PIX_FMT_YUV420P;
    scaler.getContext(width, height, from, width, height, av.AV_PIX_FMT_YUVJ420P, av.SWS_BILINEAR);
    const source = planes.map((plane) => Buffer.from(plane.buffer, plane.byteOffset, plane.length));
    scaler.scaleSync(source, [...strides], 0, height, target.slice(0, 3), frame.linesize.slice(0, 3));
    return frame;
  } catch (error) {
    frame.free();
    throw error;
  } finally {
    scaler?.freeContext();
  }
}
