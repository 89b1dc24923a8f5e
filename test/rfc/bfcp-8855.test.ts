import { describe, expect, test } from 'vitest';
import { ATTRIBUTE, type Attribute, ERROR_CODE, PRIMITIVE, REQUEST_STATUS } from '../../server/bfcp/message.ts';
import { parseAttributes, parseHeader } from '../../server/bfcp/parse-message.ts';
import { writeMessage } from '../../server/bfcp/write-message.ts';

/** The numbers of RFC 8855, as its tables have them, and its pictures as octets. */

const TABLE_1 = [
  ...['FloorRequest', 'FloorRelease', 'FloorRequestQuery', 'FloorRequestStatus', 'UserQuery', 'UserStatus'],
  ...['FloorQuery', 'FloorStatus', 'ChairAction', 'ChairActionAck', 'Hello', 'HelloAck', 'Error'],
  ...['FloorRequestStatusAck', 'FloorStatusAck', 'Goodbye', 'GoodbyeAck'],
];
const TABLE_2 = [
  ...['BENEFICIARY-ID', 'FLOOR-ID', 'FLOOR-REQUEST-ID', 'PRIORITY', 'REQUEST-STATUS', 'ERROR-CODE', 'ERROR-INFO'],
  ...['PARTICIPANT-PROVIDED-INFO', 'STATUS-INFO', 'SUPPORTED-ATTRIBUTES', 'SUPPORTED-PRIMITIVES'],
  ...['USER-DISPLAY-NAME', 'USER-URI', 'BENEFICIARY-INFORMATION', 'FLOOR-REQUEST-INFORMATION'],
  ...['REQUESTED-BY-INFORMATION', 'FLOOR-REQUEST-STATUS', 'OVERALL-REQUEST-STATUS'],
];
const TABLE_4 = ['Pending', 'Accepted', 'Granted', 'Denied', 'Cancelled', 'Released', 'Revoked'];
const TABLE_5 = [
  ...['Conference Does Not Exist', 'User Does Not Exist', 'Unknown Primitive', 'Unknown Mandatory Attribute'],
  ...['Unauthorized Operation', 'Invalid Floor ID', 'Floor Request ID Does Not Exist'],
  'Too Many Floor Requests',
  ...['Use TLS', 'Unable To Parse', 'Use DTLS', 'Unsupported Version', 'Incorrect Length', 'Generic Error'],
];

const plain = (name: string): string => name.replace(/[^a-z]/gi, '').toLowerCase();
const numbered = (names: readonly string[]) => names.map((name, index) => [plain(name), index + 1]);

test.each<[string, object, string[]]>([
  ['primitives', PRIMITIVE, TABLE_1],
  ['attributes', ATTRIBUTE, TABLE_2],
  ['request statuses', REQUEST_STATUS, TABLE_4],
  ['error codes', ERROR_CODE, TABLE_5],
])('%s have their numbers', (_, ours, table) => {
  expect(Object.entries(ours).map(([name, value]) => [plain(name), value])).toEqual(numbered(table));
});

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));

describe('the common header', () => {
  test('over TCP: version 1, twelve octets, the length in units of four (§5.1)', () => {
    // Ver 1 | FloorRequest | 1 · Conference 0x0a0b0c0d · Transaction 0x0102 · User 0x0304 · FLOOR-ID 1
    const bytes = octets('20 01 0001 0a0b0c0d 0102 0304 04 04 0001');
    expect(parseHeader(bytes, true)).toEqual({
      ...{ version: 1, responder: false, primitive: 1, conferenceId: 0x0a0b0c0d, transactionId: 0x0102 },
      ...{ userId: 0x0304, payloadBytes: 4, fragment: null, headerBytes: 12 },
    });
    const head = { version: 1, responder: false, primitive: 1, conferenceId: 0x0a0b0c0d };
    const ids = { transactionId: 0x0102, userId: 0x0304 };
    expect(writeMessage({ ...head, ...ids, attributes: [{ name: 'floorId', id: 1 }] })).toEqual(bytes);
  });

  test('over UDP: version 2, the flags R and F, and the fields of a fragment', () => {
    expect(parseHeader(octets('50 0c 0000 00000001 0001 0001'), false)).toMatchObject({ version: 2, responder: true });
    expect(parseHeader(octets('48 01 0004 00000001 0001 0001 0002 0002'), false)).toMatchObject({
      ...{ responder: false, payloadBytes: 16, fragment: { offset: 8, length: 8 }, headerBytes: 16 },
    });
  });
});

describe('attributes (§5.2)', () => {
  test.each<[string, string, Attribute]>([
    ['priority has 3 bits', '08 04 8000', { name: 'priority', priority: 4 }],
    [
      'a request status has its place in the queue',
      '0a 04 01 02',
      { name: 'requestStatus', status: 1, queuePosition: 2 },
    ],
    ['texts are padded, and the length does not say so', '0e 03 41 00', { name: 'errorInfo', text: 'A' }],
    ['supported attributes have 7 bits each', '14 04 04 06', { name: 'supportedAttributes', values: [2, 3] }],
    [
      'the length of a group says the padding within it',
      '1c 0c 0005 18 05 416e6e 000000',
      {
        ...{ name: 'beneficiaryInformation', id: 5 },
        attributes: [{ name: 'userDisplayName', text: 'Ann' }],
      },
    ],
    [
      'an error has the types that were not understood',
      '0c 05 04 c8 ca 000000',
      { name: 'errorCode', code: 4, details: Uint8Array.of(0xc8, 0xca) },
    ],
  ])('%s', (_, hex, attribute) => {
    expect(parseAttributes(octets(hex))).toMatchObject({ ok: true, attributes: [attribute] });
    const head = { version: 1, responder: false, primitive: 13, conferenceId: 1, transactionId: 1, userId: 1 };
    expect(writeMessage({ ...head, attributes: [attribute] }).subarray(12)).toEqual(octets(hex));
  });
});
