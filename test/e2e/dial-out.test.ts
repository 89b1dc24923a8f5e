import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { BaresipClient } from './clients/baresip-client.ts';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { RefusingPhone } from './clients/refusing-phone.ts';
import { header } from './clients/sip-text.ts';
import { ToneCaller } from './clients/tone-caller.ts';
import { assertWhoHearsWhom } from './clients/tone-levels.ts';

const CALLED = { name: 'called', frequencyHz: 425, levelDbfs: -12 };
const CALLER = { name: 'caller', frequencyHz: 1_010, levelDbfs: -12 };
const ROOM = 'demo';

let parley: Parley;
let caller: ToneCaller | null = null;

beforeAll(async () => {
  parley = await Parley.start({ env: { PARLEY_LOG_LEVEL: 'debug' } });
});

afterAll(() => parley?.stop());

afterEach(async () => {
  // Some go just now by themselves.
  for (const { id } of await parley.api.participants(ROOM)) await parley.api.hangUp(ROOM, id).catch(() => {});
  await caller?.stop();
  caller = null;
});

const present = () => parley.api.participants(ROOM);

async function callerJoins(): Promise<ToneCaller> {
  caller = await ToneCaller.start({ voice: CALLER, serverPort: parley.sipPort });
  await caller.dial(parley.sipUri(ROOM));
  return caller;
}

describe('calling somebody into a room', () => {
  test.runIf(peersPresent('baresip'))('works with a phone that answers; all hear each other', async () => {
    const phone = await BaresipClient.start({ voice: CALLED, codec: 'opus', autoAnswer: true });
    try {
      const talker = await callerJoins();
      const added = await parley.api.addParticipant(ROOM, { uri: phone.sipUri, displayName: 'Called' });
      expect(added).toMatchObject({ state: 'connecting', displayName: 'Called', audio: null });
      await phone.established(10_000);
      await eventually('it is in', present, (all) =>
        all.some(({ id, state }) => id === added.id && state === 'connected'),
      );
      await pause(2_000);
      const toMs = performance.now() - 300;
      const listeners = [phone, talker].map((client) => ({ name: client.voice.name, hearing: client.hearing() }));
      assertWhoHearsWhom({ voices: [CALLED, CALLER], listeners, fromMs: toMs - 800, toMs });
      await parley.api.hangUp(ROOM, added.id);
      await phone.ended(15_000);
    } finally {
      await phone.stop();
    }
  });

  test('lets them leave again when they are busy, with the reason in the log', async () => {
    const phone = await RefusingPhone.open('486 Busy Here');
    const { id } = await parley.api.addParticipant(ROOM, { uri: phone.uri });
    await eventually('they are out again', present, (all) => all.length === 0);
    const line = () => parley.logLines().find((text) => text.includes('"call ended"') && text.includes(id));
    await eventually(
      'it is logged',
      async () => line(),
      (text) => text !== undefined,
    );
    expect(line()).toContain('"status":486,"reason":"Busy Here"');
    expect(phone.methods).toEqual(['INVITE', 'ACK']);
    phone.close();
  });

  test('gives up with CANCEL when they are hung up on while it rings', async () => {
    const phone = await RefusingPhone.open('180 Ringing');
    const { id } = await parley.api.addParticipant(ROOM, { uri: phone.uri });
    await eventually(
      'it rings',
      async () => phone.methods,
      (methods) => methods.includes('INVITE'),
    );
    await pause(200);
    await parley.api.hangUp(ROOM, id);
    await eventually(
      'it stops',
      async () => phone.methods,
      (methods) => methods.includes('ACK'),
    );
    expect(phone.methods).toEqual(['INVITE', 'CANCEL', 'ACK']);
    await eventually('nobody is left', present, (all) => all.length === 0);
    phone.close();
  });
});

describe('a call', () => {
  test('is taken over by another with Replaces, and joined by another with Join', async () => {
    const { call: first, sip, media } = await callerJoins();
    const [before] = await present();
    await parley.api.updateParticipant(ROOM, before!.id, { role: 'moderator' });
    const second = sip.call(parley.sipUri('elsewhere'));
    expect((await second.invite(media.sdp(), undefined, [`Replaces: ${first.reference}`])).status).toBe(200);
    await first.ended(15_000);
    await eventually('one is left', present, (all) => all.length === 1);
    // Who is not signed in gets the place, and not the role.
    expect((await present())[0]).toMatchObject({ role: 'participant' });
    expect((await present())[0]?.id).not.toBe(before?.id);
    const third = sip.call(parley.sipUri('elsewhere'));
    expect((await third.invite(media.sdp(), undefined, [`Join: ${second.reference}`])).status).toBe(200);
    expect(await present()).toHaveLength(2);
  });

  test('tells keys by INFO, and has nobody called for strangers', async () => {
    const { call, sip } = await callerJoins();
    const headers = ['Content-Type: application/dtmf-relay'];
    const text = { headers, body: '' };
    expect((await call.request('INFO', text)).status).toBe(200);
    const refer = await call.request('REFER', { headers: ['Refer-To: <sip:expensive@192.0.2.1>'] });
    expect(refer.status).toBe(403);
    const outside = await sip.request('REFER', parley.sipUri(ROOM), {
      headers: ['Refer-To: <sip:a@192.0.2.1>'],
    });
    expect(outside.status).toBe(403);
    expect(header(refer, 'session-id')).toMatch(/^[0-9a-f]{32};remote=/);
  });
});
