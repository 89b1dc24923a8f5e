import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { ConferenceEvents, type ConferenceEventsOptions } from '../../server/conference-event/conference-events.ts';
import type { Refusal } from '../../server/focus/admission.ts';
import type { Member } from '../../server/focus/focus.ts';
import type { Room } from '../../server/rooms/room.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import type { EventPackage } from '../../server/sip/dialog/received-subscription.ts';
import type { SipRequest } from '../../server/sip/message/message.ts';
import { parseUri } from '../../server/sip/message/uri.ts';
import { peersPresent } from '../e2e/clients/peer-programs.ts';
import { someRecording } from '../rooms/some-recording.ts';
import { someone } from '../rooms/someone.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { establishedPeer, ScriptedPeer, statuses } from '../sip/dialog/scripted-peer.ts';
import { childText, KnownConference, schemaErrors } from './read-conference.ts';

const CHALLENGE: Refusal = { status: 401, reason: 'Unauthorized' };

let rooms: Rooms;
let room: Room;
let members: Member[];
let events: ConferenceEvents;
let identity: { user: string } | Refusal | null;
let trusted: boolean;
let known: KnownConference;
let documents: string[];

beforeEach(() => {
  rooms = new Rooms();
  room = rooms.open('demo', 'configured');
  members = [];
  identity = { user: 'ann' };
  trusted = false;
  known = new KnownConference();
  documents = [];
});

/** A user agent with the package, and a peer that subscribes. */
function peerWith(options: Partial<ConferenceEventsOptions> = {}, inCall = false): ScriptedPeer {
  const later: { package: EventPackage | null } = { package: null };
  const own: EventPackage = {
    contentType: 'application/conference-info+xml',
    limits: { usual: 3600, shortest: 60, longest: 3600 },
    minIntervalMs: 1000,
    subscribed: (received) => later.package?.subscribed(received),
  };
  const told = {
    isFocus: true,
    handler: {
      invited: (call: Parameters<ScriptedPeer['decide']>[0]) => {
        peer?.calls.push(call);
        call.handle(new ScriptedPeer().handler());
        call.accept('answer');
      },
      referred: () => {},
      availability: () => 'available' as const,
      packages: { conference: own },
    },
  };
  let peer: ScriptedPeer | null = null;
  peer = inCall ? establishedPeer(told) : new ScriptedPeer(told);
  events = new ConferenceEvents({
    rooms,
    timers: peer.timers,
    focus: {
      members: () => members,
      participantOf: () => ({ id: 'ann', room }),
      call: () => undefined,
    },
    log: pino({ level: 'silent' }),
    domain: 'example.com',
    hasVideo: () => true,
    identify: () => identity,
    isTrusted: () => trusted,
    ...options,
  });
  later.package = events;
  return peer;
}

const subscribe = (peer: ScriptedPeer, headers: string[] = [], more = {}) =>
  peer.request('SUBSCRIBE', { headers: ['Event: conference', ...headers], ...more });

/** Answers the last NOTIFY, and takes what it says. */
function take(peer: ScriptedPeer): 'full' | 'partial' {
  const document = bodyOf(peer.lastRequest);
  documents.push(document);
  peer.respond(peer.lastRequest, 200);
  return known.take(document);
}

const bodyOf = (request: SipRequest) => Buffer.from(request.body).toString();
const stateOf = (peer: ScriptedPeer) => peer.lastRequest.headers.get('Subscription-State');
const notifies = (peer: ScriptedPeer) => peer.requests('NOTIFY').length;
const toTagOf = (peer: ScriptedPeer) => ({ toTag: peer.sent[0]!.to.parameters.get('tag')! });

function member(id: string, peer: ScriptedPeer): Member {
  return {
    id,
    uri: `sip:${id}@example.com`,
    displayName: null,
    contact: { uri: parseUri('sip:ann@192.0.2.1:5070')!, routes: [], flow: peer.flow },
  };
}

describe('a subscription to a room (RFC 4575 §3, RFC 6665 §4.2)', () => {
  it('gets 200, and the full state at once', () => {
    const peer = peerWith();
    room.join(someone('bob'));
    const [ok] = subscribe(peer, ['Expires: 600', 'Accept: application/conference-info+xml']);
    expect(ok?.status).toBe(200);
    expect(ok?.headers.get('Expires')).toBe('600');
    expect(ok?.headers.get('Contact')).toBe('<sip:demo@parley.example.com:5060>;isfocus');
    expect(peer.transcript).toEqual(['200 SUBSCRIBE', 'NOTIFY']);
    const { headers } = peer.lastRequest;
    expect(headers.get('Event')).toBe('conference');
    expect(headers.get('Subscription-State')).toBe('active;expires=600');
    expect(headers.get('Content-Type')).toBe('application/conference-info+xml');
    expect(headers.get('Contact')).toBe('<sip:demo@parley.example.com:5060>;isfocus');
    expect(take(peer)).toBe('full');
    expect([...known.users.keys()]).toEqual(['sip:bob@192.0.2.1']);
    expect(known.roomVersion).toBe(room.version);
  });

  it('is then told what changes: once a second at most, all in one', () => {
    const peer = peerWith();
    subscribe(peer);
    take(peer);
    peer.timers.advance(5000);
    room.join(someone('bob'));
    room.change('bob', { muted: { by: 'moderator' } });
    expect(notifies(peer)).toBe(1);
    peer.timers.advance(0);
    expect(notifies(peer)).toBe(2);
    expect(take(peer)).toBe('partial');
    expect(known.participants.get('bob')).toMatchObject({ 'muted-by': 'moderator' });
    room.join(someone('carl'));
    room.leave('bob');
    room.changePolicy({ locked: true, displayName: 'Board' });
    peer.timers.advance(999);
    expect(notifies(peer)).toBe(2);
    peer.timers.advance(1);
    expect(notifies(peer)).toBe(3);
    expect(take(peer)).toBe('partial');
    expect([...known.participants.keys()]).toEqual(['carl']);
    expect(childText(known.state, 'locked')).toBe('true');
    expect(childText(known.description, 'subject')).toBe('Board');
    expect(known.roomVersion).toBe(room.version);
  });

  it('is told whether the room is being recorded', () => {
    const peer = peerWith();
    subscribe(peer);
    take(peer);
    for (const state of ['recording', 'paused', 'stopped'] as const) {
      room.recordingTold('recording-changed', someRecording('r1', { state }));
      peer.timers.advance(2000);
      expect(take(peer)).toBe('partial');
      expect(childText(known.state, 'p:recording')).toBe(state === 'stopped' ? 'off' : state);
    }
    const before = notifies(peer);
    room.recordingTold('recording-ready', someRecording('r1', { state: 'stopped' }));
    room.recordingTold('recording-changed', someRecording('r1', { state: 'stopped' }));
    peer.timers.advance(2000);
    expect(notifies(peer)).toBe(before);
  });

  it('is not told of what the document does not say: who talks, and how loud', () => {
    const peer = peerWith();
    room.join(someone('bob'));
    subscribe(peer);
    take(peer);
    room.change('bob', { talking: true, levelDb: -10 });
    peer.timers.advance(10_000);
    expect(notifies(peer)).toBe(1);
  });

  it('waits for the answer to a NOTIFY before it sends the next', () => {
    const peer = peerWith();
    subscribe(peer);
    const first = peer.lastRequest;
    room.join(someone('bob'));
    peer.timers.advance(2000);
    room.join(someone('carl'));
    peer.timers.advance(2000);
    expect(new Set(peer.requests('NOTIFY').map(({ cseq }) => cseq.number)).size).toBe(1);
    peer.respond(first, 200);
    known.take(bodyOf(first));
    expect(take(peer)).toBe('partial');
    expect(known.participants.size).toBe(2);
  });

  it('is renewed by SUBSCRIBE, which brings the full state, and ended with Expires: 0', () => {
    const peer = peerWith();
    subscribe(peer);
    take(peer);
    room.join(someone('bob'));
    const [ok] = subscribe(peer, ['Expires: 99999'], { cseq: 2, ...toTagOf(peer) });
    expect([ok?.status, ok?.headers.get('Expires')]).toEqual([200, '3600']);
    peer.timers.advance(0);
    expect(stateOf(peer)).toBe('active;expires=3600');
    expect(take(peer)).toBe('full');
    expect(known.version).toBe(1);
    const [ended] = subscribe(peer, ['Expires: 0'], { cseq: 3, ...toTagOf(peer) });
    expect(ended?.headers.get('Expires')).toBe('0');
    peer.timers.advance(0);
    expect(stateOf(peer)).toBe('terminated;reason=timeout');
    expect(take(peer)).toBe('full');
    expect(events.size).toBe(0);
    expect(statuses(subscribe(peer, [], { cseq: 4, ...toTagOf(peer) }))).toEqual([481]);
    expect(peer.clean).toBe(true);
  });

  it('follows the Contact of the SUBSCRIBE that renews it (RFC 6665 §4.2.1)', () => {
    const peer = peerWith();
    subscribe(peer);
    take(peer);
    const moved = peer.newFlow('192.0.2.77', 5099);
    const headers = ['Event: conference', 'Contact: <sip:ann@192.0.2.77:5099>'];
    peer.raw(peer.write('SUBSCRIBE', { cseq: 2, headers, ...toTagOf(peer) }), moved);
    peer.timers.advance(0);
    expect(peer.lastRequest.requestUri).toBe('sip:ann@192.0.2.77:5099');
    expect(peer.sentTo.at(-1)).toBe('192.0.2.77:5099');
  });

  it('is one look with Expires: 0 from the beginning (RFC 6665 §4.4.3)', () => {
    const peer = peerWith();
    const [ok] = subscribe(peer, ['Expires: 0']);
    expect([ok?.status, ok?.headers.get('Expires')]).toEqual([200, '0']);
    expect(stateOf(peer)).toBe('terminated;reason=timeout');
    expect(take(peer)).toBe('full');
    expect(events.size).toBe(0);
    expect(peer.clean).toBe(true);
  });

  it('ends after its time, and with the room', () => {
    const peer = peerWith();
    subscribe(peer, ['Expires: 60']);
    take(peer);
    peer.timers.advance(60_000);
    expect(stateOf(peer)).toBe('terminated;reason=timeout');
    take(peer);

    const other = peerWith();
    known = new KnownConference();
    room.join(someone('bob'));
    subscribe(other);
    take(other);
    room.leave('bob');
    rooms.close(room);
    expect(stateOf(other)).toBe('terminated;reason=noresource');
    expect(take(other)).toBe('full');
    expect(known.users.size).toBe(0);
    expect(events.size).toBe(0);
    expect(other.clean).toBe(true);
  });

  it.each([481, 408, 404, 489])('ends where a NOTIFY gets %i', (status) => {
    const peer = peerWith();
    subscribe(peer);
    peer.respond(peer.lastRequest, status);
    expect(events.size).toBe(0);
    room.join(someone('bob'));
    expect(peer.clean).toBe(true);
    expect(notifies(peer)).toBe(1);
  });

  it('ends where nobody answers a NOTIFY (RFC 6665 §4.2.2)', () => {
    const peer = peerWith();
    subscribe(peer);
    peer.timers.advance(40_000);
    expect(events.size).toBe(0);
    expect(peer.clean).toBe(true);
  });

  it('is told to come back later when the server stops', () => {
    const peer = peerWith();
    subscribe(peer);
    take(peer);
    events.stop();
    expect(stateOf(peer)).toBe('terminated;reason=probation');
  });

  it('has the id that it was asked for', () => {
    const peer = peerWith();
    subscribe(peer, [], { headers: ['Event: Conference;id="a b"'] });
    expect(peer.lastRequest.headers.get('Event')).toBe('conference;id="a b"');
    take(peer);
    expect(statuses(subscribe(peer, [], { cseq: 2, ...toTagOf(peer) }))).toEqual([481]);
  });
});

describe('a SUBSCRIBE that is refused', () => {
  it.each<[number, string, string | undefined, string[]]>([
    [423, 'Min-Expires', '60', ['Event: conference', 'Expires: 59']],
    [400, 'Min-Expires', undefined, ['Event: conference', 'Expires: -1']],
    [406, 'Accept', 'application/conference-info+xml', ['Event: conference', 'Accept: application/pidf+xml, text/*']],
    [489, 'Allow-Events', 'conference, refer', ['Event: presence']],
    [489, 'Allow-Events', 'conference, refer', ['Event: constructor']],
    [489, 'Allow-Events', 'conference, refer', []],
    [403, 'Accept', undefined, ['Event: refer']],
  ])('gets %i with %s: %s', (status, field, value, headers) => {
    const peer = peerWith();
    const [refusal] = peer.request('SUBSCRIBE', { headers });
    expect(refusal?.status).toBe(status);
    expect(refusal?.headers.get(field)).toBe(value);
    expect(events.size).toBe(0);
    expect(peer.clean).toBe(true);
  });

  it.each([['*/*'], ['text/plain, application/*;q=0.5'], ['Application/Conference-Info+XML']])(
    'but not for Accept: %s',
    (accept) => {
      expect(statuses(subscribe(peerWith(), [`Accept: ${accept}`]))[0]).toBe(200);
    },
  );

  it('names a room that is not there: 404', () => {
    const peer = peerWith();
    expect(statuses(subscribe(peer, [], { uri: 'sip:nowhere@parley.example.com' }))).toEqual([404]);
    expect(peer.clean).toBe(true);
  });

  it('comes from somebody who may not know: 401 where a password would help, else 403', () => {
    identity = CHALLENGE;
    expect(statuses(subscribe(peerWith()))).toEqual([401]);
    identity = null;
    expect(statuses(subscribe(peerWith()))).toEqual([403]);
    expect(events.size).toBe(0);
  });

  it('is one too many: of an address, of a room, of all', () => {
    const limits = { inAll: 4, perRoom: 3, perAddress: 2 };
    const peer = peerWith({ limits });
    const from = (address: string, callId: string, uri = 'sip:demo@x') =>
      peer.raw(peer.write('SUBSCRIBE', { headers: ['Event: conference'], callId, uri }), peer.newFlow(address, 5060));
    const answers = () => peer.sent.filter((message) => message.kind === 'response').map(({ status }) => status);
    rooms.open('other', 'configured');
    from('192.0.2.1', 'a');
    from('192.0.2.1', 'b');
    from('192.0.2.1', 'c');
    expect(answers()).toEqual([200, 200, 503]);
    from('192.0.2.3', 'd');
    from('192.0.2.4', 'e');
    expect(answers()).toEqual([200, 200, 503, 200, 503]);
    from('192.0.2.5', 'f', 'sip:other@x');
    from('192.0.2.6', 'g', 'sip:other@x');
    expect(answers().slice(-2)).toEqual([200, 503]);
    trusted = true;
    expect(events.size).toBe(4);
  });
});

describe('a participant', () => {
  beforeEach(() => {
    identity = CHALLENGE;
    room.join(someone('ann'));
  });

  it('may subscribe from where the call comes from, until leaving it', () => {
    const peer = peerWith();
    members = [member('ann', peer)];
    expect(statuses(subscribe(peer))[0]).toBe(200);
    take(peer);
    room.leave('ann');
    expect(stateOf(peer)).toBe('terminated;reason=rejected');
    expect(peer.lastRequest.body).toHaveLength(0);
    peer.respond(peer.lastRequest, 200);
    expect(events.size).toBe(0);
    expect(peer.clean).toBe(true);
  });

  it('is asked for a password from elsewhere, as from another port: others may be behind the same NAT', () => {
    const peer = peerWith();
    const { contact, ...ann } = member('ann', peer);
    members = [{ ...ann, contact: { ...contact, flow: { ...peer.flow, id: 'another', remotePort: 5099 } } }];
    expect(statuses(subscribe(peer))).toEqual([401]);
    expect(events.size).toBe(0);
  });

  it('may subscribe within the call; both go on without the other', () => {
    const peer = peerWith({}, true);
    members = [member('ann', peer)];
    const [ok] = subscribe(peer, [], { cseq: 2 });
    expect(ok?.status).toBe(200);
    expect(take(peer)).toBe('full');
    expect(statuses(subscribe(peer, ['Expires: 0'], { cseq: 3 }))).toEqual([200]);
    peer.timers.advance(0);
    expect(stateOf(peer)).toBe('terminated;reason=timeout');
    take(peer);
    expect(peer.userAgent.calls).toBe(1);
    known = new KnownConference();
    expect(statuses(subscribe(peer, [], { cseq: 4 }))[0]).toBe(200);
    take(peer);
    peer.request('BYE', { cseq: 5 });
    room.leave('ann');
    expect(stateOf(peer)).toBe('terminated;reason=rejected');
    peer.respond(peer.lastRequest, 200);
    expect(events.size).toBe(0);
  });

  it('who waits to be let in may not', () => {
    const peer = peerWith({}, true);
    expect(statuses(subscribe(peer, [], { cseq: 2 }))).toEqual([401]);
  });

  it('who gives a password goes on being told after leaving', () => {
    identity = { user: 'ann' };
    const peer = peerWith();
    members = [member('ann', peer)];
    subscribe(peer, ['Authorization: Digest username="ann"']);
    take(peer);
    room.leave('ann');
    peer.timers.advance(1000);
    expect(stateOf(peer)).toMatch(/^active/);
    expect(take(peer)).toBe('partial');
  });

  it('need not be one at a trusted peer', () => {
    trusted = true;
    expect(statuses(subscribe(peerWith()))[0]).toBe(200);
  });
});

describe('what a subscriber knows', () => {
  /** Somebody does something. */
  function something(random: SeededRandom, step: number): void {
    const ids = room.participants.map(({ id }) => id);
    const id = ids[random.below(Math.max(1, ids.length))];
    const kind = random.below(6);
    if ((kind < 2 && ids.length < 30) || id === undefined) {
      const uri = random.below(3) === 0 ? 'sip:shared@example.com' : `sip:u${random.below(20)}@example.com`;
      room.join(someone(`p${step}`, { uri, displayName: `<${step}>` }));
    } else if (kind <= 2) room.leave(id);
    else if (kind === 3) room.change(id, { muted: random.below(2) === 0 ? null : { by: 'moderator' } });
    else if (kind === 4)
      room.change(id, { state: random.below(2) === 0 ? 'on-hold' : 'connected', talking: step % 2 === 0 });
    else room.changePolicy({ locked: random.below(2) === 0, maxParticipants: 10 + random.below(3) });
  }

  function assertAgrees(): void {
    const expected = new Map(room.participants.map((one) => [one.id, [one.state, one.role, one.muted?.by]]));
    const seen = [...known.participants].map(
      ([id, own]) => [id, [own['state'], own['role'], own['muted-by']]] as const,
    );
    expect(new Map(seen)).toEqual(expected);
    expect(childText(known.state, 'locked')).toBe(String(room.policy.locked));
    expect(childText(known.description, 'maximum-user-count')).toBe(String(room.policy.maxParticipants));
  }

  it.each([1, 2, 3])('is what the room is like, at its version, whatever happens (seed %i)', (seed) => {
    const random = new SeededRandom(seed);
    const peer = peerWith();
    subscribe(peer);
    take(peer);
    let told = notifies(peer);
    let cseq = 1;
    for (let step = 0; step < 1000; step++) {
      something(random, step);
      if (random.below(50) === 0) subscribe(peer, [], { cseq: ++cseq, ...toTagOf(peer) });
      peer.timers.advance(random.below(1500));
      if (notifies(peer) === told) continue;
      // Otherwise the answer takes its time.
      if (random.below(4) === 0) continue;
      const version = room.version;
      take(peer);
      told = notifies(peer);
      if (known.roomVersion === version) assertAgrees();
    }
    for (peer.timers.advance(1000); notifies(peer) > told; peer.timers.advance(1000)) {
      told = notifies(peer);
      take(peer);
    }
    assertAgrees();
    expect(known.version).toBeGreaterThan(250);
    if (peersPresent('xmllint')) expect(schemaErrors(documents)).toBe('');
  });

  it('is the full state again where too many have gone meanwhile', () => {
    const peer = peerWith();
    subscribe(peer);
    const first = peer.lastRequest;
    for (let step = 0; step < 1500; step++) {
      room.join(someone(`p${step}`));
      room.leave(`p${step}`);
    }
    room.join(someone('last'));
    peer.timers.advance(5000);
    known.take(bodyOf(first));
    peer.respond(first, 200);
    expect(take(peer)).toBe('full');
    expect([...known.participants.keys()]).toEqual(['last']);
  });
});
