import type { PacketSlot } from '../../mixer/net/packet-buffers.ts';
import type { PacketHandler } from '../../mixer/net/udp-socket.ts';

/** Both sockets of a stream: what comes to them waits until they are read; and what was sent there. */
export interface Wire {
  rtp: PacketHandler;
  rtcp: PacketHandler;
  sent: Uint8Array[];
  sentRtcp: Uint8Array[];
  /** How often they were read. */
  reads: { rtp: number; rtcp: number };
}

/** By RTP port. */
export const wires = new Map<number, Wire>();

/** For `vi.mock('../../mixer/net/media-sockets.ts', () => simulatedSockets())`. */
export function simulatedSockets(): { MediaSockets: unknown } {
  return {
    MediaSockets: {
      open: async (_address: string, rtpPort: number, rtp: PacketHandler, rtcp: PacketHandler) => {
        const reads = { rtp: 0, rtcp: 0 };
        const [rtpQueue, rtcpQueue] = [queueTo(rtp), queueTo(rtcp)];
        const wire: Wire = { rtp: rtpQueue.put, rtcp: rtcpQueue.put, sent: [], sentRtcp: [], reads };
        wires.set(rtpPort, wire);
        const none = (): void => undefined;
        return {
          ...{ rtpPort, rtcpPort: rtpPort + 1, errors: 0 },
          receiveRtp: () => {
            reads.rtp++;
            rtpQueue.read();
          },
          receiveRtcp: () => {
            reads.rtcp++;
            rtcpQueue.read();
          },
          ...{ connectRtp: none, openRtp: none, close: () => wires.delete(rtpPort) },
          sendRtp: ({ bytes }: PacketSlot, length: number) => wire.sent.push(bytes.slice(0, length)),
          sendRtcp: ({ bytes }: PacketSlot, length: number) => wire.sentRtcp.push(bytes.slice(0, length)),
        };
      },
    },
  };
}

function queueTo(handler: PacketHandler): { put: PacketHandler; read(): void } {
  let waiting: (() => void)[] = [];
  return {
    put: (packet, length, ...rest) => {
      const copy = packet.slice(0, length);
      waiting.push(() => handler(copy, length, ...rest));
    },
    read: () => {
      const come = waiting;
      waiting = [];
      for (const hand of come) hand();
    },
  };
}
