import { describe, expect, test } from 'vitest';
import { parseSdp, SDP_LIMITS, type SdpError } from '../../server/sdp/parse-sdp.ts';
import type { SessionDescription } from '../../server/sdp/session-description.ts';
import { writeSdp } from '../../server/sdp/write-sdp.ts';

const HEAD = ['v=0', 'o=alice 1 2 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0'];

function lines(...all: string[]): string {
  return `${all.join('\r\n')}\r\n`;
}

function parsed(text: string): SessionDescription {
  const result = parseSdp(text);
  if (!result.ok) throw new Error(`${result.error.code} on line ${result.error.line}`);
  return result.description;
}

function refused(text: string): SdpError {
  const result = parseSdp(text);
  if (result.ok) throw new Error('was taken for SDP');
  return result.error;
}

test('the example of RFC 8866 §5 is read whole', () => {
  const description = parsed(
    lines(
      'v=0',
      'o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1',
      's=Call to John Smith',
      'i=SDP Offer #1',
      'u=http://www.jdoe.example.com/home.html',
      'e=Jane Doe <jane@jdoe.example.com>',
      'p=+1 617 555-6011',
      'c=IN IP4 198.51.100.1',
      't=0 0',
      'm=audio 49170 RTP/AVP 0',
      'm=audio 49180 RTP/AVP 0',
      'm=video 51372 RTP/AVP 99',
      'c=IN IP6 2001:db8::2',
      'a=rtpmap:99 h263-1998/90000',
    ),
  );
  expect(description).toEqual({
    origin: {
      username: 'jdoe',
      sessionId: '3724394400',
      sessionVersion: '3724394405',
      networkType: 'IN',
      addressType: 'IP4',
      address: '198.51.100.1',
    },
    sessionName: 'Call to John Smith',
    connection: { networkType: 'IN', addressType: 'IP4', address: '198.51.100.1' },
    timing: [{ type: 't', value: '0 0' }],
    attributes: [],
    otherLines: [
      { type: 'i', value: 'SDP Offer #1' },
      { type: 'u', value: 'http://www.jdoe.example.com/home.html' },
      { type: 'e', value: 'Jane Doe <jane@jdoe.example.com>' },
      { type: 'p', value: '+1 617 555-6011' },
    ],
    media: [
      expect.objectContaining({ media: 'audio', port: 49170, formats: ['0'] }),
      expect.objectContaining({ media: 'audio', port: 49180, formats: ['0'] }),
      {
        media: 'video',
        port: 51372,
        portCount: 1,
        protocol: 'RTP/AVP',
        formats: ['99'],
        connections: [{ networkType: 'IN', addressType: 'IP6', address: '2001:db8::2' }],
        attributes: [{ name: 'rtpmap', value: '99 h263-1998/90000' }],
        otherLines: [],
      },
    ],
  });
});

describe('what phones get wrong is understood:', () => {
  const right = parsed(lines(...HEAD, 'm=audio 4000 RTP/AVP 0', 'a=sendrecv'));

  test.each([
    ['bare line feeds', `${[...HEAD, 'm=audio 4000 RTP/AVP 0', 'a=sendrecv'].join('\n')}\n`],
    ['no line end at the end', [...HEAD, 'm=audio 4000 RTP/AVP 0', 'a=sendrecv'].join('\r\n')],
    ['white space at line ends', `${[...HEAD, 'm=audio 4000 RTP/AVP 0 ', 'a=sendrecv\t '].join(' \r\n')}`],
    ['blank lines within and after', lines(...HEAD, '', 'm=audio 4000 RTP/AVP 0', 'a=sendrecv', '', '')],
    ['no s=', lines(...HEAD.filter((line) => line !== 's=-'), 'm=audio 4000 RTP/AVP 0', 'a=sendrecv')],
    ['an empty s=', lines(...HEAD, 'm=audio 4000 RTP/AVP 0', 'a=sendrecv').replace('s=-', 's=')],
    ['s= with a space', lines(...HEAD, 'm=audio 4000 RTP/AVP 0', 'a=sendrecv').replace('s=-', 's= ')],
    ['no t=', lines(...HEAD.filter((line) => line !== 't=0 0'), 'm=audio 4000 RTP/AVP 0', 'a=sendrecv')],
    ['t= after the stream', lines(...HEAD.slice(0, 4), 'm=audio 4000 RTP/AVP 0', 'a=sendrecv', 't=0 0')],
    ['c= before o= and s=', lines(HEAD[0]!, HEAD[3]!, HEAD[2]!, HEAD[1]!, 'm=audio 4000 RTP/AVP 0', 'a=sendrecv')],
    ['several spaces between fields', lines(...HEAD, 'm=audio  4000\tRTP/AVP   0', 'a=sendrecv')],
    ['an empty attribute', lines(...HEAD, 'm=audio 4000 RTP/AVP 0', 'a=', 'a=sendrecv')],
  ])('%s', (_, text) => {
    expect(parsed(text)).toEqual(right);
  });

  test('a display name with spaces in o=', () => {
    const { origin } = parsed(lines('v=0', 'o=John Q. Public 5 6 IN IP4 192.0.2.1', 's=-', 't=0 0'));
    expect(origin).toMatchObject({ username: 'John Q. Public', sessionId: '5', sessionVersion: '6' });
  });

  test('a refused stream without formats', () => {
    expect(parsed(lines(...HEAD, 'm=video 0 RTP/AVP')).media[0]).toMatchObject({ port: 0, formats: [] });
  });

  test('unknown lines, attributes and media are kept and written again', () => {
    const text = lines(
      ...HEAD,
      'a=x-session:1',
      'x=of the session',
      'm=carrier-pigeon 7 FEATHERS/1 grey white',
      'a=mid:p',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA',
      'q=of the stream',
    );
    expect(writeSdp(parsed(text))).toBe(text);
  });
});

describe('two ports', () => {
  test('m=audio 4000/2 is the port 4000, and a second one', () => {
    expect(parsed(lines(...HEAD, 'm=audio 4000/2 RTP/AVP 0')).media[0]).toMatchObject({ port: 4000, portCount: 2 });
  });
});

describe('what is no SDP is refused, with its place:', () => {
  test.each([
    ['nothing', '', 'no-version', 1],
    ['blank lines', '\r\n\r\n', 'no-version', 2],
    ['prose', 'Dear Bob,\r\ncall me.\r\n', 'not-a-line', 1],
    ['XML', '<?xml version="1.0"?>', 'not-a-line', 1],
    ['JSON', '{"v":0}', 'not-a-line', 1],
    ['SDP without its first line', lines(...HEAD.slice(1)), 'no-version', 1],
    ['another version', lines('v=1', ...HEAD.slice(1)), 'bad-version', 1],
    ['two versions', lines('v=0', ...HEAD), 'duplicate-line', 2],
    ['no o=', lines('v=0', 's=-', 't=0 0'), 'no-origin', 3],
    ['o= without an address', lines('v=0', 'o=alice 1 2 IN IP4', 's=-'), 'bad-origin', 2],
    ['two o=', lines(...HEAD, HEAD[1]!), 'duplicate-line', 6],
    ['o= within a stream', lines('v=0', 'm=audio 1 RTP/AVP 0', HEAD[1]!), 'misplaced-line', 3],
    ['two s=', lines(...HEAD, 's=again'), 'duplicate-line', 6],
    ['two c= in the session', lines(...HEAD, 'c=IN IP4 192.0.2.2'), 'duplicate-line', 6],
    ['c= without an address', lines(...HEAD, 'm=audio 4000 RTP/AVP 0', 'c=IN IP4'), 'bad-connection', 7],
    ['a port too high', lines(...HEAD, 'm=audio 65536 RTP/AVP 0'), 'bad-port', 6],
    ['a negative port', lines(...HEAD, 'm=audio -1 RTP/AVP 0'), 'bad-port', 6],
    ['a port in words', lines(...HEAD, 'm=audio http RTP/AVP 0'), 'bad-port', 6],
    ['a huge port', lines(...HEAD, `m=audio ${'9'.repeat(400)} RTP/AVP 0`), 'bad-port', 6],
    ['no ports of many', lines(...HEAD, 'm=audio 4000/0 RTP/AVP 0'), 'bad-port', 6],
    ['more ports than there are', lines(...HEAD, 'm=audio 65535/2 RTP/AVP 0'), 'bad-port', 6],
    ['m= without a protocol', lines(...HEAD, 'm=audio 4000'), 'bad-media', 6],
    ['m= without formats', lines(...HEAD, 'm=audio 4000 RTP/AVP'), 'bad-media', 6],
    ['an attribute without a name', lines(...HEAD, 'a=:value'), 'bad-attribute', 6],
    ['a line without =', lines(...HEAD, 'sendrecv'), 'not-a-line', 6],
    ['a bare CR within a line', lines(...HEAD, 'a=x:1\rm=audio 1 RTP/AVP 0'), 'control-character', 6],
    ['a NUL', lines(...HEAD, 'a=x:\0'), 'control-character', 6],
  ])('%s', (_, text, code, line) => {
    expect(refused(text)).toMatchObject({ code, line });
  });

  test('the offset is where the bad line begins', () => {
    const text = lines(...HEAD, 'm=audio 4000 RTP/AVP 0', 'nonsense', 'a=sendrecv');
    const error = refused(text);
    expect(text.slice(error.offset)).toMatch(/^nonsense\r\n/);
  });
});

describe('hostile sizes are bounded:', () => {
  test.each([
    ['length', 'a'.repeat(SDP_LIMITS.length + 1), 'too-long'],
    ['streams', lines(...HEAD, ...Array(33).fill('m=audio 1 RTP/AVP 0')), 'too-many-media'],
    ['formats', lines(...HEAD, `m=audio 1 RTP/AVP${' 0'.repeat(129)}`), 'too-many-formats'],
    ['attributes of the session', lines(...HEAD, ...Array(513).fill('a=x')), 'too-many-attributes'],
    ['attributes of a stream', lines(...HEAD, 'm=audio 1 RTP/AVP 0', ...Array(513).fill('a=x')), 'too-many-attributes'],
    ['unknown lines', lines(...HEAD, ...Array(513).fill('x=1')), 'too-many-attributes'],
    ['times', lines(...HEAD, ...Array(513).fill('r=1')), 'too-many-attributes'],
  ])('%s', (_, text, code) => {
    expect(refused(text).code).toBe(code);
  });

  test('as many as are allowed are taken', () => {
    const text = lines(...HEAD, ...Array(512).fill('a=x'), ...Array(32).fill(`m=audio 1 RTP/AVP${' 0'.repeat(128)}`));
    expect(parsed(text).media).toHaveLength(32);
  });
});

test('a value with a line break is never written', () => {
  const description = parsed(lines(...HEAD));
  expect(() => writeSdp({ ...description, sessionName: 'x\r\nm=audio 1 RTP/AVP 0' })).toThrow('line break');
});
