import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { RtpPacket, writeRtpHeader } from '../../../mixer/rtp/rtp-packet.ts';
import type { Engine } from '../../../mixer/video/engine/engine.ts';
import type { VideoDecoder } from '../../../mixer/video/engine/video-decoder.ts';
import { VideoReceiver } from '../../../mixer/video/rtp/video-receiver.ts';
import type { VideoFormat } from '../../../mixer/video-protocol.ts';
import { readCodes } from '../../video/coded-picture/read-codes.ts';
import { SOURCE, type Source } from './video-sources.ts';

export const FORMAT: VideoFormat = {
  codec: 'H264',
  payloadType: 96,
  parameters: { 'profile-level-id': '42e01f', 'packetization-mode': '1' },
  rtxPayloadType: null,
  feedback: { nack: false, pli: false, fir: false, tmmbr: false, remb: false },
};

const FRAME_MS = 1000 / SOURCE.fps;
const CLOCK_PER_FRAME = 90_000 / SOURCE.fps;

export async function boundSocket(): Promise<{ socket: Socket; port: number }> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { socket, port: socket.address().port };
}

/** Sends its frames again and again, 25 a second, each of them in one burst. */
export class VideoSender {
  /** Of the frames of the present round, when the last packet went; `performance.now`. */
  readonly sentMs: number[] = [];
  readonly port: number;
  private readonly source: Source;
  private readonly socket: Socket;
  private readonly ssrc = Math.floor(Math.random() * 2 ** 32);
  private readonly out = Buffer.alloc(1500);
  private sequence = 0;
  private frame = 0;
  private target = 0;
  private timer: NodeJS.Timeout | null = null;

  static async open(source: Source): Promise<VideoSender> {
    const { socket, port } = await boundSocket();
    return new VideoSender(source, socket, port);
  }

  private constructor(source: Source, socket: Socket, port: number) {
    this.source = source;
    this.socket = socket;
    this.port = port;
  }

  /** @param phase 0 to 1: cameras are not in step. */
  start(port: number, phase: number): void {
    this.target = port;
    const startMs = performance.now() + phase * FRAME_MS;
    const next = (): void => {
      this.sendFrame();
      this.timer = setTimeout(next, startMs + this.frame * FRAME_MS - performance.now());
    };
    this.timer = setTimeout(next, phase * FRAME_MS);
  }

  close(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.socket.close();
  }

  private sendFrame(): void {
    const { frames } = this.source;
    const index = this.frame % frames.length;
    const payloads = frames[index]!;
    const timestamp = Math.round(this.frame * CLOCK_PER_FRAME) >>> 0;
    payloads.forEach((payload, packet) => {
      const last = packet === payloads.length - 1;
      const at = writeRtpHeader(this.out, FORMAT.payloadType, last, this.sequence, timestamp, this.ssrc);
      this.sequence = (this.sequence + 1) & 0xffff;
      this.out.set(payload, at);
      this.socket.send(Buffer.from(this.out.subarray(0, at + payload.length)), this.target, '127.0.0.1');
    });
    this.sentMs[index] = performance.now();
    this.frame++;
  }
}

/** Receives a composition, reads the code in it, and says how long after its frame was sent it was complete here. */
export class DelayMeter {
  readonly port: number;
  readonly delaysMs: number[] = [];
  frames = 0;
  private readonly socket: Socket;
  private readonly decoder: VideoDecoder;
  private readonly receiver = new VideoReceiver();
  private readonly packet = new RtpPacket();
  private readonly sender: VideoSender;
  private lastCode = -1;
  private active = false;
  /** Nothing is decoded: what that costs is not to be in others' way. */
  resting = false;

  static async open(engine: Engine, sender: VideoSender): Promise<DelayMeter> {
    const { socket, port } = await boundSocket();
    return new DelayMeter(engine, sender, socket, port);
  }

  private constructor(engine: Engine, sender: VideoSender, socket: Socket, port: number) {
    this.decoder = engine.openDecoder({ codec: 'H264' });
    this.receiver.configure([FORMAT]);
    this.sender = sender;
    this.socket = socket;
    this.port = port;
    socket.on('message', (data) => this.received(data));
  }

  measure(active: boolean): void {
    this.active = active;
    this.frames = 0;
  }

  close(): void {
    this.socket.close();
    this.decoder.close();
  }

  private received(data: Uint8Array): void {
    const nowMs = performance.now();
    const { packet } = this;
    if (this.resting || !packet.parse(data, data.length)) return;
    this.receiver.put(packet, data.subarray(packet.payloadOffset, packet.payloadOffset + packet.payloadLength), nowMs);
    for (let unit = this.receiver.next(nowMs); unit !== null; unit = this.receiver.next(nowMs)) {
      this.frames++;
      void this.read(unit.data, unit.intact, nowMs);
    }
  }

  private async read(unit: Uint8Array, intact: boolean, nowMs: number): Promise<void> {
    for (const picture of await this.decoder.decode(unit, intact, 0)) {
      if (this.active) this.note(codeIn(picture), nowMs);
      picture.release();
    }
  }

  /** Of a frame that is seen twice, the first time counts. */
  private note(code: number | null, nowMs: number): void {
    if (code === null || code === this.lastCode) return;
    this.lastCode = code;
    const sentMs = this.sender.sentMs[code];
    if (sentMs !== undefined && nowMs >= sentMs) this.delaysMs.push(nowMs - sentMs);
  }
}

interface Planes {
  width: number;
  height: number;
  planes: readonly [Uint8Array, Uint8Array, Uint8Array];
  strides: readonly [number, number, number];
}

function codeIn({ width, height, planes, strides }: Planes): number | null {
  const data = new Uint8Array((width * height * 3) / 2);
  let to = 0;
  planes.forEach((plane, index) => {
    const [columns, rows] = index === 0 ? [width, height] : [width / 2, height / 2];
    for (let row = 0; row < rows; row++, to += columns) {
      data.set(plane.subarray(row * strides[index]!, row * strides[index]! + columns), to);
    }
  });
  return readCodes({ width, height, data }).find(({ sender }) => sender === 0)?.counter ?? null;
}
