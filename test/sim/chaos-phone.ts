import type { Call, CallHandler, IncomingCall } from '../../server/sip/dialog/call.ts';
import { parseNameAddress } from '../../server/sip/message/name-address.ts';
import { parseUri } from '../../server/sip/message/uri.ts';
import { UserAgent } from '../../server/sip/user-agent/user-agent.ts';
import type { Wire } from './chaos-wire.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualTimers } from './virtual-timers.ts';

export const SERVER = '192.0.2.2';

/** Longer than usual: refreshing is not what this is about, and would be most of what is sent. */
export const SESSION_TIMER = { intervalS: 14_400, minimumS: 90 };

export interface PhoneWorld {
  readonly timers: VirtualTimers;
  readonly random: SeededRandom;
  readonly wire: Wire;
}

type Direction = 'sendrecv' | 'sendonly' | 'inactive';

/** One caller: a whole user agent with a phone's manners, some of them bad. */
export class ChaosPhone {
  readonly address: string;
  readonly agent: UserAgent;
  /** It calls or is called at the moment. */
  call: Call | null = null;
  /** The day is over: answers nobody. */
  quiet = false;
  private up = false;
  private readonly index: number;
  private readonly world: PhoneWorld;
  private sdpVersion = 0;

  constructor(index: number, world: PhoneWorld) {
    this.index = index;
    this.world = world;
    this.address = `198.51.100.${index + 1}`;
    const { timers, random, wire } = world;
    this.agent = new UserAgent({
      ...wire.transports(this.address),
      ...{ timers, random, publicAddress: this.address, ports: { tcp: 5060 }, sessionTimer: SESSION_TIMER },
      handler: {
        invited: (call) => this.invited(call),
        referred: (referral) => referral.reject(603),
        availability: () => 'available',
      },
    });
    wire.attach(this.address, (message, flow) => this.agent.received(message, flow));
  }

  get uri(): string {
    return `sip:p${this.index}@${this.address}`;
  }

  get isUp(): boolean {
    return this.up && this.call !== null;
  }

  /** Every tenth is another phone of the same user, and some do not say who they are. */
  private get from(): string {
    if (this.index % 10 === 0) return '"Shared <&>" <sip:shared@example.com>';
    if (this.index % 11 === 0) return '"Anonymous" <sip:anonymous@anonymous.invalid>';
    return `"Phone ${this.index}" <sip:p${this.index}@example.com>`;
  }

  dial(user: string): void {
    this.up = false;
    this.call = this.agent.call(
      {
        target: parseUri(`sip:${user.replace(/;.*/, '')}@${SERVER}${user.replace(/^[^;]*/, '')}`)!,
        from: parseNameAddress(this.from)!,
        contactUser: `p${this.index}`,
        offer: this.describe('sendrecv'),
      },
      this.handler(() => this.call),
    );
  }

  hangUp(): void {
    this.call?.hangUp('enough');
  }

  /** Holds, or goes on. */
  change(direction: Direction): void {
    if (this.isUp)
      this.call?.reoffer(
        () => this.describe(direction),
        () => {},
      );
  }

  refer(target: string): void {
    if (this.isUp) this.call?.refer(target, () => {});
  }

  private invited(call: IncomingCall): void {
    const { random, timers } = this.world;
    if (this.call !== null || this.quiet) return call.reject(this.quiet ? 603 : 486);
    this.call = call;
    this.up = false;
    call.handle(this.handler(() => call));
    const mood = random.fraction();
    if (mood < 0.1) return; // Never answers.
    call.progress(180);
    timers.set(random.below(8000), () => {
      if (mood < 0.3) call.reject(random.pick([486, 603, 480]));
      else call.accept(this.describe('sendrecv'));
    });
  }

  private handler(own: () => Call | null): CallHandler {
    return {
      progressed: () => {},
      answered: () => {},
      confirmed: () => {
        this.up = true;
      },
      reoffered: (_offer, reply) => reply.accept(this.describe('sendrecv')),
      key: () => {},
      referred: (referral) => referral.reject(603),
      ended: () => {
        if (this.call === own()) this.call = null;
      },
    };
  }

  private describe(direction: Direction): string {
    return [
      'v=0',
      `o=- ${this.index + 1} ${++this.sdpVersion} IN IP4 ${this.address}`,
      's=-',
      `c=IN IP4 ${this.address}`,
      't=0 0',
      'm=audio 40000 RTP/AVP 0 101',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      `a=${direction}`,
      '',
    ].join('\r\n');
  }
}
