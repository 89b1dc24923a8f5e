import { RtpPacket, writeRtpHeader } from '../../../mixer/rtp/rtp-packet.ts';
import type { VideoReceiver } from '../../../mixer/video/rtp/video-receiver.ts';
import type { VideoCodecName, VideoFormat } from '../../../mixer/video-protocol.ts';

/** RTP packets by hand, and what is put together of them. */

export const H264_TYPE = 96;
export const VP8_TYPE = 97;
export const RTX_TYPE = 98;
export const VP8_RTX_TYPE = 99;

export const WITH_NACK = { nack: true, pli: true, fir: false, tmmbr: false, remb: false };
export const WITHOUT_NACK = { ...WITH_NACK, nack: false };

export function videoFormat(codec: VideoCodecName, nack: boolean, rtx = nack): VideoFormat {
  const isVp8 = codec === 'VP8';
  return {
    codec,
    payloadType: isVp8 ? VP8_TYPE : H264_TYPE,
    parameters: isVp8 ? {} : { 'packetization-mode': '1', 'profile-level-id': '42e01f' },
    rtxPayloadType: rtx ? (isVp8 ? VP8_RTX_TYPE : RTX_TYPE) : null,
    feedback: nack ? WITH_NACK : WITHOUT_NACK,
  };
}

export interface PacketFields {
  payload: Uint8Array;
  sequenceNumber: number;
  timestamp: number;
  marker?: boolean;
  ssrc?: number;
  payloadType?: number;
}

const SSRC = 0x01020304;
const START_CODE = Uint8Array.of(0, 0, 0, 1);
const view = new RtpPacket();

/** Gives a packet to a receiver as it comes from a socket. */
export function put(receiver: VideoReceiver, fields: PacketFields, nowMs: number): void {
  const { payload, sequenceNumber, timestamp, marker = false, ssrc = SSRC, payloadType = H264_TYPE } = fields;
  const bytes = new Uint8Array(12 + payload.length);
  writeRtpHeader(bytes, payloadType, marker, sequenceNumber & 0xffff, timestamp, ssrc);
  bytes.set(payload, 12);
  receive(receiver, bytes, nowMs);
}

/** The memory is overwritten afterwards, as a socket's is. */
export function receive(receiver: VideoReceiver, bytes: Uint8Array, nowMs: number): void {
  if (!view.parse(bytes, bytes.length)) throw new Error('no RTP packet');
  const { payloadOffset, payloadLength } = view;
  receiver.put(view, bytes.subarray(payloadOffset, payloadOffset + payloadLength), nowMs);
  bytes.fill(0xa5);
}

export function octets(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** NAL units as a byte stream. */
export function byteStream(...nals: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(nals.flatMap((nal) => [START_CODE, nal])));
}
