import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesOfPicture, type YuvPicture } from '../../../video/coded-picture/yuv-picture.ts';
import { ChildProgram } from '../child-program.ts';
import { freePort, LOOPBACK, udpIsBound } from '../free-ports.ts';
import { pause } from '../pause.ts';
import type { VideoCodec } from './coded-source.ts';

export interface DecodedPicture extends YuvPicture {
  /** In RTP clock ticks since the first packet that was fed. */
  ticks: number;
  /** As it came, before it was scaled. */
  sentWidth: number;
  sentHeight: number;
  key: boolean;
}

/** What ffmpeg's `showinfo` says of each picture. */
const SHOWN = / n: *\d+ pts: *(-?\d+) .* s:(\d+)x(\d+) .*iskey:(\d)/g;
const LISTENING_WITHIN_MS = 20_000;

/** An ffmpeg that is fed with RTP packets and gives pictures of one size, each with its RTP time. */
export class PictureDecoder {
  onPicture: (picture: DecodedPicture) => void = () => {};
  readonly #program: ChildProgram;
  readonly #folder: string;
  readonly #port: number;
  readonly #socket = createSocket('udp4');
  readonly #width: number;
  readonly #height: number;
  #raw: Buffer[] = [];
  #rawBytes = 0;
  #outputRead = 0;
  #stopped = false;
  #shown: Pick<DecodedPicture, 'ticks' | 'sentWidth' | 'sentHeight' | 'key'>[] = [];
  #pictures: Buffer[] = [];

  /** Ready when ffmpeg listens. `width`×`height` is what pictures are scaled to. */
  static async start(codec: VideoCodec, payloadType: number, width: number, height: number): Promise<PictureDecoder> {
    const folder = mkdtempSync(join(tmpdir(), 'parley-decoder-'));
    const port = await freePort();
    const sdp = ['v=0', `o=- 1 1 IN IP4 ${LOOPBACK}`, 's=-', `c=IN IP4 ${LOOPBACK}`, 't=0 0'];
    sdp.push(`m=video ${port} RTP/AVP ${payloadType}`, `a=rtpmap:${payloadType} ${codec}/90000`, '');
    writeFileSync(join(folder, 'stream.sdp'), sdp.join('\r\n'));
    const decoder = new PictureDecoder(folder, port, width, height);
    await decoder.#program.orStop(decoder.#listening());
    return decoder;
  }

  private constructor(folder: string, port: number, width: number, height: number) {
    this.#folder = folder;
    this.#port = port;
    this.#width = width;
    this.#height = height;
    // Times of the packets as they are, no waiting for what does not come: who feeds it has seen to the order.
    const input = ['-protocol_whitelist', 'file,udp,rtp', '-flags', 'low_delay', '-threads', '1'];
    const patience = ['-analyzeduration', '1', '-probesize', '32', '-max_delay', '0', '-reorder_queue_size', '0'];
    const look = `showinfo=checksum=0,scale=${width}:${height}:flags=area`;
    const filter = ['-vf', look, '-copyts', '-vsync', 'passthrough'];
    const output = [...filter, '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-'];
    this.#program = new ChildProgram(
      'ffmpeg',
      ['-hide_banner', '-nostats', ...input, ...patience, '-i', join(folder, 'stream.sdp'), ...output],
      { onData: (chunk) => this.#received(chunk) },
    );
  }

  feed(packet: Buffer): void {
    if (this.#stopped) return;
    this.#socket.send(packet, this.#port, LOOPBACK);
  }

  get output(): string {
    return this.#program.output;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#socket.close();
    await this.#program.stop('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #listening(): Promise<void> {
    const deadline = performance.now() + LISTENING_WITHIN_MS;
    while (!udpIsBound(this.#port)) {
      if (performance.now() > deadline || !this.#program.running) throw new Error(`no decoder: ${this.output}`);
      await pause(10);
    }
  }

  #received(chunk: Buffer): void {
    this.#raw.push(chunk);
    this.#rawBytes += chunk.length;
    const bytes = bytesOfPicture(this.#width, this.#height);
    if (this.#rawBytes >= bytes) {
      let raw = Buffer.concat(this.#raw);
      for (; raw.length >= bytes; raw = raw.subarray(bytes)) this.#pictures.push(raw.subarray(0, bytes));
      this.#raw = [raw];
      this.#rawBytes = raw.length;
    }
    this.#match();
  }

  /** The pictures come over standard output, what ffmpeg says of each over standard error. */
  #match(): void {
    const text = this.#program.output;
    const end = text.lastIndexOf('\n') + 1;
    for (const line of text.slice(this.#outputRead, end).matchAll(SHOWN)) {
      const [, ticks, sentWidth, sentHeight, key] = line.map(Number) as [number, number, number, number, number];
      this.#shown.push({ ticks, sentWidth, sentHeight, key: key === 1 });
    }
    this.#outputRead = Math.max(this.#outputRead, end);
    while (this.#pictures.length > 0 && this.#shown.length > 0) {
      const data = this.#pictures.shift()!;
      this.onPicture({ ...this.#shown.shift()!, data, width: this.#width, height: this.#height });
    }
  }
}
