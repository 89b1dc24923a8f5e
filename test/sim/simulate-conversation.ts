import type { Way } from '../../server/sip/dialog/ways.ts';
import { parseNameAddress } from '../../server/sip/message/name-address.ts';
import { parseUri } from '../../server/sip/message/uri.ts';
import type { Flow } from '../../server/sip/transport/flow.ts';
import { UserAgent } from '../../server/sip/user-agent/user-agent.ts';
import { Party, type View } from './party.ts';
import { SeededRandom } from './seeded-random.ts';
import { type NetworkConditions, SimulatedNetwork } from './simulated-network.ts';
import { VirtualTimers } from './virtual-timers.ts';

/** In it, all that was begun comes to its end, as nobody begins anything new. */
const QUIET_MS = 200_000;

/** What is left and what was seen when all is over. */
export interface Conversation {
  readonly conditions: NetworkConditions;
  readonly caller: View;
  /** None when no INVITE ever arrived. */
  readonly called: View | undefined;
  readonly callsTaken: number;
  /** The views when both sides had been quiet for long, if the call still stood then. */
  readonly settled: { readonly mine: string | null; readonly theirs: string | null; readonly open: number }[] | null;
  readonly left: { timers: number; calls: number; transactions: number };
  /** How often each method was sent. */
  readonly methods: ReadonlyMap<string, number>;
}

/** One call between two whole stacks, from beginning to end in virtual time; the same for the same seed. */
export class SimulatedConversation {
  private readonly timers = new VirtualTimers();
  private readonly random: SeededRandom;
  private readonly conditions: NetworkConditions;
  private readonly network: SimulatedNetwork;
  private readonly callerParty: Party;
  private readonly calledParty: Party;
  private readonly callerAgent: UserAgent;
  private readonly calledAgent: UserAgent;
  private settled: Conversation['settled'] = null;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.conditions = {
      loss: this.random.fraction() * 0.3,
      duplication: this.random.fraction() * 0.2,
      delayMs: [1, 1 + this.random.below(300)],
      reliable: this.random.chance(0.15),
    };
    this.network = new SimulatedNetwork(this.timers, this.random, this.conditions);
    const { clientFlow, serverFlow } = this.network;
    this.callerParty = new Party('caller', this.timers, this.random);
    this.calledParty = new Party('called', this.timers, this.random);
    this.callerAgent = this.agent(this.callerParty, clientFlow, '192.0.2.1');
    this.calledAgent = this.agent(this.calledParty, serverFlow, '192.0.2.2');
    this.network.connect(
      (message, flow) => this.callerAgent.received(message, flow),
      (message, flow) => this.calledAgent.received(message, flow),
    );
  }

  run(): Conversation {
    const caller = this.call();
    if (this.random.chance(0.15))
      this.timers.set(this.random.below(8_000), () => caller.call.hangUp('changed my mind'));
    const settleMs = 30_000 + QUIET_MS;
    for (let acts = this.random.below(8); acts > 0; acts--) {
      const party = this.random.pick([this.callerParty, this.calledParty]);
      this.timers.set(8_000 + this.random.below(22_000), () => {
        for (const view of party.views) if (isUp(view)) party.act(view);
      });
    }
    if (this.random.chance(0.2)) this.timers.set(3_000, () => isRinging(caller) && this.callerParty.change(caller));
    this.timers.set(settleMs, () => this.settle());
    this.timers.runUntilIdle();
    this.probeWhatIsLeft();
    return this.outcome(caller);
  }

  private call(): View {
    const offer = this.callerParty.describe();
    let view: View | null = null;
    // Nothing is told before the call is known.
    const handler = () => this.callerParty.handlerOf(view!);
    const call = this.callerAgent.call(
      {
        target: parseUri('sip:demo@192.0.2.2')!,
        from: parseNameAddress('<sip:caller@192.0.2.1>')!,
        contactUser: 'caller',
        offer,
        answerTimeoutMs: 30_000,
      },
      {
        progressed: () => {},
        answered: (answer) => handler().answered(answer),
        confirmed: (answer) => handler().confirmed(answer),
        reoffered: (described, reply) => handler().reoffered(described, reply),
        key: () => {},
        referred: (referral) => handler().referred(referral),
        ended: (end) => handler().ended(end),
      },
    );
    view = this.callerParty.watch(call);
    view.mine = offer;
    return view;
  }

  private settle(): void {
    const views = [...this.callerParty.views, ...this.calledParty.views];
    if (views.length === 2 && views.every(isUp)) {
      this.settled = views.map(({ mine, theirs, open }) => ({ mine, theirs, open }));
    }
    // One of them, or both at once.
    const who = this.random.below(3);
    views.forEach((view, index) => {
      if (who === 2 || who === index || views.length === 1) view.call.hangUp('goodbye');
    });
  }

  /** A BYE of which every copy was lost leaves the other side in doubt; then it asks, as the focus does. */
  private probeWhatIsLeft(): void {
    for (const view of [...this.callerParty.views, ...this.calledParty.views]) {
      if (view.ends.length === 0) void view.call.probe();
    }
    this.timers.runUntilIdle();
  }

  private agent(handler: Party, flow: Flow, publicAddress: string): UserAgent {
    const way: Way = { open: (_bytes, opened) => opened(flow), unavailable: () => {} };
    const nowhere: Way = { open: (_bytes, opened) => opened({ ...flow, send: () => {} }), unavailable: () => {} };
    const ways = this.random.chance(0.1) ? [nowhere, way] : [way];
    return new UserAgent({
      timers: this.timers,
      flows: { forResponse: () => flow, forRequest: () => flow },
      ways: { find: (_uri, found) => found(ways) },
      handler,
      publicAddress,
      ports: { udp: 5060, tcp: 5060 },
      random: this.random,
      sessionTimer: { intervalS: this.random.pick([90, 120, 1800]), minimumS: 90 },
    });
  }

  private outcome(caller: View): Conversation {
    const agents = [this.callerAgent, this.calledAgent];
    const sum = (of: (agent: UserAgent) => number) => agents.reduce((total, agent) => total + of(agent), 0);
    return {
      conditions: this.conditions,
      caller,
      called: this.calledParty.views[0],
      callsTaken: this.calledParty.views.length,
      settled: this.settled,
      left: {
        timers: this.timers.pending,
        calls: sum(({ calls }) => calls),
        transactions: sum(
          ({ transactions: { serverTransactions, clientTransactions } }) => serverTransactions + clientTransactions,
        ),
      },
      methods: this.network.methods,
    };
  }
}

function isUp(view: View): boolean {
  return view.confirmed > 0 && view.ends.length === 0;
}

function isRinging(view: View): boolean {
  return view.confirmed === 0 && view.ends.length === 0;
}

/** What is wrong with how a conversation ended, as sentences; none when both sides agree and nothing is left. */
export function disagreementsOf({ caller, called, callsTaken, settled, left }: Conversation): string[] {
  const wrong: string[] = [];
  const expect = (holds: boolean, sentence: string) => {
    if (!holds) wrong.push(sentence);
  };
  expect(
    Object.values(left).every((count) => count === 0),
    `something is left: ${JSON.stringify(left)}`,
  );
  expect(callsTaken <= 1, `one call was taken ${callsTaken} times`);
  for (const view of called === undefined ? [caller] : [caller, called]) {
    const name = view === caller ? 'the caller' : 'the called one';
    expect(view.ends.length === 1, `${name} was told ${view.ends.length} ends`);
    expect(view.open === 0, `${name} was not told what came of ${view.open} wishes`);
  }
  const [callerEnd] = caller.ends;
  const [calledEnd] = called?.ends ?? [];
  if (caller.confirmed > 0) expect(called !== undefined, 'answered by nobody');
  if (called !== undefined && called.confirmed > 0) {
    // An answer may cross the caller's giving up, which is acknowledged all the same.
    const crossed = callerEnd?.cause === 'cancelled' || callerEnd?.cause === 'no-answer';
    expect(caller.confirmed > 0 || crossed, `answered, but the caller ended with ${callerEnd?.cause}`);
  }
  if (callerEnd?.cause === 'rejected' && callerEnd.status === 486) {
    expect(calledEnd?.cause === 'rejected', `refused, but ended with ${calledEnd?.cause}`);
  }
  if (settled !== null) {
    const [ours, theirs] = settled;
    expect(ours?.mine === theirs?.theirs && ours?.theirs === theirs?.mine, `said ${JSON.stringify(settled)}`);
    expect(ours?.open === 0 && theirs?.open === 0, `not settled: ${JSON.stringify(settled)}`);
  }
  return wrong;
}

/** Runs that many seeds from `first` on; throws at the first one that ends wrong, with its seed. */
export function simulateConversations(
  first: number,
  count: number,
  each: (conversation: Conversation) => void = () => {},
): void {
  for (let seed = first; seed < first + count; seed++) {
    const conversation = new SimulatedConversation(seed).run();
    const wrong = disagreementsOf(conversation);
    if (wrong.length > 0) throw new Error(`seed ${seed}: ${wrong.join('; ')}`);
    each(conversation);
  }
}
