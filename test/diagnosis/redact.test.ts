import { describe, expect, it } from 'vitest';
import { redact } from '../../server/diagnosis/redact.ts';

const message = (lines: string[], body: string[] = []): string => [...lines, '', ...body].join('\r\n');
const bodyOf = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4);

describe('what of a SIP message is not shown', () => {
  it.each([
    ['Authorization: Digest username="a", response="5ec4e7"', 'Authorization: Digest (hidden)'],
    ['proxy-authorization : Bearer 5ec4e7', 'proxy-authorization : Bearer (hidden)'],
    ['Authorization: Digest username="a",\r\n response="5ec4e7"', 'Authorization: Digest (hidden)'],
    ['To: <sip:room;pin=5ec4e7@host>', 'To: <sip:room;pin=(hidden)@host>'],
    ['To: <sip:room@host;pin=5ec4e7;x=y>', 'To: <sip:room@host;pin=(hidden);x=y>'],
    ['Refer-To: <sip:room%3Bpin%3D5ec4e7@host>', 'Refer-To: <sip:room%3Bpin%3D(hidden)@host>'],
    ['Refer-To: <sip:room@host;pin=%35ec4e7>', 'Refer-To: <sip:room@host;pin=(hidden)>'],
    ['Parley-Pin: 5ec4e7', 'Parley-Pin: (hidden)'],
    ['PARLEY-PIN :5ec4e7', 'PARLEY-PIN : (hidden)'],
    ['Parley-Pin:\r\n 5ec4e7\r\n\t5ec4e7', 'Parley-Pin: (hidden)'],
    ['Refer-To: <sip:room@host?Parley-Pin=5ec4e7>', 'Refer-To: <sip:room@host?Parley-Pin=(hidden)>'],
    [
      'Refer-To: <sip:room@host?x=y&parley%2Dpin=5ec4e7&z=1>',
      'Refer-To: <sip:room@host?x=y&parley%2Dpin=(hidden)&z=1>',
    ],
    [
      'Refer-To: <sip:a@host?Refer-To=sip:room@host%3FParley-Pin%3D5ec4e7>',
      'Refer-To: <sip:a@host?Refer-To=sip:room@host%3FParley-Pin%3D(hidden)>',
    ],
    ['From: <sip:alice:5ec4e7@host:5060>;tag=1', 'From: <sip:alice:(hidden)@host:5060>;tag=1'],
  ])('%j', (field, shown) => {
    const text = message(
      ['INVITE sip:room@host:5060 SIP/2.0', field, 'Via: SIP/2.0/UDP host:5060;branch=z9hG4bK1'],
      [],
    );
    const redacted = redact(text);
    expect(redacted).toContain(`\r\n${shown}\r\n`);
    expect(redacted).not.toContain('5ec4e7');
    expect(redacted).toContain('INVITE sip:room@host:5060 SIP/2.0\r\n');
    expect(redacted).toContain('Via: SIP/2.0/UDP host:5060;branch=z9hG4bK1');
  });

  it('the Request-URI has no PIN either', () => {
    expect(redact(message(['INVITE sip:room;pin=4711@host SIP/2.0']))).toContain(
      'INVITE sip:room;pin=(hidden)@host SIP/2.0',
    );
  });

  it('keys and passwords in SDP, in as many octets as before', () => {
    const sdp = [
      'v=0',
      'k=base64:5ec4e7',
      'm=audio 4000 RTP/SAVP 0',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:5ec4e75ec4e7|2^31|1:4;inline:5ec4e7|2^31|2:4',
      'a=key-mgmt:mikey 5ec4e7',
      'a=ice-pwd:5ec4e7',
      'a=sendrecv',
      '',
    ];
    const redacted = redact(message(['INVITE sip:room@host SIP/2.0', 'Content-Type: application/sdp'], sdp));
    expect(redacted).not.toContain('5ec4e7');
    expect(bodyOf(redacted)).toHaveLength(sdp.join('\r\n').length);
    expect(bodyOf(redacted)).toContain('a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:xxxxxxxxxxxx|2^31|1:4');
    expect(bodyOf(redacted)).toContain('m=audio 4000 RTP/SAVP 0\r\n');
    expect(bodyOf(redacted)).toContain('a=sendrecv');
  });

  it('the PIN of a request in a body, in as many octets as before', () => {
    const lines = ['INVITE sip:room@host SIP/2.0', 'Parley-Pin: 5ec4e7', ''];
    const redacted = redact(message(['NOTIFY sip:room@host SIP/2.0', 'Content-Type: message/sipfrag'], lines));
    expect(bodyOf(redacted)).toBe(['INVITE sip:room@host SIP/2.0', 'Parley-Pin: xxxxxx', ''].join('\r\n'));
  });

  it('pressed keys, however INFO tells them', () => {
    const info = (type: string, body: string) =>
      bodyOf(redact(message(['INFO sip:room@host SIP/2.0', `Content-Type: ${type}`], [body])));
    expect(info('application/dtmf-relay', 'Signal=7\r\nDuration=160\r\n')).toBe('Signal=x\r\nDuration=160\r\n');
    expect(info('application/dtmf', '7\r\n')).toBe('x\r\n');
    expect(info('text/plain', '7\r\n')).toBe('7\r\n');
  });
});
