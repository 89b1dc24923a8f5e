import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { BaresipClient } from './clients/baresip-client.ts';
import { LOOPBACK } from './clients/free-ports.ts';
import { LinphoneClient } from './clients/linphone-client.ts';
import { newUser } from './clients/new-user.ts';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { ToneCaller } from './clients/tone-caller.ts';
import { assertWhoHearsWhom } from './clients/tone-levels.ts';

const CALLED = { name: 'called', frequencyHz: 425, levelDbfs: -12 };
const MOBILE = { name: 'mobile', frequencyHz: 1_600, levelDbfs: -12 };
const CALLER = { name: 'caller', frequencyHz: 1_010, levelDbfs: -12 };
const PASSWORD = 'wonderland';
const ROOM = 'demo';

let parley: Parley;
let talker: ToneCaller | null = null;
let phone: BaresipClient | null = null;

beforeAll(async () => {
  parley = await Parley.start({ env: { PARLEY_AUDIO_MIXERS: '1' } });
});

afterAll(() => parley?.stop());

afterEach(async () => {
  await phone?.stop();
  await talker?.stop();
  phone = null;
  talker = null;
  for (const { id } of await present()) await parley.api.hangUp(ROOM, id).catch(() => {});
});

const present = () => parley.api.participants(ROOM);

describe.runIf(peersPresent('baresip'))('a user who has registered is called by name', () => {
  test.each([
    ['udp', 'with our port', (user: string, port: number): string => `sip:${user}@${LOOPBACK}:${port}`],
    ['tcp', 'without a port', (user: string): string => `sip:${user}@${LOOPBACK}`],
  ] as const)('over %s, %s: the phone rings, answers, and all hear each other', async (transport, _how, uri) => {
    const user = await newUser(parley.api, PASSWORD);
    const account = { user, password: PASSWORD, serverPort: parley.sipPort };
    phone = await BaresipClient.start({ voice: CALLED, codec: 'opus', transport, account, autoAnswer: true });
    await eventually(
      'it is registered',
      () => parley.api.registrations(user),
      (all) => all.length === 1 && all[0]?.transport === transport,
    );
    talker = await ToneCaller.start({ voice: CALLER, serverPort: parley.sipPort });
    await talker.dial(parley.sipUri(ROOM));
    const { id } = await parley.api.addParticipant(ROOM, { uri: uri(user, parley.sipPort) });
    await phone.established(10_000);
    await eventually('it is in', present, (all) => all.some((one) => one.id === id && one.state === 'connected'));
    await pause(2_000);
    const toMs = performance.now() - 300;
    const listeners = [phone, talker].map((client) => ({ name: client.voice.name, hearing: client.hearing() }));
    assertWhoHearsWhom({ voices: [CALLED, CALLER], listeners, fromMs: toMs - 800, toMs });
    await parley.api.hangUp(ROOM, id);
    await phone.ended(15_000);
  });
});

describe.runIf(peersPresent('baresip', 'linphonec'))('a user with several phones', () => {
  test('hears them all ring; the one that is taken has the call, the others stop', async () => {
    const user = await newUser(parley.api, PASSWORD);
    const account = { user, password: PASSWORD, serverPort: parley.sipPort };
    const desk = await BaresipClient.start({ voice: CALLED, codec: 'opus', account });
    const mobile = await LinphoneClient.start({ voice: MOBILE, codec: 'PCMA (8000)', account });
    try {
      await mobile.registered(10_000);
      await eventually(
        'both are registered',
        () => parley.api.registrations(user),
        (all) => all.length === 2,
      );
      talker = await ToneCaller.start({ voice: CALLER, serverPort: parley.sipPort });
      await talker.dial(parley.sipUri(ROOM));
      const { id } = await parley.api.addParticipant(ROOM, { uri: `sip:${user}@${LOOPBACK}` });
      await Promise.all([desk.event('CALL_INCOMING', 10_000), mobile.rings(10_000)]);
      await desk.command('accept');
      await desk.established(10_000);
      await mobile.ended(15_000);
      await eventually('it is in', present, (all) => all.some((one) => one.id === id && one.state === 'connected'));
      await pause(2_000);
      const toMs = performance.now() - 300;
      const listeners = [desk, talker].map((client) => ({ name: client.voice.name, hearing: client.hearing() }));
      assertWhoHearsWhom({ voices: [CALLED, CALLER], listeners, fromMs: toMs - 800, toMs });
      expect((await present()).filter(({ uri }) => uri.includes(user))).toHaveLength(1);
      await parley.api.hangUp(ROOM, id);
      await desk.ended(15_000);
    } finally {
      await desk.stop();
      await mobile.stop();
    }
  });
});

describe('a user who is nowhere registered', () => {
  test('cannot be called: 480 in the log', async () => {
    const { id } = await parley.api.addParticipant(ROOM, {
      uri: `sip:${await newUser(parley.api, PASSWORD)}@${LOOPBACK}`,
    });
    const line = await eventually(
      'the call has ended',
      async () => parley.logLines().find((text) => text.includes('"call ended"') && text.includes(id)),
      (text) => text !== undefined,
    );
    expect(line).toContain('"status":480');
  });
});
