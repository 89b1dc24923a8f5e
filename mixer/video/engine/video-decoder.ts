import type { CodecContext, Frame, Packet } from 'node-av/lib';
import type { VideoCodecName } from '../../video-protocol.ts';
import { failure, type NodeAv, setOptions } from './node-av.ts';
import { Picture, PicturePool, pixelAspectOf } from './picture.ts';

export interface VideoDecoderOptions {
  codec: VideoCodecName;
  /** Larger pictures are refused; not above, and by default, 4096 x 2304. */
  maxPixels?: number;
}

export interface VideoDecoderCounters {
  decoded: number;
  /** Access units of which no picture could be made, or a damaged one. */
  broken: number;
  /** How often the library's decoder was thrown away for a new one, as it made nothing out of many units in turn. */
  replaced: number;
}

const MOST_PIXELS = 4096 * 2304;
/** So many units in turn, and the library's decoder is thrown away: whatever state it is in may be the reason. */
const REPLACED_AFTER = 25;
/**
 * What is no larger is decoded at once, in 0.1–0.3 ms. To hand it to another thread costs half as much again, which with
 * sixteen senders is more than a few waits of that length. Larger ones would hold up packets for too long.
 */
const SMALL_PIXELS = 640 * 480;
const SMALL_OCTETS = 16 * 1024;

/** One sender's stream. Never rejects for what comes from the network. */
export class VideoDecoder {
  readonly counters: VideoDecoderCounters = { decoded: 0, broken: 0, replaced: 0 };
  private readonly av: NodeAv;
  private readonly codec: VideoCodecName;
  private readonly maxPixels: number;
  private readonly pool: PicturePool;
  private readonly packet: Packet;
  /** Just decoded. */
  private readonly frame: Frame;
  private context: CodecContext | null = null;
  private queue: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  private pixels = Number.POSITIVE_INFINITY;
  private pixelAspect = 1;
  private failuresInTurn = 0;
  /** Since the last key frame. */
  private damaged = true;
  /** There was a key frame. */
  private started = false;
  private closed = false;

  constructor(av: NodeAv, { codec, maxPixels = MOST_PIXELS }: VideoDecoderOptions) {
    this.av = av;
    this.codec = codec;
    this.maxPixels = Math.min(maxPixels, MOST_PIXELS);
    this.pool = new PicturePool(av);
    this.packet = new av.Packet();
    this.packet.alloc();
    this.frame = new av.Frame();
    this.frame.alloc();
  }

  /** No picture without damage can come before the next key frame: the sender should be asked for one. */
  get keyFrameNeeded(): boolean {
    return this.damaged;
  }

  /**
   * Takes access units in decoding order, also before the last one is done. Pictures come in the order to be shown, each
   * held once by the caller: release them. Empty: nothing to show (of a broken unit, before the first key frame).
   * @param data of H.264, a whole access unit, Annex B; of VP8, a frame. Must stay as it is until this is settled.
   * @param intact false: something of it is missing; of VP8 nothing is then shown before the next key frame.
   * @param timestamp any number, back in `Picture.timestamp` of what came out of this unit.
   */
  decode(data: Uint8Array, intact: boolean, timestamp: number): Promise<Picture[]> {
    return this.inTurn(() => this.decodeNow(data, intact, timestamp));
  }

  /** Forgets all pictures; what comes before the next key frame is not shown. */
  reset(): void {
    void this.inTurn(async () => this.forget());
  }

  /** Frees all at once, or when what it is at work on is done. Pictures that are held stay. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    void this.inTurn(async () => {
      this.forget();
      this.packet.free();
      this.frame.free();
      this.pool.close();
    });
  }

  /** Never two things at once: the library's objects cannot stand that. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    // With nothing before it, it need not wait for a turn.
    const done = this.waiting === 0 ? work() : this.queue.then(work);
    this.waiting++;
    this.queue = done.then(this.oneDone, this.oneDone);
    return done;
  }

  private readonly oneDone = (): void => {
    this.waiting--;
  };

  private async decodeNow(data: Uint8Array, intact: boolean, timestamp: number): Promise<Picture[]> {
    const pictures: Picture[] = [];
    if (this.closed) return pictures;
    if (!intact) this.damaged = true;
    // Each frame of VP8 is made of the ones before, and nothing is there to conceal what is missing.
    const useless = data.length === 0 || (this.codec === 'VP8' && !intact);
    if (useless && this.codec === 'VP8') this.started = false;
    const code = useless ? -1 : await this.send(data, timestamp);
    const fine = code >= 0 && this.receive(pictures, intact);
    if (!fine) this.damaged = true;
    if (!fine || !intact) this.counters.broken++;
    this.judge(code < 0 && !useless);
    return pictures;
  }

  private async send(data: Uint8Array, timestamp: number): Promise<number> {
    this.context ??= this.open();
    const { packet, context } = this;
    packet.data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    packet.pts = BigInt(Math.trunc(timestamp));
    const small = data.length <= SMALL_OCTETS && this.pixels <= SMALL_PIXELS;
    const code = small ? context.sendPacketSync(packet) : await context.sendPacket(packet);
    packet.unref();
    return code;
  }

  /** The work was done by `send`; here it is only fetched. False: something that came out is not as it was sent. */
  private receive(pictures: Picture[], intact: boolean): boolean {
    let fine = true;
    const { frame } = this;
    while (this.context!.receiveFrameSync(frame) >= 0) {
      const known = this.isKnownFormat(frame.format);
      const keyFrame = frame.keyFrame === 1;
      const whole = known && frame.decodeErrorFlags === 0;
      if (!whole) fine = false;
      if (known && keyFrame) this.begin(frame);
      if (keyFrame && whole && intact) this.damaged = false;
      else if (!whole) this.damaged = true;
      this.pixels = frame.width * frame.height;
      if (known && this.started && !this.closed) this.handOut(pictures);
      frame.unref();
    }
    return fine && this.started;
  }

  private begin(keyFrame: Frame): void {
    this.started = true;
    this.pixelAspect = pixelAspectOf(keyFrame);
  }

  private handOut(pictures: Picture[]): void {
    const memory = this.pool.copy(this.frame);
    if (memory === null) return;
    pictures.push(new Picture(this.pool, this.frame, memory, this.pixelAspect, this.damaged));
    this.counters.decoded++;
  }

  private isKnownFormat(format: number): boolean {
    return format === this.av.AV_PIX_FMT_YUV420P || format === this.av.AV_PIX_FMT_YUVJ420P;
  }

  private judge(failed: boolean): void {
    this.failuresInTurn = failed ? this.failuresInTurn + 1 : 0;
    if (this.failuresInTurn < REPLACED_AFTER) return;
    this.counters.replaced++;
    this.forget();
  }

  private forget(): void {
    this.context?.freeContext();
    this.context = null;
    this.failuresInTurn = 0;
    this.damaged = true;
    this.started = false;
    this.pixels = Number.POSITIVE_INFINITY;
  }

  /** @throws Error when the library has no such decoder, which none of its builds lacks. */
  private open(): CodecContext {
    const { av } = this;
    const context = new av.CodecContext();
    context.allocContext3(av.Codec.findDecoderByName(this.codec === 'H264' ? av.FF_DECODER_H264 : av.FF_DECODER_VP8));
    // One thread, as more would keep pictures back.
    context.threadCount = 1;
    setOptions(av, context, { flags: '+low_delay', max_pixels: this.maxPixels });
    const code = context.open2Sync(null, null);
    if (code < 0) throw failure(av, `open a decoder of ${this.codec}`, code);
    return context;
  }
}
