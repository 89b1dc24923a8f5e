import { describe, expect, it } from 'vitest';
import { createRequest, createResponse } from '../../../server/sip/message/create-message.ts';
import type { SipMessage, SipRequest } from '../../../server/sip/message/message.ts';
import { parseNameAddress } from '../../../server/sip/message/name-address.ts';
import { parseMessage } from '../../../server/sip/message/parse-message.ts';
import { parseVia } from '../../../server/sip/message/via.ts';
import type { ServerTransaction } from '../../../server/sip/transaction/server-transaction.ts';
import { TransactionLayer } from '../../../server/sip/transaction/transaction-layer.ts';
import type { Flow } from '../../../server/sip/transport/flow.ts';
import { VirtualTimers } from '../../sim/virtual-timers.ts';

function setUp({ reliable = false, maxServerTransactions = 100, maxAnsweredBytes = 1_000_000 } = {}) {
  const timers = new VirtualTimers();
  const sent: SipMessage[] = [];
  const requests: Array<{ request: SipRequest; transaction: ServerTransaction }> = [];
  const acks: SipRequest[] = [];
  const flow: Flow & { open: boolean } = {
    id: 'peer',
    protocol: reliable ? 'tcp' : 'udp',
    reliable,
    localAddress: '192.0.2.2',
    localPort: 5060,
    remoteAddress: '192.0.2.1',
    remotePort: 5060,
    open: true,
    send: (bytes) => {
      const parsed = parseMessage(Uint8Array.from(bytes));
      if (!parsed.ok) throw new Error(parsed.error.reason);
      sent.push(parsed.message);
    },
  };
  const layer = new TransactionLayer({
    timers,
    flows: { forResponse: () => (flow.open ? flow : null), forRequest: () => flow },
    user: {
      request: (request, transaction) => requests.push({ request, transaction }),
      acknowledged: (ack) => acks.push(ack),
    },
    newTag: () => 'ours',
    maxServerTransactions,
    maxAnsweredBytes,
  });
  const answer = (status: number, index = requests.length - 1) => {
    const { request, transaction } = requests[index]!;
    transaction.respond(createResponse(request, status, { toTag: 'ours' }));
  };
  return { timers, sent, requests, acks, flow, layer, answer, receive: (m: SipMessage) => layer.received(m, flow) };
}

interface Parts {
  uri?: string;
  via?: string;
  toTag?: string;
  fromTag?: string;
  cseq?: number;
  callId?: string;
}

const COOKIE_VIA = 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-1';
const OLD_VIA = 'SIP/2.0/UDP 192.0.2.1:5060';

function request(method: string, parts: Parts = {}): SipRequest {
  const { uri = 'sip:demo@192.0.2.2', via = COOKIE_VIA, toTag, fromTag = 'theirs', cseq = 1, callId = 'id' } = parts;
  return createRequest({
    method,
    requestUri: uri,
    via: parseVia(via)!,
    from: parseNameAddress(`<sip:a@192.0.2.1>;tag=${fromTag}`)!,
    to: parseNameAddress(`<sip:demo@192.0.2.2>${toTag === undefined ? '' : `;tag=${toTag}`}`)!,
    callId,
    cseqNumber: cseq,
  });
}

const statusesOf = (messages: SipMessage[]) => messages.map((m) => (m.kind === 'response' ? m.status : m.method));

describe('matching requests to server transactions (RFC 3261 §17.2.3)', () => {
  it('is by branch, sent-by and method', () => {
    const { receive, requests } = setUp();
    receive(request('OPTIONS'));
    receive(request('OPTIONS'));
    expect(requests.length).toBe(1);
    receive(request('BYE', { toTag: 'x' }));
    receive(request('OPTIONS', { via: 'SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK-1', callId: 'b' }));
    receive(request('OPTIONS', { via: 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-2', callId: 'c' }));
    expect(requests.length).toBe(4);
  });

  it('is by the whole of the older fields for RFC 2543 clients, and where the branch is only the cookie', () => {
    for (const via of [OLD_VIA, `${OLD_VIA};branch=1`, `${OLD_VIA};branch=z9hG4bK`]) {
      const { receive, requests } = setUp();
      receive(request('OPTIONS', { via }));
      receive(request('OPTIONS', { via }));
      expect(requests.length).toBe(1);
      receive(request('OPTIONS', { via, cseq: 2 }));
      receive(request('OPTIONS', { via, callId: 'other' }));
      receive(request('OPTIONS', { via, fromTag: 'other' }));
      receive(request('OPTIONS', { via, cseq: 3, uri: 'sip:other@192.0.2.2' }));
      expect(requests.length).toBe(5);
    }
  });

  it('answers a retransmission with the last response, and absorbs it while there is none', () => {
    const { receive, sent, answer } = setUp();
    receive(request('OPTIONS'));
    receive(request('OPTIONS'));
    expect(sent).toEqual([]);
    answer(200);
    receive(request('OPTIONS'));
    expect(statusesOf(sent)).toEqual([200, 200]);
  });

  it('keeps answered transactions for 32 s, each of them, by one timer for all', () => {
    const { receive, sent, answer, timers, layer } = setUp();
    const branches = ['one', 'two', 'three'].map((name) => `${OLD_VIA};branch=z9hG4bK-${name}`);
    for (const via of branches) {
      receive(request('OPTIONS', { via, callId: via.slice(-3) }));
      answer(200);
      timers.advance(10_000);
    }
    expect(timers.pending).toBe(1);
    const left: number[] = [];
    for (const afterMs of [1_999, 1, 9_999, 1, 9_999, 1]) {
      timers.advance(afterMs);
      left.push(layer.serverTransactions);
    }
    expect(left).toEqual([3, 2, 2, 1, 1, 0]);
    expect(timers.pending).toBe(0);
    const before = sent.length;
    receive(request('OPTIONS', { via: branches[0]!, callId: 'new' }));
    expect(sent.length).toBe(before);
  });

  it('hands the ACK for a refusal to its transaction, with the cookie or by the To tag of the response', () => {
    for (const via of [COOKIE_VIA, OLD_VIA]) {
      const { receive, answer, acks, timers, layer } = setUp();
      receive(request('INVITE', { via }));
      answer(486);
      receive(request('ACK', { via, toTag: 'ours' }));
      expect(acks).toEqual([]);
      timers.advance(5000);
      expect(layer.serverTransactions).toBe(0);
    }
  });

  it('hands an ACK with another To tag, or for a 2xx, to the user', () => {
    const { receive, answer, acks } = setUp();
    receive(request('INVITE', { via: OLD_VIA }));
    answer(486);
    receive(request('ACK', { via: OLD_VIA, toTag: 'another' }));
    expect(acks.length).toBe(1);
    const other = setUp();
    other.receive(request('INVITE'));
    other.answer(200);
    other.receive(request('ACK', { toTag: 'ours' }));
    other.receive(request('ACK', { toTag: 'ours', via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-ack' }));
    expect(other.acks.length).toBe(2);
  });

  it('finds the INVITE that a CANCEL means (RFC 3261 §9.2)', () => {
    for (const via of [COOKIE_VIA, OLD_VIA]) {
      const { receive, layer, requests } = setUp();
      receive(request('INVITE', { via }));
      expect(layer.cancelled(request('CANCEL', { via }))).toBe(requests[0]?.transaction);
      expect(layer.cancelled(request('CANCEL', { via: `${OLD_VIA};branch=z9hG4bK-other` }))).toBeUndefined();
    }
  });

  it('refuses a merged request with 482 (RFC 3261 §8.2.2.2)', () => {
    const { receive, sent, requests, answer, timers } = setUp();
    const otherPath = 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-other-path';
    receive(request('INVITE'));
    receive(request('INVITE', { via: otherPath }));
    expect(statusesOf(sent)).toEqual([482]);
    expect(requests.length).toBe(1);
    receive(request('ACK', { via: otherPath, toTag: 'ours' }));
    answer(200);
    expect(statusesOf(sent)).toEqual([482, 200]);
    timers.runUntilIdle();
    receive(request('INVITE'));
    expect(requests.length).toBe(2);
  });
});

describe('the bound of server transactions', () => {
  it('answers 503 with Retry-After and one To tag, and keeps nothing', () => {
    const { receive, sent, layer, requests } = setUp({ maxServerTransactions: 4 });
    for (let cseq = 1; cseq <= 4; cseq++)
      receive(request('OPTIONS', { cseq, via: `${OLD_VIA};branch=z9hG4bK-${cseq}` }));
    receive(request('INVITE', { cseq: 5, via: `${OLD_VIA};branch=z9hG4bK-5` }));
    receive(request('INVITE', { cseq: 5, via: `${OLD_VIA};branch=z9hG4bK-5` }));
    expect(statusesOf(sent)).toEqual([503, 503]);
    expect(sent[0]?.headers.get('Retry-After')).toBe('10');
    expect(sent[0]?.to.parameters.get('tag')).toBe(sent[1]?.to.parameters.get('tag'));
    expect(layer.serverTransactions).toBe(4);
    receive(request('BYE', { cseq: 6, toTag: 'x', via: `${OLD_VIA};branch=z9hG4bK-6` }));
    expect(requests.length).toBe(5);
    receive(request('BYE', { cseq: 7, toTag: 'x', via: `${OLD_VIA};branch=z9hG4bK-7` }));
    expect(requests.length).toBe(5);
  });

  it('does not count those that are answered', () => {
    const { receive, answer, requests, sent } = setUp({ maxServerTransactions: 1 });
    for (let cseq = 1; cseq <= 3; cseq++) {
      receive(request('OPTIONS', { cseq, via: `${OLD_VIA};branch=z9hG4bK-${cseq}` }));
      answer(200);
    }
    expect(requests.length).toBe(3);
    expect(statusesOf(sent)).toEqual([200, 200, 200]);
  });
});

describe('the memory for answered transactions', () => {
  const numbered = (method: string, cseq: number, parts: Parts = {}) =>
    request(method, { ...parts, cseq, via: `${OLD_VIA};branch=z9hG4bK-${cseq}` });

  it('loses the oldest REGISTERs first, which are then taken anew', () => {
    const { receive, answer, requests, layer, sent } = setUp({ maxAnsweredBytes: 10_000 });
    for (let cseq = 1; cseq <= 100; cseq++) {
      receive(numbered('REGISTER', cseq));
      answer(200);
    }
    expect(requests.length).toBe(100);
    expect(layer.serverTransactions).toBeGreaterThan(5);
    expect(layer.serverTransactions).toBeLessThan(20);
    receive(numbered('REGISTER', 100));
    expect(requests.length).toBe(100);
    expect(sent.length).toBe(101);
    receive(numbered('REGISTER', 1));
    expect(requests.length).toBe(101);
  });

  it('loses nothing that must not be taken twice, and so refuses new requests, but not those within dialogs', () => {
    const { receive, answer, requests, sent, timers, layer } = setUp({ maxAnsweredBytes: 10_000 });
    for (let cseq = 1; cseq <= 100; cseq++) {
      receive(numbered('MESSAGE', cseq));
      if (requests.length === cseq) answer(200);
    }
    const taken = requests.length;
    expect(taken).toBeGreaterThan(5);
    expect(taken).toBeLessThan(20);
    expect(statusesOf(sent)).toEqual([...Array(taken).fill(200), ...Array(100 - taken).fill(503)]);
    receive(numbered('MESSAGE', 1));
    expect(requests.length).toBe(taken);
    expect(statusesOf(sent).at(-1)).toBe(200);
    receive(numbered('BYE', 200, { toTag: 'x' }));
    answer(200);
    expect(requests.length).toBe(taken + 1);
    timers.advance(32_000);
    expect(layer.serverTransactions).toBe(0);
    receive(numbered('MESSAGE', 300));
    expect(requests.length).toBe(taken + 2);
    expect(timers.pending).toBe(0);
  });
});

describe('100 to an INVITE (RFC 3261 §17.2.1)', () => {
  const trying = (invite: SipRequest) => () => createResponse(invite, 100);

  it('is sent when nothing else was for 200 ms, and to each retransmission from then on', () => {
    const { receive, requests, sent, timers } = setUp();
    const invite = request('INVITE');
    receive(invite);
    requests[0]!.transaction.trying(trying(invite));
    timers.advance(199);
    receive(invite);
    expect(sent).toEqual([]);
    timers.advance(1);
    expect(statusesOf(sent)).toEqual([100]);
    receive(invite);
    expect(statusesOf(sent)).toEqual([100, 100]);
  });

  it('is not sent when there was an answer before', () => {
    for (const status of [180, 200, 486]) {
      const { receive, requests, sent, timers, answer } = setUp();
      const invite = request('INVITE');
      receive(invite);
      requests[0]!.transaction.trying(trying(invite));
      timers.advance(100);
      answer(status);
      timers.advance(300);
      expect(statusesOf(sent)).toEqual([status]);
    }
  });
});

describe('client transactions', () => {
  const user = () => {
    const got: Array<number | string> = [];
    return {
      got,
      response: ({ status }: { status: number }) => got.push(status),
      failed: (why: string) => got.push(why),
    };
  };

  it('get the responses with their branch and CSeq method; stray ones are dropped', () => {
    const { layer, flow, receive } = setUp();
    const bye = request('BYE', { toTag: 'x' });
    const { got, ...handler } = user();
    layer.send(bye, flow, { ...handler });
    receive(createResponse(request('INVITE'), 200));
    receive(createResponse(request('BYE', { via: `${OLD_VIA};branch=z9hG4bK-9` }), 200));
    expect(got).toEqual([]);
    receive(createResponse(bye, 200));
    receive(createResponse(bye, 200));
    expect(got).toEqual([200]);
  });

  it('send again at T1 up to T2, and time out after 64·T1', () => {
    const { layer, flow, timers, sent } = setUp();
    const { got, ...handler } = user();
    layer.send(request('BYE', { toTag: 'x' }), flow, handler);
    timers.advance(31_999);
    expect(sent.length).toBe(11);
    expect(got).toEqual([]);
    timers.advance(1);
    expect(got).toEqual(['timeout']);
    expect(layer.clientTransactions).toBe(0);
    expect(timers.pending).toBe(0);
  });

  it('send an INVITE again seven times with intervals that double', () => {
    const { layer, flow, timers, sent } = setUp();
    layer.send(request('INVITE'), flow, user());
    timers.runUntilIdle();
    expect(sent.length).toBe(7);
  });

  it('acknowledge each copy of a refusal, with the branch of the INVITE and the To tag of the response', () => {
    const { layer, flow, receive, sent, timers } = setUp();
    const invite = request('INVITE');
    const { got, ...handler } = user();
    layer.send(invite, flow, handler);
    const refusal = createResponse(invite, 486, { toTag: 'callee' });
    receive(refusal);
    receive(refusal);
    expect(got).toEqual([486]);
    expect(statusesOf(sent)).toEqual(['INVITE', 'ACK', 'ACK']);
    expect(sent[1]?.via.branch).toBe('z9hG4bK-1');
    expect(sent[1]?.to.parameters.get('tag')).toBe('callee');
    timers.runUntilIdle();
    expect(layer.clientTransactions).toBe(0);
  });

  it('fail when their connection is lost, or was closed before', () => {
    const { layer, flow, timers } = setUp({ reliable: true });
    const first = user();
    layer.send(request('BYE', { toTag: 'x' }), flow, first);
    layer.transportFailed(flow);
    expect(first.got).toEqual(['transport-error']);
    flow.open = false;
    const second = user();
    layer.send(request('BYE', { toTag: 'x', cseq: 2 }), flow, second);
    expect(second.got).toEqual([]);
    timers.runUntilIdle();
    expect(second.got).toEqual(['transport-error']);
    expect(layer.clientTransactions).toBe(0);
  });
});

describe('a server transaction whose response cannot be sent', () => {
  it('ends, but for INVITE stays to absorb retransmissions (RFC 6026 §7.1)', () => {
    for (const [method, left] of [
      ['OPTIONS', 0],
      ['INVITE', 1],
    ] as const) {
      const { receive, requests, flow, answer, layer, timers } = setUp({ reliable: true });
      receive(request(method));
      const failures: string[] = [];
      requests[0]!.transaction.failed = (failure) => failures.push(failure);
      flow.open = false;
      answer(200);
      timers.advance(0);
      expect(failures).toEqual(method === 'INVITE' ? ['transport-error'] : []);
      expect(layer.serverTransactions).toBe(method === 'INVITE' ? left : 0);
      timers.runUntilIdle();
      expect(layer.serverTransactions).toBe(0);
    }
  });

  it('reports that no ACK came for a refusal', () => {
    const { receive, requests, answer, timers, layer } = setUp();
    receive(request('INVITE'));
    const failures: string[] = [];
    requests[0]!.transaction.failed = (failure) => failures.push(failure);
    answer(486);
    timers.runUntilIdle();
    expect(failures).toEqual(['timeout']);
    expect(layer.serverTransactions).toBe(0);
  });
});
