import type { CallEnd, IncomingCall, Referral, ReofferReply } from '../../server/sip/dialog/call.ts';
import type { UserAgentHandler } from '../../server/sip/user-agent/user-agent.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualTimers } from './virtual-timers.ts';

/** What the application was told of one call. */
export interface CallRecord {
  readonly call: IncomingCall;
  accepted: boolean;
  confirmed: number;
  /** The answers that came in ACKs. */
  readonly lateAnswers: string[];
  reoffers: number;
  readonly ends: CallEnd[];
}

/** A focus of random moods: it answers now or later or never, refuses, hangs up. */
export class TestApplication implements UserAgentHandler {
  readonly records: CallRecord[] = [];
  private readonly timers: VirtualTimers;
  private readonly random: SeededRandom;

  constructor(timers: VirtualTimers, random: SeededRandom) {
    this.timers = timers;
    this.random = random;
  }

  availability(): 'available' {
    return 'available';
  }

  referred(referral: Referral): void {
    referral.reject(603);
  }

  invited(call: IncomingCall): void {
    const record: CallRecord = { call, accepted: false, confirmed: 0, lateAnswers: [], reoffers: 0, ends: [] };
    this.records.push(record);
    call.handle({
      confirmed: (answer) => {
        record.confirmed++;
        if (answer !== null) record.lateAnswers.push(answer);
      },
      reoffered: (offer, reply) => {
        record.reoffers++;
        this.reply(offer, reply);
      },
      progressed: () => {},
      answered: (answer) => record.lateAnswers.push(answer),
      key: () => {},
      referred: (referral) => referral.reject(603),
      ended: (end) => record.ends.push(end),
    });
    if (this.random.chance(0.3)) call.progress(180);
    this.decide(record);
  }

  private decide(record: CallRecord): void {
    const { call } = record;
    const mood = this.random.fraction();
    if (mood < 0.05) return; // Never answers.
    if (mood < 0.15) this.later(2000, () => call.reject(486));
    else {
      this.later(this.random.chance(0.5) ? 0 : 3000, () => {
        call.accept(call.offer === null ? 'offer' : `answer to ${call.offer}`);
        record.accepted = record.ends.length === 0;
      });
      if (mood < 0.35) this.later(20_000, () => call.hangUp('enough'));
      if (mood > 0.7) this.later(20_000, () => void call.probe());
    }
  }

  private reply(offer: string | null, reply: ReofferReply): void {
    const accepted = this.random.chance(0.8);
    this.later(this.random.chance(0.5) ? 0 : 2000, () => {
      if (accepted) reply.accept(offer === null ? 'offer' : `answer to ${offer}`);
      else reply.reject(488);
    });
  }

  /** At once when `withinMs` is 0. */
  private later(withinMs: number, action: () => void): void {
    if (withinMs === 0) action();
    else this.timers.set(this.random.below(withinMs), action);
  }
}
