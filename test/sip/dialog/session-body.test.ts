import { describe, expect, it } from 'vitest';
import { readSessionBody } from '../../../server/sip/dialog/session-body.ts';
import type { SipMessage } from '../../../server/sip/message/message.ts';
import { parseMessage } from '../../../server/sip/message/parse-message.ts';

function invite(headers: string[], body: string): SipMessage {
  const parsed = parseMessage(
    Buffer.from(
      [
        'INVITE sip:demo@example.com SIP/2.0',
        'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
        'From: <sip:a@example.com>;tag=1',
        'To: <sip:demo@example.com>',
        'Call-ID: 1',
        'CSeq: 1 INVITE',
        ...headers,
        `Content-Length: ${Buffer.byteLength(body)}`,
        '',
        body,
      ].join('\r\n'),
    ),
  );
  if (!parsed.ok) throw new Error(parsed.error.reason);
  return parsed.message;
}

const MIXED = 'Content-Type: multipart/mixed;boundary="=edge="';

function mixed(...parts: string[]): string {
  return `preamble\r\n${parts.map((part) => `--=edge=\r\n${part}\r\n`).join('')}--=edge=--\r\nepilogue`;
}

describe('the body of an INVITE', () => {
  it.each([
    ['no body', [], '', null],
    ['SDP', ['Content-Type: application/sdp'], 'v=0', 'v=0'],
    ['SDP with odd capitals and parameters', ['c: Application/SDP; charset=utf-8'], 'v=0', 'v=0'],
    ['SDP for the session', ['Content-Type: application/sdp', 'Content-Disposition: session'], 'v=0', 'v=0'],
    ['an identity encoding', ['Content-Type: application/sdp', 'Content-Encoding: identity'], 'v=0', 'v=0'],
    ['an optional picture', ['Content-Type: image/png', 'Content-Disposition: icon;handling=optional'], 'x', null],
    ['beyond ASCII', ['Content-Type: application/sdp'], 's=Gespräch', 's=Gespräch'],
    ['a part of SDP', [MIXED], mixed('Content-Type: application/sdp\r\n\r\nv=0\r\ns=ü\r\n'), 'v=0\r\ns=ü\r\n'],
    [
      'SDP beside ISUP',
      [MIXED],
      mixed(
        'Content-Type: application/isup;version=x\r\nContent-Disposition: signal;handling=optional\r\n\r\n\x01\x02',
        'content-type:application/sdp\r\ncontent-disposition: session\r\n\r\nv=0',
      ),
      'v=0',
    ],
  ])('is understood: %s', (_name, headers, body, sdp) => {
    expect(readSessionBody(invite(headers, body))).toEqual({ sdp });
  });

  it.each([
    ['text', ['Content-Type: text/plain'], 'hello', 415, 'Accept'],
    ['no type', [], 'v=0', 415, 'Accept'],
    ['gzip', ['Content-Type: application/sdp', 'Content-Encoding: gzip'], 'x', 415, 'Accept-Encoding'],
    ['early session', ['Content-Type: application/sdp', 'Content-Disposition: early-session'], 'v=0', 415, 'Accept'],
    ['no SDP part', [MIXED], mixed('Content-Type: text/plain\r\n\r\nhello'), 415, 'Accept'],
    [
      'a part that must be understood',
      [MIXED],
      mixed(
        'Content-Type: application/sdp\r\n\r\nv=0',
        'Content-Type: x/y\r\nContent-Disposition: z;handling=required\r\n\r\n1',
      ),
      415,
      'Accept',
    ],
    ['no boundary', ['Content-Type: multipart/mixed'], 'x', 400, undefined],
    ['no end', [MIXED], '--=edge=\r\nContent-Type: application/sdp\r\n\r\nv=0', 400, undefined],
  ])('is refused: %s', (_name, headers, body, status, field) => {
    const refusal = readSessionBody(invite(headers, body));
    expect(refusal).toMatchObject({ status });
    expect('headers' in refusal && refusal.headers[0]?.[0]).toBe(field);
  });
});
