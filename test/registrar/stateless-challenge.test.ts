import { describe, expect, it } from 'vitest';
import type { SipResponse } from '../../server/sip/message/message.ts';
import { parseMessage } from '../../server/sip/message/parse-message.ts';
import type { Flow } from '../../server/sip/transport/flow.ts';
import { UserAgent } from '../../server/sip/user-agent/user-agent.ts';
import { flow, type RegisterText, register, TestRegistrar } from './test-registrar.ts';

const LINGER_MS = 32_000;

/** A registrar behind a whole stack; gives what it answers. */
function stack(): { agent: UserAgent; registrar: TestRegistrar; send: (text: RegisterText) => SipResponse[] } {
  const registrar = new TestRegistrar();
  const answers: SipResponse[] = [];
  const agent = new UserAgent({
    timers: registrar.timers,
    flows: { forResponse: (_via, to) => to, forRequest: (_uri, near) => near },
    handler: {
      invited: () => {},
      referred: () => {},
      availability: () => 'unknown',
      methods: { REGISTER: registrar.office.registrar },
    },
    publicAddress: '192.0.2.9',
    ports: { udp: 5060 },
  });
  const from: Flow = {
    ...flow(),
    send: (bytes) => {
      const parsed = parseMessage(Uint8Array.from(bytes));
      if (parsed.ok && parsed.message.kind === 'response') answers.push(parsed.message);
    },
  };
  const send = (text: RegisterText): SipResponse[] => {
    agent.received(register(text), from);
    return answers.splice(0);
  };
  return { agent, registrar, send };
}

const tagOf = ({ to }: SipResponse) => to.parameters.get('tag');

describe('the challenge to a REGISTER without a password (RFC 3261 §8.2.7)', () => {
  it('leaves nothing behind, however often it comes', () => {
    const { agent, send, registrar } = stack();
    const [first] = send({});
    const [again] = send({});
    expect([first!.status, again!.status]).toEqual([401, 401]);
    expect(first!.headers.get('www-authenticate')).toContain('nonce=');
    expect(tagOf(first!)).toBe(tagOf(again!));
    expect(tagOf(first!)).toMatch(/./);
    expect(agent.transactions.serverTransactions).toBe(0);
    expect(registrar.timers.pending).toBe(0);
  });

  it('is another one for another request', () => {
    const { send } = stack();
    const [one] = send({ callId: 'c1' });
    const [other] = send({ callId: 'c2' });
    expect(tagOf(one!)).not.toBe(tagOf(other!));
  });

  it('is not what a REGISTER gets that would be refused whoever sent it', () => {
    const { agent, send } = stack();
    const [answer] = send({ headers: ['Require: what-nobody-knows'] });
    expect(answer!.status).toBe(420);
    expect(agent.transactions.serverTransactions).toBe(1);
  });

  it('is not what one with a wrong password gets, which is answered but once', () => {
    const { agent, send, registrar } = stack();
    const headers = ['Authorization: Digest username="alice", realm="example.com", nonce="x", uri="u", response="r"'];
    expect(send({ headers })).toHaveLength(1);
    expect(agent.transactions.serverTransactions).toBe(1);
    registrar.timers.advance(LINGER_MS);
    expect(agent.transactions.serverTransactions).toBe(0);
  });
});
