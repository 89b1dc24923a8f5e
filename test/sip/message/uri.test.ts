import { describe, expect, it } from 'vitest';
import { createUri, parseUri, sameUri, schemeOf, writeUri } from '../../../server/sip/message/uri.ts';

describe('a SIP URI is read (RFC 3261 §19.1.1)', () => {
  it.each([
    ['sip:alice@atlanta.com', { scheme: 'sip', user: 'alice', password: null, host: 'atlanta.com', port: null }],
    ['sip:alice:secretword@atlanta.com;transport=tcp', { user: 'alice', password: 'secretword' }],
    ['sips:alice@atlanta.com?subject=project%20x&priority=urgent', { scheme: 'sips', user: 'alice' }],
    ['sip:+1-212-555-1212:1234@gateway.com;user=phone', { user: '+1-212-555-1212', password: '1234' }],
    ['sips:1212@gateway.com', { scheme: 'sips', user: '1212' }],
    ['sip:alice@192.0.2.4', { host: '192.0.2.4' }],
    ['sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com', { user: null, host: 'atlanta.com' }],
    ['sip:alice;day=tuesday@atlanta.com', { user: 'alice;day=tuesday' }],
    ['SIP:Alice@ATLANTA.com:5070', { scheme: 'sip', user: 'Alice', host: 'atlanta.com', port: 5070 }],
    ['sip:room@[2001:DB8::1]:5070', { host: '2001:db8::1', port: 5070 }],
    ['sip:caf%C3%A9@example.com', { user: 'café' }],
    ['sip:café@example.com', { user: 'café' }],
    ['sip:*5#@example.com', { user: '*5#' }],
    ['sip:my_service:5060', { host: 'my_service', port: 5060 }],
  ])('%s', (text, parts) => {
    expect(parseUri(text)).toMatchObject(parts);
  });

  it('with its parameters and headers, unescaped', () => {
    const uri = parseUri('sip:a@b;LR;transport=TCP;x=%3b?Subject=a%20b&to=c');
    expect([...uri!.parameters]).toEqual([
      ['lr', ''],
      ['transport', 'TCP'],
      ['x', ';'],
    ]);
    expect([...uri!.headers]).toEqual([
      ['subject', 'a b'],
      ['to', 'c'],
    ]);
  });
});

describe('what is no SIP URI is refused', () => {
  it.each([
    '',
    'sip:',
    'sip:@example.com',
    'sip:a@',
    'alice@example.com',
    'tel:+15551234',
    'http://example.com',
    'sip:a b@example.com',
    'sip:a@exa mple.com',
    'sip:a@example..com',
    'sip:a@-example.com',
    'sip:a@1.2.3',
    'sip:a@1.2.3.256',
    'sip:a@example.com:0',
    'sip:a@example.com:65536',
    'sip:a@example.com:5060x',
    'sip:a@example.com:',
    'sip:a@[::1',
    'sip:a@[::1]5060',
    'sip:a@[fe80::1%25eth0]',
    'sip:a@2001:db8::1',
    'sip:a%4@example.com',
    'sip:a%zz@example.com',
    'sip:a"b@example.com',
    'sip:a<b@example.com',
    'sip:a@b@c',
    'sip:a@b;',
    'sip:a@b;;lr',
    'sip:a@b;=x',
    'sip:a@b;x=a b',
    'sip:a@b?',
    `sip:a@${'b'.repeat(256)}`,
  ])('%s', (text) => {
    expect(parseUri(text)).toBeNull();
  });
});

it('the scheme is told for any URI', () => {
  expect(schemeOf('tel:+1')).toBe('tel');
  expect(schemeOf('SoAp.beep://x')).toBe('soap.beep');
  expect(schemeOf('nothing')).toBeNull();
  expect(schemeOf('1a:b')).toBeNull();
  expect(schemeOf(':x')).toBeNull();
});

describe('a URI is written so that it is read as the same', () => {
  it.each([
    'sip:alice@atlanta.com',
    'sips:alice:secretword@atlanta.com:5061;transport=tcp;lr?subject=project%20x&priority=urgent',
    'sip:[2001:db8::1]:5070;lr',
    'sip:caf%C3%A9@example.com',
    'sip:sips%3Auser%40example.com@example.net',
  ])('%s', (text) => {
    expect(writeUri(parseUri(text)!)).toBe(text);
  });

  it('whatever the user is called', () => {
    const uri = createUri({ user: 'a b"<>@:\r\n%\0é☎', host: 'example.com' });
    expect(writeUri(uri)).toMatch(/^[!-~]+$/);
    expect(parseUri(writeUri(uri))).toEqual(uri);
  });
});

/** The examples of RFC 3261 §19.1.4. */
describe('two URIs are equivalent', () => {
  it.each([
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtlanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;security=on'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    ],
    ['sip:bob@[2001:db8::9:1]', 'sip:bob@[2001:db8:0:0:0:0:9:1]'],
  ])('%s and %s', (one, other) => {
    expect(sameUri(parseUri(one)!, parseUri(other)!)).toBe(true);
  });

  it.each([
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
    ['sip:a@b', 'sips:a@b'],
  ])('not %s and %s', (one, other) => {
    expect(sameUri(parseUri(one)!, parseUri(other)!)).toBe(false);
  });
});
