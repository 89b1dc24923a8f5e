import { Canvas } from './canvas.ts';
import { type EncoderChoice, LIBVPX, X264 } from './encoder-context.ts';
import { hardwareEncoder } from './hardware-encoder.ts';
import { jpegOf } from './jpeg.ts';
import { loadNodeAv, type NodeAv } from './node-av.ts';
import type { Picture } from './picture.ts';
import { PictureScaler } from './picture-scaler.ts';
import { TextRenderer } from './text-renderer.ts';
import { VideoDecoder, type VideoDecoderOptions } from './video-decoder.ts';
import { VideoEncoder, type VideoEncoderOptions } from './video-encoder.ts';

export type EncoderKind = 'software' | 'nvenc' | 'vaapi';

/** All that pictures are made with. One a process; everything it makes is freed by its own `close`. */
export class Engine {
  /** Of the library, for the log. */
  readonly version: string;
  private readonly av: NodeAv;
  private h264: EncoderChoice = X264;

  constructor(av: NodeAv) {
    this.av = av;
    this.version = `FFmpeg ${av.getFFmpegInfo().version}`;
  }

  /**
   * From now on H.264 is encoded so, by one that has been tried. VP8 always by software.
   * @returns null, or why it cannot be: software goes on then.
   */
  async useEncoder(kind: EncoderKind): Promise<string | null> {
    this.h264 = X264;
    if (kind === 'software') return null;
    const found = await hardwareEncoder(this.av, kind);
    if (found instanceof Error) return found.message;
    this.h264 = found;
    return null;
  }

  openDecoder(options: VideoDecoderOptions): VideoDecoder {
    return new VideoDecoder(this.av, options);
  }

  /** @throws Error when the libraries refuse the settings. */
  async openEncoder(options: VideoEncoderOptions): Promise<VideoEncoder> {
    const { av, h264 } = this;
    if (options.codec === 'VP8') return VideoEncoder.open(av, LIBVPX, options);
    // Of hardware none keeps to a length of NAL units, without which packetization-mode 0 is not to be had.
    const limited = options.h264 !== undefined && options.h264.maxNalBytes !== null;
    if (h264 === X264 || limited) return VideoEncoder.open(av, X264, options);
    // Devices take only so many encoders at a time, and not each size.
    return VideoEncoder.open(av, h264, options).catch(() => VideoEncoder.open(av, X264, options));
  }

  /** @throws RangeError for odd sides; Error without memory. */
  canvas(width: number, height: number): Canvas {
    return Canvas.native(this.av, width, height);
  }

  pictureScaler(): PictureScaler {
    return new PictureScaler(this.av);
  }

  /** @param font a TrueType file for all texts; null: the one that comes along. */
  textRenderer(font: string | null): TextRenderer {
    return new TextRenderer(this.av, font);
  }

  /** @param quality 1 to 100. @throws Error when the library cannot make it. */
  jpegOf(picture: Canvas | Picture, quality: number): Promise<Uint8Array> {
    return jpegOf(this.av, picture, quality);
  }
}

/** Null where the library is not installed, or has nothing for this system. */
export async function loadEngine(): Promise<Engine | null> {
  const av = await loadNodeAv();
  return av instanceof Error ? null : new Engine(av);
}
