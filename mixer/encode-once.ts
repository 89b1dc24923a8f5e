import type { AudioEncoder } from './codec/codec.ts';
import { PACKET_BYTES } from './net/packet-buffers.ts';
import { TICK_MS } from './room-clock.ts';
import type { SendFormat } from './send-format.ts';

/**
 * One encoder, and the packets that it made in this tick: for everybody who would get the same bytes.
 *
 * Packet borders lie at multiples of the packet time on the room's own time line, whenever the stream began. So streams of
 * one packet time are in step, and a listener moves from one to another without a gap or an overlap.
 */
export class EncodeStream {
  readonly sampleRateHz: number;
  /** Packets of the last `encode`. */
  packetCount = 0;
  readonly payloads: Uint8Array[] = [];
  /** The same memory, to be copied four octets at a time. */
  readonly payloadWords: Uint32Array[] = [];
  readonly payloadLengths: Uint16Array;
  /** Where the first of them begins on the room's time line, samples since tick 0; each is `packetSamples` long. */
  firstPacketStart = 0;
  readonly packetSamples: number;
  /** The tick of the last `encode`. */
  tick = -1;
  private readonly frameSamples: number;
  private readonly encoder: AudioEncoder;
  /** Packets do not end with each tick, so that something waits for the next one: at most `pendingSamples` of `pending`. */
  private readonly gathers: boolean;
  private readonly pending: Int16Array;
  private pendingSamples = 0;

  constructor(encoder: AudioEncoder, ptimeMs: number) {
    this.encoder = encoder;
    this.sampleRateHz = encoder.sampleRateHz;
    this.frameSamples = (this.sampleRateHz * TICK_MS) / 1000;
    this.packetSamples = (this.sampleRateHz * ptimeMs) / 1000;
    this.gathers = this.frameSamples % this.packetSamples !== 0;
    // What waits beside a tick's 20 ms is less than a packet.
    this.pending = new Int16Array(this.gathers ? this.packetSamples + this.frameSamples : 0);
    const mostPackets = Math.ceil(TICK_MS / ptimeMs);
    this.payloadLengths = new Uint16Array(mostPackets);
    for (let index = 0; index < mostPackets; index++) {
      const memory = new ArrayBuffer(PACKET_BYTES);
      this.payloads.push(new Uint8Array(memory));
      this.payloadWords.push(new Uint32Array(memory));
    }
  }

  /** Takes the 20 ms of `tick` and makes the packets that they complete. Returns how many encodes that took. */
  encode(pcm: Int16Array, tick: number): number {
    if (tick !== this.tick + 1) this.align(tick);
    this.tick = tick;
    this.firstPacketStart = tick * this.frameSamples - this.pendingSamples;
    const samples = this.gathers ? this.gather(pcm) : pcm;
    const end = this.pendingSamples + this.frameSamples;
    this.packetCount = 0;
    let start = 0;
    for (; start + this.packetSamples <= end; start += this.packetSamples) {
      const payload = this.payloads[this.packetCount]!;
      this.payloadLengths[this.packetCount] = this.encoder.encode(samples, start, this.packetSamples, payload, 0);
      this.packetCount++;
    }
    this.pendingSamples = end - start;
    if (start > 0 && start < end) this.pending.copyWithin(0, start, end);
    return this.packetCount;
  }

  /** Puts this tick's frame behind what waits. */
  private gather(pcm: Int16Array): Int16Array {
    this.pending.set(this.frameSamples === pcm.length ? pcm : pcm.subarray(0, this.frameSamples), this.pendingSamples);
    return this.pending;
  }

  /** Whether a listener who comes from another stream would hear that. */
  get hasMemory(): boolean {
    return this.encoder.hasMemory;
  }

  /** Goes on as if it had made all packets of `other`, of the same codec and packet time, and gathered what that has. */
  continueFrom(other: EncodeStream): void {
    this.encoder.adopt(other.encoder);
    this.pending.set(other.pending.subarray(0, other.pendingSamples));
    this.pendingSamples = other.pendingSamples;
    this.tick = other.tick;
  }

  /** Whether `other` made the same packets in this tick, octet by octet, and some. */
  madeTheSameAs(other: EncodeStream): boolean {
    if (this.packetCount === 0 || this.packetCount !== other.packetCount) return false;
    for (let index = 0; index < this.packetCount; index++) {
      const length = this.payloadLengths[index]!;
      if (length !== other.payloadLengths[index]!) return false;
      const payload = this.payloads[index]!;
      const others = other.payloads[index]!;
      for (let at = 0; at < length; at++) if (payload[at] !== others[at]) return false;
    }
    return true;
  }

  close(): void {
    this.encoder.close();
  }

  /** After ticks that this stream had no part in: the next packet holds silence up to `tick`. */
  private align(tick: number): void {
    this.pendingSamples = (tick * this.frameSamples) % this.packetSamples;
    this.pending.fill(0, 0, this.pendingSamples);
  }
}

/**
 * A stream of `format` for those who had `before`, of the same codec and packet time: `stream` if that is at work, as two
 * encoders of one mix differ by no more than their coding noise; else it goes on where `before` is.
 */
export function continued(
  stream: EncodeStream | null,
  before: EncodeStream | null,
  format: SendFormat,
  listeners: 'one' | 'shared',
): EncodeStream | null {
  if (before === null || (stream !== null && stream.tick >= before.tick)) return stream;
  const next = stream ?? new EncodeStream(format.createEncoder(listeners), format.ptimeMs);
  next.continueFrom(before);
  return next;
}
