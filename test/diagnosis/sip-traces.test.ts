import { beforeEach, describe, expect, it } from 'vitest';
import { SipTraces, type TraceLimits } from '../../server/diagnosis/sip-traces.ts';
import { userAgentIn } from '../../server/diagnosis/trace-user-agent.ts';
import { parseMessage } from '../../server/sip/message/parse-message.ts';
import type { Flow } from '../../server/sip/transport/flow.ts';

const flow = {
  ...{ id: 'u', protocol: 'udp', reliable: false, open: true, localAddress: '0.0.0.0', localPort: 5060 },
  ...{ remoteAddress: '192.0.2.1', remotePort: 4000 },
  send: () => {},
} as const satisfies Flow;

let nowMs: number;
let traces: SipTraces;
const begin = (limits: Partial<TraceLimits> = {}) => {
  nowMs = 1_000_000;
  traces = new SipTraces({ epochMs: () => nowMs, limits });
};
beforeEach(() => begin());

function bytesOf(firstLine: string, callId: string, cseq: string, body = ''): Buffer {
  const head = [
    ...[firstLine, 'Via: SIP/2.0/UDP 192.0.2.1:4000;branch=z9hG4bK1', 'From: <sip:a@host>;tag=1', 'To: <sip:b@host>'],
    ...[`Call-ID: ${callId}`, `CSeq: 1 ${cseq}`, 'User-Agent: Phone 1', `Content-Length: ${body.length}`],
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
function receive(callId: string, method = 'INVITE', body = ''): void {
  const bytes = bytesOf(`${method} sip:b@host SIP/2.0`, callId, method, body);
  const parsed = parseMessage(bytes);
  if (!parsed.ok) throw new Error(parsed.error.reason);
  traces.received(parsed.message, bytes, flow);
}
const linesOf = (callId: string) =>
  traces.find(callId)?.messages.map(({ text }) => text.split(' sip:')[0]!.split('\r\n')[0]);

describe('the messages of calls', () => {
  it('begin with an INVITE, in either direction, and with nothing else', () => {
    receive('other', 'REGISTER');
    traces.sent(bytesOf('SIP/2.0 200 OK', 'other', 'REGISTER'), flow);
    expect(traces.find('other')).toBeUndefined();
    receive('in');
    traces.sent(bytesOf('SIP/2.0 200 OK', 'in', 'INVITE'), flow);
    receive('in', 'ACK');
    expect(linesOf('in')).toEqual(['INVITE', 'SIP/2.0 200 OK', 'ACK']);
    expect(traces.find('in')!.messages.map(({ received }) => received)).toEqual([true, false, true]);
    expect(traces.find('in')!.messages[0]!.way).toMatchObject({ remoteAddress: '192.0.2.1', remotePort: 4000 });
    traces.sent(bytesOf('INVITE sip:c@host SIP/2.0', 'out', 'INVITE'), flow);
    expect(linesOf('out')).toEqual(['INVITE']);
    expect(userAgentIn(traces.find('in'))).toBe('Phone 1');
    expect(userAgentIn(traces.find('out'))).toBeNull();
  });

  it('are copies: what becomes of the bytes afterwards is not seen', () => {
    const bytes = bytesOf('INVITE sip:c@host SIP/2.0', 'out', 'INVITE');
    traces.sent(bytes, flow);
    bytes.fill(0);
    expect(linesOf('out')).toEqual(['INVITE']);
  });

  it('are there for ten minutes after the end, and as long as the call is up', () => {
    for (const callId of ['up', 'over']) {
      receive(callId);
      traces.hold(callId);
    }
    traces.release('over');
    nowMs += 599_000;
    receive('x');
    traces.hold('x');
    traces.release('x');
    expect(linesOf('over')).toHaveLength(1);
    nowMs += 1_000;
    receive('y');
    traces.hold('y');
    traces.release('y');
    expect([linesOf('over'), linesOf('up')?.length, linesOf('x')?.length]).toEqual([undefined, 1, 1]);
  });

  it('of one call are bounded: the first eight stay, then the latest', () => {
    begin({ maxMessagesOfCall: 10 });
    receive('long');
    for (let index = 0; index < 30; index++) {
      nowMs++;
      receive('long', 'INFO', String(index));
    }
    const { messages, dropped } = traces.find('long')!;
    expect(messages.map(({ text }) => text.split('\r\n\r\n')[1])).toEqual([
      '',
      '0',
      '1',
      '2',
      '3',
      '4',
      '5',
      '6',
      '28',
      '29',
    ]);
    expect(dropped).toBe(21);
    begin({ maxMessageBytes: 100 });
    receive('large', 'INVITE', 'x'.repeat(1000));
    expect(traces.find('large')!.messages[0]).toMatchObject({ text: expect.stringMatching(/^.{100}$/s) });
    expect(traces.find('large')!.messages[0]!.bytes).toBeGreaterThan(1000);
  });

  it('of all together are bounded: what ended longest ago goes, then of those that are up their own oldest', () => {
    begin({ maxBytes: 20_000 });
    for (let index = 0; index < 100; index++) receive(`stray-${index}`);
    expect(traces.bytes).toBeLessThanOrEqual(20_000);
    expect([linesOf('stray-0'), linesOf('stray-99')?.length]).toEqual([undefined, 1]);
    for (let index = 0; index < 20; index++) {
      receive(`up-${index}`);
      traces.hold(`up-${index}`);
    }
    for (let index = 0; index < 1000; index++) receive(`up-${index % 20}`, 'INFO');
    expect(traces.bytes).toBeLessThanOrEqual(20_000);
    expect(linesOf('stray-99')).toBeUndefined();
    for (let index = 0; index < 20; index++) expect(linesOf(`up-${index}`)!.length).toBeGreaterThan(0);
  });
});
