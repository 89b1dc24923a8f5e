import { spawn } from 'node:child_process';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { CodedPicture } from '../../../video/coded-picture/draw-code.ts';
import { bindUdp, freePort, LOOPBACK } from '../free-ports.ts';
import { readRtp } from './media-socket.ts';

export type VideoCodec = 'H264' | 'VP8';

export interface CodedSourceOptions {
  /** 0–7: its colour. */
  sender: number;
  codec: VideoCodec;
  /** Of H.264. */
  packetizationMode?: 0 | 1 | undefined;
  width?: number | undefined;
  height?: number | undefined;
  bitrateKbps?: number | undefined;
}

/** A picture as its RTP payloads. */
export interface EncodedPicture {
  key: boolean;
  payloads: Buffer[];
}

export const FPS = 25;
/** Counters go from 0 to here and begin again; an even number of seconds, as the tone's pattern is two seconds long. */
export const PICTURES = 12 * FPS;
export const RTP_CLOCK_HZ = 90_000;
const KEY_EVERY = 30;
/** As many encodings of the same, each with its key frames 10 pictures later: who asks for a key frame has it in 0.4 s. */
const ENCODINGS = 3;
export const KEY_OFFSET = KEY_EVERY / ENCODINGS;
const DYNAMIC_PAYLOAD_TYPE = 96;
const MADE_WITHIN_MS = 60_000;
/** So that no socket's memory overflows. */
const MOST_UNDER_WAY = 20;

const made = new Map<string, Promise<EncodedPicture[][]>>();

/**
 * Coded pictures, encoded and put into RTP payloads by ffmpeg; each encoding has key frames at other moments.
 * What was made once is kept as long as the process lives.
 */
export function codedSource(options: CodedSourceOptions): Promise<EncodedPicture[][]> {
  const key = JSON.stringify(options);
  const source = made.get(key) ?? encode(options);
  made.set(key, source);
  return source;
}

function codecArguments({ codec, packetizationMode = 1, bitrateKbps = 300 }: CodedSourceOptions): string[] {
  const rate = ['-b:v', `${bitrateKbps}k`, '-maxrate', `${bitrateKbps}k`, '-bufsize', `${bitrateKbps}k`];
  if (codec === 'VP8') {
    // On a busy machine several threads of libvpx would wait for each other, busily.
    return ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '16', '-threads', '1', ...rate];
  }
  const slices = packetizationMode === 0 ? ':slice-max-size=1100' : '';
  const x264 = ['-preset', 'ultrafast', '-tune', 'zerolatency', '-x264-params', `scenecut=0${slices}`];
  return ['-c:v', 'libx264', '-profile:v', 'baseline', ...x264, ...rate];
}

async function encode(options: CodedSourceOptions): Promise<EncodedPicture[][]> {
  const { sender, width = 640, height = 360, codec, packetizationMode = 1 } = options;
  const outputs: string[] = [];
  const encodings: Encoding[] = [];
  for (let encoding = 0; encoding < ENCODINGS; encoding++) {
    const port = await freePort();
    encodings.push(await Encoding.open(port, codec));
    const keyFrames = `expr:eq(mod(n,${KEY_EVERY}),${encoding * KEY_OFFSET})+eq(n,0)`;
    outputs.push(...codecArguments(options), '-g', '10000', '-force_key_frames', keyFrames);
    if (codec === 'H264' && packetizationMode === 0) outputs.push('-rtpflags', 'h264_mode0');
    outputs.push('-payload_type', String(DYNAMIC_PAYLOAD_TYPE), '-f', 'rtp', `rtp://${LOOPBACK}:${port}?pkt_size=1200`);
  }
  const input = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${width}x${height}`, '-r', String(FPS), '-i', '-'];
  const ffmpeg = spawn('ffmpeg', ['-v', 'error', ...input, ...outputs], { stdio: ['pipe', 'ignore', 'pipe'] });
  let complaints = '';
  ffmpeg.stderr.on('data', (text: Buffer) => (complaints += String(text)));
  ffmpeg.stdin.on('error', () => {});
  const picture = new CodedPicture(sender, width, height);
  const deadline = performance.now() + MADE_WITHIN_MS;
  try {
    for (let counter = 0; counter < PICTURES; ) {
      const slowest = Math.min(...encodings.map(({ pictures }) => pictures.length));
      if (counter - slowest > MOST_UNDER_WAY) await new Promise((resolve) => setTimeout(resolve, 1));
      else if (ffmpeg.stdin.write(Buffer.from(picture.draw(counter++).data))) continue;
      else await once(ffmpeg.stdin, 'drain');
      if (performance.now() > deadline) throw new Error(`${slowest} pictures within ${MADE_WITHIN_MS} ms`);
    }
    ffmpeg.stdin.end();
    await once(ffmpeg, 'exit');
    return await Promise.all(encodings.map((encoding) => encoding.complete(deadline)));
  } catch (error) {
    throw new Error(`${JSON.stringify(options)}: ${error}\n${complaints}`);
  } finally {
    ffmpeg.kill('SIGKILL');
    for (const encoding of encodings) encoding.close();
  }
}

/** Takes what ffmpeg's RTP muxer sends. */
class Encoding {
  readonly pictures: EncodedPicture[] = [];
  readonly #socket: Socket;
  #payloads: Buffer[] = [];
  #next: number | null = null;
  #lost = 0;

  static async open(port: number, codec: VideoCodec): Promise<Encoding> {
    const socket = await bindUdp(port);
    if (!socket) throw new Error('the port is taken');
    return new Encoding(socket, codec);
  }

  private constructor(socket: Socket, codec: VideoCodec) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const packet = readRtp(data);
      if (packet?.payloadType !== DYNAMIC_PAYLOAD_TYPE) return;
      if (this.#next !== null && packet.sequenceNumber !== this.#next) this.#lost++;
      this.#next = (packet.sequenceNumber + 1) & 0xffff;
      this.#payloads.push(Buffer.from(packet.payload));
      if (!packet.marker) return;
      this.pictures.push({ key: isKey(codec, this.#payloads), payloads: this.#payloads });
      this.#payloads = [];
    });
  }

  async complete(deadlineMs: number): Promise<EncodedPicture[]> {
    while (this.pictures.length < PICTURES && performance.now() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    if (this.#lost || this.pictures.length !== PICTURES) {
      throw new Error(`${this.#lost} gaps, ${this.pictures.length} pictures`);
    }
    return this.pictures;
  }

  close(): void {
    this.#socket.close();
  }
}

function isKey(codec: VideoCodec, payloads: readonly Buffer[]): boolean {
  return payloads.some((payload) => (codec === 'VP8' ? beginsVp8Key(payload) : holdsIdr(payload)));
}

/** RFC 7741 §4.2, §4.3. */
function beginsVp8Key(payload: Buffer): boolean {
  if ((payload[0]! & 0x1f) !== 0x10) return false;
  let start = 1;
  if (payload[0]! & 0x80) {
    const extensions = payload[1]!;
    start = 2;
    if (extensions & 0x80) start += payload[2]! & 0x80 ? 2 : 1;
    if (extensions & 0x40) start++;
    if (extensions & 0x30) start++;
  }
  return (payload[start]! & 1) === 0;
}

/** RFC 6184 §5.2: a slice of type 5, alone, in a STAP-A or in an FU-A. */
function holdsIdr(payload: Buffer): boolean {
  const type = payload[0]! & 0x1f;
  if (type === 28) return (payload[1]! & 0x1f) === 5;
  if (type !== 24) return type === 5;
  for (let offset = 1; offset + 3 <= payload.length; offset += 2 + payload.readUInt16BE(offset)) {
    if ((payload[offset + 2]! & 0x1f) === 5) return true;
  }
  return false;
}
