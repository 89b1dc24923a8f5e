import { beforeEach, describe, expect, it } from 'vitest';
import { DestinationWays } from '../../../server/sip/destination-ways.ts';
import { createRequest, createResponse } from '../../../server/sip/message/create-message.ts';
import type { SipRequest, SipResponse } from '../../../server/sip/message/message.ts';
import { parseNameAddress } from '../../../server/sip/message/name-address.ts';
import { parseMessage } from '../../../server/sip/message/parse-message.ts';
import { parseUri } from '../../../server/sip/message/uri.ts';
import { createVia } from '../../../server/sip/message/via.ts';
import { DestinationHealth } from '../../../server/sip/resolve/destination-health.ts';
import { TargetedRequest } from '../../../server/sip/resolve/target-failover.ts';
import { TransactionLayer } from '../../../server/sip/transaction/transaction-layer.ts';
import type { Destination } from '../../../server/sip/transport/destination.ts';
import type { Flow } from '../../../server/sip/transport/flow.ts';
import { VirtualTimers } from '../../sim/virtual-timers.ts';

const URI = parseUri('sip:a@example.com')!;
const at = (host: number, protocol: 'udp' | 'tcp' = 'udp'): Destination => ({
  protocol,
  address: `192.0.2.${host}`,
  port: 5060,
});

let timers: VirtualTimers;
let transactions: TransactionLayer;
let health: DestinationHealth;
/** What was sent, and where to. */
let sent: { to: string; request: SipRequest; flow: Flow }[];
let told: (number | string)[];
/** Addresses that cannot be connected to. */
let dead: Set<string>;
let branches = 0;

beforeEach(() => {
  timers = new VirtualTimers();
  health = new DestinationHealth(timers);
  sent = [];
  told = [];
  dead = new Set();
  transactions = new TransactionLayer({
    timers,
    flows: { forResponse: () => null, forRequest: () => null },
    user: { request: () => {}, acknowledged: () => {} },
    newTag: () => 't',
    maxServerTransactions: 100,
  });
});

function flowTo({ protocol, address, port }: Destination): Flow {
  const flow: Flow = {
    id: `${protocol} ${address}`,
    protocol,
    reliable: protocol === 'tcp',
    localAddress: '192.0.2.100',
    localPort: 5060,
    remoteAddress: address,
    remotePort: port,
    open: true,
    send: (bytes) => {
      const parsed = parseMessage(bytes);
      if (!parsed.ok || parsed.message.kind !== 'request') throw new Error('not a request');
      sent.push({ to: address, request: parsed.message, flow });
    },
  };
  return flow;
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

function begin(destinations: Destination[]): void {
  const request = createRequest({
    method: 'OPTIONS',
    requestUri: 'sip:a@example.com',
    via: createVia('UDP', '192.0.2.100', 5060, 'z9hG4bKunused'),
    from: parseNameAddress('<sip:demo@192.0.2.100>;tag=1')!,
    to: parseNameAddress('<sip:a@example.com>')!,
    callId: 'c',
    cseqNumber: 1,
  });
  const ways = new DestinationWays({
    health,
    resolve: async () => destinations,
    connect: async (destination) => {
      if (dead.has(destination.address)) throw new Error('ECONNREFUSED');
      return flowTo(destination);
    },
  });
  const newVia = (flow: Flow) => createVia(flow.protocol.toUpperCase(), '192.0.2.100', 5060, `z9hG4bK${++branches}`);
  const targeted = new TargetedRequest({ transactions, ways, newVia }, request, {
    response: (response: SipResponse) => told.push(response.status),
    failed: (failure) => told.push(failure),
  });
  targeted.sendTo(URI);
}

/** The last one who got the request answers. */
async function answer(status: number, headers: [string, string][] = []): Promise<void> {
  const { request, flow } = sent.at(-1)!;
  transactions.received(createResponse(request, status, { toTag: 'u', headers }), flow);
  await settle();
}

const whereTo = () => [...new Set(sent.map(({ to }) => to))];

describe('a request to a URI with several destinations (RFC 3263 §4.3)', () => {
  it('stays with the first that answers, whatever it says but 503', async () => {
    begin([at(1), at(2)]);
    await settle();
    await answer(100);
    await answer(486);
    expect(told).toEqual([100, 486]);
    expect(whereTo()).toEqual(['192.0.2.1']);
  });

  it('goes on after 503, with a new branch, over the transport of the next', async () => {
    begin([at(1), at(2, 'tcp')]);
    await settle();
    await answer(503);
    expect(whereTo()).toEqual(['192.0.2.1', '192.0.2.2']);
    const [first, second] = sent.map(({ request }) => request.via);
    expect(second!.branch).not.toBe(first!.branch);
    expect([first!.transport, second!.transport]).toEqual(['UDP', 'TCP']);
    expect(sent.map(({ request }) => request.cseq.number)).toEqual([1, 1]);
    await answer(200);
    expect(told).toEqual([200]);
  });

  it('gives the 503 when all say so', async () => {
    begin([at(1), at(2)]);
    await settle();
    await answer(503);
    await answer(503);
    expect(told).toEqual([503]);
  });

  it('goes on when nobody answers in time', async () => {
    begin([at(1), at(2)]);
    await settle();
    timers.advance(32_000);
    await settle();
    expect(whereTo()).toEqual(['192.0.2.1', '192.0.2.2']);
    await answer(200);
    expect(told).toEqual([200]);
  });

  it('goes on when there is no connection, or it breaks', async () => {
    dead.add('192.0.2.1');
    begin([at(1, 'tcp'), at(2, 'tcp'), at(3, 'tcp')]);
    await settle();
    expect(whereTo()).toEqual(['192.0.2.2']);
    transactions.transportFailed(sent[0]!.flow);
    await settle();
    expect(whereTo()).toEqual(['192.0.2.2', '192.0.2.3']);
  });

  it('does not go on when who broke off had begun to work on it', async () => {
    begin([at(1, 'tcp'), at(2, 'tcp')]);
    await settle();
    await answer(183);
    transactions.transportFailed(sent[0]!.flow);
    await settle();
    expect(told).toEqual([183, 'transport-error']);
    expect(whereTo()).toEqual(['192.0.2.1']);
  });

  it('fails when nobody can be reached, or the URI leads nowhere', async () => {
    dead.add('192.0.2.1');
    begin([at(1, 'tcp')]);
    await settle();
    begin([]);
    await settle();
    expect(told).toEqual(['transport-error', 'transport-error']);
  });
});

describe('destinations that did not answer', () => {
  it('come last for a minute', async () => {
    begin([at(1), at(2)]);
    await settle();
    timers.advance(32_000);
    await settle();
    await answer(200);
    expect(health.order([at(1), at(2)])).toEqual([at(2), at(1)]);
    timers.advance(60_000);
    expect(health.order([at(1), at(2)])).toEqual([at(1), at(2)]);
  });

  it('come last as long as the Retry-After of their 503 says; without one, a 503 is for that request alone', async () => {
    begin([at(1), at(2)]);
    await settle();
    await answer(503, [['Retry-After', '120 (maintenance)']]);
    await answer(503);
    timers.advance(119_000);
    expect(health.order([at(1), at(2)])).toEqual([at(2), at(1)]);
    timers.advance(1_000);
    expect(health.order([at(1), at(2)])).toEqual([at(1), at(2)]);
  });
});
