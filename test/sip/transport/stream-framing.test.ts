import { describe, expect, it } from 'vitest';
import { type Framed, StreamFraming } from '../../../server/sip/transport/stream-framing.ts';
import { cpuMs } from '../../fuzz/sip-messages.ts';

const HEAD = `OPTIONS sip:demo@example.com SIP/2.0\r
Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKabc\r
From: <sip:alice@example.com>;tag=a\r
To: <sip:demo@example.com>\r
Call-ID: call\r
CSeq: 1 OPTIONS\r
`;

function message(body: string, length = `Content-Length: ${Buffer.byteLength(body)}`): string {
  return `${HEAD}${length}\r\n\r\n${body}`;
}

function push(framing: StreamFraming, text: string): Framed[] {
  return framing.push(Buffer.from(text));
}

/** Messages as text; the others by their kind. */
function shown(framed: Framed[]): string[] {
  return framed.map((item) => (item.kind === 'message' ? Buffer.from(item.bytes).toString() : item.kind));
}

describe('a stream is cut into messages by Content-Length (RFC 3261 §18.3)', () => {
  const first = message('one');
  const second = message('', 'l : 0');
  const third = message('dreiß', 'CONTENT-LENGTH:\r\n  6');

  it('several in one piece', () => {
    expect(shown(push(new StreamFraming(), first + second + third))).toEqual([first, second, third]);
  });

  it.each([1, 2, 3, 7, 100, 241])('in pieces of %i octets', (size) => {
    const framing = new StreamFraming();
    const bytes = Buffer.from(first + second + third);
    const framed: Framed[] = [];
    for (let at = 0; at < bytes.length; at += size) framed.push(...framing.push(bytes.subarray(at, at + size)));
    expect(shown(framed)).toEqual([first, second, third]);
    expect(framing.pending).toBe(false);
  });

  it('each in octets of its own', () => {
    const chunk = Buffer.from(first);
    const [framed] = new StreamFraming().push(chunk);
    chunk.fill(0);
    expect(shown([framed!])).toEqual([first]);
  });

  it('and it is known when one has begun', () => {
    const framing = new StreamFraming();
    expect(framing.pending).toBe(false);
    push(framing, first.slice(0, 10));
    expect(framing.pending).toBe(true);
    push(framing, `${first.slice(10)}\r\n`);
    expect(framing.pending).toBe(false);
  });
});

describe('keep-alives (RFC 5626 §3.5.1)', () => {
  it('a double CRLF is a ping, a single one is not', () => {
    expect(shown(push(new StreamFraming(), '\r\n\r\n'))).toEqual(['ping']);
    expect(shown(push(new StreamFraming(), '\r\n'))).toEqual([]);
  });

  it('a ping may come in pieces', () => {
    const framing = new StreamFraming();
    expect(['\r', '\n', '\r'].flatMap((piece) => push(framing, piece))).toEqual([]);
    expect(shown(push(framing, '\n'))).toEqual(['ping']);
  });

  it('around messages', () => {
    const text = message('x');
    expect(shown(push(new StreamFraming(), `\r\n\r\n${text}\r\n${text}\r\n\r\n`))).toEqual([
      'ping',
      text,
      text,
      'ping',
    ]);
  });

  it('a thousand pings at once get one answer', () => {
    expect(shown(push(new StreamFraming(), '\r\n\r\n'.repeat(1000)))).toEqual(['ping']);
  });
});

describe('what cannot be framed ends the stream, and is answered where it may be', () => {
  it.each([
    ['no Content-Length', `${HEAD}\r\n`, 'missing-content-length', 400],
    ['a Content-Length that is no number', message('', 'Content-Length: five'), 'bad-field', 400],
    ['a negative one', message('', 'Content-Length: -1'), 'bad-field', 400],
    ['two that differ', message('', 'Content-Length: 0\r\nl: 13'), 'bad-field', 400],
    ['two that are the same', message('', 'Content-Length: 0\r\nContent-Length: 0'), 'bad-field', 400],
    ['one that is too great', message('', 'Content-Length: 65536'), 'message-too-large', 513],
    ['a header without an end', `${HEAD}X: ${'x'.repeat(65_536)}`, 'message-too-large', 513],
  ])('%s', (_what, text, code, status) => {
    const framing = new StreamFraming();
    const [framed] = push(framing, text);
    expect(framed).toMatchObject({ kind: 'error', error: { code, status, responseTo: { method: 'OPTIONS' } } });
    expect(push(framing, message('x'))).toEqual([]);
    expect(framing.pending).toBe(false);
  });

  it('another protocol is not answered', () => {
    const [framed] = push(new StreamFraming(), 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n');
    expect(framed).toMatchObject({ kind: 'error', error: { responseTo: null } });
  });

  it('64 KiB that drip in an octet at a time cost no more than a second', () => {
    const framing = new StreamFraming();
    const bytes = Buffer.from(message('x'.repeat(65_000)));
    const startMs = cpuMs();
    let framed: Framed[] = [];
    for (let at = 0; at < bytes.length; at++) framed = framing.push(bytes.subarray(at, at + 1));
    expect(framed).toHaveLength(1);
    expect(cpuMs() - startMs).toBeLessThan(1_000);
  });
});
