import { beforeEach, describe, expect, test } from 'vitest';
import { ERROR_CODE, PRIMITIVE, REQUEST_STATUS } from '../../server/bfcp/message.ts';
import { writeMessage } from '../../server/bfcp/write-message.ts';
import { errorOf, statusOf } from './floor-client.ts';
import { FloorScene, TestPath } from './floor-scene.ts';

let scene: FloorScene;

beforeEach(() => {
  scene = new FloorScene();
});

/** As octets, to be broken. */
function helloOf({ conferenceId, userId }: { conferenceId: number; userId: number }): Uint8Array {
  const ids = { conferenceId, userId, transactionId: 1 };
  return writeMessage({ version: 2, responder: false, primitive: PRIMITIVE.Hello, ...ids, attributes: [] });
}

const { granted, denied, released, revoked } = REQUEST_STATUS;

describe.each(['UDP', 'TCP'] as const)('phones that ask for the floor over %s', (transport) => {
  const add = (name: string, room = 'demo') => scene.add(name, { transport, room });

  test('say hello, and hear what can be done', async () => {
    const ann = add('ann');
    expect(scene.asking.has('ann')).toBe(false);
    expect((await ann.client.hello())?.primitive).toBe(PRIMITIVE.HelloAck);
    expect([scene.asking.has('ann'), scene.control.isHeard('ann')]).toEqual([true, true]);
  });

  test('get it, and the others hear whose it is', async () => {
    const [ann, ben] = [add('ann'), add('ben')];
    await ben.client.hello();
    const answer = await ann.client.requestFloor();
    expect(statusOf(answer!)).toMatchObject({ status: granted });
    expect([ann.client.hasFloor, scene.control.holder('demo'), scene.changes]).toEqual([true, 'ann', ['demo: ann']]);
    expect([ben.client.presenter, ann.client.presenter]).toEqual([ann.ids.userId, ann.ids.userId]);
  });

  test('take it from each other: the newest has it, and the one before is told', async () => {
    const [ann, ben] = [add('ann'), add('ben')];
    await ann.client.requestFloor();
    await ben.client.requestFloor();
    expect([ann.client.hasFloor, ben.client.hasFloor]).toEqual([false, true]);
    expect(ann.client.told.map(({ primitive }) => primitive)).toContain(PRIMITIVE.FloorRequestStatus);
    const own = ann.client.told.flatMap((message) => statusOf(message) ?? []);
    expect(own).toContainEqual({ requestId: ann.client.requestId, status: revoked });
    expect(scene.changes).toEqual(['demo: ann', 'demo: ben']);
  });

  test('give it back', async () => {
    const [ann, ben] = [add('ann'), add('ben')];
    await ben.client.hello();
    await ann.client.requestFloor();
    expect(statusOf((await ann.client.releaseFloor())!)).toMatchObject({ status: released });
    expect([scene.control.holder('demo'), ben.client.presenter]).toEqual([null, null]);
    expect(errorOf(await ann.client.releaseFloor())).toBe(ERROR_CODE.floorRequestIdDoesNotExist);
  });

  test('have it in their own room alone', async () => {
    const [ann, ben] = [add('ann', 'here'), add('ben', 'there')];
    await ann.client.requestFloor();
    await ben.client.requestFloor();
    expect([scene.control.holder('here'), scene.control.holder('there')]).toEqual(['ann', 'ben']);
    expect(ann.client.told.filter(({ primitive }) => primitive === PRIMITIVE.FloorRequestStatus)).toEqual([]);
  });

  test('lose it with their call', async () => {
    const [ann, ben] = [add('ann'), add('ben')];
    await ben.client.hello();
    await ann.client.requestFloor();
    scene.leave(ann);
    expect([scene.control.holder('demo'), ben.client.presenter]).toEqual([null, null]);
    expect(await Promise.race([ann.client.hello(), 'nothing yet'])).toSatisfy(
      (answer) => answer === 'nothing yet' || errorOf(answer as never) === ERROR_CODE.conferenceDoesNotExist,
    );
  });

  test('say goodbye, and have lost it', async () => {
    const ann = add('ann');
    await ann.client.requestFloor();
    expect((await ann.client.goodbye())?.primitive).toBe(PRIMITIVE.GoodbyeAck);
    expect(scene.control.holder('demo')).toBeNull();
  });

  test('do not get it while they may show nothing', async () => {
    const ann = add('ann');
    scene.mayNot.add('ann');
    expect(statusOf((await ann.client.requestFloor())!)).toMatchObject({ status: denied });
    expect(scene.changes).toEqual([]);
  });

  test('get the same request again, when they have forgotten that they have it', async () => {
    const ann = add('ann');
    const first = statusOf((await ann.client.requestFloor())!);
    expect(statusOf((await ann.client.requestFloor())!)).toEqual(first);
    expect(scene.changes).toEqual(['demo: ann']);
  });

  test('who takes it again and again has to wait', async () => {
    const [ann, ben] = [add('ann'), add('ben')];
    const statuses: (number | undefined)[] = [];
    for (let round = 0; round < 8; round++) {
      statuses.push(statusOf((await ann.client.requestFloor())!)?.status);
      await ann.client.releaseFloor();
    }
    expect(statuses).toEqual([granted, granted, granted, granted, granted, denied, denied, denied]);
    expect(statusOf((await ben.client.requestFloor())!)?.status).toBe(granted);
    scene.timers.advance(2000);
    expect(statusOf((await ann.client.requestFloor())!)?.status).toBe(granted);
  });

  test('who comes later hears who presents, also without asking', async () => {
    const ann = add('ann');
    await ann.client.requestFloor();
    const ben = add('ben');
    await ben.client.hello();
    expect(ben.client.presenter).toBe(ann.ids.userId);
  });
});

describe('queries', () => {
  test('of the floor say who has it, from then on too; of none end that', async () => {
    const [ann, ben] = [scene.add('ann'), scene.add('ben')];
    expect((await ben.client.queryFloor())?.primitive).toBe(PRIMITIVE.FloorStatus);
    expect(ben.client.presenter).toBeNull();
    await ann.client.requestFloor();
    expect(ben.client.presenter).toBe(ann.ids.userId);
    await ben.client.ask(PRIMITIVE.FloorQuery, []);
    const told = ben.client.told.length;
    await ann.client.releaseFloor();
    expect(ben.client.told.length).toBe(told);
  });

  test('of requests and users', async () => {
    const [ann, ben] = [scene.add('ann'), scene.add('ben')];
    await ben.client.hello();
    await ann.client.requestFloor();
    const id = ann.client.requestId!;
    const about = (requestId: number) =>
      ann.client.ask(PRIMITIVE.FloorRequestQuery, [{ name: 'floorRequestId', id: requestId }]);
    expect(statusOf((await about(id))!)).toEqual({ requestId: id, status: granted });
    expect(errorOf(await about(id + 1))).toBe(ERROR_CODE.floorRequestIdDoesNotExist);
    const user = await ben.client.ask(PRIMITIVE.UserQuery, [{ name: 'beneficiaryId', id: ann.ids.userId }]);
    expect(user).toMatchObject({
      primitive: PRIMITIVE.UserStatus,
      attributes: [
        { name: 'beneficiaryInformation', id: ann.ids.userId, attributes: [{ text: 'ann' }] },
        { name: 'floorRequestInformation', id },
      ],
    });
    expect((await ben.client.ask(PRIMITIVE.UserQuery, []))?.attributes).toMatchObject([{ id: ben.ids.userId }]);
    const nobody = await ben.client.ask(PRIMITIVE.UserQuery, [{ name: 'beneficiaryId', id: 0 }]);
    expect(errorOf(nobody)).toBe(ERROR_CODE.userDoesNotExist);
  });
});

describe('what cannot be done is said', () => {
  test.each<[string, number, Parameters<ReturnType<FloorScene['add']>['client']['ask']>[1], number]>([
    ['another floor', PRIMITIVE.FloorRequest, [{ name: 'floorId', id: 2 }], ERROR_CODE.invalidFloorId],
    ['no floor', PRIMITIVE.FloorRequest, [], ERROR_CODE.invalidFloorId],
    ['the status of another floor', PRIMITIVE.FloorQuery, [{ name: 'floorId', id: 9 }], ERROR_CODE.invalidFloorId],
    [
      'the floor for another',
      PRIMITIVE.FloorRequest,
      [
        { name: 'floorId', id: 1 },
        { name: 'beneficiaryId', id: 0 },
      ],
      ERROR_CODE.unauthorizedOperation,
    ],
    ['a moderator', PRIMITIVE.ChairAction, [], ERROR_CODE.unauthorizedOperation],
    ['something new', 200, [], ERROR_CODE.unknownPrimitive],
    [
      'an attribute that must be known',
      PRIMITIVE.Hello,
      [{ name: 'unknown', type: 99, contents: new Uint8Array(0), mandatory: true }],
      ERROR_CODE.unknownMandatoryAttribute,
    ],
  ])('%s', async (_, primitive, attributes, error) => {
    expect(errorOf(await scene.add('ann').client.ask(primitive, attributes))).toBe(error);
  });

  test('an attribute that need not be known is passed over', async () => {
    const unknown = { name: 'unknown', type: 99, contents: Uint8Array.of(1, 2, 3) } as const;
    expect((await scene.add('ann').client.ask(PRIMITIVE.Hello, [unknown]))?.primitive).toBe(PRIMITIVE.HelloAck);
  });

  test.each([
    ['a length that is not so', 2, 9, ERROR_CODE.incorrectLength],
    ['a version that nobody has', 0, 0x60, ERROR_CODE.unsupportedVersion],
  ])('%s', (_, at, value, error) => {
    const { path, ids } = scene.add('ann');
    const broken = helloOf(ids);
    broken[at] = value;
    scene.control.received(broken, path);
    expect(path.said.map((bytes) => [bytes[1], bytes[14]])).toEqual([[PRIMITIVE.Error, error]]);
  });
});

describe('a moderator', () => {
  test('takes the floor from whoever has it', async () => {
    const [ann, ben] = [scene.add('ann'), scene.add('ben')];
    await ben.client.hello();
    await ann.client.requestFloor();
    expect(scene.control.revoke('demo')).toBe(true);
    expect([ann.client.hasFloor, ben.client.presenter, scene.changes.at(-1)]).toEqual([false, null, 'demo: nobody']);
    expect(scene.control.revoke('demo')).toBe(false);
  });

  test('gives it to one who did not ask', async () => {
    const [ann, ben] = [scene.add('ann'), scene.add('ben')];
    await ann.client.requestFloor();
    expect(scene.control.grant('ben')).toBe(false);
    await ben.client.hello();
    expect(scene.control.grant('ben')).toBe(true);
    expect([ann.client.hasFloor, ben.client.hasFloor, scene.control.holder('demo')]).toEqual([false, true, 'ben']);
    expect(scene.control.grant('nobody')).toBe(false);
  });
});

describe('whose a phone is', () => {
  /** What a stranger hears. */
  const ask = async (speaks: { conferenceId: number; userId: number }, path: TestPath) => {
    const client = scene.connect(path, { ...speaks, floorId: 1 });
    return errorOf(await client.requestFloor());
  };

  test.each<[string, { conferenceId?: number; userId?: number; address?: string; reliable?: boolean }, number]>([
    ['the conference is none', { conferenceId: 5 }, ERROR_CODE.conferenceDoesNotExist],
    ['the user is another', { userId: 5 }, ERROR_CODE.userDoesNotExist],
    ['it comes from elsewhere', { address: '198.51.100.7' }, ERROR_CODE.unauthorizedOperation],
    ['the call has agreed upon the other transport', { reliable: true }, ERROR_CODE.unauthorizedOperation],
  ])('is not known where %s', async (_, { address = '192.0.2.1', reliable = false, ...wrong }, error) => {
    const { ids } = scene.add('ann');
    expect(await ask({ ...ids, ...wrong }, new TestPath(reliable, address))).toBe(error);
    expect([scene.changes, scene.control.isHeard('ann')]).toEqual([[], false]);
  });

  test('is not known where the call has no floor control any more, and then does not ask for it either', async () => {
    const { ids, client } = scene.add('ann');
    await client.requestFloor();
    scene.control.agreed('ann', null);
    expect([scene.changes, scene.asking.size]).toEqual([['demo: ann', 'demo: nobody'], 0]);
    expect(await ask(ids, new TestPath(false))).toBe(ERROR_CODE.unauthorizedOperation);
  });

  test('is known before the answer has come through', async () => {
    scene.roomOf.set('ann', 'demo');
    const at = (): boolean => true;
    const ids = scene.control.register('ann', { isAt: at, isSeenAt: at })!;
    expect(await ask(ids, new TestPath(true))).toBeNull();
    expect(scene.control.register('ann', { isAt: at, isSeenAt: at })).toEqual(ids);
  });

  test('ids differ, so that nobody is taken for another', () => {
    const all = Array.from({ length: 3000 }, (_, index) => scene.add(`p${index}`).ids);
    expect(new Set(all.map(({ userId }) => userId)).size).toBe(3000);
    expect(new Set(all.map(({ conferenceId }) => conferenceId)).size).toBe(3000);
    expect(all.every(({ userId, conferenceId }) => userId > 0 && userId < 65_536 && conferenceId > 0)).toBe(true);
  });

  test('strangers who try many get no answers after a few, and those who are known do', async () => {
    const path = new TestPath(false);
    for (let tries = 0; tries < 1000; tries++) {
      scene.control.received(Uint8Array.of(0x40, 11, 0, 0, 1, 1, tries >> 8, tries & 255, 0, 1, 0, 1), path);
    }
    expect(path.said.length).toBe(20);
    expect((await scene.add('ann').client.hello())?.primitive).toBe(PRIMITIVE.HelloAck);
  });

  test('a phone that floods is not heard for a while', () => {
    const { path, ids } = scene.add('ann');
    const hello = helloOf(ids);
    path.deliver = () => {};
    for (let count = 0; count < 1000; count++) {
      hello[9] = count & 255;
      scene.control.received(hello, path);
    }
    expect(path.said.length).toBe(50);
  });
});

describe('connections', () => {
  test('a new one takes the place of the one before, whose end is no loss', async () => {
    const ann = scene.add('ann', { transport: 'TCP' });
    await ann.client.requestFloor();
    const next = new TestPath(true);
    const client = scene.connect(next, ann.ids);
    await client.hello();
    expect(ann.path.isClosed).toBe(true);
    scene.control.closed(ann.path);
    expect(scene.control.holder('demo')).toBe('ann');
    scene.control.closed(next);
    expect(scene.control.holder('demo')).toBeNull();
  });

  test('of one call are not those of another', async () => {
    const [ann, ben] = [scene.add('ann', { transport: 'TCP' }), scene.add('ben', { transport: 'TCP' })];
    await ann.client.hello();
    const both = scene.connect(ann.path, ben.ids);
    expect(errorOf(await both.requestFloor())).toBe(ERROR_CODE.unauthorizedOperation);
  });

  test('are closed with the call', async () => {
    const ann = scene.add('ann', { transport: 'TCP' });
    await ann.client.hello();
    scene.leave(ann);
    expect(ann.path.isClosed).toBe(true);
    expect(scene.timers.pending).toBe(0);
  });

  test('are opened to phones that wait for one, and again when they fail; not for ever', async () => {
    const { ids } = scene.add('ann', { transport: 'TCP' });
    scene.agree('ann', { transport: 'TCP', setup: 'active', remote: { address: '192.0.2.1', port: 3000 } });
    scene.agree('ann', { transport: 'TCP', setup: 'active', remote: { address: '192.0.2.1', port: 3000 } });
    expect(scene.dialled).toMatchObject([{ address: '192.0.2.1', port: 3000 }]);
    scene.control.closed(scene.dialled[0]!.path);
    scene.timers.advance(2000);
    expect(scene.dialled.length).toBe(2);
    const client = scene.connect(scene.dialled[1]!.path, ids);
    await client.requestFloor();
    expect(client.hasFloor).toBe(true);
    for (let round = 1; round < 20; round++) {
      scene.control.closed(scene.dialled.at(-1)!.path);
      scene.timers.advance(2000);
    }
    expect([scene.dialled.length, scene.timers.pending, scene.control.holder('demo')]).toEqual([7, 0, null]);
  });

  test('are not opened to where nothing of the call comes from', () => {
    scene.add('ann', { transport: 'TCP' });
    scene.agree('ann', { transport: 'TCP', setup: 'active', remote: { address: '10.0.0.5', port: 22 } });
    scene.timers.runUntilIdle();
    expect(scene.dialled).toEqual([]);
  });
});

test('who has moved to another room hears how it is there', async () => {
  const [ann, ben] = [scene.add('ann', { room: 'there' }), scene.add('ben')];
  await ann.client.requestFloor();
  await ben.client.hello();
  expect(ben.client.presenter).toBeNull();
  scene.roomOf.set('ben', 'there');
  scene.control.moved('ben');
  expect(ben.client.presenter).toBe(ann.ids.userId);
});
