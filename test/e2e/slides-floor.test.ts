import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ERROR_CODE, PRIMITIVE, REQUEST_STATUS } from '../../server/bfcp/message.ts';
import { NodeTimers } from '../../server/node-timers.ts';
import { errorOf, FloorClient, statusOf } from '../bfcp/floor-client.ts';
import { openFloorUdp } from './clients/floor-connection.ts';
import { freePort } from './clients/free-ports.ts';
import { Parley } from './clients/parley.ts';
import { eventually } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { type FloorTransport, SlidesPhone } from './clients/slides-phone.ts';
import { CalledRoomSystem } from './clients/video/program-phone.ts';
import { videoCaller, voiceOf } from './clients/video/video-party.ts';
import { type Places, shows } from './clients/video/what-is-seen.ts';

const ROOM = 'demo';
/** The colour of one who only looks, and has a camera. */
const VIEWER = 6;
/** That of the slides of a room system. */
const BOARD = 4;
const SLIDES = { x: 0, y: 0.1, width: 0.8, height: 0.8 };
const BESIDE_SLIDES = { x: 0.8, y: 0.095, width: 0.2, height: 0.26 };

let parley: Parley;
let bfcpPort: number;
const phones: SlidesPhone[] = [];
/** Whatever becomes of a test. */
const stopAll: (() => Promise<void>)[] = [];

beforeAll(async () => {
  bfcpPort = await freePort();
  parley = await Parley.start({ video: true, env: { PARLEY_AUDIO_MIXERS: '1', PARLEY_BFCP_PORT: String(bfcpPort) } });
});

afterEach(async () => {
  // Whoever does not hang up is in the picture of the next one.
  for (const { id } of await parley.api.participants(ROOM)) await parley.api.hangUp(ROOM, id);
  for (const stop of stopAll.splice(0)) await stop();
  for (const phone of phones.splice(0)) phone.stop();
});

afterAll(() => parley.stop());

/** In the room, and with floor control has said hello. */
async function phone(user: string, floor: FloorTransport): Promise<SlidesPhone> {
  const started = await SlidesPhone.start({ user, floor, serverPort: parley.sipPort, sender: phones.length });
  phones.push(started);
  await started.dial(parley.sipUri(ROOM));
  if (floor !== 'none') expect((await started.floor!.hello())?.primitive).toBe(PRIMITIVE.HelloAck);
  return started;
}

async function idOf({ options }: SlidesPhone): Promise<string> {
  const participants = await parley.api.participants(ROOM);
  return participants.find(({ uri }) => uri.includes(`${options.user}@`))!.id;
}

async function presented(who: SlidesPhone | null): Promise<void> {
  const id = who === null ? null : await idOf(who);
  const presenter = () => parley.api.room(ROOM).then((room) => room.presenter);
  await eventually(`slides of ${who?.options.user}`, presenter, (shown) => shown === id, 10_000);
}

describe.each(['UDP', 'TCP', 'waiting'] as const)('a phone with floor control, %s', (floor) => {
  test('finds it in the answer, asks for the floor, gets it and gives it back', async () => {
    const anne = await phone('anne', floor);
    const { lines, floorId } = anne.answered!;
    const transport = floor === 'UDP' ? 'UDP' : 'TCP';
    expect(lines[0]).toBe(`m=application ${floor === 'waiting' ? 9 : bfcpPort} ${transport}/BFCP *`);
    expect(lines).toContain('a=floorctrl:s-only');
    expect([floorId, lines.includes(`a=floorid:${floorId} mstrm:12`)]).toEqual([1, true]);
    expect(statusOf((await anne.floor!.requestFloor())!)).toMatchObject({ status: REQUEST_STATUS.granted });
    expect(statusOf((await anne.floor!.releaseFloor())!)).toMatchObject({ status: REQUEST_STATUS.released });
  });

  test('loses the floor to the next one who asks, and it is free when that one hangs up', async () => {
    const [anne, bert] = [await phone('anne', floor), await phone('bert', floor)];
    await anne.floor!.requestFloor();
    await bert.floor!.until(() => bert.floor!.presenter === anne.floor!.userId);
    await bert.floor!.requestFloor();
    await anne.floor!.until(() => !anne.floor!.hasFloor && anne.floor!.presenter === bert.floor!.userId);
    expect(bert.floor!.hasFloor).toBe(true);
    await bert.hangUp();
    await anne.floor!.until(() => anne.floor!.presenter === null);
  });
});

test('ids of another call are of no use from elsewhere, and made up ones of none', async () => {
  const anne = await phone('anne', 'UDP');
  const { conferenceId, userId, port } = anne.answered!;
  const refusals = () => parley.logLines().filter((line) => line.includes('floor control refused')).length;
  const before = refusals();
  const ask = async (ids: { conferenceId: number; userId: number }) => {
    let client: FloorClient | null = null;
    const wire = await openFloorUdp(
      () => port,
      (bytes) => client?.received(bytes),
    );
    client = new FloorClient({ ...ids, reliable: false, timers: new NodeTimers(), send: (bytes) => wire.send(bytes) });
    const answer = await client.requestFloor();
    wire.close();
    return errorOf(answer);
  };
  expect(await ask({ conferenceId: conferenceId ^ 1, userId })).toBe(ERROR_CODE.conferenceDoesNotExist);
  expect(await ask({ conferenceId, userId: userId ^ 1 })).toBe(ERROR_CODE.userDoesNotExist);
  await anne.hangUp();
  expect(await ask({ conferenceId, userId })).toBe(ERROR_CODE.conferenceDoesNotExist);
  await eventually(
    'each is in the log',
    async () => refusals() - before,
    (count) => count === 3,
    5_000,
  );
});

describe.runIf(peersPresent('ffmpeg'))('whose slides the room shows', () => {
  test('of phones with floor control: of the one that has it, large, with the people beside them', async () => {
    const viewer = await videoCaller(parley, 'dora', { sender: VIEWER });
    stopAll.push(() => viewer.stop());
    await viewer.dial(parley.sipUri(ROOM));
    const [anne, bert] = [await phone('anne', 'UDP'), await phone('bert', 'TCP')];
    await Promise.all([anne.show(), bert.show()]);
    const sends = () => parley.api.participants(ROOM).then((all) => all.filter(({ video }) => video?.slides).length);
    await eventually('slides of both come', sends, (count) => count === 2, 10_000);
    await presented(null);
    const sees = (what: string, places: Places) =>
      viewer.receiving.seen(what, (picture) => shows(picture, places), 10_000);
    await anne.floor!.requestFloor();
    await presented(anne);
    await sees('slides of anne', { [anne.options.sender]: SLIDES, [VIEWER]: BESIDE_SLIDES });
    await bert.floor!.requestFloor();
    await presented(bert);
    await sees('slides of bert', { [bert.options.sender]: SLIDES, [VIEWER]: BESIDE_SLIDES });
    expect(anne.floor!.hasFloor).toBe(false);
    await bert.floor!.releaseFloor();
    await presented(null);
    await viewer.receiving.seen('no slides', ({ codes }) => codes.length === 1 && codes[0]!.sender === VIEWER, 10_000);
  });

  test('of one without: they take the floor by beginning, and lose it to one who asks', async () => {
    const [anne, cleo] = [await phone('anne', 'TCP'), await phone('cleo', 'none')];
    await anne.floor!.requestFloor();
    await anne.show();
    await presented(anne);
    await cleo.show();
    await presented(cleo);
    await anne.floor!.until(() => !anne.floor!.hasFloor);
    await anne.floor!.requestFloor();
    await presented(anne);
    await anne.floor!.releaseFloor();
    await presented(cleo);
  });

  test.runIf(peersPresent('sipp'))('of a room system that is called', async () => {
    const viewer = await videoCaller(parley, 'dora', { sender: VIEWER });
    stopAll.push(() => viewer.stop());
    await viewer.dial(parley.sipUri(ROOM));
    const system = await CalledRoomSystem.start('board', parley.sipPort, { ...voiceOf('bert'), sender: BOARD });
    stopAll.push(() => system.stop());
    const { id } = await parley.api.addParticipant(ROOM, { uri: system.uri, slides: true });
    await system.show();
    // Of two, who has a camera is side by side with the slides.
    const places: Places = {
      [BOARD]: { x: 0, y: 0.25, width: 0.5, height: 0.5 },
      [VIEWER]: { x: 0.5, y: 0.175, width: 0.5, height: 0.65 },
    };
    await viewer.receiving.seen('slides of the room system', (picture) => shows(picture, places), 15_000);
    expect((await parley.api.room(ROOM)).presenter).toBe(id);
    await parley.api.hangUp(ROOM, id);
    await viewer.receiving.seen('no slides', ({ codes }) => codes.length === 1 && codes[0]!.sender === VIEWER, 10_000);
  });

  test('a moderator turns it off', async () => {
    const anne = await phone('anne', 'UDP');
    await anne.floor!.requestFloor();
    await parley.api.updateParticipant(ROOM, await idOf(anne), { camera: false });
    await anne.floor!.until(() => !anne.floor!.hasFloor);
    expect(statusOf((await anne.floor!.requestFloor())!)).toMatchObject({ status: REQUEST_STATUS.denied });
  });
});

test('without a port there is none: the stream is refused, and the call goes on', async () => {
  const without = await Parley.start({ video: true, env: { PARLEY_AUDIO_MIXERS: '1' } });
  const anne = await SlidesPhone.start({ user: 'anne', floor: 'UDP', serverPort: without.sipPort, sender: 0 });
  await anne.dial(without.sipUri(ROOM));
  expect(anne.answered).toBeNull();
  expect(anne.call!.answer!.body).toContain('m=application 0 UDP/BFCP *');
  await anne.hangUp();
  anne.stop();
  await without.stop();
});
