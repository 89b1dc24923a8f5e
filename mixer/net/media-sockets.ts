import type { PacketSlot } from './packet-buffers.ts';
import { openUdpSocket, type PacketHandler, type UdpSocket } from './udp-socket.ts';

/** The two UDP sockets of a leg: RTP on an even port, RTCP on the next. */
export class MediaSockets {
  readonly rtpPort: number;
  readonly rtcpPort: number;
  private readonly rtp: UdpSocket;
  private readonly rtcp: UdpSocket;

  /** @throws the bind's error (`EADDRINUSE`), with both sockets closed. */
  static async open(
    bindAddress: string,
    rtpPort: number,
    rtp: PacketHandler,
    rtcp: PacketHandler,
  ): Promise<MediaSockets> {
    const first = await openUdpSocket(bindAddress, rtpPort, rtp);
    try {
      return new MediaSockets(first, await openUdpSocket(bindAddress, rtpPort + 1, rtcp), rtpPort);
    } catch (error) {
      first.close();
      throw error;
    }
  }

  private constructor(rtp: UdpSocket, rtcp: UdpSocket, rtpPort: number) {
    this.rtp = rtp;
    this.rtcp = rtcp;
    this.rtpPort = rtpPort;
    this.rtcpPort = rtpPort + 1;
  }

  /** See `UdpSocket.errors`. */
  get errors(): number {
    return this.rtp.errors + this.rtcp.errors;
  }

  /** Hands on what came since the last time. */
  receiveRtp(): void {
    this.rtp.receive();
  }

  receiveRtcp(): void {
    this.rtcp.receive();
  }

  /** See `UdpSocket.connect`. */
  connectRtp(port: number, address: string): void {
    this.rtp.connect(port, address);
  }

  /** Takes RTP from anywhere again. */
  openRtp(): void {
    this.rtp.disconnect();
  }

  sendRtp(packet: PacketSlot, length: number, port: number, address: string): void {
    this.rtp.send(packet, length, port, address);
  }

  sendRtcp(packet: PacketSlot, length: number, port: number, address: string): void {
    this.rtcp.send(packet, length, port, address);
  }

  close(): void {
    this.rtp.close();
    this.rtcp.close();
  }
}
