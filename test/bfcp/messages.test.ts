import { describe, expect, test } from 'vitest';
import { Reassembly, splitMessage } from '../../server/bfcp/fragments.ts';
import type { Attribute, Message } from '../../server/bfcp/message.ts';
import { parseAttributes, parseHeader, toMessage } from '../../server/bfcp/parse-message.ts';
import { fitted, writeMessage } from '../../server/bfcp/write-message.ts';
import { seededRandom } from '../sdp/random-description.ts';

const HEAD = { version: 2, responder: false, primitive: 8, conferenceId: 0xfedcba98, transactionId: 7, userId: 0xff01 };

const EVERYTHING: Attribute[] = [
  { name: 'beneficiaryId', id: 0xffff },
  { name: 'floorId', id: 1 },
  { name: 'floorRequestId', id: 258 },
  { name: 'priority', priority: 4 },
  { name: 'requestStatus', status: 3, queuePosition: 255 },
  { name: 'errorCode', code: 4, details: Uint8Array.of(0x60, 0x62, 0x64) },
  { name: 'errorInfo', text: 'ä' },
  { name: 'participantProvidedInfo', text: 'ab' },
  { name: 'statusInfo', text: 'abc' },
  { name: 'supportedAttributes', values: [1, 2, 18] },
  { name: 'supportedPrimitives', values: [1, 17] },
  { name: 'userDisplayName', text: '\u{1f4de} Ann' },
  { name: 'userUri', text: 'sip:ann@example.com' },
  {
    name: 'floorRequestInformation',
    id: 9,
    attributes: [
      {
        name: 'overallRequestStatus',
        id: 9,
        attributes: [
          { name: 'requestStatus', status: 3, queuePosition: 0 },
          { name: 'statusInfo', text: 'x' },
        ],
      },
      { name: 'floorRequestStatus', id: 1, attributes: [{ name: 'requestStatus', status: 3, queuePosition: 0 }] },
      { name: 'beneficiaryInformation', id: 5, attributes: [{ name: 'userDisplayName', text: 'Ben' }] },
      { name: 'requestedByInformation', id: 6, attributes: [{ name: 'userUri', text: 'sip:c@d' }] },
      { name: 'priority', priority: 2 },
    ],
  },
  { name: 'unknown', type: 100, contents: Uint8Array.of(1, 2, 3) },
];

function read(bytes: Uint8Array): Message {
  const header = parseHeader(bytes, false)!;
  const parsed = parseAttributes(bytes.subarray(header.headerBytes));
  if (!parsed.ok) throw new Error(parsed.reason);
  return toMessage(header, parsed.attributes);
}

describe('a message', () => {
  test('is read as it was written, with every attribute that there is', () => {
    const message = { ...HEAD, attributes: EVERYTHING };
    const bytes = writeMessage(message);
    expect(bytes.length % 4).toBe(0);
    expect(read(bytes)).toEqual(message);
    expect(parseHeader(bytes, false)).toMatchObject({ payloadBytes: bytes.length - 12, fragment: null });
  });

  test('over TCP has neither flags nor fragments, whatever its bits say', () => {
    const bytes = writeMessage({ ...HEAD, responder: true, attributes: [] });
    bytes[0]! |= 0x08;
    expect(parseHeader(bytes, true)).toMatchObject({ responder: false, fragment: null, headerBytes: 12 });
    // Over UDP the fields of a fragment would follow.
    expect(parseHeader(bytes, false)).toBeNull();
  });

  test('whose header is not all there is none yet', () => {
    const bytes = writeMessage({ ...HEAD, attributes: [] });
    for (let length = 0; length < 12; length++) expect(parseHeader(bytes.subarray(0, length), false)).toBeNull();
  });

  test('cannot be longer than its lengths can say', () => {
    const long: Attribute = { name: 'statusInfo', text: 'x'.repeat(254) };
    expect(() => writeMessage({ ...HEAD, attributes: [long] })).toThrow(RangeError);
    const most: Attribute = { name: 'statusInfo', text: 'x'.repeat(253) };
    expect(read(writeMessage({ ...HEAD, attributes: [most] })).attributes).toEqual([most]);
    expect(() => writeMessage({ ...HEAD, attributes: new Array(1024).fill(most) })).toThrow(RangeError);
  });

  test('has texts that are cut between characters', () => {
    expect([fitted('abc', 3), fitted('aä', 2), fitted('\u{1f4de}\u{1f4de}', 7), fitted('a', 0)]).toEqual([
      'abc',
      'a',
      '\u{1f4de}',
      '',
    ]);
  });
});

describe('attributes that nobody knows', () => {
  const of = (type: number, mandatory: boolean): Attribute => ({
    ...{ name: 'unknown', type, contents: new Uint8Array(1) },
    ...(mandatory ? { mandatory } : {}),
  });
  const groupOf = (...attributes: Attribute[]): Attribute => ({ name: 'beneficiaryInformation', id: 1, attributes });

  test('are told where they must be known, at any depth', () => {
    const bytes = writeMessage({ ...HEAD, attributes: [of(90, false), of(91, true), groupOf(of(92, true))] });
    expect(parseAttributes(bytes.subarray(12))).toMatchObject({ ok: true, unknownMandatory: [91, 92] });
  });

  test('of the RFC the flag says nothing', () => {
    const attribute: Attribute = { name: 'floorId', id: 1, mandatory: true };
    const bytes = writeMessage({ ...HEAD, attributes: [attribute] });
    expect(parseAttributes(bytes.subarray(12))).toEqual({ ok: true, attributes: [attribute], unknownMandatory: [] });
  });
});

describe.each<[string, number[]]>([
  ['no length', [0x04]],
  ['a length below its own header', [0x04, 1, 0, 0]],
  ['a length of 0, which would never end', [0x04, 0, 0, 0]],
  ['a length beyond the message', [0x04, 5, 0, 1]],
  ['no room for what it must have', [0x04, 2, 0, 0]],
  ['no code of an error', [0x0c, 2, 0, 0]],
  ['a group without an id', [0x1c, 2, 0, 0]],
  ['one in a group that goes beyond it', [0x1c, 8, 0, 1, 0x18, 5, 65, 65]],
  ['groups within groups within groups', [0x1c, 16, 0, 1, 0x1c, 12, 0, 1, 0x1c, 8, 0, 1, 0x1c, 4, 0, 1]],
])('an attribute with %s', (_, octets) => {
  test('is refused, with the reason', () => {
    const parsed = parseAttributes(Uint8Array.from(octets));
    expect(parsed).toMatchObject({ ok: false, reason: expect.stringMatching(/\w/) });
  });
});

describe('fragments', () => {
  const message = writeMessage({
    ...HEAD,
    attributes: new Array(20).fill({ name: 'statusInfo', text: 'y'.repeat(250) }),
  });
  const add = (reassembly: Reassembly, piece: Uint8Array) => {
    const header = parseHeader(piece, false)!;
    return reassembly.add(header, piece.subarray(header.headerBytes));
  };

  test('are as long as they may be, and make the whole in any order, also when they come twice', () => {
    const pieces = splitMessage(message, 1200);
    expect(pieces.length).toBe(5);
    for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(1200);
    const random = seededRandom(1);
    for (let round = 0; round < 50; round++) {
      const reassembly = new Reassembly(8192);
      const shuffled = [...pieces, ...pieces.slice(0, 2)].sort(() => random() - 0.5);
      const whole = shuffled.map((piece) => add(reassembly, piece)).find((payload) => payload !== null);
      expect(Buffer.compare(whole!, message.subarray(12))).toBe(0);
    }
  });

  test('of a message that fits are not made', () => {
    expect(splitMessage(message, message.length)).toEqual([message]);
  });

  test('of two messages are not mixed: the later one counts', () => {
    const reassembly = new Reassembly(8192);
    const [first, ...rest] = splitMessage(message, 1200);
    const others = splitMessage(Uint8Array.from(message), 1200).map((piece) => {
      const other = Uint8Array.from(piece);
      other[9] = 99;
      return other;
    });
    add(reassembly, first!);
    add(reassembly, others[0]!);
    for (const piece of rest) expect(add(reassembly, piece)).toBeNull();
  });

  test.each<[string, number[]]>([
    ['longer than anything that is said', [0xff, 0xff, 0, 0, 0, 1]],
    ['beyond the end', [0, 2, 0, 2, 0, 1]],
    ['longer than it says', [0, 9, 0, 0, 0, 2]],
    ['empty', [0, 9, 0, 0, 0, 0]],
  ])('%s are passed over', (_, [high, low, ...fields]) => {
    const piece = Uint8Array.of(0x48, 1, high!, low!, 0, 0, 0, 1, 0, 1, 0, 1, ...fields, 0, 0, 0, 0);
    expect(add(new Reassembly(8192), piece)).toBeNull();
  });
});
