import type { CodecContext, Frame, HardwareDeviceContext } from 'node-av/lib';
import { Canvas } from './canvas.ts';
import type { EncoderChoice } from './encoder-context.ts';
import { failure, type NodeAv } from './node-av.ts';
import { VideoEncoder, type VideoEncoderOptions } from './video-encoder.ts';

/** Its memory takes the pictures of ours as they are. */
const NVENC: EncoderChoice = {
  name: 'h264_nvenc',
  adapts: true,
  options: ({ h264 }) => ({
    ...{ preset: 'p3', tune: 'ull', rc: 'cbr', delay: 0, zerolatency: 1, 'forced-idr': 1 },
    ...{ profile: h264 === undefined || h264.profile === 'constrained-baseline' ? 'baseline' : h264.profile },
  }),
  prepare: null,
  upload: null,
};

const TRIED: VideoEncoderOptions = {
  ...{ codec: 'H264', width: 640, height: 360, fps: 25, bitrateBps: 500_000, speed: 'fast' },
};

/** One that has encoded a picture here, or why it could not. */
export async function hardwareEncoder(av: NodeAv, kind: 'nvenc' | 'vaapi'): Promise<EncoderChoice | Error> {
  let canvas: Canvas | null = null;
  let encoder: VideoEncoder | null = null;
  try {
    const choice = kind === 'nvenc' ? NVENC : vaapi(av);
    canvas = Canvas.native(av, TRIED.width, TRIED.height);
    encoder = await VideoEncoder.open(av, choice, TRIED);
    const frame = await encoder.encode(canvas, 0, true);
    return frame?.keyFrame ? choice : new Error(`${choice.name} encodes nothing here`);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    encoder?.close();
    canvas?.close();
  }
}

/** The memory of such devices is their own, and pictures in it are NV12. @throws Error without a device. */
function vaapi(av: NodeAv): EncoderChoice {
  const device = new av.HardwareDeviceContext();
  const code = device.create(av.AV_HWDEVICE_TYPE_VAAPI, null, null);
  if (code < 0) throw failure(av, 'open a VAAPI device', code);
  return {
    name: 'h264_vaapi',
    adapts: false,
    options: ({ h264 }) => ({
      ...{ rc_mode: 'CBR', async_depth: 1, idr_interval: 0 },
      ...{
        profile: h264 === undefined || h264.profile === 'constrained-baseline' ? 'constrained_baseline' : h264.profile,
      },
    }),
    prepare: (context, options) => prepareVaapi(av, device, context, options),
    upload: (context, frame) => uploadVaapi(av, context, frame),
  };
}

function prepareVaapi(
  av: NodeAv,
  device: HardwareDeviceContext,
  context: CodecContext,
  { width, height }: VideoEncoderOptions,
): void {
  const frames = new av.HardwareFramesContext();
  frames.alloc(device);
  frames.format = av.AV_PIX_FMT_VAAPI;
  frames.swFormat = av.AV_PIX_FMT_NV12;
  frames.width = width;
  frames.height = height;
  frames.initialPoolSize = 4;
  const code = frames.init();
  if (code < 0) throw failure(av, 'make room on a VAAPI device', code);
  context.pixelFormat = av.AV_PIX_FMT_VAAPI;
  context.hwFramesCtx = frames;
}

async function uploadVaapi(av: NodeAv, context: CodecContext, frame: Frame): Promise<number> {
  const [nv12, uploaded] = [new av.Frame(), new av.Frame()];
  const scaler = new av.SoftwareScaleContext();
  nv12.alloc();
  uploaded.alloc();
  try {
    nv12.format = av.AV_PIX_FMT_NV12;
    nv12.width = frame.width;
    nv12.height = frame.height;
    let code = nv12.getBuffer(0);
    if (code < 0) return code;
    scaler.allocContext();
    code = await scaler.scaleFrame(nv12, frame);
    if (code >= 0) code = context.hwFramesCtx?.getBuffer(uploaded, 0) ?? -1;
    if (code >= 0) code = await uploaded.hwframeTransferData(nv12, 0);
    if (code < 0) return code;
    uploaded.pts = frame.pts;
    uploaded.pictType = frame.pictType;
    return await context.sendFrame(uploaded);
  } finally {
    scaler.freeContext();
    nv12.free();
    uploaded.free();
  }
}
