import { beforeEach, describe, expect, test } from 'vitest';
import { splitMessage } from '../../server/bfcp/fragments.ts';
import { type Message, PRIMITIVE } from '../../server/bfcp/message.ts';
import { parseHeader } from '../../server/bfcp/parse-message.ts';
import { writeMessage } from '../../server/bfcp/write-message.ts';
import { FloorScene, type Phone, TestPath } from './floor-scene.ts';

let scene: FloorScene;

beforeEach(() => {
  scene = new FloorScene();
});

/** What was said to a phone: primitives, each with its transaction and the version. */
function said({ path }: Phone): [primitive: number, transactionId: number, version: number, responder: boolean][] {
  return path.said.map((bytes) => {
    const header = parseHeader(bytes, path.reliable)!;
    return [header.primitive, header.transactionId, header.version, header.responder];
  });
}

function message({ ids }: Phone, { primitive, ...more }: Partial<Message> & { primitive: number }): Uint8Array {
  const { conferenceId, userId } = ids;
  return writeMessage({
    ...{ version: 2, responder: false, transactionId: 1, conferenceId, userId, primitive, attributes: [] },
    ...more,
  });
}

/** Somebody else takes the floor, of which this one is told. */
async function taken(name = 'ben'): Promise<void> {
  await scene.add(name, { transport: 'TCP' }).client.requestFloor();
}

describe('over UDP', () => {
  test('a request that comes again is answered again with the same, and done once; for ten seconds', () => {
    const ann = scene.add('ann');
    ann.path.deliver = () => {};
    const request = message(ann, { primitive: PRIMITIVE.FloorRequest, attributes: [{ name: 'floorId', id: 1 }] });
    const answers = () => ann.path.said.filter((bytes) => (bytes[0]! & 0x10) !== 0);
    scene.control.received(request, ann.path);
    scene.timers.advance(9999);
    scene.control.received(request, ann.path);
    expect(answers().length).toBe(2);
    expect(answers()[0]).toEqual(answers()[1]);
    expect(scene.changes).toEqual(['demo: ann']);
    scene.timers.advance(10_000);
    scene.control.received(message(ann, { primitive: PRIMITIVE.Hello }), ann.path);
    expect(answers().length).toBe(3);
    expect(parseHeader(answers()[2]!, false)?.primitive).toBe(PRIMITIVE.HelloAck);
  });

  test('what is told unasked has a transaction of its own, and is sent again after T1, 2·T1 and 4·T1', async () => {
    const ann = scene.add('ann');
    await ann.client.hello();
    ann.path.said.length = 0;
    ann.path.deliver = () => {};
    await taken();
    const times: number[] = [];
    const startMs = scene.timers.now();
    for (let count = ann.path.said.length; scene.timers.now() - startMs < 20_000; scene.timers.advance(100)) {
      if (ann.path.said.length > count) times.push(scene.timers.now() - startMs);
      count = ann.path.said.length;
    }
    expect(times).toEqual([500, 1500, 3500]);
    expect(new Set(ann.path.said.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(1);
    const [told] = said(ann);
    expect(told).toEqual([PRIMITIVE.FloorStatus, expect.any(Number), 2, false]);
    expect(told![1]).toBeGreaterThan(0);
  });

  test('what is acknowledged is not', async () => {
    const ann = scene.add('ann');
    await ann.client.hello();
    await taken();
    scene.timers.advance(20_000);
    expect(ann.client.told.length).toBe(1);
    expect(scene.timers.pending).toBe(0);
  });

  test('one thing is told after the other, and of what is the same only the latest', async () => {
    const ann = scene.add('ann');
    await ann.client.hello();
    const { deliver } = ann.path;
    ann.path.said.length = 0;
    ann.path.deliver = () => {};
    await taken('ben');
    await taken('cleo');
    scene.control.revoke('demo');
    expect(ann.path.said.length).toBe(1);
    ann.path.deliver = deliver;
    scene.timers.advance(500);
    expect(ann.client.presenter).toBeNull();
    expect(ann.client.told.length).toBe(2);
  });

  test('who has acknowledged, and does not answer at all any more, loses the floor', async () => {
    const ann = scene.add('ann');
    const ben = scene.add('ben');
    await ann.client.requestFloor();
    ann.path.deliver = () => {};
    ben.client.hello();
    scene.control.moved('ann');
    scene.timers.advance(7499);
    expect(scene.control.holder('demo')).toBe('ann');
    scene.timers.advance(1);
    expect([scene.control.holder('demo'), ben.client.presenter]).toEqual([null, null]);
  });

  test('who speaks, but acknowledges nothing, keeps it, and is told at once from then on', async () => {
    const ann = scene.add('ann', { acknowledges: false });
    await ann.client.requestFloor();
    scene.timers.advance(5000);
    await ann.client.hello();
    scene.timers.advance(10_000);
    expect(scene.control.holder('demo')).toBe('ann');
    await taken();
    expect([ann.client.hasFloor, ann.client.presenter === null]).toEqual([false, false]);
  });

  test.each([
    [91, true],
    [93, true],
    [PRIMITIVE.FloorStatusAck, false],
    [16, true],
  ])('codecs that acknowledge by %s in version 1 are understood', async (primitive, responder) => {
    const ann = scene.add('ann', { version: 1, acknowledges: false });
    await ann.client.hello();
    await taken();
    const [told] = said(ann).slice(-1);
    expect(told).toEqual([PRIMITIVE.FloorStatus, expect.any(Number), 1, false]);
    scene.control.received(message(ann, { version: 1, responder, primitive, transactionId: told![1] }), ann.path);
    expect(scene.timers.pending).toBe(0);
  });

  test('answers have the flag of a response, and the version of the request', async () => {
    const [ann, ben] = [scene.add('ann', { version: 1 }), scene.add('ben')];
    ann.path.deliver = () => {};
    void ann.client.hello();
    await ben.client.hello();
    expect([...said(ann), ...said(ben)]).toEqual([
      [PRIMITIVE.HelloAck, 1, 1, true],
      [PRIMITIVE.HelloAck, 1, 2, true],
    ]);
  });

  test('a request in fragments is one', () => {
    const ann = scene.add('ann');
    ann.path.deliver = () => {};
    const name = { name: 'participantProvidedInfo', text: 'x'.repeat(200) } as const;
    const request = message(ann, {
      primitive: PRIMITIVE.FloorRequest,
      attributes: [{ name: 'floorId', id: 1 }, name, name],
    });
    const pieces = splitMessage(request, 100);
    expect(pieces.length).toBeGreaterThan(4);
    for (const piece of pieces.reverse()) scene.control.received(piece, ann.path);
    expect(scene.changes).toEqual(['demo: ann']);
  });

  test('the phone is answered where it sent from last', async () => {
    const ann = scene.add('ann');
    await ann.client.hello();
    const before = ann.path.said.length;
    const elsewhere = new TestPath(false);
    scene.control.received(message(ann, { primitive: PRIMITIVE.Hello, transactionId: 77 }), elsewhere);
    await taken();
    expect(ann.path.said.length).toBe(before);
    expect(elsewhere.said.length).toBe(2);
  });
});

describe('over TCP', () => {
  test('what is told unasked has transaction 0, is sent once, and no flag is set', async () => {
    const ann = scene.add('ann', { transport: 'TCP' });
    await ann.client.hello();
    await taken();
    scene.timers.advance(20_000);
    expect(said(ann)).toEqual([
      [PRIMITIVE.HelloAck, 1, 1, false],
      [PRIMITIVE.FloorStatus, 0, 1, false],
    ]);
    expect(ann.path.said.every((bytes) => bytes[0] === 0x20)).toBe(true);
  });

  test('the answer comes before what it changes', async () => {
    const ann = scene.add('ann', { transport: 'TCP' });
    await ann.client.requestFloor();
    expect(said(ann).map(([primitive]) => primitive)).toEqual([PRIMITIVE.FloorRequestStatus, PRIMITIVE.FloorStatus]);
  });
});
