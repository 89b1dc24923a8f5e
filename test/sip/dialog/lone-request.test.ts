import { describe, expect, it } from 'vitest';
import type { Call } from '../../../server/sip/dialog/call.ts';
import { parseNameAddress } from '../../../server/sip/message/name-address.ts';
import { parseUri } from '../../../server/sip/message/uri.ts';
import type { MethodHandler } from '../../../server/sip/user-agent/user-agent.ts';
import { ScriptedPeer, statuses } from './scripted-peer.ts';

const TIMER_F_MS = 32_000;

function send(peer: ScriptedPeer, open: boolean): number[] {
  const concluded: number[] = [];
  const flow = { ...peer.newFlow('203.0.113.8', 7000), open };
  const contact = { uri: parseUri('sip:ben@10.0.0.2:5062')!, routes: [], flow };
  const from = parseNameAddress('"Ann" <sip:demo@parley.example.com>')!;
  const to = parseNameAddress('<sip:ben@example.com>')!;
  const content = { body: Buffer.from('Hello'), contentType: 'text/plain' };
  peer.userAgent.send({ method: 'MESSAGE', contact, from, to, maxForwards: 69, ...content }, (status) =>
    concluded.push(status),
  );
  peer.timers.advance(0);
  return concluded;
}

describe('a request of ours outside of dialogs', () => {
  it('goes to the Contact over its flow, with all that a request needs', () => {
    const peer = new ScriptedPeer();
    const concluded = send(peer, true);
    const { lastRequest: message } = peer;
    expect(peer.sentTo).toEqual(['203.0.113.8:7000']);
    expect(message.requestUri).toBe('sip:ben@10.0.0.2:5062');
    expect(message.via).toMatchObject({ host: 'parley.example.com', transport: 'UDP' });
    expect(message.headers.all('via')).toHaveLength(1);
    expect(message.from.parameters.get('tag')).toMatch(/./);
    expect(message.to.parameters.has('tag')).toBe(false);
    expect(message.headers.get('max-forwards')).toBe('69');
    expect(Buffer.from(message.body).toString()).toBe('Hello');
    peer.respond(message, 100);
    expect(concluded).toEqual([]);
    peer.respond(message, 200);
    expect(concluded).toEqual([200]);
    expect(peer.clean).toBe(true);
  });

  it('goes to the Contact’s own address when the flow is gone', () => {
    const peer = new ScriptedPeer();
    send(peer, false);
    expect(peer.sentTo).toEqual(['10.0.0.2:5062']);
  });

  it('counts as 408 when nobody answers, and as 503 when nobody can be reached', () => {
    const peer = new ScriptedPeer();
    const concluded = send(peer, true);
    peer.timers.advance(TIMER_F_MS);
    expect(concluded).toEqual([408]);
    peer.destinations = [];
    expect(send(peer, false)).toEqual([503]);
    expect(peer.clean).toBe(true);
  });
});

describe('a method of the application', () => {
  const calls: (Call | null)[] = [];
  const answering: MethodHandler = {
    optionTags: [],
    received: (_request, _flow, respond, call) => {
      calls.push(call);
      respond(202);
    },
  };
  const base = { invited: () => {}, referred: () => {}, availability: () => 'available' as const };

  it.each([true, false])('is answered by it within dialogs where it wants that: %s', (inDialogs) => {
    const peer: ScriptedPeer = new ScriptedPeer({
      handler: {
        ...base,
        invited: (call) => {
          peer.calls.push(call);
          call.handle(peer.handler());
          call.accept('answer');
        },
        methods: { MESSAGE: { ...answering, inDialogs } },
      },
    });
    peer.invite();
    peer.request('ACK');
    expect(statuses(peer.request('MESSAGE', { cseq: 5 }))).toEqual([inDialogs ? 202 : 405]);
    // Out of order (RFC 3261 §12.2.2).
    expect(statuses(peer.request('MESSAGE', { cseq: 4 }))).toEqual([500]);
    expect(statuses(peer.request('MESSAGE', { cseq: 6, toTag: 'another' }))).toEqual([481]);
    expect(statuses(peer.request('MESSAGE', { cseq: 7, toTag: null }))).toEqual([202]);
    expect(calls.splice(0).map((call) => call?.id)).toEqual(inDialogs ? [peer.calls[0]!.id, undefined] : [undefined]);
  });
});
