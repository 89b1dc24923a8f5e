import { ContactWays } from '../../server/sip/contact-ways.ts';
import type { PeerContact } from '../../server/sip/dialog/ways.ts';
import { parseNameAddress } from '../../server/sip/message/name-address.ts';
import { parseUri } from '../../server/sip/message/uri.ts';
import { UserAgent } from '../../server/sip/user-agent/user-agent.ts';
import { Party, type View } from './party.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedNetwork } from './simulated-network.ts';
import { VirtualTimers } from './virtual-timers.ts';

/** Later, whoever is cancelled has been told, and everything has been sent often enough. */
const SETTLED_MS = 150_000;

export interface SeveralPhones {
  readonly caller: View;
  readonly phones: readonly View[];
  /** How many phones had a call that stands when all was quiet, and whether the caller's did. */
  readonly settled: { readonly phones: number; readonly caller: boolean };
  readonly left: { timers: number; calls: number; transactions: number };
}

/** A call to somebody with two to four phones, each over a net of its own that loses, doubles and reorders. */
export function simulateSeveralPhones(seed: number): SeveralPhones {
  const timers = new VirtualTimers();
  const random = new SeededRandom(seed);
  const count = 2 + random.below(3);
  const networks = Array.from({ length: count }, () => {
    const conditions = {
      loss: random.fraction() * 0.3,
      duplication: random.fraction() * 0.2,
      delayMs: [1, 1 + random.below(300)] as [number, number],
      reliable: random.chance(0.15),
    };
    return new SimulatedNetwork(timers, random, conditions);
  });
  const parties = networks.map((_, index) => new Party(`phone ${index}`, timers, random));
  const phones = networks.map(
    ({ serverFlow }, index) =>
      new UserAgent({
        timers,
        flows: { forResponse: () => serverFlow, forRequest: () => serverFlow },
        handler: parties[index]!,
        publicAddress: '192.0.2.2',
        ports: { udp: 5060, tcp: 5060 },
        random,
      }),
  );
  const contacts = networks.map(
    ({ clientFlow }): PeerContact => ({
      uri: parseUri('sip:bob@192.0.2.2')!,
      routes: [],
      flow: clientFlow,
      q: random.pick([1, 1, 0.5]),
    }),
  );
  const callerParty = new Party('caller', timers, random);
  const caller = new UserAgent({
    timers,
    flows: { forResponse: (_via, flow) => flow, forRequest: (_uri, near) => near },
    ways: new ContactWays(() => contacts, { find: (_uri, found) => found([]) }),
    handler: callerParty,
    publicAddress: '192.0.2.1',
    ports: { udp: 5060, tcp: 5060 },
    random,
  });
  networks.forEach((network, index) => {
    network.connect(
      (message, flow) => caller.received(message, flow),
      (message, flow) => phones[index]!.received(message, flow),
    );
  });
  const view = call(caller, callerParty);
  if (random.chance(0.1)) timers.set(random.below(8_000), () => view.call.hangUp('changed my mind'));
  const views = () => parties.flatMap((party) => party.views);
  let settled = { phones: 0, caller: false };
  timers.set(SETTLED_MS, () => {
    // A BYE of which every copy was lost leaves a phone in doubt; then it asks, as the focus does.
    for (const one of views()) if (isUp(one)) void one.call.probe();
  });
  timers.set(2 * SETTLED_MS, () => {
    settled = { phones: views().filter(isUp).length, caller: isUp(view) };
    view.call.hangUp('goodbye');
  });
  timers.runUntilIdle();
  for (const one of views()) if (one.ends.length === 0) void one.call.probe();
  timers.runUntilIdle();
  const agents = [caller, ...phones];
  const sum = (of: (agent: UserAgent) => number) => agents.reduce((total, agent) => total + of(agent), 0);
  const left = {
    timers: timers.pending,
    calls: sum(({ calls }) => calls),
    transactions: sum(({ transactions: of }) => of.serverTransactions + of.clientTransactions),
  };
  return { caller: view, phones: views(), settled, left };
}

function call(agent: UserAgent, party: Party): View {
  let view: View | null = null;
  const handler = () => party.handlerOf(view!);
  const made = agent.call(
    {
      target: parseUri('sip:bob@192.0.2.2')!,
      from: parseNameAddress('<sip:caller@192.0.2.1>')!,
      contactUser: 'caller',
      offer: party.describe(),
    },
    {
      progressed: () => {},
      answered: (answer) => handler().answered(answer),
      confirmed: (answer) => handler().confirmed(answer),
      reoffered: (offer, reply) => handler().reoffered(offer, reply),
      key: () => {},
      referred: (referral) => handler().referred(referral),
      ended: (end) => handler().ended(end),
    },
  );
  view = party.watch(made);
  return view;
}

function isUp(view: View): boolean {
  return view.confirmed > 0 && view.ends.length === 0;
}
