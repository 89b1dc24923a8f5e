import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RoomPolicy } from '../../server/rooms/policy.ts';
import type { ParticipantView } from '../../server/rooms/views.ts';
import { BaresipClient } from './clients/baresip-client.ts';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { RefusingPhone } from './clients/refusing-phone.ts';
import { SippClient } from './clients/sipp-client.ts';
import { ToneCaller } from './clients/tone-caller.ts';
import { heardLevelDbfs } from './clients/tone-levels.ts';

const ANN = { name: 'ann', frequencyHz: 425, levelDbfs: -12 };
const BEN = { name: 'ben', frequencyHz: 1_010, levelDbfs: -12 };
const CEM = { name: 'cem', frequencyHz: 1_750, levelDbfs: -12 };

let parley: Parley;
const callers: ToneCaller[] = [];
const rooms: string[] = [];
let serial = 0;

beforeAll(async () => {
  parley = await Parley.start({ env: { PARLEY_LOG_LEVEL: 'debug', PARLEY_AUDIO_MIXERS: '1' } });
});

afterAll(() => parley?.stop());

afterEach(async () => {
  for (const room of rooms.splice(0)) await parley.api.deleteRoom(room).catch(() => {});
  for (const caller of callers.splice(0)) await caller.stop();
});

async function makeRoom(policy: Partial<RoomPolicy> = {}): Promise<string> {
  const name = `room${++serial}`;
  await parley.api.createRoom({ name, ...policy });
  rooms.push(name);
  return name;
}

async function dial(voice: typeof ANN, room: string): Promise<ToneCaller> {
  const caller = await ToneCaller.start({ voice, serverPort: parley.sipPort });
  callers.push(caller);
  await caller.dial(parley.sipUri(room));
  return caller;
}

async function seen(room: string, voice: typeof ANN): Promise<ParticipantView | undefined> {
  const participants = await parley.api.participants(room);
  return participants.find(({ uri }) => uri.includes(`:${voice.name}@`));
}

const becomes = (room: string, voice: typeof ANN, state: ParticipantView['state']) =>
  eventually(
    `${voice.name} is ${state}`,
    () => seen(room, voice),
    (view) => view?.state === state,
  ) as Promise<ParticipantView>;

async function enter(voice: typeof ANN, room: string, parameters = ''): Promise<[ToneCaller, ParticipantView]> {
  const caller = await dial(voice, room + parameters);
  return [caller, await becomes(room, voice, 'connected')];
}

/** Levels of the three tones in what one hears within the next second, dBFS. */
async function hears(listener: ToneCaller, settleMs = 700): Promise<Record<'ann' | 'ben' | 'cem', number>> {
  await pause(settleMs);
  const fromMs = performance.now();
  await pause(500);
  const level = (voice: typeof ANN) => heardLevelDbfs(listener.hearing(), voice.frequencyHz, fromMs, fromMs + 450);
  return { ann: level(ANN), ben: level(BEN), cem: level(CEM) };
}

/** Loudness of all that one hears, dBFS. */
async function loudness(listener: ToneCaller, forMs = 1_000): Promise<number> {
  const fromMs = performance.now();
  await pause(forMs);
  const { pcm, sampleAt } = listener.hearing();
  const samples = pcm.samples.subarray(sampleAt(fromMs), sampleAt(fromMs + forMs));
  return 10 * Math.log10(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

/** A scenario of ours with one field more in its INVITE. */
function withField(scenario: string, field: string): string {
  const text = readFileSync(new URL(`./scenarios/${scenario}.xml`, import.meta.url), 'utf8');
  return text.replace('CSeq: 1 INVITE', `CSeq: 1 INVITE\n      ${field}`);
}

const THERE = -20;
const GONE = -45;

describe('the PIN', () => {
  test('is asked for by voice; wrong then right lets in', async () => {
    const room = await makeRoom({ pin: '1234' });
    const [ben] = await enter(BEN, room, ';pin=1234');
    const ann = await dial(ANN, room);
    await becomes(room, ANN, 'entering');
    ann.media.silent = true;
    expect(await loudness(ann)).toBeGreaterThan(-40);
    ann.media.silent = false;
    await ann.sendKeys('9999#');
    expect((await hears(ben)).ann).toBeLessThan(GONE);
    expect((await hears(ann, 0)).ben).toBeLessThan(GONE);
    await ann.sendKeys('1234#');
    await becomes(room, ANN, 'connected');
    expect((await hears(ben)).ann).toBeGreaterThan(THERE);
    expect((await hears(ann, 0)).ben).toBeGreaterThan(THERE);
  });

  test.runIf(peersPresent('sipp'))('comes in a header field of the INVITE, which is shown nowhere', async () => {
    const room = await makeRoom({ pin: '473829', moderatorPin: '918273' });
    const call = async (pin: string, state: string): Promise<ParticipantView> => {
      const xml = withField('call-until-bye', `Parley-Pin: ${pin}`);
      const sipp = await SippClient.start({
        scenario: { xml },
        room,
        serverPort: parley.sipPort,
        keys: { tone_port: 9 },
      });
      const [view] = await eventually(
        `who gave ${pin} is ${state}`,
        () => parley.api.participants(room),
        ([one]) => one?.state === state,
      );
      const trace = JSON.stringify(await parley.api.trace(room, view!.id));
      for (const text of [trace, (await parley.api.pcap(room, view!.id)).toString('latin1')]) {
        expect(text).toContain('Parley-Pin: (hidden)');
        expect(text).not.toContain(pin);
      }
      await parley.api.hangUp(room, view!.id);
      expect((await sipp.finished(10_000)).successful).toBe(1);
      return view!;
    };
    expect(await call('473829', 'connected')).toMatchObject({ role: 'participant' });
    expect(await call('918273', 'connected')).toMatchObject({ role: 'moderator' });
    await call('555001', 'entering');
    const log = parley.logLines().join('\n');
    for (const pin of ['473829', '918273', '555001']) expect(log).not.toContain(pin);
  });

  test('three times wrong ends the call, after saying so', async () => {
    const room = await makeRoom({ pin: '1234', moderatorPin: '98765' });
    const ann = await dial(ANN, room);
    await becomes(room, ANN, 'entering');
    for (const pin of ['1#', '12345#', '#']) await ann.sendKeys(pin);
    await ann.ended(15_000);
    await eventually(
      'it is logged',
      () => parley.logLines(),
      (lines) => lines.some((line) => line.includes('no correct PIN was entered')),
    );
    expect(parley.logLines().some((line) => line.includes('98765'))).toBe(false);
  });

  test('that is guessed call after call is not looked at any more, not even the right one', async () => {
    const room = await makeRoom({ pin: '1234' });
    for (let guess = 0; guess < 9; guess++) {
      const ann = await dial(ANN, `${room};pin=000${guess}`);
      if (guess < 8) await becomes(room, ANN, 'entering');
      await ann.hangUp();
      await eventually(
        'ann is gone',
        () => seen(room, ANN),
        (view) => view === undefined,
      );
    }
    await expect(dial(ANN, `${room};pin=1234`)).rejects.toThrow('403 Too many wrong PINs');
    const [line] = await eventually(
      'it is logged',
      () =>
        parley.logLines().filter((logged) => logged.includes('"msg":"pin refused"') && logged.includes(`"${room}"`)),
      ({ length }) => length > 0,
    );
    expect(line).toMatch(
      /"address":"127\.0\.0\.1","room":"[a-z0-9]+","reason":"too many wrong PINs","seconds":\d+,"msg":"pin refused"\}$/,
    );
    const refused = async () => (await parley.metrics()).sum('parley_pins_total{result="refused"}');
    const before = await refused();
    const caller = await dial(ANN, room);
    await caller.ended(15_000);
    expect(await refused()).toBe(before + 1);
  });

  test('of a moderator makes one, who may lock, mute all, and end the conference by keys', async () => {
    const room = await makeRoom({ pin: '1234', moderatorPin: '98765' });
    const [ben] = await enter(BEN, room, ';pin=1234');
    const ann = await dial(ANN, room);
    await becomes(room, ANN, 'entering');
    await ann.sendKeys('98765#');
    expect(await becomes(room, ANN, 'connected')).toMatchObject({ role: 'moderator' });
    await ben.sendKeys('*1');
    await ann.sendKeys('*2');
    await eventually(
      'ben is muted',
      () => seen(room, BEN),
      (view) => view?.muted?.by === 'moderator',
    );
    expect((await parley.api.room(room)).locked).toBe(false);
    expect((await seen(room, ANN))?.muted).toBeNull();
    await ann.sendKeys('*1');
    await eventually(
      'the room is locked',
      () => parley.api.room(room),
      ({ locked }) => locked,
    );
    await expect(dial(CEM, `${room};pin=1234`)).rejects.toThrow('403');
    await ann.sendKeys('*9');
    await Promise.all([ann.ended(10_000), ben.ended(10_000)]);
  });
});

describe('the lobby', () => {
  test('holds until a moderator admits, and lets go who is refused', async () => {
    const room = await makeRoom({ lobby: true });
    const ann = await dial(ANN, room);
    const { id } = await becomes(room, ANN, 'lobby');
    await parley.api.updateParticipant(room, id, { admitted: true });
    await becomes(room, ANN, 'connected');
    const ben = await dial(BEN, room);
    const waiting = await becomes(room, BEN, 'lobby');
    expect((await hears(ann)).ben).toBeLessThan(GONE);
    await parley.api.hangUp(room, waiting.id);
    await ben.ended(10_000);
    await expect(parley.api.updateParticipant(room, id, { admitted: true })).rejects.toMatchObject({
      code: 'participant-not-waiting',
    });
  });

  test('of those who wait for the moderator opens when one comes, and closes with them', async () => {
    const room = await makeRoom({ waitForModerator: true, moderatorPin: '98765', endWhenModeratorLeaves: true });
    const ben = await dial(BEN, room);
    await becomes(room, BEN, 'entering');
    await ben.sendKeys('#');
    await becomes(room, BEN, 'waiting');
    const [ann] = await enter(ANN, room, ';pin=98765');
    await becomes(room, BEN, 'connected');
    expect((await hears(ben)).ann).toBeGreaterThan(THERE);
    await ann.hangUp();
    await ben.ended(15_000);
  });
});

describe('muting', () => {
  test("by keys is one's own, by HTTP a moderator's; each lifts theirs", async () => {
    const room = await makeRoom();
    const [ann] = await enter(ANN, room);
    const [ben, { id }] = await enter(BEN, room);
    await ben.sendKeys('*6');
    await eventually(
      'ben muted himself',
      () => seen(room, BEN),
      (view) => view?.muted?.by === 'self',
    );
    expect((await hears(ann)).ben).toBeLessThan(GONE);
    await parley.api.updateParticipant(room, id, { muted: true });
    expect((await seen(room, BEN))?.muted).toEqual({ by: 'moderator' });
    expect(await parley.api.updateParticipant(room, id, { muted: false })).toMatchObject({ muted: { by: 'self' } });
    await ben.sendKeys('*6');
    await eventually(
      'ben is heard',
      () => seen(room, BEN),
      (view) => view?.muted === null,
    );
    expect((await hears(ann)).ben).toBeGreaterThan(THERE);
    await parley.api.updateParticipant(room, id, { muted: true });
    await ben.sendKeys('*6');
    await pause(500);
    expect((await seen(room, BEN))?.muted).toEqual({ by: 'moderator' });
    await ben.sendKeys('*5');
    const asks = await eventually(
      'ben asks',
      () => seen(room, BEN),
      (view) => view?.hand === true,
    );
    expect(Date.parse(asks?.handRaisedAt ?? '')).toBeGreaterThan(Date.now() - 10_000);
  });

  test('of a listener is for good, and the volume is their own', async () => {
    const room = await makeRoom({ listenersOnly: true });
    const [, ben] = await enter(BEN, room);
    const [ann, { id }] = await enter(ANN, room);
    expect(ben).toMatchObject({ role: 'listener', muted: { by: 'moderator' } });
    await parley.api.updateParticipant(room, ben.id, { role: 'participant' });
    const before = (await hears(ann)).ben;
    expect(before).toBeGreaterThan(THERE);
    await ann.sendKeys('*4*4');
    await eventually(
      'it is turned down',
      () => seen(room, ANN),
      (view) => view?.volumeDb === -6,
    );
    expect((await hears(ann, 3_000)).ben).toBeCloseTo(before - 6, 0);
    await parley.api.updateParticipant(room, id, { volumeDb: 0 });
  });
});

describe('a participant', () => {
  test('is moved to another room, and heard there', async () => {
    const [one, other] = [await makeRoom(), await makeRoom()];
    const [ann, { id }] = await enter(ANN, one);
    const [ben] = await enter(BEN, one);
    const [cem] = await enter(CEM, other);
    const moved = await parley.api.updateParticipant(one, id, { room: other });
    expect(moved).toMatchObject({ id, state: 'connected' });
    expect(await parley.api.participants(one)).toHaveLength(1);
    const heard = await hears(ann);
    expect(heard.cem).toBeGreaterThan(THERE);
    expect(heard.ben).toBeLessThan(GONE);
    expect((await hears(cem, 0)).ann).toBeGreaterThan(THERE);
    expect((await hears(ben, 0)).ann).toBeLessThan(GONE);
  });

  test.runIf(peersPresent('baresip'))('is moved to a room of another mixer by a re-INVITE', async () => {
    const server = await Parley.start({ env: { PARLEY_AUDIO_MIXERS: '2' } });
    const phone = await BaresipClient.start({ voice: BEN, codec: 'PCMU', autoAnswer: true });
    const [one, other] = await Promise.all(
      [ANN, CEM].map((voice) => ToneCaller.start({ voice, serverPort: server.sipPort })),
    );
    try {
      await one!.dial(server.sipUri('one'));
      await other!.dial(server.sipUri('other'));
      const { id } = await server.api.addParticipant('one', { uri: phone.sipUri });
      await phone.established(10_000);
      await pause(1_500);
      await server.api.updateParticipant('one', id, { room: 'other' });
      await pause(2_000);
      const [fromMs, toMs] = [performance.now() - 600, performance.now() - 100];
      const level = (voice: typeof ANN) => heardLevelDbfs(phone.hearing(), voice.frequencyHz, fromMs, toMs);
      expect(level(CEM)).toBeGreaterThan(THERE);
      expect(level(ANN)).toBeLessThan(GONE);
      expect(heardLevelDbfs(other!.hearing(), BEN.frequencyHz, fromMs, toMs)).toBeGreaterThan(THERE);
      expect(await server.api.participants('other')).toHaveLength(2);
    } finally {
      await Promise.all([phone.stop(), one!.stop(), other!.stop()]);
      await server.stop();
    }
  });

  test('whispers to one alone', async () => {
    const room = await makeRoom();
    const [, { id }] = await enter(ANN, room);
    const [ben, { id: toBen }] = await enter(BEN, room);
    const [cem] = await enter(CEM, room);
    await parley.api.updateParticipant(room, id, { speaksTo: [toBen] });
    expect((await hears(ben)).ann).toBeGreaterThan(THERE);
    expect((await hears(cem, 0)).ann).toBeLessThan(GONE);
    await parley.api.updateParticipant(room, id, { speaksTo: null });
    expect((await hears(cem)).ann).toBeGreaterThan(THERE);
    await expect(parley.api.updateParticipant(room, id, { speaksTo: ['nobody'] })).rejects.toMatchObject({
      code: 'participant-not-found',
    });
  });
});

describe('a conference', () => {
  test('splits into breakout rooms and comes back', async () => {
    const room = await makeRoom();
    const [ann, one] = await enter(ANN, room);
    const [ben, two] = await enter(BEN, room);
    const [cem, three] = await enter(CEM, room);
    const opened = await parley.api.openBreakouts(room, [
      { participants: [one.id, two.id] },
      { participants: [three.id] },
    ]);
    expect(opened.map(({ name, breakoutOf, participants }) => [name, breakoutOf, participants.length])).toEqual([
      [`${room}-1`, room, 2],
      [`${room}-2`, room, 1],
    ]);
    expect((await hears(ann)).ben).toBeGreaterThan(THERE);
    expect((await hears(ben, 0)).cem).toBeLessThan(GONE);
    await parley.api.closeBreakouts(room);
    expect(await parley.api.participants(room)).toHaveLength(3);
    await expect(parley.api.room(`${room}-1`)).rejects.toMatchObject({ code: 'room-not-found' });
    expect((await hears(cem)).ann).toBeGreaterThan(THERE);
  });

  test('is ended over HTTP, and the room stays', async () => {
    const room = await makeRoom();
    const [ann] = await enter(ANN, room);
    await parley.api.endConference(room);
    await ann.ended(10_000);
    await eventually(
      'all are out',
      () => parley.api.participants(room),
      (all) => all.length === 0,
    );
  });

  test('hears announcements, until they are stopped', async () => {
    const room = await makeRoom();
    const [ann] = await enter(ANN, room);
    ann.media.silent = true;
    const { id } = await parley.api.announce(room, { prompt: 'lobby-wait', repeat: true });
    await pause(500);
    expect(await loudness(ann, 2_000)).toBeGreaterThan(-40);
    await parley.api.stopAnnouncement(room, id);
    await pause(500);
    expect(await loudness(ann)).toBeLessThan(-50);
    await expect(parley.api.announce(room, { prompt: '../../etc/passwd' })).rejects.toMatchObject({
      code: 'prompt-not-found',
    });
  });

  test('is not open before its time', async () => {
    const room = await makeRoom({ notBefore: new Date(Date.now() + 3_600_000).toISOString() });
    const ann = await dial(ANN, room);
    await ann.ended(15_000);
    const later = await makeRoom({ notAfter: new Date(Date.now() + 6_000).toISOString() });
    const [ben] = await enter(BEN, later);
    await ben.ended(20_000);
  });
});

/** What is kept of the names that were said. */
function nameFiles(): string[] {
  const folder = join(parley.dataDir, 'names');
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Says words of their tone until they are in, and then nothing. */
async function sayName(voice: typeof ANN, room: string): Promise<ToneCaller> {
  const caller = await dial(voice, room);
  await becomes(room, voice, 'entering');
  for (let word = 0; (await seen(room, voice))?.state === 'entering'; word++) {
    if (word > 100) throw new Error('they never got in');
    caller.media.silent = word % 2 === 1;
    await pause(300);
  }
  caller.media.silent = true;
  await becomes(room, voice, 'connected');
  return caller;
}

describe('company', () => {
  test('is announced by the name that was said at entry; who is alone hears music', async () => {
    const room = await makeRoom({ announce: 'names', music: true, welcome: 'Welcome to the board' });
    // Those of an attempt that failed may not be forgotten yet.
    const before = nameFiles();
    const names = (): string[] => nameFiles().filter((name) => !before.includes(name));
    const ann = await sayName(ANN, room);
    await eventually(
      'she was welcomed',
      () => ann.sip.messages,
      (texts) => texts.includes('Welcome to the board'),
    );
    await pause(2_500);
    expect(await loudness(ann, 2_000)).toBeGreaterThan(-50);
    const ben = await sayName(BEN, room);
    const joinedMs = performance.now();
    // His name is his tone, which nobody else says now.
    await pause(2_500);
    expect(heardLevelDbfs(ann.hearing(), BEN.frequencyHz, joinedMs + 700, joinedMs + 1_700)).toBeGreaterThan(-35);
    expect(names()).toHaveLength(2);
    await ben.hangUp();
    await eventually('his name is forgotten', names, (files) => files.length === 1, 15_000);
  });
});

describe('calling somebody', () => {
  test.runIf(peersPresent('baresip'))('has them press 1 first', async () => {
    const room = await makeRoom({ pin: '1234', lobby: true });
    const phone = await BaresipClient.start({ voice: BEN, codec: 'PCMU', autoAnswer: true });
    try {
      const { id } = await parley.api.addParticipant(room, { uri: phone.sipUri, confirm: true });
      const state = async () => (await parley.api.participants(room)).find((view) => view.id === id)?.state;
      await eventually('it is asked', state, (now) => now === 'entering');
      await phone.sendKeys('1');
      await eventually('it is in', state, (now) => now === 'connected');
    } finally {
      await phone.stop();
    }
  });

  test('tries again, as often as was asked for, under the same id', async () => {
    const room = await makeRoom();
    const phone = await RefusingPhone.open('486 Busy Here');
    const { id } = await parley.api.addParticipant(room, { uri: phone.uri, retries: 2, retryAfterS: 1 });
    const invites = () => phone.methods.filter((method) => method === 'INVITE').length;
    await eventually(
      'it was called three times',
      async () => invites(),
      (count) => count === 3,
    );
    await pause(1_500);
    expect(invites()).toBe(3);
    const ended = parley.logLines().filter((line) => line.includes('"call ended"') && line.includes(id));
    expect(ended).toHaveLength(3);
    const other = await parley.api.addParticipant(room, { uri: phone.uri, retries: 5, retryAfterS: 1 });
    await eventually(
      'it was called',
      async () => invites(),
      (count) => count === 4,
    );
    await eventually(
      'it is out',
      () => parley.api.participants(room),
      (all) => all.length === 0,
    );
    await parley.api.hangUp(room, other.id);
    await pause(1_500);
    expect(invites()).toBe(4);
    phone.close();
  });
});
