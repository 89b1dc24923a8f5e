import { UserAgent } from '../../server/sip/user-agent/user-agent.ts';
import { SeededRandom } from './seeded-random.ts';
import { type NetworkConditions, SimulatedNetwork } from './simulated-network.ts';
import { type CallRecord, TestApplication } from './test-application.ts';
import { TestClient } from './test-client.ts';
import { VirtualTimers } from './virtual-timers.ts';

/** What is left and what was seen when all is over. */
export interface Outcome {
  readonly conditions: NetworkConditions;
  /** The final status of the INVITE, 408 when the client saw none. */
  readonly inviteStatus: number;
  /** The client's view of each re-INVITE: whether it was accepted, and with which body. */
  readonly reinvites: ReadonlyArray<{ readonly offer: string | null; readonly status: number; readonly sdp: string }>;
  readonly clientState: TestClient['state'];
  /** The server's calls; more than one where the network doubled the INVITE beyond recognition: never. */
  readonly records: readonly CallRecord[];
  readonly left: { timers: number; calls: number; serverTransactions: number; clientTransactions: number };
  readonly messages: number;
}

/** One call from beginning to end in virtual time; the same for the same seed. */
export class SimulatedCall {
  private readonly timers = new VirtualTimers();
  private readonly random: SeededRandom;
  private readonly conditions: NetworkConditions;
  private readonly network: SimulatedNetwork;
  private readonly client: TestClient;
  private readonly application: TestApplication;
  private readonly userAgent: UserAgent;
  private inviteStatus = 0;
  private readonly reinvites: Array<{ offer: string | null; status: number; sdp: string }> = [];

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
    this.client = new TestClient(this.timers, this.random, clientFlow);
    this.application = new TestApplication(this.timers, this.random);
    this.userAgent = new UserAgent({
      timers: this.timers,
      flows: { forResponse: () => serverFlow, forRequest: () => serverFlow },
      ways: { find: (_uri, found) => found([]) },
      handler: this.application,
      publicAddress: '192.0.2.2',
      ports: { udp: 5060, tcp: 5060 },
      random: this.random,
    });
    this.network.connect(
      (message, flow) => this.client.received(message, flow),
      (message, flow) => this.userAgent.received(message, flow),
    );
  }

  run(): Outcome {
    this.client.call(this.randomOffer('first'), (status) => {
      this.inviteStatus = status;
      if (status < 300) this.converse(this.random.below(5));
    });
    if (this.random.chance(0.2)) {
      this.timers.set(this.random.below(4000), () => {
        // A CANCEL waits for a provisional response (RFC 3261 §9.1).
        if (this.client.state === 'calling' && this.client.provisionals > 0) this.client.cancel();
      });
    }
    this.timers.runUntilIdle();
    this.probeWhatIsLeft();
    return this.outcome();
  }

  /** The client's part of the conversation: that many things more, then BYE. */
  private converse(remaining: number): void {
    this.timers.set(this.random.below(4000), () => {
      if (this.client.state !== 'established') return;
      const next = () => this.converse(remaining - 1);
      if (remaining === 0) this.client.hangUp();
      else if (this.random.chance(0.3)) this.client.options(next);
      else this.reinvite(this.randomOffer(`again ${remaining}`), next);
    });
  }

  private reinvite(offer: string | null, next: () => void): void {
    this.client.reinvite(offer, (status, response) => {
      const sdp = response === null ? '' : Buffer.from(response.body).toString();
      this.reinvites.push({ offer, status, sdp });
      next();
    });
    // Sometimes in haste: a second request before the first is answered.
    if (this.random.chance(0.2)) this.client.options(() => {});
  }

  /** A BYE of which every copy was lost leaves the server in doubt; then it asks, as the focus does. */
  private probeWhatIsLeft(): void {
    for (const { call, ends } of this.application.records) {
      if (ends.length === 0) void call.probe();
    }
    this.timers.runUntilIdle();
  }

  private randomOffer(text: string): string | null {
    return this.random.chance(0.7) ? text : null;
  }

  private outcome(): Outcome {
    const { transactions } = this.userAgent;
    return {
      conditions: this.conditions,
      inviteStatus: this.inviteStatus,
      reinvites: this.reinvites,
      clientState: this.client.state,
      records: this.application.records,
      left: {
        timers: this.timers.pending,
        calls: this.userAgent.calls,
        serverTransactions: transactions.serverTransactions + this.client.transactions.serverTransactions,
        clientTransactions: transactions.clientTransactions + this.client.transactions.clientTransactions,
      },
      messages: this.network.messages,
    };
  }
}

/** What is wrong with how a call ended, as sentences; none when both sides agree and nothing is left. */
export function disagreements(outcome: Outcome): string[] {
  const wrong: string[] = [];
  const expect = (holds: boolean, sentence: string) => {
    if (!holds) wrong.push(sentence);
  };
  const { inviteStatus, clientState, records, left, reinvites } = outcome;
  const [record] = records;
  expect(
    Object.values(left).every((count) => count === 0),
    `something is left: ${JSON.stringify(left)}`,
  );
  expect(records.length <= 1, `one INVITE made ${records.length} calls`);
  expect(inviteStatus !== 0, 'the INVITE was never answered');
  expect(clientState === 'ended', `the client is ${clientState}`);
  if (record === undefined) {
    expect(inviteStatus === 408, `the client was answered ${inviteStatus} without a call`);
    return wrong;
  }
  expect(record.ends.length === 1, `the call ended ${record.ends.length} times`);
  if (inviteStatus < 300) expect(record.accepted, 'the client was accepted, the server did not accept');
  if (record.confirmed > 0) expect(inviteStatus === 200, `confirmed, though the client got ${inviteStatus}`);
  const [end] = record.ends;
  if (inviteStatus === 486) expect(end?.cause === 'rejected', `refused with 486, ended as ${end?.cause}`);
  if (inviteStatus === 487) expect(end?.cause === 'cancelled', `cancelled, ended as ${end?.cause}`);
  for (const { offer, status, sdp } of reinvites) {
    if (status !== 200) continue;
    expect(sdp === (offer === null ? 'offer' : `answer to ${offer}`), `"${offer}" was answered with "${sdp}"`);
  }
  for (const answer of record.lateAnswers) expect(answer === 'answer to offer', `a late answer "${answer}"`);
  return wrong;
}

/** Runs that many seeds from `first` on; throws at the first one that ends wrong, with its seed. */
export function simulateCalls(first: number, count: number, each: (outcome: Outcome) => void = () => {}): void {
  for (let seed = first; seed < first + count; seed++) {
    const outcome = new SimulatedCall(seed).run();
    const wrong = disagreements(outcome);
    if (wrong.length > 0) throw new Error(`seed ${seed}: ${wrong.join('; ')}`);
    each(outcome);
  }
}
