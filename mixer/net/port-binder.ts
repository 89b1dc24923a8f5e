import { MixerFailure } from '../mixer-failure.ts';
import { MediaSockets } from './media-sockets.ts';
import { PortPool } from './port-pool.ts';
import type { PacketHandler } from './udp-socket.ts';

/** Tries of a fresh pair when somebody else on this machine has the port. */
const BIND_TRIES = 20;

export interface PortBinderOptions {
  bindAddress: string;
  rtpPortMin: number;
  rtpPortMax: number;
  portQuarantineMs: number;
}

/** Opens pairs of media sockets on the ports of a process, and gives the ports back. */
export class PortBinder {
  private readonly options: PortBinderOptions;
  private readonly now: () => number;
  private readonly ports: PortPool;
  private readonly open = new Set<MediaSockets>();
  private closedErrors = 0;

  constructor(options: PortBinderOptions, now: () => number) {
    this.options = options;
    this.now = now;
    this.ports = new PortPool(options.rtpPortMin, options.rtpPortMax, options.portQuarantineMs);
  }

  /**
   * @param wanted the RTP port of a former life; undefined: any.
   * @throws MixerFailure `no-ports`, `port-in-use`.
   */
  async bind(rtp: PacketHandler, rtcp: PacketHandler, wanted: number | undefined): Promise<MediaSockets> {
    if (wanted !== undefined && !this.ports.claim(wanted))
      throw new MixerFailure('port-in-use', `port ${wanted} is taken`);
    for (let tries = 0; tries < BIND_TRIES; tries++) {
      const port = wanted ?? this.ports.take(this.now());
      if (port === null) throw new MixerFailure('no-ports', 'all media ports are in use or resting');
      try {
        const sockets = await MediaSockets.open(this.options.bindAddress, port, rtp, rtcp);
        this.open.add(sockets);
        return sockets;
      } catch (error) {
        this.ports.release(port, this.now());
        if (wanted !== undefined)
          throw new MixerFailure('port-in-use', error instanceof Error ? error.message : String(error));
      }
    }
    throw new MixerFailure('no-ports', `${BIND_TRIES} pairs in a row are taken by other programs`);
  }

  release(sockets: MediaSockets): void {
    this.open.delete(sockets);
    this.closedErrors += sockets.errors;
    sockets.close();
    this.ports.release(sockets.rtpPort, this.now());
  }

  get statistics(): { portsInUse: number; portsResting: number; socketErrors: number } {
    let socketErrors = this.closedErrors;
    for (const sockets of this.open) socketErrors += sockets.errors;
    return { portsInUse: this.ports.portsInUse, portsResting: this.ports.portsResting(this.now()), socketErrors };
  }
}
