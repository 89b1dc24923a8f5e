import type { Call, CallEnd, CallHandler, IncomingCall, Referral, ReofferReply } from '../../server/sip/dialog/call.ts';
import type { UserAgentHandler } from '../../server/sip/user-agent/user-agent.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualTimers } from './virtual-timers.ts';

/** One party's view of the call: what it was told, and what both are to have said last. */
export interface View {
  readonly call: Call;
  confirmed: number;
  readonly ends: CallEnd[];
  /** Session descriptions in force; null before the first answer. */
  mine: string | null;
  theirs: string | null;
  /** Ours that waits for an answer. */
  offered: string | null;
  /** Our changes and REFERs that are not concluded. */
  open: number;
  /** How many changes of ours were accepted. */
  accepted: number;
  /** Why the others were not. */
  readonly refusals: number[];
  readonly referrals: number[];
}

/** An application of random moods above one of the two stacks. */
export class Party implements UserAgentHandler {
  readonly views: View[] = [];
  private readonly name: string;
  private readonly timers: VirtualTimers;
  private readonly random: SeededRandom;
  private said = 0;

  constructor(name: string, timers: VirtualTimers, random: SeededRandom) {
    this.name = name;
    this.timers = timers;
    this.random = random;
  }

  /** A description that nobody ever said before. */
  describe(): string {
    return `${this.name} ${++this.said}`;
  }

  availability(): 'available' {
    return 'available';
  }

  referred(referral: Referral): void {
    if (this.random.chance(0.2)) return referral.reject(603);
    const progress = referral.accept();
    const status = this.random.pick([200, 486]);
    this.later(5_000, () => progress.report(180, 'Ringing'));
    this.timers.set(5_000, () => progress.report(status, 'Done'));
  }

  invited(call: IncomingCall): void {
    const view = this.watch(call);
    call.handle(this.handlerOf(view));
    const mood = this.random.fraction();
    if (mood < 0.05) return; // Never answers.
    if (mood < 0.12) return this.later(3_000, () => call.reject(486));
    const answer = this.describe();
    if (this.random.chance(0.3)) call.progress(180);
    if (this.random.chance(0.5)) this.ringWithSound(call, view, answer);
    this.timers.set(3_000 + this.random.below(4_000), () => {
      // Said before, it is not said again, and may have been changed since.
      if (view.mine === null) this.agree(view, answer, call.offer);
      call.accept(answer);
    });
  }

  /** What a party does about a call while it goes on. */
  act({ call }: View): void {
    const view = this.views.find((candidate) => candidate.call === call)!;
    const mood = this.random.fraction();
    if (mood < 0.4) this.change(view);
    else if (mood < 0.55) this.letThemOffer(view);
    else if (mood < 0.75) void call.probe();
    else if (mood < 0.95) this.refer(view);
    else call.hangUp('enough');
  }

  change(view: View): void {
    let offer: string | null = null;
    view.open++;
    view.call.reoffer(
      () => {
        offer = this.describe();
        view.offered = offer;
        return offer;
      },
      (result) => {
        view.open--;
        if ('answer' in result) {
          view.accepted++;
          if (result.answer !== null) this.agree(view, offer, result.answer);
        } else view.refusals.push(result.status);
        if (view.offered === offer) view.offered = null;
      },
    );
  }

  watch(call: Call): View {
    const view: View = {
      call,
      confirmed: 0,
      ends: [],
      mine: null,
      theirs: null,
      offered: null,
      open: 0,
      accepted: 0,
      refusals: [],
      referrals: [],
    };
    this.views.push(view);
    return view;
  }

  handlerOf(view: View): CallHandler {
    return {
      progressed: () => {},
      answered: (answer) => this.agree(view, view.offered ?? view.mine, answer),
      confirmed: (answer) => {
        view.confirmed++;
        if (answer !== null) this.agree(view, view.offered ?? view.mine, answer);
        view.offered = null;
      },
      reoffered: (offer, reply) => this.reply(view, offer, reply),
      key: () => {},
      referred: (referral) => this.referred(referral),
      ended: (end) => view.ends.push(end),
    };
  }

  private ringWithSound(call: IncomingCall, view: View, answer: string): void {
    this.later(1_000, () => {
      if (view.ends.length > 0) return;
      this.agree(view, answer, call.offer);
      call.progress(183, { sdp: answer });
      if (this.random.chance(0.3)) this.later(1_000, () => this.change(view));
    });
  }

  private letThemOffer(view: View): void {
    view.open++;
    view.call.reoffer(null, () => {
      view.open--;
    });
  }

  private refer(view: View): void {
    view.open++;
    view.call.refer('sip:somebody@example.com', (status) => {
      if (status < 200) return;
      view.open--;
      view.referrals.push(status);
    });
  }

  private reply(view: View, offer: string | null, reply: ReofferReply): void {
    const accepted = this.random.chance(0.85);
    this.later(this.random.chance(0.5) ? 0 : 2_000, () => {
      if (!accepted) return reply.reject(488);
      // Who hears nothing new says nothing new.
      const sdp = offer !== null && offer === view.theirs && view.mine !== null ? view.mine : this.describe();
      if (offer === null) view.offered = sdp;
      else this.agree(view, sdp, offer);
      reply.accept(sdp);
    });
  }

  private agree(view: View, mine: string | null, theirs: string | null): void {
    view.mine = mine;
    view.theirs = theirs;
  }

  private later(withinMs: number, action: () => void): void {
    if (withinMs === 0) action();
    else this.timers.set(this.random.below(withinMs), action);
  }
}
