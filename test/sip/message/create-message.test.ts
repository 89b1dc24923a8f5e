import { describe, expect, it } from 'vitest';
import { createRequest, createResponse } from '../../../server/sip/message/create-message.ts';
import type { SipRequest } from '../../../server/sip/message/message.ts';
import { parseNameAddress } from '../../../server/sip/message/name-address.ts';
import { parseMessage } from '../../../server/sip/message/parse-message.ts';
import { reasonPhrase } from '../../../server/sip/message/reason-phrases.ts';
import { createVia } from '../../../server/sip/message/via.ts';
import { writeMessage } from '../../../server/sip/message/write-message.ts';

const INVITE = `INVITE sip:demo@example.com SIP/2.0\r
Via: SIP/2.0/UDP proxy.example.com;branch=z9hG4bK1\r
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2\r
Record-Route: <sip:p1.example.com;lr>\r
Record-Route: <sip:p2.example.com;lr>, <sip:p3.example.com;lr>\r
Timestamp: 54\r
f: Alice <sip:alice@example.com>;tag=a\r
t: sip:demo@example.com\r
i: call\r
CSeq: 7 INVITE\r
\r
`;

function invite(text = INVITE): SipRequest {
  const parsed = parseMessage(Buffer.from(text));
  if (!parsed.ok || parsed.message.kind !== 'request') throw new Error('no request');
  return parsed.message;
}

function lines(message: Parameters<typeof writeMessage>[0]): string[] {
  return Buffer.from(writeMessage(message)).toString().split('\r\n');
}

describe('a response (RFC 3261 §8.2.6)', () => {
  it('copies Via, From, To, Call-ID and CSeq, and gives To a tag', () => {
    expect(lines(createResponse(invite(), 486, { toTag: 'ours', headers: [['Retry-After', '5']] }))).toEqual([
      'SIP/2.0 486 Busy Here',
      'Via: SIP/2.0/UDP proxy.example.com;branch=z9hG4bK1',
      'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2',
      'From: Alice <sip:alice@example.com>;tag=a',
      'To: sip:demo@example.com;tag=ours',
      'Call-ID: call',
      'CSeq: 7 INVITE',
      'Retry-After: 5',
      'Content-Length: 0',
      '',
      '',
    ]);
  });

  it('copies Record-Route where it makes a dialog (§12.1.1), and Timestamp into a 100', () => {
    expect(createResponse(invite(), 200, { toTag: 'x' }).headers.all('record-route')).toHaveLength(2);
    expect(createResponse(invite(), 180, { toTag: 'x' }).headers.all('record-route')).toHaveLength(2);
    expect(createResponse(invite(), 404, { toTag: 'x' }).headers.has('record-route')).toBe(false);
    const trying = createResponse(invite(), 100);
    expect(trying.headers.has('record-route')).toBe(false);
    expect(trying.headers.get('timestamp')).toBe('54');
    expect(trying.headers.get('to')).toBe('sip:demo@example.com');
  });

  it('leaves the tag that a request within a dialog has', () => {
    const within = invite(INVITE.replace('t: sip:demo@example.com', 't: <sip:demo@example.com>;tag=theirs'));
    const response = createResponse(within, 200, { toTag: 'ours' });
    expect(response.headers.get('to')).toBe('<sip:demo@example.com>;tag=theirs');
    expect(response.to.parameters.get('tag')).toBe('theirs');
  });

  it('has a body with its type and its length in bytes', () => {
    const written = lines(createResponse(invite(), 200, { toTag: 'x', body: 'ü', contentType: 'text/plain' }));
    expect(written.slice(-4)).toEqual(['Content-Type: text/plain', 'Content-Length: 2', '', 'ü']);
    expect(() => createResponse(invite(), 200, { body: 'x' })).toThrow();
  });
});

describe('a request (RFC 3261 §8.1.1)', () => {
  const parts = {
    method: 'BYE',
    requestUri: 'sip:alice@192.0.2.1:5070',
    via: createVia('UDP', '198.51.100.1', 5060, 'z9hG4bKx'),
    from: parseNameAddress('<sip:demo@example.com>;tag=ours')!,
    to: parseNameAddress('"Alice" <sip:alice@example.com>;tag=a')!,
    callId: 'call',
    cseqNumber: 1,
    routes: ['<sip:p2.example.com;lr>', '<sip:p1.example.com;lr>'],
    headers: [['Reason', 'Q.850;cause=16']] as const,
  };

  it('has what every request has, in the usual order', () => {
    expect(lines(createRequest(parts))).toEqual([
      'BYE sip:alice@192.0.2.1:5070 SIP/2.0',
      'Via: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKx;rport',
      'Max-Forwards: 70',
      'Route: <sip:p2.example.com;lr>',
      'Route: <sip:p1.example.com;lr>',
      'From: <sip:demo@example.com>;tag=ours',
      'To: "Alice" <sip:alice@example.com>;tag=a',
      'Call-ID: call',
      'CSeq: 1 BYE',
      'Reason: Q.850;cause=16',
      'Content-Length: 0',
      '',
      '',
    ]);
  });

  it('is read as what it was made of', () => {
    const request = createRequest({ ...parts, body: 'v=0\r\n', contentType: 'application/sdp' });
    const parsed = parseMessage(writeMessage(request));
    if (!parsed.ok) throw new Error(parsed.error.reason);
    parsed.message.headers.delete('content-length');
    expect(parsed.message).toEqual(request);
  });
});

describe('a message is written', () => {
  it('with the length that it has, whatever its headers say', () => {
    const request = invite(INVITE.replace('\r\n\r\n', '\r\nContent-Length: 0\r\n\r\nignored'));
    request.headers.set('Content-Length', '77');
    expect(lines(request).filter((line) => line.startsWith('Content-Length'))).toEqual(['Content-Length: 0']);
  });

  it('never with a line that somebody smuggled in', () => {
    for (const headers of [[['Subject', 'a\r\nVia: x']], [['a\nb', 'c']]] as const) {
      expect(() => writeMessage(createResponse(invite(), 200, { headers }))).toThrow('line end');
    }
    expect(() => writeMessage(createResponse(invite(), 200, { reason: 'OK\r\nVia: x' }))).toThrow('line end');
  });
});

it('every status has a phrase', () => {
  expect([100, 183, 487, 606].map(reasonPhrase)).toEqual([
    'Trying',
    'Session Progress',
    'Request Terminated',
    'Not Acceptable',
  ]);
  expect([199, 299, 399, 499, 599, 699].map(reasonPhrase).every((phrase) => phrase.length > 0)).toBe(true);
});
