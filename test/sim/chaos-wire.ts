import type { Way } from '../../server/sip/dialog/ways.ts';
import type { SipMessage } from '../../server/sip/message/message.ts';
import { parseMessage } from '../../server/sip/message/parse-message.ts';
import type { Flow } from '../../server/sip/transport/flow.ts';
import type { UserAgentOptions } from '../../server/sip/user-agent/user-agent.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualTimers } from './virtual-timers.ts';

type Receiver = (message: SipMessage, flow: Flow) => void;

const SLOWEST_MS = 40;

/** A net of many hosts, each with a stream to each other one: it delays, and keeps the order. */
export class Wire {
  messages = 0;
  private readonly timers: VirtualTimers;
  private readonly random: SeededRandom;
  private readonly hosts = new Map<string, Receiver>();
  private readonly flows = new Map<string, Flow>();

  constructor(timers: VirtualTimers, random: SeededRandom) {
    this.timers = timers;
    this.random = random;
  }

  attach(address: string, receive: Receiver): void {
    this.hosts.set(address, receive);
  }

  /** What a user agent at that address needs of its transports. */
  transports(address: string): Pick<UserAgentOptions, 'flows' | 'ways'> {
    return {
      flows: { forResponse: (_via, flow) => flow, forRequest: (_uri, near) => near },
      ways: {
        find: (uri, found) => {
          const way: Way = { open: (_bytes, opened) => opened(this.flow(address, uri.host)), unavailable: () => {} };
          found([way]);
        },
      },
    };
  }

  flow(from: string, to: string): Flow {
    const id = `${from}>${to}`;
    const known = this.flows.get(id);
    if (known) return known;
    let lastMs = 0;
    const flow: Flow = {
      ...{ id, protocol: 'tcp', reliable: true, open: true },
      ...{ localAddress: from, localPort: 5060, remoteAddress: to, remotePort: 5060 },
      send: (bytes) => {
        this.messages++;
        lastMs = Math.max(lastMs, this.timers.now() + this.random.below(SLOWEST_MS));
        const copy = Uint8Array.from(bytes);
        this.timers.set(lastMs - this.timers.now(), () => this.arrive(copy, from, to));
      },
    };
    this.flows.set(id, flow);
    return flow;
  }

  private arrive(bytes: Uint8Array, from: string, to: string): void {
    const parsed = parseMessage(bytes);
    if (!parsed.ok) throw new Error(`a malformed message on the wire: ${parsed.error.reason}`);
    this.hosts.get(to)?.(parsed.message, this.flow(to, from));
  }
}
