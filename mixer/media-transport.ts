import type { MediaSockets } from './net/media-sockets.ts';
import type { PacketSlot } from './net/packet-buffers.ts';
import type { MediaCrypto, RemoteMediaAddress } from './protocol.ts';
import { muxedPacketKind, readUint32 } from './rtp/rtp-packet.ts';
import { SrtpSession } from './rtp/srtp-session.ts';
import { SymmetricRtp } from './rtp/symmetric-rtp.ts';

/** What an offer and answer settled of where packets go and how. */
export interface TransportMedia {
  /** Null: not known yet, or on hold. */
  remote: RemoteMediaAddress | null;
  rtcpMux: boolean;
  /** Null or left out: plain RTP. */
  crypto?: MediaCrypto | null;
}

/** The way of one RTP session's packets, both ways: its sockets, where the other side really is, and the keys. */
export class MediaTransport {
  sockets: MediaSockets | null = null;
  readonly rtp = new SymmetricRtp();
  bytesSent = 0;
  private readonly rtcp = new SymmetricRtp();
  private rtcpMux = false;
  /** Null: plain RTP. With it, nothing is looked at that is not authentic, be it to latch or to count. */
  private srtp: SrtpSession | null = null;

  update({ remote, rtcpMux, crypto }: TransportMedia): void {
    this.rtp.signalled(remote?.address ?? null, remote?.rtpPort ?? 0);
    this.rtcp.signalled(remote?.address ?? null, remote?.rtcpPort ?? 0);
    this.rtcpMux = rtcpMux;
    this.secure(crypto ?? null);
  }

  /** Takes what came to the port of RTP, where RTCP may be too. */
  receiveRtp(): void {
    this.sockets?.receiveRtp();
  }

  /** Takes what came to the port of RTCP, where it has one of its own: to look there in vain costs a call each time. */
  receiveRtcp(): void {
    if (!this.rtcpMux) this.sockets?.receiveRtcp();
  }

  /** Packets that were not authentic. */
  get refused(): number {
    return this.srtp?.refused ?? 0;
  }

  /** What came to the port of RTP may be RTCP (RFC 5761). */
  isRtcp(data: Uint8Array, length: number): boolean {
    return this.rtcpMux && muxedPacketKind(data, length) === 'rtcp';
  }

  /** Opens a packet of `length` octets where it is; its length then, negative when it is not authentic. */
  openRtp(data: Uint8Array, length: number): number {
    return this.srtp === null ? length : this.srtp.unprotectRtp(data, length);
  }

  openRtcp(data: Uint8Array, length: number): number {
    return this.srtp === null ? length : this.srtp.unprotectRtcp(data, length);
  }

  /** Whether a valid compound packet is to be used. Its sender is that of its first one (RFC 3550 §6.1). */
  acceptRtcp(data: Uint8Array, address: string, port: number, nowMs: number): boolean {
    return (this.rtcpMux ? this.rtp : this.rtcp).accept(address, port, readUint32(data, 4), nowMs);
  }

  /** False: there is nowhere to send to, or the keys are used up. */
  sendRtp(packet: PacketSlot, length: number): boolean {
    const { remoteAddress, remotePort } = this.rtp;
    if (remoteAddress === null) return false;
    const sentLength = this.srtp === null ? length : this.srtp.protectRtp(packet.bytes, length);
    if (sentLength === 0) return false;
    this.sockets?.sendRtp(packet, sentLength, remotePort, remoteAddress);
    this.bytesSent += sentLength;
    return true;
  }

  sendRtcp(packet: PacketSlot, length: number): void {
    const { remoteAddress, remotePort } = this.rtcpMux ? this.rtp : this.rtcp;
    if (remoteAddress === null) return;
    const sentLength = this.srtp === null ? length : this.srtp.protectRtcp(packet.bytes, length);
    if (sentLength === 0) return;
    if (this.rtcpMux) this.sockets?.sendRtp(packet, sentLength, remotePort, remoteAddress);
    else this.sockets?.sendRtcp(packet, sentLength, remotePort, remoteAddress);
  }

  private secure(crypto: MediaCrypto | null): void {
    if (crypto === null) this.srtp = null;
    else if (this.srtp === null) this.srtp = new SrtpSession(crypto);
    else this.srtp.update(crypto);
  }
}
