import { randomInt } from 'node:crypto';
import { seededRandom } from '../lossy-relay.ts';
import { type EncodedPicture, FPS, PICTURES, RTP_CLOCK_HZ } from './coded-source.ts';
import type { MediaClock } from './media-clock.ts';
import { type MediaSocket, writeRtp } from './media-socket.ts';
import { type RtcpReport, wallClockMs, writeSenderReport } from './rtcp.ts';

/** `random`: octets by chance instead of payloads. `damaged`: one octet of each payload is another. */
export type Garbage = 'random' | 'damaged';

export interface VideoSendFormat {
  payloadType: number;
  /** What is sent again goes as RFC 4588 has it; null: as it was. */
  rtxPayloadType: number | null;
}

const KEPT_PACKETS = 1_024;
const REPORT_EVERY_MS = 1_000;

/**
 * Sends coded pictures at their pace, and sender reports; sends again what is asked for, and a key frame when one is
 * wanted: it goes on with that encoding whose next key frame comes first.
 */
export class VideoSender {
  readonly ssrc = randomInt(0x7fffffff);
  /** Milliseconds by which pictures leave late, which their RTP timestamps do not show: a slow camera pipeline. */
  delayMs = 0;
  garbage: Garbage | null = null;
  nacked = 0;
  resent = 0;
  keyFramesWanted = 0;
  keyFramesSent = 0;
  readonly #socket: MediaSocket;
  readonly #encodings: EncodedPicture[][];
  readonly #cname: string;
  readonly #random = seededRandom(11);
  readonly #kept = new Map<number, Buffer>();
  readonly #rtxSsrc = randomInt(0x7fffffff);
  readonly #firstTimestamp = randomInt(0x7fffffff);
  #format: VideoSendFormat;
  #stop: (() => void)[] = [];
  #encoding = 0;
  #keyFrameWanted = true;
  #sequenceNumber = randomInt(0x8000);
  #rtxSequenceNumber = randomInt(0x8000);
  #packets = 0;
  #octets = 0;

  constructor(socket: MediaSocket, encodings: EncodedPicture[][], format: VideoSendFormat, cname: string) {
    this.#socket = socket;
    this.#encodings = encodings;
    this.#format = format;
    this.#cname = cname;
  }

  /** From the picture that is due now on; the first that goes out is a key frame. */
  start(clock: MediaClock): void {
    this.stop();
    this.#keyFrameWanted = true;
    const passed = performance.now() - clock.startedMs;
    const first = Math.max(0, Math.floor((passed * FPS) / 1_000));
    this.#stop = [
      clock.every(1_000 / FPS, this.delayMs + (first * 1_000) / FPS, (index) => this.#sendPicture(first + index)),
      clock.every(REPORT_EVERY_MS, 200 + Math.max(0, passed), () => this.#report(clock)),
    ];
  }

  stop(): void {
    for (const stop of this.#stop.splice(0)) stop();
  }

  /** What the far end says of this stream. */
  heard(report: RtcpReport): void {
    if (report.type === 'PLI' || report.type === 'FIR') {
      this.keyFramesWanted++;
      this.#keyFrameWanted = true;
    }
    if (report.type === 'NACK') for (const number of report.sequenceNumbers) this.#resend(number);
  }

  #sendPicture(number: number): void {
    const counter = number % PICTURES;
    if (this.#keyFrameWanted) {
      const encoding = this.#encodings.findIndex((pictures) => pictures[counter]!.key);
      if (encoding !== -1) this.#encoding = encoding;
      else if (this.#packets === 0) return;
      this.#keyFrameWanted = encoding === -1;
    }
    const { payloads, key } = this.#encodings[this.#encoding]![counter]!;
    if (key) this.keyFramesSent++;
    const timestamp = this.#firstTimestamp + (number * RTP_CLOCK_HZ) / FPS;
    payloads.forEach((payload, index) => {
      this.#sendPacket(this.#spoilt(payload), timestamp, index === payloads.length - 1);
    });
  }

  #spoilt(payload: Buffer): Buffer {
    if (!this.garbage) return payload;
    const spoilt = Buffer.from(payload);
    if (this.garbage === 'damaged') spoilt[Math.floor(this.#random() * spoilt.length)]! ^= 0x55;
    else for (let index = 0; index < spoilt.length; index++) spoilt[index] = 256 * this.#random();
    return spoilt;
  }

  #sendPacket(payload: Buffer, timestamp: number, marker: boolean): void {
    const sequenceNumber = this.#sequenceNumber;
    this.#sequenceNumber = (sequenceNumber + 1) & 0xffff;
    const { payloadType } = this.#format;
    const packet = writeRtp({ payloadType, marker, sequenceNumber, timestamp, ssrc: this.ssrc }, payload);
    this.#kept.set(sequenceNumber, packet);
    this.#kept.delete((sequenceNumber - KEPT_PACKETS) & 0xffff);
    this.#packets++;
    this.#octets += payload.length;
    this.#socket.sendRtp(packet);
  }

  #resend(number: number): void {
    this.nacked++;
    const packet = this.#kept.get(number);
    if (!packet) return;
    this.resent++;
    const { rtxPayloadType } = this.#format;
    if (rtxPayloadType === null) return this.#socket.sendRtp(packet);
    const original = Buffer.alloc(2);
    original.writeUInt16BE(number);
    const header = {
      payloadType: rtxPayloadType,
      marker: packet[1]! >= 0x80,
      sequenceNumber: this.#rtxSequenceNumber++ & 0xffff,
      timestamp: packet.readUInt32BE(4),
      ssrc: this.#rtxSsrc,
    };
    this.#socket.sendRtp(writeRtp(header, Buffer.concat([original, packet.subarray(12)])));
  }

  #report(clock: MediaClock): void {
    const now = performance.now();
    const rtpTimestamp = this.#firstTimestamp + Math.round(((now - clock.startedMs) * RTP_CLOCK_HZ) / 1_000);
    const { ssrc } = this;
    const counts = { packets: this.#packets, octets: this.#octets };
    const report = { ssrc, cname: this.#cname, wallMs: wallClockMs(now), rtpTimestamp, ...counts };
    this.#socket.sendRtcp(writeSenderReport(report));
  }
}
