import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';

export type PacketHandler = (packet: Uint8Array, address: string, port: number) => void;

/** Literal addresses only, so there is nothing to look up: answers at once instead of by way of the DNS thread. */
const literal = (
  address: string,
  _options: unknown,
  found: (error: null, address: string, family: number) => void,
): void => found(null, address, address.includes(':') ? 6 : 4);

const MAPPED_PREFIX = '::ffff:';

/**
 * Addresses as a socket writes them and as everybody else does: an IPv6 socket that serves IPv4 too sees IPv4 addresses
 * mapped into IPv6 ones (RFC 4291 §2.5.5.2). Keeps the last of each direction, as a leg's packets have mostly the same.
 */
class AddressForms {
  private sentTo = '';
  private sentToOnSocket = '';
  private receivedOnSocket = '';
  private receivedFrom = '';

  onSocket(address: string): string {
    if (address !== this.sentTo) {
      this.sentTo = address;
      this.sentToOnSocket = address.includes(':') ? address : MAPPED_PREFIX + address;
    }
    return this.sentToOnSocket;
  }

  plain(onSocket: string): string {
    if (onSocket !== this.receivedOnSocket) {
      this.receivedOnSocket = onSocket;
      const mapped = onSocket.startsWith(MAPPED_PREFIX) && onSocket.includes('.');
      this.receivedFrom = mapped ? onSocket.slice(MAPPED_PREFIX.length) : onSocket;
    }
    return this.receivedFrom;
  }
}

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
  /** Null on IPv4 sockets. */
  private readonly rtpForms: AddressForms | null;
  private readonly rtcpForms: AddressForms | null;
  private closed = false;
  private connected = false;

  /** @throws the bind's error (`EADDRINUSE`), with both sockets closed. */
  static async open(
    bindAddress: string,
    rtpPort: number,
    rtp: PacketHandler,
    rtcp: PacketHandler,
  ): Promise<MediaSockets> {
    const forms = () => (bindAddress.includes(':') ? new AddressForms() : null);
    const [rtpForms, rtcpForms] = [forms(), forms()];
    const first = await bound(bindAddress, rtpPort, rtp, rtpForms);
    try {
      const second = await bound(bindAddress, rtpPort + 1, rtcp, rtcpForms);
      return new MediaSockets(first, second, rtpPort, rtpForms, rtcpForms);
    } catch (error) {
      first.close();
      throw error;
    }
  }

  private constructor(
    rtp: Socket,
    rtcp: Socket,
    rtpPort: number,
    rtpForms: AddressForms | null,
    rtcpForms: AddressForms | null,
  ) {
    this.rtp = rtp;
    this.rtcp = rtcp;
    this.rtpForms = rtpForms;
    this.rtcpForms = rtcpForms;
    this.rtpPort = rtpPort;
    this.rtcpPort = rtpPort + 1;
    const failed = (): void => {
      this.errors++;
    };
    rtp.on('error', failed);
    rtcp.on('error', failed);
  }

  /**
   * Makes the kernel take RTP from this source only, and know the way there, which makes each packet cheaper (a fifth of
   * what sending costs). Until `open`.
   */
  connectRtp(port: number, address: string): void {
    this.openRtp();
    if (this.closed) return;
    this.rtp.connect(port, this.rtpForms?.onSocket(address) ?? address);
    this.connected = true;
  }

  /** Takes RTP from anywhere again. */
  openRtp(): void {
    if (!this.connected) return;
    this.connected = false;
    if (!this.closed) this.rtp.disconnect();
  }

  /**
   * `packet` must stay as it is until the kernel has taken it: see `PacketBuffers`. Without a callback, which would cost
   * a turn of the event loop for each packet: what cannot be sent is lost, as on any network.
   */
  sendRtp(packet: Uint8Array, port: number, address: string): void {
    if (this.closed) return;
    if (this.connected) this.rtp.send(packet);
    else this.rtp.send(packet, port, this.rtpForms?.onSocket(address) ?? address);
  }

  sendRtcp(packet: Uint8Array, port: number, address: string): void {
    if (!this.closed) this.rtcp.send(packet, port, this.rtcpForms?.onSocket(address) ?? address);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.rtp.close();
    this.rtcp.close();
  }
}

function bound(address: string, port: number, received: PacketHandler, forms: AddressForms | null): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', lookup: literal as never });
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.on('message', (packet: Buffer, remote: RemoteInfo) => {
      received(packet, forms?.plain(remote.address) ?? remote.address, remote.port);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
