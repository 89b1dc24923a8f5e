/** Random and damaged floor control: the parser must say yes or no, and the server must go on with those who speak it. */

import { type Attribute, type Message, PRIMITIVE } from '../../server/bfcp/message.ts';
import { parseAttributes, parseHeader, toMessage } from '../../server/bfcp/parse-message.ts';
import { writeMessage } from '../../server/bfcp/write-message.ts';
import { FloorScene, type Phone, TestPath } from '../bfcp/floor-scene.ts';
import { seededRandom } from '../rtp/jitter-simulation.ts';
import { eachInTime } from './limits.ts';

export interface BfcpFuzzResult {
  iterations: number;
  parsed: number;
  /** Messages of the server: answers, and what it told. */
  said: number;
  /** Times that somebody else had the floor than before. */
  changes: number;
}

type Random = () => number;

/** A scene goes on for so long, so that damaged messages meet every state. */
const INPUTS_PER_SCENE = 200;
/** Of one message: an answer, and what it makes the server tell each of three phones, again after some time. */
const MOST_SAID = 12;

/**
 * Each input depends on `seed` and its number only. Throws, with what is needed to repeat it, when an exception gets out or
 * a rule is broken.
 */
export function fuzzBfcp(iterations: number, seed: number): BfcpFuzzResult {
  const result: BfcpFuzzResult = { iterations, parsed: 0, said: 0, changes: 0 };
  let bytes = new Uint8Array(0);
  let scene: Scene | null = null;
  const one = (iteration: number): void => {
    const random = seededRandom(seed + iteration);
    if (scene === null || iteration % INPUTS_PER_SCENE === 0) scene = newScene();
    const phone = scene.phones[Math.floor(random() * scene.phones.length)]!;
    bytes = damaged(randomMessage(random, phone), random);
    checkParsing(bytes, result);
    checkServer(scene, phone, bytes, random, result);
  };
  const describe = (iteration: number): string =>
    `seed ${seed}, input ${iteration}: ${Buffer.from(bytes).toString('hex')}`;
  eachInTime(iterations, one, describe);
  return result;
}

interface Scene {
  scene: FloorScene;
  phones: Phone[];
}

function newScene(): Scene {
  const scene = new FloorScene();
  const phones = (['UDP', 'TCP', 'UDP'] as const).map((transport, index) => scene.add(`p${index}`, { transport }));
  for (const { path } of phones) path.deliver = () => {};
  return { scene, phones };
}

function randomMessage(random: Random, { ids }: Phone): Uint8Array {
  const below = (limit: number): number => Math.floor(random() * limit);
  const attributes = Array.from({ length: below(4) }, () => randomAttribute(random, 2));
  const primitive = 1 + below(random() < 0.9 ? 17 : 255);
  if (primitive === PRIMITIVE.FloorRequest && random() < 0.9) attributes.unshift({ name: 'floorId', id: 1 });
  return writeMessage({
    ...{ version: random() < 0.5 ? 1 : 2, responder: random() < 0.1, primitive, attributes },
    ...{ conferenceId: ids.conferenceId, userId: ids.userId, transactionId: below(random() < 0.5 ? 8 : 0x10000) },
  });
}

function randomAttribute(random: Random, depth: number): Attribute {
  const below = (limit: number): number => Math.floor(random() * limit);
  const text = 'Ä\u{1f4de} \0x'.repeat(below(4));
  const octets = Uint8Array.from({ length: below(20) }, () => below(256));
  const kinds: (() => Attribute)[] = [
    () => ({ name: 'floorId', id: below(3) }),
    () => ({ name: 'floorRequestId', id: below(20) }),
    () => ({ name: 'beneficiaryId', id: below(0x10000) }),
    () => ({ name: 'priority', priority: below(8) }),
    () => ({ name: 'requestStatus', status: below(256), queuePosition: below(256) }),
    () => ({ name: 'errorCode', code: below(256), details: octets }),
    () => ({ name: 'participantProvidedInfo', text }),
    () => ({ name: 'supportedPrimitives', values: [...octets] }),
    () => ({
      name: 'unknown',
      type: 19 + below(109),
      contents: octets,
      ...(random() < 0.3 ? { mandatory: true } : {}),
    }),
    () => ({
      ...{ name: 'floorRequestInformation', id: below(9) },
      attributes: depth === 0 ? [] : [randomAttribute(random, depth - 1)],
    }),
  ];
  return kinds[below(kinds.length)]!();
}

/** Half of them are as they were. */
function damaged(message: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  let bytes = Uint8Array.from(message);
  if (random() < 0.5) return bytes;
  for (let changes = 1 + Math.floor(random() * 3); changes > 0 && bytes.length > 0; changes--) {
    const at = Math.floor(random() * bytes.length);
    const kind = random();
    if (kind < 0.5) bytes[at] = Math.floor(random() * 256);
    else if (kind < 0.7) bytes = bytes.slice(0, at);
    else if (kind < 0.8) bytes = Uint8Array.from([...bytes, ...bytes.slice(at)]);
    else if (kind < 0.9) bytes[0]! ^= 1 << Math.floor(random() * 8);
    else bytes[3] = Math.floor(random() * 8);
  }
  return bytes;
}

function checkParsing(bytes: Uint8Array, result: BfcpFuzzResult): void {
  const header = parseHeader(bytes, false);
  if (header === null) return;
  const parsed = parseAttributes(bytes.subarray(header.headerBytes));
  if (!parsed.ok) return check(parsed.reason.length > 0, 'a refusal has its reason');
  result.parsed++;
  const message = toMessage(header, parsed.attributes);
  const written = writtenAgain(message);
  if (written === null) return;
  const again = parseAttributes(written.subarray(12));
  check(
    again.ok && JSON.stringify(again.attributes) === JSON.stringify(parsed.attributes),
    'what is written is read as it was',
  );
}

/** Null: texts that were no UTF-8 may be longer than they were. */
function writtenAgain(message: Message): Uint8Array | null {
  try {
    return writeMessage(message);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function checkServer(
  { scene, phones }: Scene,
  phone: Phone,
  bytes: Uint8Array,
  random: Random,
  result: BfcpFuzzResult,
): void {
  const paths = [...phones.map(({ path }) => path)];
  const path = random() < 0.95 ? phone.path : new TestPath(random() < 0.5, '198.51.100.9');
  if (!paths.includes(path)) paths.push(path);
  for (const each of paths) each.said.length = 0;
  const changes = scene.changes.length;
  scene.control.received(bytes, path);
  scene.timers.advance(Math.floor(random() * 400));
  if (random() < 0.02) scene.control.closed(phones[1]!.path);
  const said = paths.flatMap((each) => each.said.map((message) => ({ message, reliable: each.reliable })));
  check(said.length <= MOST_SAID, `${said.length} messages for one`);
  for (const { message, reliable } of said) {
    const header = parseHeader(message, reliable)!;
    check(header.payloadBytes === message.length - 12, 'the server says how long it is');
    check(parseAttributes(message.subarray(12)).ok, 'the server says what can be read');
  }
  result.said += said.length;
  result.changes += scene.changes.length - changes;
  scene.changes.length = 0;
  const holder = scene.control.holder('demo');
  check(holder === null || scene.roomOf.get(holder) === 'demo', 'who has the floor is in the room');
  check(scene.timers.pending <= phones.length, 'a timer for each phone at most');
}

function check(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`broken: ${rule}`);
}
