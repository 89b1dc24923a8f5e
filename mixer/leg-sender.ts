import { randomInt } from 'node:crypto';
import type { EncodeStream } from './encode-once.ts';
import type { PacketBuffers, PacketSlot } from './net/packet-buffers.ts';
import { RTP_HEADER_LENGTH, writeRtpHeader } from './rtp/rtp-packet.ts';

export interface RtpOutput {
  /** A whole packet of `length` octets, of which `payloadLength` are payload. */
  send(packet: PacketSlot, length: number, timestamp: number, payloadLength: number): void;
}

/** Encoded audio in, RTP packets out: one participant's outgoing stream, with its own SSRC and numbering. */
export class LegSender {
  ssrc = randomInt(1, 0xffffffff);
  payloadType = 0;
  clockRateHz = 8000;
  private readonly buffers: PacketBuffers;
  private readonly output: RtpOutput;
  /** In the lower half: who loses the first packets must not think that it wrapped (RFC 4568 §6.4). */
  private sequenceNumber = randomInt(0, 0x8000);
  private readonly timestampBase = randomInt(0, 0xffffffff);
  private nextTimestamp = -1;

  constructor(buffers: PacketBuffers, output: RtpOutput) {
    this.buffers = buffers;
    this.output = output;
  }

  /** Packets that the stream made in this tick. */
  send(stream: EncodeStream): void {
    const ticksPerSample = this.clockRateHz / stream.sampleRateHz;
    for (let index = 0; index < stream.packetCount; index++) {
      const start = (stream.firstPacketStart + index * stream.packetSamples) * ticksPerSample;
      const timestamp = (this.timestampBase + start) >>> 0;
      this.sendPacket(stream.payloads[index]!, stream.payloadLengths[index]!, timestamp);
      this.nextTimestamp = (timestamp + stream.packetSamples * ticksPerSample) >>> 0;
    }
  }

  private sendPacket(payload: Uint8Array, length: number, timestamp: number): void {
    if (length === 0) return;
    const packet = this.buffers.take();
    const { bytes } = packet;
    // The first packet after a pause (RFC 3551 §4.1).
    const marker = timestamp !== this.nextTimestamp;
    writeRtpHeader(bytes, this.payloadType, marker, this.sequenceNumber, timestamp, this.ssrc);
    for (let index = 0; index < length; index++) bytes[RTP_HEADER_LENGTH + index] = payload[index]!;
    this.sequenceNumber = (this.sequenceNumber + 1) & 0xffff;
    this.output.send(packet, RTP_HEADER_LENGTH + length, timestamp, length);
  }
}
