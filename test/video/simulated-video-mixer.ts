import { emptyReportBlock, writeReceiverReport } from '../../mixer/rtp/rtcp-packet.ts';
import { muxedPacketKind, RtpPacket, readUint32, writeRtpHeader } from '../../mixer/rtp/rtp-packet.ts';
import { Canvas } from '../../mixer/video/engine/canvas.ts';
import type { Engine } from '../../mixer/video/engine/engine.ts';
import type { VideoEncoderOptions } from '../../mixer/video/engine/video-encoder.ts';
import { packetizeH264 } from '../../mixer/video/rtp/h264-packetizer.ts';
import { PayloadList } from '../../mixer/video/rtp/payload-list.ts';
import { VideoMixer } from '../../mixer/video/video-mixer.ts';
import type {
  FromVideoMixer,
  SceneParticipant,
  VideoFormat,
  VideoMedia,
  VideoMixerEvent,
  VideoMixerMethod,
  VideoMixerParams,
  VideoMixerResult,
  VideoScene,
  VideoStreamName,
} from '../../mixer/video-protocol.ts';
import { type Wire, wires } from './simulated-sockets.ts';

/** A video mixer in virtual time, with an engine that only pretends, and sockets that do: see `simulated-sockets.ts`. */

const STEP_MS = 5;
const KEY_FRAME_BYTES = 6000;
const FRAME_BYTES = 3000;

const nal = (type: number, length: number): number[] => [0, 0, 0, 1, 0x60 | type, ...Array(length).fill(0xab)];
const KEY_FRAME = Uint8Array.from([...nal(7, 8), ...nal(8, 4), ...nal(5, KEY_FRAME_BYTES)]);
const FRAME = Uint8Array.from(nal(1, FRAME_BYTES));

/** Pictures are plain canvases; frames are as long as real ones, and say nothing. */
export class PretendedEngine {
  readonly encoders: VideoEncoderOptions[] = [];
  decoded = 0;
  /** False: nothing can be made of what comes. */
  understands = true;
  /** False: encoders fail, and go on to. */
  encodes = true;
  /** Something was lost of what decoders have. */
  damaged = false;
  /** Of this library, those that were not closed. */
  readonly canvases = new Set<Canvas>();
  encoded: (options: VideoEncoderOptions) => void = () => undefined;
  drawn: () => void = () => undefined;

  openDecoder(): unknown {
    const decode = async (): Promise<unknown[]> => {
      this.decoded++;
      if (!this.understands) return [];
      return [Object.assign(Canvas.plain(64, 36), { hold: () => undefined, release: () => undefined })];
    };
    const none = (): void => undefined;
    const { damaged } = this;
    return { decode, reset: none, close: none, keyFrameNeeded: damaged, counters: { broken: 0 } };
  }

  async openEncoder(options: VideoEncoderOptions): Promise<unknown> {
    this.encoders.push(options);
    let first = true;
    const encoder = {
      ...{ failures: 0, setBitrate: () => undefined, close: () => undefined },
      encode: async (_canvas: unknown, pts: number, force: boolean): Promise<unknown> => {
        if (!this.encodes) encoder.failures++;
        if (encoder.failures > 0) return null;
        const keyFrame = first || force;
        first = false;
        this.encoded(options);
        return { data: keyFrame ? KEY_FRAME : FRAME, keyFrame, pts };
      },
    };
    return encoder;
  }

  canvas(width: number, height: number): Canvas {
    const canvas = Canvas.plain(width, height);
    const close = canvas.close.bind(canvas);
    canvas.close = () => {
      this.canvases.delete(canvas);
      close();
    };
    this.canvases.add(canvas);
    return canvas;
  }

  /** Says how large the picture is. */
  async jpegOf({ width, height, planes }: Canvas): Promise<Uint8Array> {
    if (planes[0].length === 0) throw new Error('the canvas is closed');
    return Buffer.from(`${width}x${height}`);
  }

  pictureScaler(): unknown {
    const draw = (_picture: unknown, _canvas: unknown, rect: unknown): unknown => {
      this.drawn();
      return rect;
    };
    return { draw, close: () => undefined };
  }

  textRenderer(): unknown {
    return { render: async () => ({ width: 0, height: 0, alpha: new Uint8Array(0) }), close: () => undefined };
  }
}

export const H264: VideoFormat = {
  codec: 'H264',
  payloadType: 96,
  parameters: { 'profile-level-id': '42e01f', 'packetization-mode': '1' },
  rtxPayloadType: null,
  feedback: { nack: true, pli: true, fir: true, tmmbr: true, remb: true },
};

export function videoMedia(changed: Partial<VideoMedia> = {}): VideoMedia {
  return {
    remote: { address: '192.0.2.1', rtpPort: 4000, rtcpPort: 4001 },
    ...{ rtcpMux: false, direction: 'sendrecv', send: H264, receive: [H264], crypto: null },
    limits: {
      ...{ maxWidth: 1280, maxHeight: 720, maxPixels: 1280 * 720, maxPixelsPerSecond: 30 * 1280 * 720 },
      ...{ maxFps: 30, maxBitrateBps: null },
    },
    ...changed,
  };
}

export function participant(leg: string, changed: Partial<SceneParticipant> = {}): SceneParticipant {
  return {
    ...{ leg, name: leg, talking: false, muted: false, hand: false, camera: true, hasCard: true },
    ...{ recorded: true, layout: null, hideSelf: false },
    ...changed,
  };
}

export function scene(legs: readonly (string | SceneParticipant)[], changed: Partial<VideoScene> = {}): VideoScene {
  return {
    ...{
      title: null,
      roomName: 'Room',
      layout: 'grid',
      canvas: { width: 1280, height: 720 },
      fps: 25,
      theme: 'dark',
      fill: 'crop',
    },
    ...{ names: true, recording: 'off', speaker: null, spotlight: [], places: [], slides: null },
    participants: legs.map((leg) => (typeof leg === 'string' ? participant(leg) : leg)),
    ...changed,
  };
}

export class SimulatedVideoMixer {
  nowMs = 1000;
  readonly engine = new PretendedEngine();
  readonly events: VideoMixerEvent[] = [];
  private readonly mixer: VideoMixer;
  private readonly replies = new Map<number, (message: FromVideoMixer) => void>();

  constructor() {
    wires.clear();
    this.mixer = new VideoMixer(
      {
        ...{ bindAddress: '127.0.0.1', rtpPortMin: 20000, rtpPortMax: 20199, portQuarantineMs: 0 },
        ...{ silenceTimeoutMs: 10_000, encoder: 'software', font: null },
      },
      this.engine as unknown as Engine,
      {
        send: (message) => {
          if (message.type === 'event' && message.event === 'packetFault') throw new Error(message.reason);
          if (message.type === 'event') this.events.push(message);
          else if (message.type !== 'hello') this.replies.get(message.id)?.(message);
        },
        now: () => this.nowMs,
        wallClock: () => 1_700_000_000_000 + this.nowMs,
        wake: () => undefined,
      },
    );
  }

  request<M extends VideoMixerMethod>(method: M, params: VideoMixerParams<M>): Promise<VideoMixerResult<M>> {
    return new Promise((resolve, reject) => {
      const id = this.replies.size;
      this.replies.set(id, (message) => {
        if (message.type === 'reply') resolve(message.result as VideoMixerResult<M>);
        else reject(message);
      });
      this.mixer.request(id, method, params);
    });
  }

  async open(
    room: string,
    leg: string,
    media = videoMedia(),
    stream: VideoStreamName = 'main',
  ): Promise<SimulatedPeer> {
    const { rtpPort } = await this.request('openStream', { room, leg, stream, cname: leg, media });
    return new SimulatedPeer(this, wires.get(rtpPort)!, media.rtcpMux);
  }

  /** Lets time pass, and whatever waits for a promise go on in between. */
  async pass(ms: number, each: () => void = () => undefined): Promise<void> {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += STEP_MS;
      each();
      this.mixer.run(this.nowMs);
      for (let turn = 0; turn < 12; turn++) await Promise.resolve();
    }
  }
}

/** The other end of a stream. */
export class SimulatedPeer {
  private readonly mixer: SimulatedVideoMixer;
  private readonly wire: Wire;
  private readonly rtcpMux: boolean;
  private readonly list = new PayloadList();
  private sequence = 0;
  private sinceKeyFrame = 0;
  private sendsNextMs = 0;

  constructor(mixer: SimulatedVideoMixer, wire: Wire, rtcpMux: boolean) {
    this.mixer = mixer;
    this.wire = wire;
    this.rtcpMux = rtcpMux;
  }

  /** How often what it sends was looked for. */
  get reads(): Wire['reads'] {
    return this.wire.reads;
  }

  /** RTP packets that came here until now. */
  get received(): RtpPacket[] {
    const rtp = this.wire.sent.filter((data) => muxedPacketKind(data, data.length) === 'rtp');
    return rtp.map((data) => {
      const packet = new RtpPacket();
      if (!packet.parse(data, data.length)) throw new Error('not RTP');
      return packet;
    });
  }

  get receivedRtcp(): Uint8Array[] {
    return this.wire.sentRtcp;
  }

  /** The next frame is lost on its way. */
  skipFrame(): void {
    this.sinceKeyFrame++;
  }

  /** A packet is lost on its way: the last of a frame that went before. */
  loseFrame(): void {
    this.sequence++;
  }

  /** The next frame is a key frame. */
  beginAnew(): void {
    this.sinceKeyFrame = 0;
  }

  /** A frame of theirs, if one is due; the first, and each hundredth, is a key frame. */
  sendFrames(): void {
    if (this.mixer.nowMs < this.sendsNextMs) return;
    this.sendsNextMs = this.mixer.nowMs + 40;
    packetizeH264(this.sinceKeyFrame++ % 100 === 0 ? KEY_FRAME : FRAME, 1, 1180, this.list);
    for (let index = 0; index < this.list.count; index++) {
      const packet = new Uint8Array(12 + this.list.length(index));
      const last = index === this.list.count - 1;
      writeRtpHeader(packet, 96, last, this.sequence++ & 0xffff, Math.round(this.mixer.nowMs * 90) >>> 0, 77);
      const from = this.list.offset(index);
      packet.set(this.list.bytes.subarray(from, from + this.list.length(index)), 12);
      this.wire.rtp(packet, packet.length, '192.0.2.1', 4000, this.mixer.nowMs);
    }
  }

  /** Reports so much loss of what was sent here. @param fractionLost 0 to 1 */
  report(fractionLost: number): void {
    const out = new Uint8Array(100);
    const ssrc = readUint32(this.wire.sent[0]!, 8);
    const block = { ...emptyReportBlock(), ssrc, fractionLost: Math.round(fractionLost * 256) };
    this.sendRtcp(out, writeReceiverReport(out, 0, 77, block));
  }

  sendRtcp(data: Uint8Array, length: number): void {
    const { wire, rtcpMux } = this;
    const hand = rtcpMux ? wire.rtp : wire.rtcp;
    hand(data, length, '192.0.2.1', rtcpMux ? 4000 : 4001, this.mixer.nowMs);
  }
}
