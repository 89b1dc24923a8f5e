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

export type Direction = 'sendrecv' | 'sendonly' | 'inactive';

/** What a media section is for. */
type Section = 'audio' | 'video' | 'slides' | 'other';

/** One caller: a whole user agent with a phone's manners, some of them bad. */
export class ChaosPhone {
  readonly address: string;
  readonly agent: UserAgent;
  /** It calls or is called at the moment. */
  call: Call | null = null;
  /** The day is over: answers nobody. */
  quiet = false;
  private up = false;
  private readonly hasVideo: boolean;
  private readonly hasSlides: boolean;
  /** Turned on, by who has one. */
  private camera: boolean;
  /** Of the session: they stay, in this order. */
  private sections: Section[] = ['audio'];
  private readonly index: number;
  private readonly world: PhoneWorld;
  private sdpVersion = 0;

  constructor(index: number, world: PhoneWorld) {
    this.index = index;
    this.world = world;
    this.hasVideo = index % 2 === 0;
    this.hasSlides = index % 6 === 0;
    this.camera = this.hasVideo;
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
    this.sections = ['audio'];
    this.call = this.agent.call(
      {
        target: parseUri(`sip:${user.replace(/;.*/, '')}@${SERVER}${user.replace(/^[^;]*/, '')}`)!,
        from: parseNameAddress(this.from)!,
        contactUser: `p${this.index}`,
        offer: this.offer('sendrecv'),
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
        () => this.offer(direction),
        () => {},
      );
  }

  /** Turns the camera on or off. */
  turnCamera(): void {
    this.camera = this.hasVideo && !this.camera;
    this.change('sendrecv');
  }

  refer(target: string): void {
    if (this.isUp) this.call?.refer(target, () => {});
  }

  private invited(call: IncomingCall): void {
    const { random, timers } = this.world;
    if (this.call !== null || this.quiet) return call.reject(this.quiet ? 603 : 486);
    this.call = call;
    this.up = false;
    this.sections = ['audio'];
    call.handle(this.handler(() => call));
    const mood = random.fraction();
    if (mood < 0.1) return; // Never answers.
    call.progress(180);
    timers.set(random.below(8000), () => {
      if (mood < 0.3) call.reject(random.pick([486, 603, 480]));
      else call.accept(call.offer === null ? this.offer('sendrecv') : this.answer(call.offer));
    });
  }

  private handler(own: () => Call | null): CallHandler {
    return {
      progressed: () => {},
      answered: () => {},
      confirmed: () => {
        this.up = true;
      },
      reoffered: (offer, reply) => reply.accept(offer === null ? this.offer('sendrecv') : this.answer(offer)),
      key: () => {},
      referred: (referral) => referral.reject(603),
      ended: () => {
        if (this.call === own()) this.call = null;
      },
    };
  }

  private offer(direction: Direction): string {
    const missing = (section: Section): boolean => !this.sections.includes(section);
    if (this.camera && missing('video')) this.sections.push('video');
    if (this.hasSlides && this.camera && missing('slides')) this.sections.push('slides');
    return this.describe(direction);
  }

  private answer(offer: string): string {
    this.sections = offer
      .split(/^(?=m=)/m)
      .slice(1)
      .map(sectionOf);
    return this.describe('sendrecv');
  }

  private describe(direction: Direction): string {
    return [
      'v=0',
      `o=- ${this.index + 1} ${++this.sdpVersion} IN IP4 ${this.address}`,
      's=-',
      `c=IN IP4 ${this.address}`,
      't=0 0',
      ...this.sections.flatMap((section) => this.section(section, direction)),
      '',
    ].join('\r\n');
  }

  private section(section: Section, direction: Direction): string[] {
    if (section === 'other') return ['m=application 0 UDP/BFCP *'];
    if (section === 'audio') {
      const formats = ['a=rtpmap:0 PCMU/8000', 'a=rtpmap:101 telephone-event/8000'];
      return ['m=audio 40000 RTP/AVP 0 101', ...formats, `a=${direction}`];
    }
    const isTaken = section === 'video' ? this.camera : this.camera && this.hasSlides;
    const port = isTaken ? 40_002 : 0;
    const slides = section === 'slides' ? ['a=content:slides'] : [];
    return [`m=video ${port} RTP/AVP 96`, 'a=rtpmap:96 VP8/90000', ...slides, `a=${direction}`];
  }
}

function sectionOf(text: string): Section {
  if (text.startsWith('m=audio')) return 'audio';
  if (!text.startsWith('m=video')) return 'other';
  return text.includes('a=content:slides') ? 'slides' : 'video';
}
