import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Member } from '../../server/focus/focus.ts';
import { Messages } from '../../server/messages/messages.ts';
import type { Room } from '../../server/rooms/room.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import type { Call } from '../../server/sip/dialog/call.ts';
import { createRequest, type ResponseParts } from '../../server/sip/message/create-message.ts';
import { parseNameAddress, writeNameAddress } from '../../server/sip/message/name-address.ts';
import { parseUri, writeUri } from '../../server/sip/message/uri.ts';
import { createVia } from '../../server/sip/message/via.ts';
import type { Flow } from '../../server/sip/transport/flow.ts';
import type { LoneRequest } from '../../server/sip/user-agent/lone-request.ts';
import { flow, TestRegistrar } from '../registrar/test-registrar.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';

const ANN = flow({ address: '198.51.100.1', port: 5071 });
const BEN = flow({ address: '198.51.100.2', port: 5072 });
const CALL_OF_ANN = {} as Call;
const STRANGER = flow({ protocol: 'tcp', address: '203.0.113.99', port: 5079 });

let registrar: TestRegistrar;
let messages: Messages;
let members: Member[];
let trusted: boolean;
let sent: LoneRequest[];
let conclude: ((status: number) => void)[];
let timers: VirtualTimers;
let demo: Room;
let logged: string[];

beforeEach(() => {
  registrar = new TestRegistrar();
  const { office } = registrar;
  const rooms = new Rooms({ maxParticipants: 9 });
  demo = rooms.open('demo', 'configured', { displayName: 'The board' });
  members = [member('ann', ANN), member('ben', BEN)];
  trusted = false;
  sent = [];
  conclude = [];
  timers = new VirtualTimers();
  logged = [];
  messages = new Messages({
    rooms,
    focus: {
      members: () => members,
      participantOf: (call) => (call === CALL_OF_ANN ? { id: 'ann', room: demo } : undefined),
    },
    location: office.location,
    timers,
    log: pino({ level: 'info' }, { write: (line: string) => void logged.push(line) }),
    domain: 'example.com',
    identify: (request, from) => office.signIn.identify(request, from),
    isTrusted: () => trusted,
    send: (request, concluded) => {
      sent.push(request);
      conclude.push(concluded);
    },
  });
});

function member(name: string, over: Flow): Member {
  const uri = `sip:${name}@example.com`;
  return {
    id: name,
    uri,
    displayName: null,
    contact: { uri: parseUri(`sip:${name}@10.0.0.1`)!, routes: [], flow: over },
  };
}

interface MessageText {
  to?: string;
  from?: string;
  over?: Flow;
  call?: Call;
  body?: string;
  contentType?: string;
  maxForwards?: number;
  headers?: [string, string][];
}

/** The final responses that came until now, and later ones too. */
function say({ to = 'demo', from = '<sip:ann@example.com>', over = ANN, ...text }: MessageText = {}): Answer[] {
  const request = createRequest({
    method: 'MESSAGE',
    requestUri: `sip:${to}@example.com`,
    via: createVia('UDP', '10.0.0.1', 5060, 'z9hG4bK-1'),
    from: parseNameAddress(`${from};tag=f`)!,
    to: parseNameAddress(`<sip:${to}@example.com>`)!,
    callId: 'id',
    cseqNumber: 1,
    body: text.body ?? 'Hello',
    contentType: text.contentType ?? 'text/plain;charset=utf-8',
    maxForwards: text.maxForwards ?? 70,
    headers: text.headers ?? [],
  });
  const answers: Answer[] = [];
  messages.received(request, over, (status, parts) => answers.push({ status, ...parts }), text.call ?? null);
  return answers;
}

type Answer = { status: number } & ResponseParts;
const statuses = (answers: Answer[]) => answers.map(({ status }) => status);
const textOf = ({ body }: LoneRequest) => Buffer.from(body).toString();

describe('a MESSAGE to a room (RFC 3428)', () => {
  it('goes to all others who are in it, from the room, under the name of the one who wrote it', () => {
    members.push(member('carl', flow({ address: '198.51.100.3' })));
    expect(statuses(say({ body: 'Grüße', from: '"Ann B." <sip:ann@example.com>' }))).toEqual([202]);
    expect(sent.map(({ contact }) => writeUri(contact.uri))).toEqual(['sip:ben@10.0.0.1', 'sip:carl@10.0.0.1']);
    const [first] = sent;
    expect(writeNameAddress(first!.from)).toBe('"ann" <sip:demo@example.com>');
    expect(writeNameAddress(first!.to)).toBe('<sip:ben@example.com>');
    expect([textOf(first!), first!.contentType, first!.maxForwards]).toEqual(['Grüße', 'text/plain;charset=utf-8', 69]);
    expect(first!.contact.flow).toBe(BEN);
  });

  it('is not taken for a participant’s because it says so: others are behind the same NAT', () => {
    for (const over of [
      flow({ protocol: 'tcp', address: ANN.remoteAddress, port: 40_001, id: 'tcp-1' }),
      flow({ address: ANN.remoteAddress, port: ANN.remotePort + 1 }),
      STRANGER,
    ]) {
      expect(statuses(say({ over }))).toEqual([401]);
    }
    expect(sent).toEqual([]);
    expect(statuses(say({ over: ANN, from: '<sip:a.name.of.her.own@example.com>' }))).toEqual([202]);
  });

  it('is by From from one of those who call over one flow, as from a phone with two lines', () => {
    members = [member('ann', ANN), member('ben', ANN)];
    expect(statuses(say({ over: ANN, from: '<sip:eve@example.com>' }))).toEqual([401]);
    expect(statuses(say({ over: ANN }))).toEqual([202]);
    expect(sent.map(({ contact }) => contact.uri.user)).toEqual(['ben']);
  });

  it('is not taken for a participant’s because it came through the same proxy, unless that is trusted', () => {
    const over = flow({ address: '192.0.2.200', port: 5060 });
    const throughProxy = { over, headers: [['Via', 'SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK-0']] } satisfies MessageText;
    members = [member('ann', over)];
    expect(statuses(say(throughProxy))).toEqual([401]);
    members.push(member('ben', over));
    expect(statuses(say(throughProxy))).toEqual([401]);
    trusted = true;
    expect(statuses(say({ ...throughProxy, from: '<sip:eve@example.com>' }))).toEqual([401]);
    expect(statuses(say(throughProxy))).toEqual([202]);
    expect(statuses(say({ ...throughProxy, over: flow({ address: '192.0.2.200', port: 5099 }) }))).toEqual([202]);
    expect(sent.map(({ contact }) => contact.uri.user)).toEqual(['ben', 'ben']);
  });

  it('is within a call from who calls, whichever way it comes, to the room that they are in', () => {
    expect(statuses(say({ to: 'demo;pin=1', over: STRANGER, call: CALL_OF_ANN }))).toEqual([202]);
    expect(sent.map(({ contact }) => contact.uri.user)).toEqual(['ben']);
    members = [member('ben', BEN)];
    expect(statuses(say({ over: STRANGER, call: CALL_OF_ANN })), 'waits to be let in').toEqual([401]);
  });

  it('is taken from a signed-in user who is not in it, as from that user', () => {
    registrar.register({ user: 'bob' }, STRANGER);
    expect(statuses(say({ over: STRANGER, from: '"The Boss" <sip:boss@example.com>' }))).toEqual([202]);
    expect(sent).toHaveLength(2);
  });

  it('is refused from strangers where there are no users who could sign in', () => {
    for (const { name } of registrar.office.users.list()) registrar.office.users.delete(name);
    expect(statuses(say({ over: STRANGER, from: '<sip:eve@example.com>' }))).toEqual([403]);
    expect(statuses(say({ over: STRANGER, to: 'nowhere' }))).toEqual([404]);
  });

  it('is answered whatever becomes of it', () => {
    const answers = say();
    conclude[0]!(408);
    expect(statuses(answers)).toEqual([202]);
  });
});

describe('a text of the room’s own', () => {
  const pending = (participant: string) => ({ participant, outcome: 'pending', status: null });

  it('goes to those whom it is for, from the room, and tells what each phone said', async () => {
    members.push(member('carl', flow({ address: '198.51.100.3' })), member('dora', ANN));
    const told = messages.fromRoomTo(demo, members, 'Grüße\tan alle');
    expect(sent.map(({ contact }) => contact.uri.user)).toEqual(['ann', 'ben', 'carl', 'dora']);
    const [first] = sent;
    expect(writeNameAddress(first!.from)).toBe('"The board" <sip:demo@example.com>');
    expect([textOf(first!), first!.contentType]).toEqual(['Grüße\tan alle', 'text/plain;charset=utf-8']);
    conclude[1]!(405);
    conclude[3]!(408);
    conclude[0]!(200);
    conclude[2]!(202);
    expect(await told).toEqual([
      { participant: 'ann', outcome: 'delivered', status: 200 },
      { participant: 'ben', outcome: 'refused', status: 405 },
      { participant: 'carl', outcome: 'delivered', status: 202 },
      { participant: 'dora', outcome: 'unreachable', status: 408 },
    ]);
    expect(timers.pending).toBe(0);
    expect(logged.map((line) => JSON.parse(line))).toMatchObject([
      { room: 'demo', participant: 'ben', status: 405, msg: 'message not delivered' },
      { participant: 'dora', status: 408 },
    ]);
    expect(logged.join()).not.toContain('Grüße');
  });

  it('does not wait for ever: who has not answered after three seconds is pending, and logged later', async () => {
    const told = messages.fromRoomTo(demo, members, 'Hello');
    conclude[1]!(200);
    timers.advance(3000);
    const deliveries = await told;
    expect(deliveries).toEqual([pending('ann'), { participant: 'ben', outcome: 'delivered', status: 200 }]);
    conclude[0]!(408);
    expect(deliveries[0]).toEqual(pending('ann'));
    expect(logged.join()).toMatch(/"participant":"ann","status":408/);
  });

  it('is for nobody in an empty room', async () => {
    expect(await messages.fromRoomTo(demo, [], 'Hello')).toEqual([]);
    expect(timers.pending).toBe(0);
  });

  it('is refused while 10000 have not been answered', async () => {
    const many = Array.from({ length: 10_000 }, () => members[0]!);
    const told = messages.fromRoomTo(demo, many, 'Hello');
    await expect(messages.fromRoomTo(demo, members, 'more')).rejects.toMatchObject({ code: 'too-many-messages' });
    timers.advance(3000);
    await told;
    await expect(messages.fromRoomTo(demo, members, 'more')).rejects.toMatchObject({ code: 'too-many-messages' });
    conclude[0]!(408);
    void messages.fromRoomTo(demo, members, 'more');
    expect(sent).toHaveLength(10_002);
  });
});

describe('what is not passed on', () => {
  it('is anything but plain text, with 415 and what would be', () => {
    const [answer] = say({ contentType: 'application/im-iscomposing+xml' });
    expect(answer).toMatchObject({ status: 415, headers: [['Accept', 'text/plain']] });
    expect(statuses(say({ headers: [['Content-Encoding', 'gzip']] }))).toEqual([415]);
  });

  it('is more than 8 KiB, with 413', () => {
    expect(statuses(say({ body: 'x'.repeat(8192) }))).toEqual([202]);
    expect(statuses(say({ body: 'x'.repeat(8193) }))).toEqual([413]);
    expect(sent).toHaveLength(1);
  });

  it('is what has gone round too often, with 483', () => {
    expect(statuses(say({ maxForwards: 0 }))).toEqual([483]);
    expect(statuses(say({ maxForwards: 1 }))).toEqual([202]);
    expect(sent[0]!.maxForwards).toBe(0);
  });
});

describe('a MESSAGE to a user', () => {
  const PHONE = flow({ protocol: 'tls', address: '203.0.113.7', port: 6000 });
  const toBob = (text: MessageText = {}) => say({ to: 'bob', over: PHONE, ...text });

  beforeEach(() => {
    registrar.register({ user: 'alice' }, PHONE);
  });

  it('goes to where the REGISTER came from, with the Contact as Request-URI, from who is signed in', () => {
    registrar.register(
      { user: 'bob', contacts: ['<sip:bob@10.0.0.9:5060>'] },
      flow({ address: '203.0.113.8', port: 7000 }),
    );
    const answers = toBob({ from: '"Alice" <sip:boss@example.com>' });
    expect(statuses(answers)).toEqual([]);
    const [request] = sent;
    expect(writeUri(request!.contact.uri)).toBe('sip:bob@10.0.0.9:5060');
    expect(request!.contact.flow).toMatchObject({ remoteAddress: '203.0.113.8', remotePort: 7000 });
    expect(writeNameAddress(request!.from)).toBe('"Alice" <sip:alice@example.com>');
    conclude[0]!(200);
    expect(statuses(answers)).toEqual([200]);
  });

  it('goes the way of the Path', () => {
    const headers = ['Path: <sip:edge.example.com;lr>', 'Supported: path'];
    registrar.register({ user: 'bob', headers }, flow({ address: '203.0.113.8', port: 7000 }));
    toBob();
    expect(sent[0]!.contact.flow).toBeNull();
    expect(sent[0]!.contact.routes.map(({ uriText }) => uriText)).toEqual(['sip:edge.example.com;lr']);
  });

  it('goes to all phones, and is answered once: by the first that takes it', () => {
    registrar.register({ user: 'bob', contacts: ['<sip:desk@10.0.0.9>;q=0.5', '<sip:mobile@10.0.0.10>'] });
    const answers = toBob();
    expect(sent.map(({ contact }) => contact.uri.user)).toEqual(['mobile', 'desk']);
    conclude[0]!(480);
    expect(answers).toHaveLength(0);
    conclude[1]!(202);
    expect(statuses(answers)).toEqual([202]);
  });

  it.each([
    [[480, 603], 603],
    [[503, 415], 415],
    [[407], 403],
    [[503], 480],
    [[302], 480],
    [[408], 408],
  ] as const)('of refusals %s is answered with %i', (refusals, answer) => {
    registrar.register({ user: 'bob', contacts: refusals.map((status) => `<sip:${status}@10.0.0.9>`) });
    const answers = toBob();
    for (const [phone, status] of refusals.entries()) conclude[phone]!(status);
    expect(statuses(answers)).toEqual([answer]);
  });

  it('gets 480 when they are not registered, 404 when there is no such user', () => {
    expect(statuses(toBob())).toEqual([480]);
    expect(statuses(say({ to: 'nobody', over: PHONE }))).toEqual([404]);
  });

  it('is for signed-in users: others are asked for a password, whether the user exists or not', () => {
    for (const to of ['bob', 'nobody']) {
      const [answer] = say({ to });
      expect(answer).toMatchObject({ status: 401 });
      expect(answer!.headers![0]).toEqual(['WWW-Authenticate', expect.stringContaining('Digest realm="example.com"')]);
    }
  });
});
