import { readCodes, type SeenCode } from '../../../video/coded-picture/read-codes.ts';
import { FPS, RTP_CLOCK_HZ, type VideoCodec } from './coded-source.ts';
import { inShares, LOOK_HEIGHT, LOOK_WIDTH } from './look.ts';
import { type MediaSocket, readRtp, writeRtp } from './media-socket.ts';
import { PacketOrder, type ReceivedPacket } from './packet-order.ts';
import { type DecodedPicture, PictureDecoder } from './picture-decoder.ts';
import { type RtcpReport, writeNack, writePli, writeReceiverReport } from './rtcp.ts';

export interface VideoReceiveFormat {
  codec: VideoCodec;
  payloadType: number;
  rtxPayloadType: number | null;
  nack: boolean;
  pli: boolean;
}

const PICTURE_TICKS = RTP_CLOCK_HZ / FPS;

/** One decoded picture. */
export interface SeenPicture {
  rtpTimestamp: number;
  /** When its first packet came, by `performance.now()`. */
  arrivedMs: number;
  width: number;
  height: number;
  key: boolean;
  /** Places in it as shares of its sides, 0 to 1. */
  codes: SeenCode[];
}

/** A packet may come twice after it was asked for; where it cannot be asked for, it is only late. */
const PATIENCE_WITH_NACK_MS = 240;
const PATIENCE_WITHOUT_MS = 30;
const CHECK_EVERY_MS = 20;
const PLI_EVERY_MS = 300;
const NO_PICTURE_MS = 500;
const REPORT_EVERY_MS = 1_000;

/** Takes a video stream as a phone does, and reads the codes in every picture that ffmpeg decodes of it. */
export class VideoReceiver {
  readonly ssrc: number;
  readonly pictures: SeenPicture[] = [];
  /** The newest picture itself. */
  last: DecodedPicture | null = null;
  packets = 0;
  octets = 0;
  nacked = 0;
  recovered = 0;
  gaveUp = 0;
  plis = 0;
  /** Pictures whose time is that of no packet: they are not looked at. */
  untimely = 0;
  /** How many there were, one after the other. */
  streams = 0;
  /** When the first packet of each RTP timestamp came. */
  readonly #arrivals = new Map<number, number>();
  readonly #socket: MediaSocket;
  readonly #format: VideoReceiveFormat;
  readonly #decoder: PictureDecoder;
  readonly #cname: string;
  #order: PacketOrder;
  readonly #timers: NodeJS.Timeout[];
  readonly #looking: (() => void)[] = [];
  #reports: { ssrc: number; wallMs: number; rtpTimestamp: number }[] = [];
  #mediaSsrc: number | null = null;
  /** The last that ffmpeg got, in its own numbers, which begin with a picture's ticks. */
  #fed = { timestamp: 0, sequenceNumber: 0 };
  /** From the stream's numbers to those. */
  #shift: { timestamp: number; sequenceNumber: number } | null = null;
  /** By ticks since the first packet that ffmpeg got. */
  readonly #sent = new Map<number, { rtpTimestamp: number; arrivedMs: number }>();
  #pliAtMs = 0;
  #waitingSinceMs = 0;

  static async start(socket: MediaSocket, format: VideoReceiveFormat, ssrc: number, cname: string) {
    const decoder = await PictureDecoder.start(format.codec, format.payloadType, LOOK_WIDTH, LOOK_HEIGHT);
    return new VideoReceiver(socket, format, decoder, ssrc, cname);
  }

  private constructor(
    socket: MediaSocket,
    format: VideoReceiveFormat,
    decoder: PictureDecoder,
    ssrc: number,
    cname: string,
  ) {
    this.#socket = socket;
    this.#format = format;
    this.#decoder = decoder;
    this.ssrc = ssrc;
    this.#cname = cname;
    this.#order = this.#newOrder();
    decoder.onPicture = (picture) => this.#decoded(picture);
    this.#timers = [
      setInterval(() => this.#check(performance.now()), CHECK_EVERY_MS),
      setInterval(() => this.#report(), REPORT_EVERY_MS),
    ];
  }

  put(data: Buffer, nowMs: number): void {
    const packet = readRtp(data);
    if (!packet) return;
    this.packets++;
    this.octets += packet.payload.length;
    this.#waitingSinceMs ||= nowMs;
    if (!this.#arrivals.has(packet.timestamp)) this.#arrivals.set(packet.timestamp, nowMs);
    if (packet.payloadType === this.#format.payloadType) {
      if (packet.ssrc !== this.#mediaSsrc) this.#newStream(packet.ssrc);
      this.#order.put({ ...packet, payload: Buffer.from(packet.payload) }, nowMs);
    } else if (packet.payloadType === this.#format.rtxPayloadType && packet.payload.length > 2) {
      this.recovered++;
      const sequenceNumber = packet.payload.readUInt16BE(0);
      this.#order.put({ ...packet, sequenceNumber, payload: Buffer.from(packet.payload.subarray(2)) }, nowMs);
    }
  }

  /** What the far end says. */
  heard(report: RtcpReport): void {
    if (report.type === 'SR' && report.ssrc === this.#mediaSsrc) this.#reports.push(report);
  }

  get mediaSsrc(): number | null {
    return this.#mediaSsrc;
  }

  /** The sender's wall clock at an RTP timestamp, in milliseconds since 1970, by its report next to it. */
  wallMs(rtpTimestamp: number): number {
    let nearest = Number.POSITIVE_INFINITY;
    let wallMs = Number.NaN;
    for (const report of this.#reports) {
      const ticks = (rtpTimestamp - report.rtpTimestamp) | 0;
      if (Math.abs(ticks) >= nearest) continue;
      nearest = Math.abs(ticks);
      wallMs = report.wallMs + (1_000 * ticks) / RTP_CLOCK_HZ;
    }
    if (Number.isNaN(wallMs)) throw new Error('no sender report for the picture');
    return wallMs;
  }

  /** `atOnce`: as often as it is called. */
  askForKeyFrame(atOnce = false): void {
    const now = performance.now();
    if (!this.#format.pli || this.#mediaSsrc === null) return;
    if (!atOnce && now - this.#pliAtMs < PLI_EVERY_MS) return;
    this.#pliAtMs = now;
    this.plis++;
    this.#socket.sendRtcp(writePli(this.ssrc, this.#cname, this.#mediaSsrc));
  }

  /** Waits for a picture that is as wanted, from those yet to come. */
  seen(what: string, isWanted: (picture: SeenPicture) => boolean, timeoutMs: number): Promise<SeenPicture> {
    return new Promise((resolve, reject) => {
      const from = this.pictures.length;
      let next = from;
      const look = (): void => {
        for (; next < this.pictures.length; next++) {
          const picture = this.pictures[next]!;
          if (!isWanted(picture)) continue;
          clearTimeout(deadline);
          this.#looking.splice(this.#looking.indexOf(look), 1);
          resolve(picture);
          return;
        }
      };
      const deadline = setTimeout(() => {
        this.#looking.splice(this.#looking.indexOf(look), 1);
        reject(new Error(`${what}: not seen within ${timeoutMs} ms; ${this.summary(from)}`));
      }, timeoutMs);
      this.#looking.push(look);
    });
  }

  /** What there was to see since then, for a failed test's message. */
  summary(from = 0): string {
    const pictures = this.pictures.slice(from);
    const last = pictures
      .at(-1)
      ?.codes.map(({ sender, counter, rect }) => `${sender}#${counter} at ${JSON.stringify(rect)}`);
    const size = pictures.at(-1);
    return [
      `${pictures.length} pictures of ${this.pictures.length} since, ${this.packets} packets with ${this.octets} octets`,
      `last ${size?.width}x${size?.height}: ${last?.join(', ') ?? 'none'}`,
      `${this.nacked} asked again, ${this.recovered} by RTX, ${this.gaveUp} given up, ${this.plis} PLI, ${this.untimely} untimely`,
      ...(this.pictures.length === 0 ? [this.#decoder.output.slice(-1_500)] : []),
    ].join('; ');
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#decoder.stop();
  }

  #newOrder(): PacketOrder {
    return new PacketOrder(this.#format.nack ? PATIENCE_WITH_NACK_MS : PATIENCE_WITHOUT_MS, {
      forward: (packet) => this.#forward(packet),
      missing: (numbers) => this.#missing(numbers),
      gaveUp: () => {
        this.gaveUp++;
        this.askForKeyFrame();
      },
    });
  }

  /** As after a restart of the far end. For ffmpeg it goes on where the one before ended. */
  #newStream(ssrc: number): void {
    this.#mediaSsrc = ssrc;
    this.#reports = [];
    this.#order = this.#newOrder();
    this.#shift = null;
    this.streams++;
  }

  #forward(packet: ReceivedPacket): void {
    const { payloadType } = this.#format;
    this.#shift ??= {
      timestamp: this.#fed.timestamp + PICTURE_TICKS - packet.timestamp,
      sequenceNumber: this.#fed.sequenceNumber + 1 - packet.sequenceNumber,
    };
    const timestamp = (packet.timestamp + this.#shift.timestamp) >>> 0;
    const sequenceNumber = (packet.sequenceNumber + this.#shift.sequenceNumber) & 0xffff;
    this.#fed = { timestamp, sequenceNumber };
    const ticks = (timestamp - PICTURE_TICKS) >>> 0;
    const arrivedMs = this.#arrivals.get(packet.timestamp) ?? performance.now();
    if (!this.#sent.has(ticks)) this.#sent.set(ticks, { rtpTimestamp: packet.timestamp, arrivedMs });
    const header = { ...packet, payloadType, timestamp, sequenceNumber, ssrc: 1 };
    this.#decoder.feed(writeRtp(header, packet.payload));
  }

  #missing(numbers: readonly number[]): void {
    if (!this.#format.nack || this.#mediaSsrc === null || numbers.length === 0) return;
    this.nacked += numbers.length;
    this.#socket.sendRtcp(writeNack(this.ssrc, this.#cname, this.#mediaSsrc, numbers));
  }

  /** No picture for a while though packets come: the key frame was lost, or what was sent is broken. */
  #check(nowMs: number): void {
    this.#order.check(nowMs);
    if (this.#waitingSinceMs !== 0 && nowMs - this.#waitingSinceMs > NO_PICTURE_MS) this.askForKeyFrame();
  }

  #report(): void {
    if (this.#mediaSsrc === null) return;
    this.#socket.sendRtcp(writeReceiverReport(this.ssrc, this.#cname, this.#mediaSsrc, this.#socket.loss.received));
  }

  #decoded(picture: DecodedPicture): void {
    this.last = picture;
    this.#waitingSinceMs = 0;
    const sent = this.#sent.get(picture.ticks);
    // Where a stream begins anew, ffmpeg now and then gives a picture a time of its own.
    if (!sent) return void this.untimely++;
    const { rtpTimestamp, arrivedMs } = sent;
    const { sentWidth: width, sentHeight: height, key } = picture;
    const codes = inShares(readCodes(picture));
    this.pictures.push({ rtpTimestamp, arrivedMs, width, height, key, codes });
    for (const look of [...this.#looking]) look();
  }
}
