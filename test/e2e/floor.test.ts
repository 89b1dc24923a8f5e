import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ParticipantView } from '../../server/rooms/views.ts';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { ToneCaller } from './clients/tone-caller.ts';
import { heardLevelDbfs } from './clients/tone-levels.ts';

const ANN = { name: 'ann', frequencyHz: 425, levelDbfs: -12 };
const BEN = { name: 'ben', frequencyHz: 1_010, levelDbfs: -12 };
const CEM = { name: 'cem', frequencyHz: 1_750, levelDbfs: -12 };

let parley: Parley;
const callers: ToneCaller[] = [];
let serial = 0;

/** One in which nobody is left of an attempt before. */
const newRoom = (): string => `floor${++serial}`;

beforeAll(async () => {
  parley = await Parley.start({ env: { PARLEY_AUDIO_MIXERS: '1' } });
});

afterAll(() => parley?.stop());

afterEach(async () => {
  for (const caller of callers.splice(0)) await caller.stop();
});

async function seen(room: string, voice: typeof ANN): Promise<ParticipantView | undefined> {
  return (await parley.api.participants(room)).find(({ uri }) => uri.includes(`:${voice.name}@`));
}

async function enter(voice: typeof ANN, room: string): Promise<[ToneCaller, string]> {
  const caller = await ToneCaller.start({ voice, serverPort: parley.sipPort });
  callers.push(caller);
  await caller.dial(parley.sipUri(room));
  const view = await eventually(
    `${voice.name} is connected`,
    () => seen(room, voice),
    (now) => now?.state === 'connected',
  );
  return [caller, view!.id];
}

/** Whose tones one hears within the next second. */
async function hears(listener: ToneCaller, settleMs = 700): Promise<string[]> {
  await pause(settleMs);
  const fromMs = performance.now();
  await pause(500);
  const level = (voice: typeof ANN) => heardLevelDbfs(listener.hearing(), voice.frequencyHz, fromMs, fromMs + 450);
  const levels = [ANN, BEN, CEM].map((voice) => ({ name: voice.name, db: level(voice) }));
  const unclear = levels.filter(({ db }) => db > -45 && db < -20);
  expect(unclear, 'a tone is there or it is not').toEqual([]);
  return levels.filter(({ db }) => db >= -20).map(({ name }) => name);
}

const speaks = (room: string, id: string | null) =>
  eventually(
    `${id} is the active speaker`,
    () => parley.api.room(room),
    ({ activeSpeaker }) => activeSpeaker === id,
  );

describe('the floor', () => {
  test('lets only those be heard who have it, leaves mutes as they are, and is free again when they have gone', async () => {
    const room = newRoom();
    const [ann, annId] = await enter(ANN, room);
    const [ben, benId] = await enter(BEN, room);
    expect(await hears(ann)).toEqual(['ben']);
    const before = await parley.api.room(room);
    expect(before.floor).toEqual([]);

    await parley.api.giveFloor(room, [annId]);
    expect(await parley.api.room(room)).toMatchObject({ floor: [annId] });
    expect((await seen(room, BEN))?.muted).toBeNull();
    expect((await parley.api.diagnosis(room, benId)).findings.map(({ code }) => code)).toContain('without-floor');
    expect(await hears(ann)).toEqual([]);
    expect(await hears(ben, 0)).toEqual(['ann']);
    await speaks(room, annId);

    // Who comes meanwhile is not heard either.
    const [cem, cemId] = await enter(CEM, room);
    expect(await hears(ann)).toEqual([]);
    expect(await hears(cem, 0)).toEqual(['ann']);

    // One's own mute goes on under the floor, and is lifted under it.
    await ben.sendKeys('*6');
    await parley.api.giveFloor(room, [benId, cemId]);
    expect(await hears(ann)).toEqual(['cem']);
    expect((await seen(room, BEN))?.muted).toEqual({ by: 'self' });
    await ben.sendKeys('*6');
    expect(await hears(ann, 1_500)).toEqual(['ben', 'cem']);
    expect(await hears(cem, 0)).toEqual(['ben']);

    await cem.hangUp();
    await eventually(
      'ben alone has it',
      () => parley.api.room(room),
      ({ floor }) => floor.join() === benId,
    );
    expect(await hears(ben)).toEqual([]);
    await speaks(room, benId);
    await ben.hangUp();
    await eventually(
      'it is free',
      () => parley.api.room(room),
      ({ floor, participants }) => floor.length === 0 && participants.length === 1,
    );
    const [again] = await enter(BEN, room);
    expect(await hears(again)).toEqual(['ann']);
  });

  test('is given back, and is nobody’s who is not in the room', async () => {
    const room = newRoom();
    const [ann, annId] = await enter(ANN, room);
    const [ben] = await enter(BEN, room);
    await parley.api.giveFloor(room, [annId]);
    expect(await hears(ann)).toEqual([]);
    await parley.api.freeFloor(room);
    expect(await parley.api.room(room)).toMatchObject({ floor: [] });
    expect(await hears(ann)).toEqual(['ben']);
    expect(await hears(ben, 0)).toEqual(['ann']);
    await expect(parley.api.giveFloor(room, ['nobody'])).rejects.toMatchObject({ code: 'participant-not-found' });
    await expect(parley.api.giveFloor(room, [])).rejects.toMatchObject({ code: 'invalid-body' });
  });
});

describe('the active speaker', () => {
  test('is who talks now, and nobody when all are silent', async () => {
    const room = newRoom();
    const [ann, annId] = await enter(ANN, room);
    const [ben, benId] = await enter(BEN, room);
    ben.media.silent = true;
    await speaks(room, annId);
    ann.media.silent = true;
    ben.media.silent = false;
    await speaks(room, benId);
    ben.media.silent = true;
    await speaks(room, null);
  });
});
