import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { childText, KnownConference, schemaErrors } from '../conference-event/read-conference.ts';
import { freePort } from './clients/free-ports.ts';
import { Parley } from './clients/parley.ts';
import { eventually } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { RtpEndpoint } from './clients/rtp-endpoint.ts';
import { type OutgoingCall, SipCaller } from './clients/sip-caller.ts';
import { header, type ReceivedRequest } from './clients/sip-text.ts';
import { SippClient } from './clients/sipp-client.ts';

const ROOM = 'watched';
const TONE = { name: 'anne', frequencyHz: 425, levelDbfs: -12 };

/** baresip and linphone are left out: the one knows nothing of the package, the other only servers of its own kind. */
describe('RFC 4579 and RFC 4575', () => {
  let parley: Parley;
  let media: RtpEndpoint;
  let folder: string;
  const callers: SipCaller[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'parley-watch-'));
    parley = await Parley.start({ env: { PARLEY_AUDIO_MIXERS: '1', PARLEY_DIGEST_ALGORITHMS: 'MD5' } });
    await parley.api.putUser('alice', 'wonderland');
    await parley.api.createRoom({ name: ROOM, moderatorPin: '98765', displayName: 'Watched & <board>' });
    media = await RtpEndpoint.open(TONE, 'PCMU');
  });

  afterEach(async () => {
    await parley.api.endConference(ROOM);
    for (const caller of callers.splice(0)) caller.close();
  });

  afterAll(async () => {
    media?.close();
    await parley?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function joins(user: string, pin = '', transport: 'UDP' | 'TCP' = 'TCP'): Promise<OutgoingCall> {
    const caller = await SipCaller.open({ serverPort: parley.sipPort, transport, user });
    callers.push(caller);
    const call = caller.call(parley.sipUri(`${ROOM}${pin}`));
    expect((await call.invite(media.sdp())).status).toBe(200);
    return call;
  }

  /** Moderators enter at once; others by the room's PIN prompt, which is not waited for. */
  const enter = (user: string, transport: 'UDP' | 'TCP' = 'TCP') => joins(user, ';pin=98765', transport);

  const notifies = (call: OutgoingCall, event: string): ReceivedRequest[] =>
    call.requests.filter((request) => request.method === 'NOTIFY' && header(request, 'event').startsWith(event));

  const inRoom = (count: number) =>
    eventually(
      `${count} are in the room`,
      () => parley.api.participants(ROOM),
      (all) => all.filter(({ state }) => state === 'connected').length === count,
    );

  test('a focus says that it is one, and what can be subscribed to', async () => {
    const call = await enter('anne');
    const reinvited = await call.reinvite(media.sdp());
    const options = await call.request('OPTIONS');
    const outside = await callers[0]!.request('OPTIONS', parley.sipUri(ROOM));
    for (const answer of [call.answer!, reinvited, options, outside]) {
      expect(answer.status).toBe(200);
      expect(header(answer, 'contact')).toMatch(/^<sip:watched(;pin=98765)?@.*>;isfocus$/);
      expect(header(answer, 'allow-events')).toBe('conference, refer');
      expect(header(answer, 'allow')).toMatch(/REFER.*NOTIFY.*SUBSCRIBE/);
    }
    const update = await call.request('UPDATE');
    expect([update.status, header(update, 'contact').endsWith(';isfocus')]).toEqual([200, true]);
  });

  test.each(['TCP', 'UDP'] as const)(
    'a participant who subscribes over %s knows what HTTP knows, at the same version',
    async (transport) => {
      const anne = await enter('anne', transport);
      await inRoom(1);
      const known = new KnownConference();
      const documents: string[] = [];
      const look = (): KnownConference => {
        for (const { body } of notifies(anne, 'conference').slice(documents.length)) {
          documents.push(body);
          known.take(body);
        }
        return known;
      };
      const agrees = async (): Promise<void> => {
        await eventually(
          'SIP and HTTP agree',
          async () => [look().roomVersion, (await parley.api.room(ROOM)).version],
          ([seen, version]) => seen === version,
        );
        const { participants, locked, displayName } = await parley.api.room(ROOM);
        const own = new Map(
          [...known.participants].map(([id, one]) => [id, [one['state'], one['role'], one['muted-by']]] as const),
        );
        expect(own).toEqual(new Map(participants.map(({ id, ...one }) => [id, [one.state, one.role, one.muted?.by]])));
        expect(childText(known.state, 'locked')).toBe(String(locked));
        expect(childText(known.description, 'display-text')).toBe(displayName);
      };
      const subscribed = await anne.request('SUBSCRIBE', { headers: ['Event: conference', 'Expires: 300'] });
      expect([subscribed.status, header(subscribed, 'expires')]).toEqual([200, '300']);
      await agrees();
      const ben = await enter('ben');
      await inRoom(2);
      await agrees();
      const { id } = (await parley.api.participants(ROOM)).find(({ uri }) => uri.includes('ben'))!;
      await parley.api.updateParticipant(ROOM, id, { muted: true });
      await parley.api.updateRoom(ROOM, { locked: true });
      await agrees();
      await parley.api.updateRoom(ROOM, { locked: false });
      await ben.bye();
      await inRoom(1);
      await agrees();
      expect(documents.filter((document) => document.includes('state="partial"')).length).toBeGreaterThan(0);
      if (peersPresent('xmllint')) expect(schemaErrors(documents)).toBe('');

      await anne.request('SUBSCRIBE', { headers: ['Event: conference', 'Expires: 0'] });
      await eventually(
        'the last NOTIFY',
        () => header(notifies(anne, 'conference').at(-1)!, 'subscription-state'),
        (state) => state === 'terminated;reason=timeout',
      );
    },
  );

  test('strangers are not told, and nobody of rooms that are not there', async () => {
    const stranger = await SipCaller.open({ serverPort: parley.sipPort, transport: 'TCP', user: 'eve' });
    callers.push(stranger);
    const headers = ['Event: conference'];
    expect((await stranger.request('SUBSCRIBE', parley.sipUri(ROOM), { headers })).status).toBe(401);
    expect((await stranger.request('SUBSCRIBE', parley.sipUri('nowhere'), { headers })).status).toBe(404);
    const presence = await stranger.request('SUBSCRIBE', parley.sipUri(ROOM), { headers: ['Event: presence'] });
    expect([presence.status, header(presence, 'allow-events')]).toEqual([489, 'conference, refer']);
  });

  test('a moderator puts somebody out by REFER with BYE, and hears that it was done', async () => {
    const anne = await enter('anne');
    const ben = await joins('ben');
    await eventually(
      'ben is there',
      () => parley.api.participants(ROOM),
      (all) => all.length === 2,
    );
    const mayNot = await ben.request('REFER', { headers: ['Refer-To: <sip:anne@127.0.0.1;method=BYE>'] });
    expect(mayNot.status).toBe(401);
    const refer = await anne.request('REFER', { headers: ['Refer-To: <sip:ben@127.0.0.1;method=BYE>'] });
    expect(refer.status).toBe(202);
    await ben.ended(15_000);
    const done = await eventually(
      'NOTIFY with the end',
      () => notifies(anne, 'refer').at(-1),
      (last) => last !== undefined && header(last, 'subscription-state').startsWith('terminated'),
    );
    expect(done?.body).toBe('SIP/2.0 200 OK\r\n');
    expect(await parley.api.participants(ROOM)).toHaveLength(1);
  });

  describe.runIf(peersPresent('sipp'))('SIPp', () => {
    async function succeeds(sipp: SippClient): Promise<void> {
      const result = await sipp.finished(30_000);
      expect(result.exitCode, result.report).toBe(0);
      expect(result.successful, result.report).toBe(1);
    }

    test('subscribes with a password, and is told who joins, is muted and leaves', async () => {
      const progress = mkdtempSync(join(folder, 'progress-'));
      const reached = (what: string) =>
        eventually(
          `SIPp was told: ${what}`,
          () => readdirSync(progress),
          (all) => all.includes(what),
          10_000,
        );
      const sipp = await SippClient.start({
        scenario: 'watch-room',
        room: ROOM,
        serverPort: parley.sipPort,
        signedUri: `${ROOM}@127.0.0.1:${parley.sipPort}`,
        keys: { progress },
      });
      await reached('subscribed');
      const ben = await enter('ben');
      await inRoom(1);
      await reached('joined');
      const [participant] = await parley.api.participants(ROOM);
      await parley.api.updateParticipant(ROOM, participant!.id, { muted: true });
      await reached('muted');
      await ben.bye();
      await reached('left');
      await succeeds(sipp);
    });

    test('has another SIPp called into the room by REFER, and put out again', async () => {
      const sipPort = await freePort();
      const serverPort = parley.sipPort;
      const called = await SippClient.start({ scenario: { builtIn: 'uas' }, room: 'unused', serverPort, sipPort });
      const uri = `sip:bob@127.0.0.1:${sipPort}`;
      const refer = (referTo: string) =>
        SippClient.start({
          scenario: 'refer',
          room: ROOM,
          serverPort,
          signedUri: `${ROOM}@127.0.0.1:${serverPort}`,
          keys: { refer_to: referTo },
        });
      await succeeds(await refer(uri));
      await inRoom(1);
      await succeeds(await refer(`${uri};method=BYE`));
      await succeeds(called);
      await inRoom(0);
      expect(await parley.api.participants(ROOM)).toEqual([]);
    });

    test('has another room called by REFER, with its PIN in a header field that is shown nowhere', async () => {
      const pin = '473829';
      // In place of that of an attempt that failed.
      await parley.api.deleteRoom('board').catch(() => {});
      await parley.api.createRoom({ name: 'board', pin });
      const refer = await SippClient.start({
        ...{ scenario: 'refer', room: ROOM, serverPort: parley.sipPort },
        signedUri: `${ROOM}@127.0.0.1:${parley.sipPort}`,
        keys: { refer_to: `${parley.sipUri('board')}?Parley-Pin=${pin}` },
      });
      await succeeds(refer);
      for (const room of [ROOM, 'board']) {
        const [view] = await eventually(
          `the call is in ${room}`,
          () => parley.api.participants(room),
          ([one]) => one?.state === 'connected',
        );
        const trace = JSON.stringify(await parley.api.trace(room, view!.id));
        expect(trace).toContain('Parley-Pin: (hidden)');
        expect(trace).not.toContain(pin);
      }
      expect(parley.logLines().join('\n')).not.toContain(pin);
      await parley.api.deleteRoom('board');
      await eventually(
        'both are empty',
        () => parley.api.participants(ROOM),
        ({ length }) => length === 0,
      );
    });
  });
});
