import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ApiClient } from './clients/api-client.ts';
import { BaresipClient } from './clients/baresip-client.ts';
import { LinphoneClient } from './clients/linphone-client.ts';
import { Parley } from './clients/parley.ts';
import { eventually } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { SippClient } from './clients/sipp-client.ts';
import { ToneCaller } from './clients/tone-caller.ts';

const ROOM = 'texts';
const BARESIP = { name: 'barry', frequencyHz: 425, levelDbfs: -12 };
const ANN = { name: 'ann', frequencyHz: 1_010, levelDbfs: -12 };

describe.runIf(peersPresent('baresip', 'linphonec', 'sipp'))('a text by HTTP to a room', () => {
  let parley: Parley;
  let baresip: BaresipClient;
  let linphone: LinphoneClient;
  const others: { stop(): Promise<void> }[] = [];

  beforeAll(async () => {
    parley = await Parley.start({ env: { PARLEY_AUDIO_MIXERS: '1', PARLEY_LOG_LEVEL: 'debug' } });
    await parley.api.createRoom({ name: ROOM, displayName: 'The desk' });
    baresip = await BaresipClient.start({ voice: BARESIP, codec: 'PCMA', printsTexts: true });
    linphone = await LinphoneClient.start({ voice: ANN, codec: 'PCMU (8000)' });
    await baresip.dial(parley.sipUri(ROOM));
    await linphone.dial(parley.sipUri(ROOM));
    await enteredBy(2);
  }, 120_000);

  afterEach(async () => {
    await parley.api.updateRoom(ROOM, { lobby: false });
    for (const { id, uri } of await parley.api.participants(ROOM)) {
      if (!/:(barry|ann)@/.test(uri)) await parley.api.hangUp(ROOM, id);
    }
    await enteredBy(2);
    for (const one of others.splice(0)) await one.stop();
  });

  afterAll(async () => {
    await baresip?.stop();
    await linphone?.stop();
    await parley?.stop();
  });

  const enteredBy = (count: number) =>
    eventually(
      `${count} are in`,
      () => parley.api.participants(ROOM),
      (all) => all.filter(({ state }) => state === 'connected').length === count,
    );

  async function idOf(name: string): Promise<string> {
    const found = (await parley.api.participants(ROOM)).find(({ uri }) => uri.includes(name));
    return found!.id;
  }

  const shows = (phone: { output: string }, text: string) =>
    eventually(
      `${text} is shown`,
      () => phone.output,
      (output) => output.includes(text),
    );

  test('is shown by baresip and by linphone, as from the room, and the answer says that they took it', async () => {
    const text = 'Grüße: we begin in five minutes';
    const deliveries = await parley.api.sendMessage(ROOM, { text });
    const taken = { outcome: 'delivered', status: 200 };
    expect(deliveries).toHaveLength(2);
    expect(deliveries).toEqual(
      expect.arrayContaining([
        { participant: await idOf('barry'), ...taken },
        { participant: await idOf('ann'), ...taken },
      ]),
    );
    await Promise.all([shows(baresip, text), shows(linphone, text)]);
    expect(baresip.output).toMatch(/sip:texts@[^\n]*"Grüße/);
    expect(linphone.output).toMatch(/Message received from [^\n]*sip:texts@[^\n]*Grüße/);
    expect(parley.logLines().filter((line) => line.includes('five minutes'))).toEqual([]);
  });

  test('to one is for that one, also by a token for the room alone', async () => {
    const token = await parley.api.createToken({ name: 'desk', scope: 'moderator', room: ROOM });
    const api = new ApiClient(`${parley.httpUrl}/api/v1`, token);
    const participant = await idOf('ann');
    expect(await api.sendMessage(ROOM, { text: 'for linphone alone', to: [participant] })).toEqual([
      { participant, outcome: 'delivered', status: 200 },
    ]);
    await api.sendMessage(ROOM, { text: 'for both, later' });
    await Promise.all([shows(linphone, 'for linphone alone'), shows(baresip, 'for both, later')]);
    expect(baresip.output).not.toContain('for linphone alone');
  });

  test('reaches who waits in the lobby where they are named, and not otherwise', async () => {
    await parley.api.updateRoom(ROOM, { lobby: true });
    const caller = await ToneCaller.start({ voice: { ...ANN, name: 'wendy' }, serverPort: parley.sipPort });
    others.push(caller);
    await caller.dial(parley.sipUri(ROOM));
    await eventually(
      'wendy waits',
      () => parley.api.participants(ROOM),
      (all) => all.some(({ state }) => state === 'lobby'),
    );
    await parley.api.updateRoom(ROOM, { lobby: false });
    const wendy = await idOf('wendy');
    expect(await parley.api.sendMessage(ROOM, { text: 'for those inside' })).toHaveLength(2);
    expect(await parley.api.sendMessage(ROOM, { text: 'soon', to: [wendy] })).toEqual([
      { participant: wendy, outcome: 'delivered', status: 200 },
    ]);
    expect(caller.sip.messages).toEqual(['soon']);
  });

  test('waits no longer than three seconds for a phone that says nothing to it', async () => {
    const sipp = await SippClient.start({
      ...{ scenario: 'call-until-bye', room: ROOM, serverPort: parley.sipPort, keys: { tone_port: 9 } },
    });
    others.push(sipp);
    await enteredBy(3);
    const mute = await idOf('sipp');
    const askedMs = performance.now();
    const deliveries = await parley.api.sendMessage(ROOM, { text: 'is anybody there?' });
    const tookMs = performance.now() - askedMs;
    expect(deliveries.find(({ participant }) => participant === mute)).toEqual({
      ...{ participant: mute, outcome: 'pending', status: null },
    });
    expect(deliveries.filter(({ outcome }) => outcome === 'delivered')).toHaveLength(2);
    expect(tookMs).toBeGreaterThan(2_900);
    expect(tookMs).toBeLessThan(5_000);
  });
});
