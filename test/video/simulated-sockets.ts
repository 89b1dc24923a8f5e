import type { PacketSlot } from '../../mixer/net/packet-buffers.ts';
import type { PacketHandler } from '../../mixer/net/udp-socket.ts';

/** Both sockets of a stream: what they are told of, and what was sent there. */
export interface Wire {
  rtp: PacketHandler;
  rtcp: PacketHandler;
  sent: Uint8Array[];
  sentRtcp: Uint8Array[];
}

/** By RTP port. */
export const wires = new Map<number, Wire>();

/** For `vi.mock('../../mixer/net/media-sockets.ts', () => simulatedSockets())`. */
export function simulatedSockets(): { MediaSockets: unknown } {
  return {
    MediaSockets: {
      open: async (_address: string, rtpPort: number, rtp: PacketHandler, rtcp: PacketHandler) => {
        const wire: Wire = { rtp, rtcp, sent: [], sentRtcp: [] };
        wires.set(rtpPort, wire);
        const none = (): void => undefined;
        return {
          ...{ rtpPort, rtcpPort: rtpPort + 1, errors: 0, receiveRtp: none, receiveRtcp: none },
          ...{ connectRtp: none, openRtp: none, close: () => wires.delete(rtpPort) },
          sendRtp: ({ bytes }: PacketSlot, length: number) => wire.sent.push(bytes.slice(0, length)),
          sendRtcp: ({ bytes }: PacketSlot, length: number) => wire.sentRtcp.push(bytes.slice(0, length)),
        };
      },
    },
  };
}
