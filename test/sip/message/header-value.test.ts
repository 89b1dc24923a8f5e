import { describe, expect, it } from 'vitest';
import { splitList } from '../../../server/sip/message/header-value.ts';
import { Headers } from '../../../server/sip/message/headers.ts';
import { parseVia, writeVia } from '../../../server/sip/message/via.ts';

describe('a list is split at its commas (RFC 3261 §7.3.1)', () => {
  it.each([
    ['a, b ,c', ['a', 'b', 'c']],
    ['one', ['one']],
    ['', []],
    [' , ,', []],
    ['"a, b" <sip:x>, <sip:c,d>', ['"a, b" <sip:x>', '<sip:c,d>']],
    ['"a\\", b", c', ['"a\\", b"', 'c']],
    ['<sip:"a>, b', ['<sip:"a>', 'b']],
    ['"open, a', ['"open, a']],
  ])('%s', (value, elements) => {
    expect(splitList(value)).toEqual(elements);
  });
});

describe('header fields', () => {
  it('go by their long name, however they are written', () => {
    const headers = new Headers().add('v', 'one').add('VIA', 'two').add('L', '0');
    expect(headers.all('Via')).toEqual(['one', 'two']);
    expect(headers.get('content-length')).toBe('0');
  });

  it('may be called like something that every object has', () => {
    const headers = new Headers().add('constructor', 'x').add('__proto__', 'y').add('toString', 'z');
    expect(headers.get('Constructor')).toBe('x');
    expect(headers.get('__proto__')).toBe('y');
    expect([...headers].map(({ name }) => name)).toEqual(['constructor', '__proto__', 'tostring']);
  });

  it('are written as people know them', () => {
    const names = [
      'call-id',
      'cseq',
      'www-authenticate',
      'max-forwards',
      'x-my-own',
      'p-asserted-identity',
      'min-se',
      'rack',
    ];
    expect(names.map(Headers.writtenNameOf)).toEqual([
      'Call-ID',
      'CSeq',
      'WWW-Authenticate',
      'Max-Forwards',
      'X-My-Own',
      'P-Asserted-Identity',
      'Min-SE',
      'RAck',
    ]);
  });

  it('are changed in a copy without changing the original', () => {
    const headers = new Headers().add('Via', 'a').add('Via', 'b');
    headers.clone().setFirst('Via', 'c').delete('To').add('To', 'x');
    expect([...headers].map(({ value }) => value)).toEqual(['a', 'b']);
  });
});

describe('a Via value (RFC 3261 §20.42)', () => {
  it.each([
    ['SIP/2.0/UDP erlang.bell-telephone.com:5060;branch=z9hG4bK87asdks7', 'UDP', 'erlang.bell-telephone.com', 5060],
    ['SIP/2.0/UDP 192.0.2.1:5060 ;received=192.0.2.207 ;branch=z9hG4bK77asjd', 'UDP', '192.0.2.1', 5060],
    [
      'SIP / 2.0 / UDP first.example.com: 4000;ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1',
      'UDP',
      'first.example.com',
      4000,
    ],
    ['SIP/2.0/tcp [2001:db8::9:1];branch=z9hG4bKas3-111', 'TCP', '2001:db8::9:1', null],
  ])('%s', (text, transport, host, port) => {
    const via = parseVia(text);
    expect(via).toMatchObject({ transport, host, port });
    expect(parseVia(writeVia(via!))).toEqual(via);
  });

  it.each([
    '',
    'SIP/2.0',
    'SIP/2.0/UDP',
    'SIP/2.0/UDP ',
    'SIP/2.0/ 192.0.2.1',
    'SIP/3.0/UDP 192.0.2.1',
    'HTTP/2.0/UDP 192.0.2.1',
    'SIP/2.0/UDP192.0.2.1',
    'SIP/2.0/UDP 192.0.2.1;;branch=x',
    'SIP/2.0/UDP 192.0.2.1;branch=',
    'SIP/2.0/UDP 192.0.2.1:99999;branch=x',
    'SIP/2.0/UDP 192.0.2.1 x',
  ])('is not %s', (text) => {
    expect(parseVia(text)).toBeNull();
  });
});
