import { createSocket, type Socket } from 'node:dgram';
import { bindUdp, freePort, LOOPBACK } from './free-ports.ts';

export interface LossyRelayOptions {
  /** Where what clients send goes to. */
  serverPort: number;
  /** Share of packets lost, each way, 0 to 1. */
  loss: number;
  seed: number;
}

/** Numbers in 0…1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A network that loses datagrams between clients and a server; each client keeps a port of its own towards the server. */
export class LossyRelay {
  readonly port: number;
  forwarded = 0;
  lost = 0;
  readonly #socket: Socket;
  readonly #options: LossyRelayOptions;
  readonly #random: () => number;
  #towardsServer = new Map<string, Socket>();

  static async open(options: LossyRelayOptions): Promise<LossyRelay> {
    for (let attempt = 0; attempt < 10; attempt++) {
      const socket = await bindUdp(await freePort());
      if (socket) return new LossyRelay(socket, options);
    }
    throw new Error('no port for the relay');
  }

  private constructor(socket: Socket, options: LossyRelayOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.port = socket.address().port;
    socket.on('message', (packet, client) => {
      const upstream = this.#upstreamOf(client.address, client.port);
      this.#pass(() => upstream.send(packet, options.serverPort, LOOPBACK));
    });
  }

  close(): void {
    this.#socket.close();
    for (const socket of this.#towardsServer.values()) socket.close();
  }

  #upstreamOf(address: string, port: number): Socket {
    const key = `${address}:${port}`;
    const known = this.#towardsServer.get(key);
    if (known) return known;
    const socket = createSocket('udp4');
    socket.on('message', (packet) => this.#pass(() => this.#socket.send(packet, port, address)));
    this.#towardsServer.set(key, socket);
    return socket;
  }

  #pass(send: () => void): void {
    if (this.#random() < this.#options.loss) {
      this.lost++;
      return;
    }
    this.forwarded++;
    send();
  }
}
