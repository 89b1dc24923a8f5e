/** Damaged, shuffled and made-up video packets: a receiver gives out units or nothing, and takes the next good stream. */

import { RtpPacket, writeRtpHeader, writeUint16, writeUint32 } from '../../mixer/rtp/rtp-packet.ts';
import { packetizeH264 } from '../../mixer/video/rtp/h264-packetizer.ts';
import { PayloadList } from '../../mixer/video/rtp/payload-list.ts';
import { MAX_UNIT_OCTETS } from '../../mixer/video/rtp/unit-writer.ts';
import { type AccessUnit, VideoReceiver } from '../../mixer/video/rtp/video-receiver.ts';
import { packetizeVp8 } from '../../mixer/video/rtp/vp8-packetizer.ts';
import type { VideoCodecName } from '../../mixer/video-protocol.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { byteStream, H264_TYPE, octets, RTX_TYPE, VP8_RTX_TYPE, VP8_TYPE, videoFormat } from '../video/rtp/packets.ts';
import { eachInTime } from './limits.ts';

export interface VideoFuzzResult {
  packets: number;
  units: number;
  brokenUnits: number;
  malformed: number;
  resets: number;
  nacks: number;
  /** Good streams that came through afterwards. */
  recoveries: number;
}

const SPS = octets('6742e01fda014016');
const PPS = octets('68ce3c80');
const VP8_KEY = octets('1002009d012a80026801');
/** A good stream is sent after so many packets, to see whether it is taken. */
const RECOVERY_EVERY = 500;
/** Sent before are kept, to come again. */
const KEPT = 200;
/** Sets, start codes: what a unit may have beside what came. */
const EXTRA_OCTETS = 128 * 1024;

class VideoFuzz {
  readonly receiver = new VideoReceiver();
  units = 0;
  nacks = 0;
  recoveries = 0;
  /** The packet that was put last, for the report. */
  last: Uint8Array = new Uint8Array(0);
  private readonly random: SeededRandom;
  private readonly view = new RtpPacket();
  private readonly list = new PayloadList();
  private readonly lost = new Uint16Array(64);
  private readonly kept: Uint8Array[] = [];
  private readonly waiting: Uint8Array[] = [];
  private sequence = 0;
  private timestamp = 0;
  private ssrc = 1;
  private codec: VideoCodecName = 'H264';
  private nowMs = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    const nack = this.random.chance(0.7);
    this.receiver.configure([videoFormat('H264', nack), videoFormat('VP8', nack)]);
  }

  step(number: number): void {
    const { random } = this;
    if (number % RECOVERY_EVERY === RECOVERY_EVERY - 1) return this.recover();
    if (this.waiting.length === 0)
      this.waiting.push(...this.frame(random.chance(0.95) ? this.codec : 'VP8', random.chance(0.2)));
    let packet = random.chance(0.1) && this.kept.length > 0 ? random.pick(this.kept) : this.waiting.shift()!;
    if (random.chance(0.05)) return;
    if (random.chance(0.1)) packet = this.damage(packet);
    this.kept.push(packet);
    if (this.kept.length > KEPT) this.kept.shift();
    if (random.chance(0.05)) this.waiting.splice(random.below(this.waiting.length + 1), 0, packet);
    this.put(packet);
    this.nowMs += random.chance(0.05) ? random.below(600) : random.below(6);
    if (random.chance(0.3)) this.take();
    if (random.chance(0.001)) this.receiver.requireKeyFrame();
    if (random.chance(0.0005)) this.receiver.reset();
  }

  /** A stream of its own, in order and whole. */
  private recover(): void {
    this.waiting.length = 0;
    this.nowMs += 5000;
    this.take();
    this.ssrc = this.random.below(2 ** 32);
    this.sequence = this.random.below(65536);
    const good = [...this.frame('H264', true), ...this.frame('H264', false)];
    if (good.length < 2) throw new Error('a stream is at least two packets');
    for (const packet of good) this.put(packet);
    const first = this.receiver.next(this.nowMs);
    const second = this.receiver.next(this.nowMs);
    if (!first?.intact || !first.keyFrame || !second?.intact || second.afterLoss) throw new Error('not taken again');
    if (this.receiver.keyFrameNeeded) throw new Error('a key frame is asked for that has come');
    this.recoveries++;
    this.codec = this.random.pick(['H264', 'VP8']);
  }

  private put(packet: Uint8Array): void {
    this.last = packet;
    if (!this.view.parse(packet, packet.length)) return;
    const { payloadOffset, payloadLength } = this.view;
    this.receiver.put(this.view, packet.subarray(payloadOffset, payloadOffset + payloadLength), this.nowMs);
  }

  private take(): void {
    const { receiver, nowMs } = this;
    for (let unit = receiver.next(nowMs); unit !== null; unit = receiver.next(nowMs)) this.check(unit);
    const nacks = receiver.nacks(nowMs, this.lost);
    if (nacks > this.lost.length) throw new Error('more is asked for than fits');
    this.nacks += nacks;
  }

  private check({ codec, data, intact, keyFrame, arrivedMs }: AccessUnit): void {
    this.units++;
    if (data.length === 0 || data.length > MAX_UNIT_OCTETS + EXTRA_OCTETS) throw new Error(`${data.length} octets`);
    if (!(arrivedMs <= this.nowMs)) throw new Error(`arrived at ${arrivedMs}`);
    if (codec === 'H264') {
      if (data[0] !== 0 || data[3] !== 1) throw new Error('no byte stream');
    } else if (!intact || keyFrame !== ((data[0]! & 1) === 0)) throw new Error('no VP8 frame');
  }

  private frame(codec: VideoCodecName, keyFrame: boolean): Uint8Array[] {
    const { random } = this;
    const body = new Uint8Array(12 + random.below(3000)).fill(1 + random.below(255));
    if (codec === 'VP8') {
      if (keyFrame) body.set(VP8_KEY);
      else body[0] = 0x31;
      packetizeVp8(body, random.chance(0.5) ? this.sequence : null, 500, this.list);
    } else {
      body[0] = keyFrame ? 0x65 : 0x41;
      body[1] = 0x88;
      packetizeH264(keyFrame ? byteStream(SPS, PPS, body) : byteStream(body), 1, 500, this.list);
    }
    this.timestamp = (this.timestamp + 3600) >>> 0;
    return Array.from({ length: this.list.count }, (_, index) => this.packet(codec, index));
  }

  private packet(codec: VideoCodecName, index: number): Uint8Array {
    const { list } = this;
    const packet = new Uint8Array(12 + list.length(index));
    const type = codec === 'VP8' ? VP8_TYPE : H264_TYPE;
    writeRtpHeader(packet, type, index === list.count - 1, this.sequence, this.timestamp, this.ssrc);
    this.sequence = (this.sequence + 1) & 0xffff;
    packet.set(list.bytes.subarray(list.offset(index), list.offset(index) + list.length(index)), 12);
    return packet;
  }

  private damage(packet: Uint8Array): Uint8Array {
    const { random } = this;
    const damaged = packet.slice(0, random.chance(0.2) ? 12 + random.below(packet.length - 11) : packet.length);
    const choice = random.below(8);
    if (choice === 0) writeUint16(damaged, 2, random.below(65536));
    else if (choice === 1) writeUint16(damaged, 2, (this.sequence + random.below(3000)) & 0xffff);
    else if (choice === 2) writeUint32(damaged, 4, random.below(2 ** 32));
    else if (choice === 3) writeUint32(damaged, 8, random.chance(0.5) ? 7 : random.below(2 ** 32));
    else if (choice === 4)
      damaged[1] = random.pick([H264_TYPE, VP8_TYPE, RTX_TYPE, VP8_RTX_TYPE]) | (random.below(2) << 7);
    else {
      // What payloads say of themselves is at their beginning.
      for (let change = random.below(4); change >= 0; change--) {
        const at = 12 + random.below(Math.min(20, damaged.length - 11));
        if (at < damaged.length)
          damaged[at] = random.pick([0, 1, 0x18, 0x1c, 0x58, 0x5c, 0x7c, 0x80, 0xff, random.below(256)]);
      }
    }
    return damaged;
  }
}

/** Puts `iterations` packets, made from `seed`; throws with the last of them when something is wrong. */
export function fuzzVideoRtp(iterations: number, seed: number): VideoFuzzResult {
  const fuzz = new VideoFuzz(seed);
  eachInTime(
    iterations,
    (number) => fuzz.step(number),
    (number) => `seed ${seed}, packet ${number}: ${Buffer.from(fuzz.last).toString('hex')}`,
  );
  const { units, nacks, recoveries, receiver } = fuzz;
  const { malformed, resets } = receiver.counters;
  return { packets: iterations, units, brokenUnits: receiver.brokenUnits, malformed, resets, nacks, recoveries };
}
