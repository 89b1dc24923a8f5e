import type { Socket } from 'node:dgram';
import type { SrtpSession } from '../../../../mixer/rtp/srtp-session.ts';
import { bindUdp, freePort, LOOPBACK } from '../free-ports.ts';
import { seededRandom } from '../lossy-relay.ts';

export interface RtpHeader {
  payloadType: number;
  marker: boolean;
  sequenceNumber: number;
  timestamp: number;
  ssrc: number;
}

const HEADER_BYTES = 12;
/** What SRTP and SRTCP add, with the largest tags. */
const SRTP_BYTES = 20;

export function writeRtp(header: RtpHeader, payload: Uint8Array): Buffer {
  const packet = Buffer.alloc(HEADER_BYTES + payload.length);
  packet[0] = 0x80;
  packet[1] = (header.marker ? 0x80 : 0) | header.payloadType;
  packet.writeUInt16BE(header.sequenceNumber & 0xffff, 2);
  packet.writeUInt32BE(header.timestamp >>> 0, 4);
  packet.writeUInt32BE(header.ssrc >>> 0, 8);
  packet.set(payload, HEADER_BYTES);
  return packet;
}

/** Null for what is too short. Extensions and padding are taken off the payload. */
export function readRtp(packet: Buffer): (RtpHeader & { payload: Buffer }) | null {
  if (packet.length < HEADER_BYTES || packet[0]! >> 6 !== 2) return null;
  let start = HEADER_BYTES + 4 * (packet[0]! & 0x0f);
  if (packet[0]! & 0x10) start += 4 + 4 * packet.readUInt16BE(start + 2);
  const end = packet[0]! & 0x20 ? packet.length - packet.at(-1)! : packet.length;
  return {
    payloadType: packet[1]! & 0x7f,
    marker: packet[1]! >= 0x80,
    sequenceNumber: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    ssrc: packet.readUInt32BE(8),
    payload: packet.subarray(start, end),
  };
}

const isRtcp = (packet: Buffer): boolean => packet.length >= 8 && packet[1]! >= 192 && packet[1]! <= 223;

/** Share of RTP packets that a bad network loses, 0 to 1; RTCP gets through. */
export interface Loss {
  received: number;
  sent: number;
}

/** An RTP port, its RTCP port above, and a network behind that can be made to lose packets. */
export class MediaSocket {
  readonly port: number;
  loss: Loss = { received: 0, sent: 0 };
  lost = { received: 0, sent: 0 };
  /** Null: plain. */
  srtp: SrtpSession | null = null;
  onRtp: (packet: Buffer, timeMs: number) => void = () => {};
  onRtcp: (packet: Buffer, timeMs: number) => void = () => {};
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #random = seededRandom(7);
  #remote: { rtpPort: number; rtcpPort: number } | null = null;

  static async open(): Promise<MediaSocket> {
    for (let attempt = 0; attempt < 10; attempt++) {
      const port = await freePort();
      const rtp = await bindUdp(port);
      const rtcp = await bindUdp(port + 1);
      if (rtp && rtcp) return new MediaSocket(rtp, rtcp);
      rtp?.close();
      rtcp?.close();
    }
    throw new Error('no port for media');
  }

  private constructor(rtp: Socket, rtcp: Socket) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.port = rtp.address().port;
    rtp.on('message', (packet) => {
      if (isRtcp(packet)) this.#receivedRtcp(packet);
      else if (this.#random() < this.loss.received) this.lost.received++;
      else this.#receivedRtp(packet);
    });
    rtcp.on('message', (packet) => this.#receivedRtcp(packet));
  }

  /** With one port for both, RTCP goes where RTP goes (RFC 5761). */
  connect(rtpPort: number, rtcpPort: number): void {
    this.#remote = { rtpPort, rtcpPort };
  }

  sendRtp(plain: Buffer): void {
    if (!this.#remote) return;
    const packet = this.#secured(plain, (srtp, bytes) => srtp.protectRtp(bytes, plain.length));
    if (this.#random() < this.loss.sent) this.lost.sent++;
    else this.#rtp.send(packet, this.#remote.rtpPort, LOOPBACK);
  }

  sendRtcp(plain: Buffer): void {
    if (!this.#remote) return;
    const { rtpPort, rtcpPort } = this.#remote;
    const packet = this.#secured(plain, (srtp, bytes) => srtp.protectRtcp(bytes, plain.length));
    (rtcpPort === rtpPort ? this.#rtp : this.#rtcp).send(packet, rtcpPort, LOOPBACK);
  }

  /** A copy, as what was sent may be sent again. */
  #secured(plain: Buffer, protect: (srtp: SrtpSession, bytes: Buffer) => number): Buffer {
    if (this.srtp === null) return plain;
    const bytes = Buffer.concat([plain, Buffer.alloc(SRTP_BYTES)]);
    return bytes.subarray(0, protect(this.srtp, bytes));
  }

  #receivedRtp(packet: Buffer): void {
    const length = this.srtp?.unprotectRtp(packet, packet.length) ?? packet.length;
    if (length >= 0) this.onRtp(packet.subarray(0, length), performance.now());
  }

  #receivedRtcp(packet: Buffer): void {
    const length = this.srtp?.unprotectRtcp(packet, packet.length) ?? packet.length;
    if (length >= 0) this.onRtcp(packet.subarray(0, length), performance.now());
  }

  close(): void {
    this.#rtp.close();
    this.#rtcp.close();
  }
}
