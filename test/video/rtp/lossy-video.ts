/** A sender, a network that loses, and a receiver of video, in virtual time: everything of `mixer/video/rtp` together. */

import { nextNalUnit } from '../../../mixer/video/rtp/h264-nal.ts';
import { packetizeH264 } from '../../../mixer/video/rtp/h264-packetizer.ts';
import { KeyFrameDemand, KeyFrameRequests } from '../../../mixer/video/rtp/key-frame-requests.ts';
import { Pacer } from '../../../mixer/video/rtp/pacer.ts';
import { PayloadList } from '../../../mixer/video/rtp/payload-list.ts';
import { SentFrames } from '../../../mixer/video/rtp/sent-frames.ts';
import { type AccessUnit, VideoReceiver } from '../../../mixer/video/rtp/video-receiver.ts';
import { ViewerPackets } from '../../../mixer/video/rtp/viewer-packets.ts';
import { packetizeVp8 } from '../../../mixer/video/rtp/vp8-packetizer.ts';
import type { VideoCodecName } from '../../../mixer/video-protocol.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';
import { VirtualTimers } from '../../sim/virtual-timers.ts';
import { byteStream, hex, octets, receive, videoFormat } from './packets.ts';

export interface LossyVideoOptions {
  seed: number;
  seconds: number;
  codec: VideoCodecName;
  /** Of packets, each way. */
  lossPercent: number;
  roundTripMs: number;
  nack: boolean;
  rtx?: boolean;
  /** A packet takes up to this much longer than the one before it. */
  jitterMs?: number;
  duplicatePercent?: number;
  /** H.264 with slices, each in a packet of its own. */
  mode?: 0 | 1;
}

export interface LossyVideoResult {
  framesSent: number;
  /** From the first clean unit on: nobody can ask for what was lost before the first packet that came. */
  framesSeen: number;
  keyFramesSent: number;
  /** Units that were handed out; intact ones among them, and those that follow no loss. */
  units: number;
  intact: number;
  clean: number;
  /** Longest time without a clean unit, after the first. */
  longestFreezeMs: number;
  receiver: VideoReceiver;
  retransmitted: number;
}

const FPS = 25;
const FRAME_MS = 1000 / FPS;
const STEP_MS = 5;
const BITRATE_BPS = 800_000;
const MAX_PAYLOAD = 1180;
const SPS = octets('6742e01fda014016');
const PPS = octets('68ce3c80');

/** Without zeros, in which a start code could be. */
const random = new SeededRandom(1);
const NOISE = Uint8Array.from({ length: 1 << 17 }, () => 1 + random.below(255));

interface Frame {
  number: number;
  data: Uint8Array;
  keyFrame: boolean;
}

class Simulation {
  readonly timers = new VirtualTimers();
  readonly random: SeededRandom;
  readonly receiver = new VideoReceiver();
  readonly frames = new Map<number, Frame>();
  framesSent = 0;
  firstClean = -1;
  keyFramesSent = 0;
  intact = 0;
  clean = 0;
  units = 0;
  longestFreezeMs = 0;
  readonly viewer: ViewerPackets;
  private readonly options: LossyVideoOptions;
  private readonly sent = new SentFrames();
  private readonly pacer = new Pacer();
  private readonly demand = new KeyFrameDemand();
  private readonly requests = new KeyFrameRequests();
  private readonly list = new PayloadList();
  private readonly out = new Uint8Array(1500);
  private readonly lost = new Uint16Array(100);
  private firstTimestamp = -1;
  private cleanMs = Number.NaN;
  private last: { number: number; clean: boolean } | null = null;

  constructor(options: LossyVideoOptions) {
    this.options = options;
    this.random = new SeededRandom(options.seed);
    const { codec, nack, rtx = nack } = options;
    const format = videoFormat(codec, nack, rtx);
    this.receiver.configure([format]);
    this.viewer = new ViewerPackets({ ssrc: 1, rtxSsrc: 2, random: () => this.random.fraction() });
    this.viewer.configure(format);
    this.demand.newcomer();
  }

  run(): void {
    const untilMs = this.options.seconds * 1000;
    for (let at = 0; at < untilMs; at += FRAME_MS) this.timers.set(at, () => this.sendFrame());
    for (let at = 0; at < untilMs + 2000; at += STEP_MS) this.timers.set(at, () => this.step());
    this.timers.advance(untilMs + 2000);
  }

  private sendFrame(): void {
    const nowMs = this.timers.now();
    const keyFrame = this.framesSent === 0 || this.demand.isDue(nowMs);
    const data = this.options.codec === 'VP8' ? this.vp8Frame(keyFrame) : this.h264Frame(keyFrame);
    if (this.options.codec === 'VP8') packetizeVp8(data, this.framesSent, MAX_PAYLOAD, this.list);
    else if (!packetizeH264(data, this.options.mode ?? 1, MAX_PAYLOAD, this.list)) throw new Error('not packetised');
    const index = this.sent.add(this.list, nowMs, keyFrame);
    if (this.framesSent === 0) this.viewer.watch(this.sent, index);
    this.frames.set(Math.round(nowMs * 90), { number: this.framesSent, data, keyFrame });
    this.framesSent++;
    if (keyFrame) this.keyFramesSent++;
    if (keyFrame) this.demand.sent(nowMs);
  }

  private step(): void {
    const nowMs = this.timers.now();
    this.pacer.begin(BITRATE_BPS, this.viewer.waitingOctets, nowMs);
    while (this.viewer.nextLength > 0 && this.pacer.take(this.viewer.nextLength)) {
      const length = this.viewer.writeNext(this.out);
      if (this.firstTimestamp < 0) this.firstTimestamp = this.viewer.timestamp;
      this.travel(this.out.slice(0, length));
    }
    for (let unit = this.receiver.next(nowMs); unit !== null; unit = this.receiver.next(nowMs)) this.check(unit);
    const asked = this.receiver.nacks(nowMs, this.lost);
    if (asked > 0) {
      const numbers = this.lost.slice(0, asked);
      this.travelBack(() => {
        for (const number of numbers) this.sendAgain(number);
      });
    }
    if (this.requests.due(this.receiver.keyFrameNeeded, nowMs)) {
      this.travelBack(() => this.demand.asked(1, this.timers.now()));
    }
  }

  private sendAgain(number: number): void {
    const { roundTripMs } = this.options;
    const length = this.viewer.writeAgain(number, this.out, this.timers.now(), BITRATE_BPS, roundTripMs);
    if (length > 0) this.travel(this.out.slice(0, length));
  }

  private travel(packet: Uint8Array): void {
    const { lossPercent, roundTripMs, jitterMs = 0, duplicatePercent = 0 } = this.options;
    if (this.random.chance(lossPercent / 100)) return;
    const copies = this.random.chance(duplicatePercent / 100) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const delayMs = roundTripMs / 2 + this.random.fraction() * jitterMs;
      this.timers.set(delayMs, () => receive(this.receiver, packet.slice(), this.timers.now()));
    }
  }

  private travelBack(arrived: () => void): void {
    if (!this.random.chance(this.options.lossPercent / 100)) this.timers.set(this.options.roundTripMs / 2, arrived);
  }

  /** Throws at a unit that is not what was sent, or says of itself what is not true. */
  private check(unit: AccessUnit): void {
    const nowMs = this.timers.now();
    const frame = this.frames.get((unit.rtpTimestamp - this.firstTimestamp) >>> 0);
    if (frame === undefined) throw new Error(`nothing was sent at ${unit.rtpTimestamp}`);
    const { last } = this;
    const clean = unit.intact && !unit.afterLoss;
    const what = `seed ${this.options.seed}, frame ${frame.number} after ${last?.number}`;
    if (last !== null && frame.number <= last.number) throw new Error(`${what}: not in order`);
    if (unit.intact && Buffer.compare(unit.data, frame.data) !== 0)
      throw new Error(`${what}: intact, but not what was sent`);
    if (unit.intact && unit.keyFrame !== frame.keyFrame) throw new Error(`${what}: key frame ${unit.keyFrame}`);
    if (!unit.intact) this.checkPart(unit, frame, what);
    const follows = last?.clean && frame.number === last.number + 1;
    if (clean && !frame.keyFrame && !follows) throw new Error(`${what}: follows a loss and does not say so`);
    if (unit.codec === 'VP8' && !clean) throw new Error(`${what}: cannot be decoded`);
    this.last = { number: frame.number, clean };
    this.units++;
    if (unit.intact) this.intact++;
    if (!clean) return;
    this.clean++;
    if (this.firstClean < 0) this.firstClean = frame.number;
    if (!Number.isNaN(this.cleanMs)) this.longestFreezeMs = Math.max(this.longestFreezeMs, nowMs - this.cleanMs);
    this.cleanMs = nowMs;
  }

  /** Each NAL unit is one that was sent, or the beginning of a slice. */
  private checkPart(unit: AccessUnit, frame: Frame, what: string): void {
    const whole = nalsOf(frame.data);
    for (const nal of nalsOf(unit.data)) {
      if (!whole.some((sent) => sent.startsWith(nal) && (sent === nal || isSlice(nal)))) {
        throw new Error(`${what}: a NAL unit that was never sent, ${nal.slice(0, 40)}`);
      }
    }
  }

  private h264Frame(keyFrame: boolean): Uint8Array {
    const { options, random } = this;
    const slices = options.mode === 0 ? 1 + random.below(keyFrame ? 12 : 4) : random.chance(0.2) ? 3 : 1;
    const nals = keyFrame ? [SPS, PPS] : [];
    for (let slice = 0; slice < slices; slice++) {
      const most = options.mode === 0 ? MAX_PAYLOAD : keyFrame ? 20_000 : 5000;
      const nal = this.noise(4 + random.below(most - 4));
      nal[0] = keyFrame ? 0x65 : 0x41;
      nal[1] = slice === 0 ? 0x88 : 0x41;
      nals.push(nal);
    }
    return byteStream(...nals);
  }

  private vp8Frame(keyFrame: boolean): Uint8Array {
    const frame = this.noise(10 + this.random.below(keyFrame ? 20_000 : 5000));
    if (keyFrame) frame.set(octets('1002009d012a80026801'));
    else frame[0] = 0x31;
    return frame;
  }

  private noise(length: number): Uint8Array {
    const from = this.random.below(NOISE.length - length);
    return NOISE.slice(from, from + length);
  }
}

export function simulateLossyVideo(options: LossyVideoOptions): LossyVideoResult {
  const simulation = new Simulation(options);
  simulation.run();
  const { framesSent, keyFramesSent, units, intact, clean, longestFreezeMs, receiver, viewer } = simulation;
  const { retransmitted } = viewer;
  const framesSeen = simulation.firstClean < 0 ? 0 : framesSent - simulation.firstClean;
  return { framesSent, framesSeen, keyFramesSent, units, intact, clean, longestFreezeMs, receiver, retransmitted };
}

function nalsOf(unit: Uint8Array): string[] {
  const nals: string[] = [];
  const bounds = { start: 0, end: 0 };
  for (let at = 0; nextNalUnit(unit, at, bounds); at = bounds.end) {
    nals.push(hex(unit.subarray(bounds.start, bounds.end)));
  }
  return nals;
}

function isSlice(nal: string): boolean {
  return nal.startsWith('41') || nal.startsWith('65');
}
