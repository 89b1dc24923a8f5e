import type { Log } from '../log.ts';

/** As a mixer tells it; `stream` of video. */
export interface PacketFaultEvent {
  leg: string;
  stream?: string;
  address: string;
  port: number;
  faults: number;
  reason: string;
}

/** For whoever runs this, and for us: the call goes on without that packet. */
export function logPacketFault(log: Log, { leg, stream, address, port, faults, reason }: PacketFaultEvent): void {
  const of = stream === undefined ? {} : { stream };
  log.error(
    { participant: leg, ...of, source: `${address}:${port}`, faults, reason },
    'a media packet could not be handled: a fault of this program, please report it',
  );
}
