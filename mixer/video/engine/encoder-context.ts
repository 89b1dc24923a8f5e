import type { CodecContext, Frame } from 'node-av/lib';
import { failure, type NodeAv, setOptions } from './node-av.ts';
import type { EncoderSpeed, H264Settings, VideoEncoderOptions } from './video-encoder.ts';

/** One of the library's encoders, and how to use it. */
export interface EncoderChoice {
  /** As the library calls it. */
  name: string;
  /** It takes another rate as it goes. */
  adapts: boolean;
  options(options: VideoEncoderOptions): Record<string, string | number>;
  /** Of hardware that has its own memory: makes the context ready before it is opened. @throws Error */
  prepare: ((context: CodecContext, options: VideoEncoderOptions) => void) | null;
  /** And takes a frame there, and encodes it. The result is that of `sendFrame`. */
  upload: ((context: CodecContext, frame: Frame) => Promise<number>) | null;
}

/**
 * A key frame takes what the rate gives in this time at most, so that it is soon over, also on a line that carries no more.
 * It is the size of the rate control's buffer (VBV), which no frame can exceed.
 */
const KEY_FRAME_SECONDS = 0.5;
const NO_KEY_FRAMES = 1 << 30;
/** No room makes more frames a second. */
const MOST_SECONDS = 60;

export const X264_PRESETS: Record<EncoderSpeed, string> = { fastest: 'ultrafast', fast: 'superfast', good: 'veryfast' };
/** Negative: of a fixed effort; positive ones change it by the time that they see pass. */
const VP8_SPEEDS: Record<EncoderSpeed, number> = { fastest: -12, fast: -8, good: -5 };

export const X264: EncoderChoice = {
  name: 'libx264',
  adapts: true,
  options: ({ speed, h264 }) => ({
    preset: X264_PRESETS[speed],
    tune: 'zerolatency',
    profile: x264Profile(h264?.profile ?? 'constrained-baseline'),
    'forced-idr': 1,
    'x264-params': x264Parameters(h264),
  }),
  prepare: null,
  upload: null,
};

export const LIBVPX: EncoderChoice = {
  name: 'libvpx',
  adapts: false,
  options: ({ fps, speed }) => ({
    deadline: 'realtime',
    'cpu-used': VP8_SPEEDS[speed],
    'lag-in-frames': 0,
    'auto-alt-ref': 0,
    // In percent of what a frame has on average.
    'max-intra-rate': Math.round(KEY_FRAME_SECONDS * fps * 100),
    'undershoot-pct': 100,
    'overshoot-pct': 15,
    // Frames are left out when the buffer is emptier than this percentage.
    'drop-threshold': 10,
    qmin: 2,
    qmax: 63,
  }),
  prepare: null,
  upload: null,
};

export function keyFrameBits(bps: number): number {
  return Math.round(bps * KEY_FRAME_SECONDS);
}

/** @throws Error when the library does not have the encoder, or refuses the settings. */
export async function openContext(
  av: NodeAv,
  choice: EncoderChoice,
  options: VideoEncoderOptions,
  bps: number,
): Promise<CodecContext> {
  const codec = av.Codec.findEncoderByName(choice.name as Parameters<typeof av.Codec.findEncoderByName>[0]);
  if (codec === null) throw new Error(`${choice.name} is not in this build of the library`);
  const context = new av.CodecContext();
  context.allocContext3(codec);
  try {
    configure(av, context, options, bps);
    setOptions(av, context, choice.options(options));
    choice.prepare?.(context, options);
    const code = await context.open2(codec, null);
    if (code < 0) throw failure(av, `open ${choice.name}`, code);
    return context;
  } catch (error) {
    context.freeContext();
    throw error;
  }
}

function configure(av: NodeAv, context: CodecContext, { width, height, fps }: VideoEncoderOptions, bps: number): void {
  context.width = width;
  context.height = height;
  context.pixelFormat = av.AV_PIX_FMT_YUV420P;
  const [frames, seconds] = asFraction(fps);
  context.timeBase = new av.Rational(seconds, frames);
  context.framerate = new av.Rational(frames, seconds);
  context.bitRate = BigInt(bps);
  context.rcMaxRate = BigInt(bps);
  context.rcMinRate = BigInt(bps);
  context.rcBufferSize = keyFrameBits(bps);
  context.gopSize = NO_KEY_FRAMES;
  context.maxBFrames = 0;
  context.threadCount = 1;
  context.colorRange = av.AVCOL_RANGE_MPEG;
  context.colorSpace = av.AVCOL_SPC_SMPTE170M;
  context.colorPrimaries = av.AVCOL_PRI_SMPTE170M;
  context.colorTrc = av.AVCOL_TRC_SMPTE170M;
}

/** Of a room's whole frames a second, one of so many is sent: 12.5 is 25 in 2. The library would cut off what is not whole. */
function asFraction(fps: number): [frames: number, seconds: number] {
  let seconds = 1;
  while (seconds < MOST_SECONDS && Math.abs(fps * seconds - Math.round(fps * seconds)) > 0.001) seconds++;
  return [Math.max(1, Math.round(fps * seconds)), seconds];
}

/** Its baseline is the constrained one: it has none of what only baseline has. */
function x264Profile(profile: H264Settings['profile']): string {
  return profile === 'constrained-baseline' ? 'baseline' : profile;
}

function x264Parameters(h264: H264Settings | undefined): string {
  const parameters: Record<string, string | number> = {
    annexb: 1,
    'repeat-headers': 1,
    scenecut: 0,
    keyint: 'infinite',
    'sliced-threads': 0,
  };
  if (h264 !== undefined) parameters['level'] = h264.level === 9 ? '1b' : h264.level;
  if (h264?.maxNalBytes) parameters['slice-max-size'] = h264.maxNalBytes;
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${value}`)
    .join(':');
}
