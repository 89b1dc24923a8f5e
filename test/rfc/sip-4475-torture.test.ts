import { describe, expect, it } from 'vitest';
import { createMalformedResponse } from '../../server/sip/message/create-message.ts';
import { splitList } from '../../server/sip/message/header-value.ts';
import type { SipRequest, SipResponse } from '../../server/sip/message/message.ts';
import { parseNameAddress } from '../../server/sip/message/name-address.ts';
import { parseMessage } from '../../server/sip/message/parse-message.ts';
import { writeMessage } from '../../server/sip/message/write-message.ts';
import { RFC_4475, tortureMessage } from './torture-cases.ts';

function request(name: string): SipRequest {
  const parsed = parseMessage(tortureMessage(4475, name));
  if (!parsed.ok || parsed.message.kind !== 'request') throw new Error(`${name} is no request`);
  return parsed.message;
}

function response(name: string): SipResponse {
  const parsed = parseMessage(tortureMessage(4475, name));
  if (!parsed.ok || parsed.message.kind !== 'response') throw new Error(`${name} is no response`);
  return parsed.message;
}

describe('RFC 4475: what becomes of each message', () => {
  it('has all 49', () => {
    expect(new Set(RFC_4475.map(({ name }) => name)).size).toBe(49);
  });

  it.each(RFC_4475)('§$section $title ($name): $expected.parse', ({ name, expected }) => {
    const parsed = parseMessage(tortureMessage(4475, name));
    expect(parsed.ok ? 'ok' : parsed.error.responseTo === null ? 'dropped' : 'rejected').toBe(expected.parse);
    if (!parsed.ok && expected.parse === 'rejected') {
      expect(parsed.error.status).toBe(expected.status);
      const answer = parseAnswer(createMalformedResponse(parsed.error));
      expect(answer).toContain(`SIP/2.0 ${expected.status} `);
      expect(answer).toMatch(/^Via: /m);
    }
  });

  it.each(RFC_4475.filter(({ expected }) => expected.parse === 'ok'))(
    '$name is the same after being written',
    ({ name }) => {
      const first = parseMessage(tortureMessage(4475, name));
      const second = first.ok ? parseMessage(writeMessage(first.message)) : first;
      if (!first.ok || !second.ok) throw new Error('refused');
      first.message.headers.delete('content-length');
      second.message.headers.delete('content-length');
      expect(second).toEqual(first);
    },
  );
});

function parseAnswer(bytes: Uint8Array | null): string {
  return bytes === null ? '' : Buffer.from(bytes).toString();
}

describe('RFC 4475: what the well-formed ones say', () => {
  it('§3.1.1.1: folded lines, white space and escapes in all places', () => {
    const invite = request('wsinv');
    expect(invite.uri).toMatchObject({ user: 'vivekg', host: 'chair-dnrc.example.com' });
    expect(invite.uri?.parameters.get('unknownparam')).toBe('');
    expect(invite.to).toMatchObject({ displayName: null, uriText: 'sip:vivekg@chair-dnrc.example.com' });
    expect(invite.to.parameters.get('tag')).toBe('1918181833n');
    expect(invite.from.displayName).toBe('J Rosenberg \\"');
    expect(invite.from.parameters.get('tag')).toBe('98asjd8');
    expect(invite.cseq).toEqual({ number: 9, method: 'INVITE' });
    expect(invite.via).toMatchObject({ transport: 'UDP', host: '192.0.2.2', branch: '390skdjuw' });
    expect(invite.headers.all('via').flatMap(splitList)).toHaveLength(3);
    expect(invite.headers.get('subject')).toBe('');
    expect(invite.headers.get('NewFangledHeader')).toBe('newfangled value continued newfangled value');
    expect(invite.headers.get('UnknownHeaderWithUnusualValue')).toBe(';;,,;;,;');
    const contact = parseNameAddress(invite.headers.get('contact') ?? '');
    expect(contact?.displayName).toBe('Quoted string ""');
    expect([...(contact?.parameters ?? [])]).toEqual([
      ['newparam', 'newvalue'],
      ['secondparam', ''],
      ['q', '0.33'],
    ]);
    expect(invite.body).toHaveLength(150);
  });

  it('§3.1.1.2: every character that a method, URI, Call-ID or display name may have', () => {
    const message = request('intmeth');
    expect(message.method).toBe("!interesting-Method0123456789_*+`.%indeed'~");
    expect(message.uri?.user).toBe("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
    expect(message.uri?.password).toBe("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
    expect(message.to.displayName).toBe('BEL:\x07 NUL:\x00 DEL:\x7f');
    expect(message.from.displayName).toBe("token1~` token2'+_ token3*%!.-");
    expect(message.from.parameters.get("fromparam''~+*_!.-%")).toBe('работающий');
    expect(message.callId).toBe('intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{');
    expect(message.headers.get("extensionHeader-!.%*+_`'~")).toBe('\ufeff大停電');
  });

  it('§3.1.1.3 and §3.1.1.4: escapes in URIs are undone, nulls too', () => {
    expect(request('esc01').uri?.user).toBe('sips:user@example.com');
    expect(request('esc01').to.uri?.user).toBe('user');
    const contact = parseNameAddress(request('esc01').headers.get('contact') ?? '');
    expect(contact?.uri?.parameters.get('name')).toBe('value%41');
    expect(contact?.uri?.parameters.has('lr')).toBe(true);
    expect(request('escnull').to.uri?.user).toBe('null-\0-null');
    expect(request('escnull').headers.all('contact')).toHaveLength(2);
  });

  it('§3.1.1.5: a % in a method or header name is only a %', () => {
    const message = request('esc02');
    expect(message.method).toBe('RE%47IST%45R');
    expect(message.to.displayName).toBe('%Z%45');
    expect(message.headers.all('contact')).toHaveLength(2);
    expect(message.headers.get('C%6Fntact')).toBe('<sip:alias2@host2.example.com>');
  });

  it('§3.1.1.6 to §3.1.1.10: names, lengths, tails, semicolons and transports', () => {
    expect(request('lwsdisp').from.displayName).toBe('caller');
    expect(request('longreq').headers.all('via')).toHaveLength(34);
    expect(request('dblreq')).toMatchObject({ method: 'REGISTER', body: { length: 0 } });
    expect(request('semiuri').uri?.user).toBe('user;par=u@example.net');
    const transports = request('transports').headers.all('via');
    expect(transports[3]).toBe('SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en');
  });

  it('§3.1.1.11: a binary body is kept to the octet', () => {
    const message = request('mpart01');
    expect(message.body).toHaveLength(553);
    expect(Buffer.from(message.body).subarray(-22).toString()).toContain('--7a9cbec02ceef655--');
    expect(message.body.includes(0)).toBe(true);
  });

  it('§3.1.1.12 and §3.1.1.13: any reason phrase, or none', () => {
    expect(response('unreason').reason).toBe('= 2**3 * 5**2 но сто девяносто девять - простое');
    expect(response('noreason')).toMatchObject({ status: 100, reason: '' });
  });

  it('§3.3.2 to §3.3.4: a scheme that is not SIP is left to the user agent', () => {
    expect(request('unkscm')).toMatchObject({ uri: null, requestUri: 'nobodyKnowsThisScheme:totallyopaquecontent' });
    expect(request('novelsc').uri).toBeNull();
    expect(request('unksm2').to).toMatchObject({ uri: null, uriText: 'isbn:2983792873' });
  });

  it('§3.3.12 and §3.3.13: a parameter belongs to the header field without brackets, and to the URI within', () => {
    const [bare, bracketed] = ['cparam01', 'cparam02'].map((name) =>
      parseNameAddress(request(name).headers.get('contact') ?? ''),
    );
    expect(bare?.parameters.has('unknownparam')).toBe(true);
    expect(bracketed?.uri?.parameters.has('unknownparam')).toBe(true);
  });
});
