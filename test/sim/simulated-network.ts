import type { SipMessage } from '../../server/sip/message/message.ts';
import { parseMessage } from '../../server/sip/message/parse-message.ts';
import type { Flow } from '../../server/sip/transport/flow.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualTimers } from './virtual-timers.ts';

export interface NetworkConditions {
  /** Each from 0 to 1. */
  readonly loss: number;
  readonly duplication: number;
  /** A message takes from the first to the second, so those that are close together overtake each other. */
  readonly delayMs: readonly [number, number];
  readonly reliable: boolean;
}

export type Receiver = (message: SipMessage, flow: Flow) => void;

interface End {
  readonly address: string;
  readonly flow: Flow;
  receive: Receiver;
}

/** Two ends with a network between them that loses, doubles and reorders; or a stream that only delays. */
export class SimulatedNetwork {
  readonly clientFlow: Flow;
  readonly serverFlow: Flow;
  /** While true, nothing arrives. */
  cut = false;
  messages = 0;
  /** How often requests of each method were sent, retransmissions included; INVITEs within a dialog as `re-INVITE`. */
  readonly methods = new Map<string, number>();

  private readonly timers: VirtualTimers;
  private readonly random: SeededRandom;
  private readonly conditions: NetworkConditions;
  private readonly client: End;
  private readonly server: End;
  private lastArrivalMs = new Map<End, number>();

  constructor(timers: VirtualTimers, random: SeededRandom, conditions: NetworkConditions) {
    this.timers = timers;
    this.random = random;
    this.conditions = conditions;
    this.clientFlow = this.flow('192.0.2.1', '192.0.2.2', () => this.server);
    this.serverFlow = this.flow('192.0.2.2', '192.0.2.1', () => this.client);
    const nobody = () => {};
    this.client = { address: '192.0.2.1', flow: this.clientFlow, receive: nobody };
    this.server = { address: '192.0.2.2', flow: this.serverFlow, receive: nobody };
  }

  connect(client: Receiver, server: Receiver): void {
    this.client.receive = client;
    this.server.receive = server;
  }

  private flow(localAddress: string, remoteAddress: string, to: () => End): Flow {
    const { reliable } = this.conditions;
    return {
      id: `${localAddress}>${remoteAddress}`,
      protocol: reliable ? 'tcp' : 'udp',
      reliable,
      localAddress,
      localPort: 5060,
      remoteAddress,
      remotePort: 5060,
      open: true,
      send: (bytes) => this.send(bytes, to()),
    };
  }

  private send(bytes: Uint8Array, to: End): void {
    this.messages++;
    const text = Buffer.from(bytes).toString('latin1');
    const [first = ''] = text.split(' ', 1);
    const method = first === 'INVITE' && /^To:.*;tag=/im.test(text) ? 're-INVITE' : first;
    this.methods.set(method, (this.methods.get(method) ?? 0) + 1);
    const { loss, duplication, reliable } = this.conditions;
    if (reliable) {
      this.deliver(bytes, to, Math.max(this.delay(), (this.lastArrivalMs.get(to) ?? 0) - this.timers.now()));
      return;
    }
    if (!this.random.chance(loss)) this.deliver(bytes, to, this.delay());
    if (this.random.chance(duplication)) this.deliver(bytes, to, this.delay());
  }

  private delay(): number {
    const [least, most] = this.conditions.delayMs;
    return least + this.random.below(most - least + 1);
  }

  private deliver(bytes: Uint8Array, to: End, afterMs: number): void {
    this.lastArrivalMs.set(to, this.timers.now() + afterMs);
    this.timers.set(afterMs, () => {
      if (this.cut) return;
      const parsed = parseMessage(Uint8Array.from(bytes));
      if (!parsed.ok) throw new Error(`a malformed message on the wire: ${parsed.error.reason}`);
      to.receive(parsed.message, to.flow);
    });
  }
}
