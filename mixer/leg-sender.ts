import { randomInt } from 'node:crypto';
import type { EncodeStream } from './encode-once.ts';
import type { PacketBuffers, PacketSlot } from './net/packet-buffers.ts';
import { TICK_MS } from './room-clock.ts';
import { RTP_HEADER_LENGTH, writeRtpHeader } from './rtp/rtp-packet.ts';

/** After so long a silence comfort noise takes the place of packets; and is told again so often, also to keep NATs open. */
const REST_AFTER_TICKS = 10;
const COMFORT_NOISE_TICKS = 25;
const HEADER_WORDS = RTP_HEADER_LENGTH / 4;
/** Of its 8000 Hz clock. */
const TICK_SAMPLES = 8 * TICK_MS;

export interface RtpOutput {
  /** A whole packet of `length` octets, of which `payloadLength` are payload. */
  send(packet: PacketSlot, length: number, timestamp: number, payloadLength: number): void;
}

/** Encoded audio in, RTP packets out: one participant's outgoing stream, with its own SSRC and numbering. */
export class LegSender {
  ssrc = randomInt(1, 0xffffffff);
  payloadType = 0;
  clockRateHz = 8000;
  /** Of what may take the place of silence; −1: nothing may. */
  comfortNoiseType = -1;
  private readonly buffers: PacketBuffers;
  private readonly output: RtpOutput;
  /** In the lower half: who loses the first packets must not think that it wrapped (RFC 4568 §6.4). */
  private sequenceNumber = randomInt(0, 0x8000);
  private timestampBase = randomInt(0, 0xffffffff);
  private nextTimestamp = -1;
  /** Ticks without a voice. */
  private restingTicks = 0;

  constructor(buffers: PacketBuffers, output: RtpOutput) {
    this.buffers = buffers;
    this.output = output;
  }

  /** The stream goes on with a room whose time line is `byMs` behind that of the one before. */
  moveTimeLine(byMs: number): void {
    this.timestampBase = (this.timestampBase + (byMs * this.clockRateHz) / 1000) >>> 0;
  }

  /** Packets that the stream made in this tick. */
  send(stream: EncodeStream): void {
    const ticksPerSample = this.clockRateHz / stream.sampleRateHz;
    for (let index = 0; index < stream.packetCount; index++) {
      const start = (stream.firstPacketStart + index * stream.packetSamples) * ticksPerSample;
      const timestamp = (this.timestampBase + start) >>> 0;
      const length = stream.payloadLengths[index]!;
      if (length === 0) continue;
      this.sendPacket(stream.payloadWords[index]!, length, timestamp);
      this.nextTimestamp = (timestamp + stream.packetSamples * ticksPerSample) >>> 0;
    }
  }

  /**
   * Whether nothing is to be sent in this tick, as there has been no voice for a while and the other side makes its own
   * noise (RFC 3389): of which it is told in a packet now and then.
   */
  rests(quiet: boolean, tick: number, comfortNoise: Uint32Array): boolean {
    this.restingTicks = quiet ? this.restingTicks + 1 : 0;
    const restedTicks = this.restingTicks - REST_AFTER_TICKS;
    if (restedTicks < 0) return false;
    if (restedTicks % COMFORT_NOISE_TICKS === 0) this.sendComfortNoise(comfortNoise, tick * TICK_SAMPLES);
    return true;
  }

  private sendComfortNoise(payload: Uint32Array, start: number): void {
    const audioType = this.payloadType;
    const timestamp = (this.timestampBase + start) >>> 0;
    this.payloadType = this.comfortNoiseType;
    this.nextTimestamp = timestamp;
    this.sendPacket(payload, 1, timestamp);
    this.payloadType = audioType;
    // So that the first packet of sound has the marker.
    this.nextTimestamp = -1;
  }

  /** @param payload its octets in the order of memory; what is copied beyond `length` is not sent. */
  private sendPacket(payload: Uint32Array, length: number, timestamp: number): void {
    const packet = this.buffers.take();
    const { bytes, words } = packet;
    // The first packet after a pause (RFC 3551 §4.1).
    const marker = timestamp !== this.nextTimestamp;
    writeRtpHeader(bytes, this.payloadType, marker, this.sequenceNumber, timestamp, this.ssrc);
    const count = (length + 3) >> 2;
    for (let index = 0; index < count; index++) words[HEADER_WORDS + index] = payload[index]!;
    this.sequenceNumber = (this.sequenceNumber + 1) & 0xffff;
    this.output.send(packet, RTP_HEADER_LENGTH + length, timestamp, length);
  }
}
