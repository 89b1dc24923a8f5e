import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';

export type PacketHandler = (packet: Uint8Array, address: string, port: number) => void;

/** Literal addresses only, so there is nothing to look up: answers at once instead of by way of the DNS thread. */
const literal = (
  address: string,
  _options: unknown,
  found: (error: null, address: string, family: number) => void,
): void => found(null, address, address.includes(':') ? 6 : 4);

/**
 * The two UDP sockets of a leg: RTP on an even port, RTCP on the next.
 * Errors of single packets (ICMP unreachable and the like) are counted, never thrown.
 */
export class MediaSockets {
  readonly rtpPort: number;
  readonly rtcpPort: number;
  errors = 0;
  private readonly rtp: Socket;
  private readonly rtcp: Socket;
  private closed = false;
  private readonly sent = (error: Error | null): void => {
    if (error) this.errors++;
  };

  /** @throws the bind's error (`EADDRINUSE`), with both sockets closed. */
  static async open(
    bindAddress: string,
    rtpPort: number,
    rtp: PacketHandler,
    rtcp: PacketHandler,
  ): Promise<MediaSockets> {
    const first = await bound(bindAddress, rtpPort, rtp);
    try {
      return new MediaSockets(first, await bound(bindAddress, rtpPort + 1, rtcp), rtpPort);
    } catch (error) {
      first.close();
      throw error;
    }
  }

  private constructor(rtp: Socket, rtcp: Socket, rtpPort: number) {
    this.rtp = rtp;
    this.rtcp = rtcp;
    this.rtpPort = rtpPort;
    this.rtcpPort = rtpPort + 1;
    rtp.on('error', this.sent);
    rtcp.on('error', this.sent);
  }

  /** `packet` must stay as it is until the kernel has taken it: see `PacketBuffers`. */
  sendRtp(packet: Uint8Array, length: number, port: number, address: string): void {
    if (!this.closed) this.rtp.send(packet, 0, length, port, address, this.sent);
  }

  sendRtcp(packet: Uint8Array, length: number, port: number, address: string): void {
    if (!this.closed) this.rtcp.send(packet, 0, length, port, address, this.sent);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.rtp.close();
    this.rtcp.close();
  }
}

function bound(address: string, port: number, received: PacketHandler): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', lookup: literal as never });
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.on('message', (packet: Buffer, remote: RemoteInfo) => received(packet, remote.address, remote.port));
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
