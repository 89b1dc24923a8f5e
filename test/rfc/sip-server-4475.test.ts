import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DigestClient } from '../../server/sip/auth/digest-client.ts';
import { parseMessage } from '../../server/sip/message/parse-message.ts';
import { finals, headersOf, overTcp, overUdp, PASSWORD, ROOM, RunningServer, statusOf } from './running-server.ts';
import { RFC_4475, type TortureCase, tortureMessage } from './torture-cases.ts';

let server: RunningServer;

beforeAll(async () => {
  server = await RunningServer.start();
  for (const user of ['watson', 'user']) server.office.users.put(user, PASSWORD, null);
});

afterAll(() => server?.stop());

/** Whatever came in: nothing is thrown, and after some time nothing of it is left. */
afterEach(async () => {
  expect(await server.quiet()).toEqual({ calls: 0, transactions: 0 });
  expect(server.crashes).toEqual([]);
  server.calls.length = 0;
});

function statusesOf({ expected }: TortureCase): number[] {
  return expected.status === undefined ? [] : [expected.status];
}

describe('RFC 4475: the final answer to each message', () => {
  it.each(RFC_4475)('§$section $title ($name) over UDP: $expected.status', async (torture) => {
    const { responses, optionsStatus } = await overUdp(server, tortureMessage(4475, torture.name));
    expect(finals(responses)).toEqual(statusesOf(torture));
    expect(optionsStatus).toBe(200);
  });

  it.each(RFC_4475)('§$section $title ($name) over TCP', async (torture) => {
    const { responses, optionsStatus, closed } = await overTcp(server, tortureMessage(4475, torture.name));
    expect(finals(responses)).toEqual(torture.overTcp?.statuses ?? statusesOf(torture));
    expect(closed).toBe(torture.overTcp?.closed ?? false);
    expect(optionsStatus).toBe(200);
  });
});

/** The final response over UDP. */
async function answerTo(message: Uint8Array): Promise<string> {
  const { responses } = await overUdp(server, message);
  const last = responses.at(-1);
  if (last === undefined || statusOf(last) < 200) throw new Error(`no final response: ${responses.join('\n')}`);
  return last;
}

const torture = (name: string): Promise<string> => answerTo(tortureMessage(4475, name));

describe('RFC 4475: a refusal', () => {
  const refused = RFC_4475.filter(({ expected }) => expected.parse === 'rejected');

  it.each(refused)('§$section ($name) can be matched to its request (RFC 3261 §8.2.6)', async ({ name }) => {
    const text = tortureMessage(4475, name).toString('utf8');
    const answer = await torture(name);
    for (const field of ['Call-ID', 'CSeq', 'From']) {
      const sent = [...text.matchAll(new RegExp(`^${field}:[ \\t]*(.*?)[ \\t]*\r$`, 'gim'))].map((line) => line[1]);
      expect(headersOf(answer, field), field).toEqual(sent);
    }
    const [via] = headersOf(answer, 'Via');
    const sent = /^Via:[ \t]*(.*?)[ \t]*\r$/im.exec(text)?.[1] ?? '';
    expect(via?.startsWith(sent.split(';')[0] ?? '')).toBe(true);
    const to = headersOf(answer, 'To')[0] ?? '';
    // Where To itself is wrong or repeated, nothing is put behind it.
    if (!['quotbal', 'badaspec', 'baddn', 'badvers', 'insuf'].includes(name)) expect(to).toMatch(/;tag=/);
    expect(headersOf(answer, 'Content-Length')).toEqual(['0']);
  });

  it('§3.3.1 (insuf) says what is missing', async () => {
    expect(await torture('insuf')).toMatch(/^SIP\/2\.0 400 Missing (Call-ID|From|To)\r\n/);
  });

  it('§3.1.2.16 (badvers) has our version, and Via with theirs, as it was', async () => {
    const answer = await torture('badvers');
    expect(answer).toMatch(/^SIP\/2\.0 505 /);
    expect(headersOf(answer, 'Via')[0]).toMatch(/^SIP\/7\.0\/UDP c\.example\.com;/);
  });

  it('§3.3.5 (bext01): 420 names what Require asks for, not what Proxy-Require does', async () => {
    const answer = await torture('bext01');
    expect(headersOf(answer, 'Unsupported')).toEqual(['nothingSupportsThis, nothingSupportsThisEither']);
  });

  it('§3.3.6 (invut): 415 says what is accepted', async () => {
    expect(headersOf(await torture('invut'), 'Accept')).toEqual(['application/sdp']);
  });

  it('§3.3.15 (sdp01): 406 says that the answer can only be SDP (Warning 399)', async () => {
    expect(headersOf(await torture('sdp01'), 'Warning')).toEqual(['399 parley "The answer would be application/sdp"']);
  });

  it.each(['intmeth', 'esc02'])('of a method that is not known (%s) says what is', async (name) => {
    expect(headersOf(await torture(name), 'Allow')[0]).toMatch(/^INVITE, ACK, BYE, CANCEL, OPTIONS, .*REGISTER/);
  });

  it('of a method that is known, and not answered here, is 405 (RFC 3261 §8.2.1)', async () => {
    const publish = tortureMessage(4475, 'zeromf').toString().replaceAll('OPTIONS', 'PUBLISH');
    const answer = await answerTo(Buffer.from(publish));
    expect(answer).toMatch(/^SIP\/2\.0 405 /);
    expect(headersOf(answer, 'Allow')[0]).toMatch(/^INVITE, .*MESSAGE/);
  });

  it('§3.3.7 (regaut01): credentials of an unknown scheme count as none', async () => {
    expect(headersOf(await torture('regaut01'), 'WWW-Authenticate')[0]).toMatch(/^Digest realm="example\.com", /);
  });
});

describe('RFC 4475: what else is asked for', () => {
  it('§3.1.1.8 (dblreq): of what follows in the datagram nothing is done', async () => {
    await torture('dblreq');
    expect(server.calls).toEqual([]);
  });

  it('§3.1.1.1 (wsinv): of a request to a dialog that is not there nothing is kept', async () => {
    const answer = await torture('wsinv');
    expect(answer).toMatch(/^SIP\/2\.0 481 /);
    expect(headersOf(answer, 'To')[0]).toMatch(/;\s*tag\s*=\s*1918181833n$/);
    // That of the OPTIONS which is sent after each.
    expect(server.sip.transactions).toBe(1);
  });

  it('§3.1.1.7 (longreq): all 34 Vias come back, in their order', async () => {
    const vias = tortureMessage(4475, 'longreq')
      .toString()
      .split('\r\n')
      .filter((line) => /^v(ia)?\s*:/i.test(line))
      .map((line) => line.replace(/^[^:]*:\s*/, ''));
    const returned = headersOf(await torture('longreq'), 'Via');
    expect(returned).toHaveLength(34);
    expect(returned.slice(1)).toEqual(vias.slice(1));
  });

  it('§3.1.1.10 (transports): the first Via alone says where the answer goes', async () => {
    const vias = headersOf(await torture('transports'), 'Via');
    expect(vias.map((via) => via.split(' ')[0])).toEqual(
      ['UDP', 'SCTP', 'TLS', 'UNKNOWN', 'TCP'].map((protocol) => `SIP/2.0/${protocol}`),
    );
    expect(vias[0]).toMatch(/;received=127\./);
    expect(vias.slice(1).join()).not.toMatch(/received/);
  });

  it('§3.2.1 (badbranch): two requests with the bare magic cookie are not taken for one', async () => {
    const first = tortureMessage(4475, 'badbranch').toString();
    const second = first.replace('badbranch.sadonfo', 'another.sadonfo');
    expect(headersOf(await answerTo(Buffer.from(first)), 'Call-ID')[0]).toMatch(/^badbranch/);
    expect(headersOf(await answerTo(Buffer.from(second)), 'Call-ID')[0]).toMatch(/^another/);
  });

  it('§3.4.1 (inv2543): a caller without branch, tag and Contact can call and hang up', async () => {
    const invite = tortureMessage(4475, 'inv2543').toString();
    const answer = await answerTo(Buffer.from(invite));
    expect(headersOf(answer, 'Via')[0]).toMatch(/^SIP\/2\.0\/UDP iftgw\.example\.com;received=127\.[\d.]+$/);
    const to = headersOf(answer, 'To')[0] ?? '';
    const inDialog = (method: string, number: number): Buffer => {
      const head = invite.slice(0, invite.indexOf('Content-Type')).replace(/^Record-Route.*\r\n/m, '');
      return Buffer.from(
        `${head
          .replace('INVITE sip:UserB@example.com', `${method} sip:127.0.0.1`)
          .replace(/^To: .*$/m, `To: ${to}`)
          .replace(/^CSeq: .*$/m, `CSeq: ${number} ${method}`)}\r\n`,
      );
    };
    expect((await overUdp(server, inDialog('ACK', 56))).responses).toEqual([]);
    expect(finals((await overUdp(server, inDialog('BYE', 57))).responses)).toEqual([200]);
    expect(server.sip.calls).toBe(0);
  });
});

/** The answer when the message, in Latin-1, is sent again with the password that the first answer asks for. */
async function answerWithPassword(message: string, user: string): Promise<string> {
  const challenge = parseMessage(Buffer.from(await answerTo(Buffer.from(message, 'latin1'))));
  if (!challenge.ok || challenge.message.kind !== 'response') throw new Error('no challenge');
  const digest = new DigestClient(() => ({ username: user, password: PASSWORD }));
  digest.challenged(challenge.message);
  const [method = '', requestUri = ''] = message.split(' ', 2);
  const credentials = digest.credentials({ method, requestUri, body: Buffer.alloc(0) });
  const again = message
    .replace(/(CSeq: )(\d+)/, (_all, field: string, number: string) => `${field}${Number(number) + 1}`)
    .replace('branch=z9hG4bK', 'branch=z9hG4bKagain')
    .replace('\r\n\r\n', `\r\n${credentials.map(([field, value]) => `${field}: ${value}\r\n`).join('')}\r\n`);
  return answerTo(Buffer.from(again, 'latin1'));
}

describe('RFC 4475 §3.1.1.11 (mpart01), sent again with the password', () => {
  const message = tortureMessage(4475, 'mpart01').toString('latin1');

  it('is framed to the octet and understood as a MESSAGE: there is no such room or user', async () => {
    expect(await answerWithPassword(message, 'watson')).toMatch(/^SIP\/2\.0 404 /);
  });

  it('to a room is refused for its type, and told what is taken', async () => {
    const answer = await answerWithPassword(message.replace('sip:kumiko@', `sip:${ROOM}@`), 'watson');
    expect(answer).toMatch(/^SIP\/2\.0 415 /);
    expect(headersOf(answer, 'Accept')).toEqual(['text/plain']);
  });
});

describe('RFC 4475: a REGISTER, sent again with the password', () => {
  async function registered(name: string, user: string): Promise<string[]> {
    // Nobody here has a null in their name.
    const message = tortureMessage(4475, name).toString('latin1').replaceAll('null-%00-null', user);
    const answer = await answerWithPassword(message, user);
    expect(answer).toMatch(/^SIP\/2\.0 200 /);
    return headersOf(answer, 'Contact').map((contact) => contact.replace(/;expires=\d+$/, ''));
  }

  it('§3.1.1.4 (escnull): one and two nulls are two contacts', async () => {
    expect(await registered('escnull', 'user')).toEqual([
      '<sip:%00@host5.example.com>',
      '<sip:%00%00@host5.example.com>',
    ]);
  });

  it('§3.3.12 (cparam01): without brackets, the parameter is that of the header field', async () => {
    expect(await registered('cparam01', 'watson')).toContain('<sip:+19725552222@gw1.example.net>;unknownparam');
  });

  it('§3.3.13 (cparam02): within brackets, it is the URI’s', async () => {
    expect(await registered('cparam02', 'watson')).toContain('<sip:+19725552222@gw1.example.net;unknownparam>');
  });

  it('§3.3.14 (regescrt): the escaped header stays in the Contact, and is not a Route of this request', async () => {
    expect(await registered('regescrt', 'user')).toContain('<sip:user@example.com?Route=%3Csip:sip.example.com%3E>');
  });
});

describe('RFC 4475: a response that belongs to nothing', () => {
  it.each(['unreason', 'noreason', 'scalarlg', 'bigcode', 'bcast'])('%s has no effect at all', async (name) => {
    const before = JSON.stringify(server.sip.counts.requestsSent);
    const { responses } = await overUdp(server, tortureMessage(4475, name));
    expect(responses).toEqual([]);
    expect(server.sip.transactions).toBe(1);
    expect(JSON.stringify(server.sip.counts.requestsSent)).toBe(before);
  });

  it('§3.3.10 (bcast): a Via that is not ours keeps it from the transactions (RFC 3261 §18.1.2)', async () => {
    const before = { ...server.sip.counts.responsesReceived };
    await overUdp(server, tortureMessage(4475, 'bcast'));
    expect(server.sip.counts.responsesReceived).toEqual(before);
  });
});
