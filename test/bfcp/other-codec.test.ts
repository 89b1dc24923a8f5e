import { describe, expect, test } from 'vitest';
import type { Attribute } from '../../server/bfcp/message.ts';
import { PRIMITIVE } from '../../server/bfcp/message.ts';
import { parseAttributes, parseHeader } from '../../server/bfcp/parse-message.ts';
import { failure, floorStatus, helloAck, unknownAttributes } from '../../server/bfcp/sayings.ts';
import { writeMessage } from '../../server/bfcp/write-message.ts';
import { loadLibre, type OtherAttribute } from './libre.ts';

const libre = loadLibre();

const number16 = (value: number): Uint8Array => new Uint8Array(Uint16Array.of(value).buffer);
const text = (value: string): Uint8Array => Buffer.from(`${value}\0`);

/** What libre takes, and what we make of what it wrote. */
const CASES: [string, OtherAttribute, Attribute][] = [
  ['BENEFICIARY-ID', { type: 1, value: number16(77) }, { name: 'beneficiaryId', id: 77 }],
  ['FLOOR-ID', { type: 2, value: number16(1) }, { name: 'floorId', id: 1 }],
  ['FLOOR-REQUEST-ID', { type: 3, value: number16(65_535) }, { name: 'floorRequestId', id: 65_535 }],
  ['PRIORITY', { type: 4, value: new Uint8Array(Int32Array.of(4).buffer) }, { name: 'priority', priority: 4 }],
  ['ERROR-INFO', { type: 7, value: text('no') }, { name: 'errorInfo', text: 'no' }],
  ['PARTICIPANT-PROVIDED-INFO', { type: 8, value: text('ä') }, { name: 'participantProvidedInfo', text: 'ä' }],
  ['STATUS-INFO', { type: 9, value: text('x') }, { name: 'statusInfo', text: 'x' }],
  ['USER-DISPLAY-NAME', { type: 12, value: text('Ann') }, { name: 'userDisplayName', text: 'Ann' }],
  ['USER-URI', { type: 13, value: text('sip:a@b') }, { name: 'userUri', text: 'sip:a@b' }],
  [
    'FLOOR-REQUEST-INFORMATION',
    {
      ...{ type: 15, value: number16(9) },
      within: [
        { type: 17, value: number16(1), within: [{ type: 9, value: text('why') }] },
        { type: 14, value: number16(3), within: [{ type: 12, value: text('Ben') }] },
      ],
    },
    {
      ...{ name: 'floorRequestInformation', id: 9 },
      attributes: [
        { name: 'floorRequestStatus', id: 1, attributes: [{ name: 'statusInfo', text: 'why' }] },
        { name: 'beneficiaryInformation', id: 3, attributes: [{ name: 'userDisplayName', text: 'Ben' }] },
      ],
    },
  ],
];

describe.runIf(libre !== null)('what libre writes', () => {
  test.each(CASES)('%s is read, and written with the same octets', (_, theirs, ours) => {
    const bytes = libre!.encode({ version: 2, responder: true, primitive: 4 }, [theirs]);
    expect(parseHeader(bytes, false)).toMatchObject({
      ...{ version: 2, responder: true, primitive: 4, conferenceId: 0x01020304, transactionId: 5, userId: 6 },
      ...{ payloadBytes: bytes.length - 12, fragment: null },
    });
    expect(parseAttributes(bytes.subarray(12))).toEqual({ ok: true, attributes: [ours], unknownMandatory: [] });
    const head = { version: 2, responder: true, primitive: 4, conferenceId: 0x01020304, transactionId: 5, userId: 6 };
    expect(writeMessage({ ...head, attributes: [ours] })).toEqual(bytes);
  });
});

describe.runIf(libre !== null)('what the server says, libre reads as', () => {
  const head = { version: 1, responder: false, conferenceId: 40, transactionId: 2, userId: 8 };
  const printed = ({ primitive, attributes }: { primitive: number; attributes: Attribute[] }): string[] =>
    libre!
      .print(writeMessage({ ...head, primitive, attributes }))
      .split('\n')
      .map((line) => line.trim().replace(/ +/g, ' '))
      .filter((line) => line !== '');

  test('the floor that somebody has', () => {
    const beneficiary = { userId: 12, name: 'Ann Ü' };
    expect(printed(floorStatus(1, { requestId: 3, floorId: 1, status: 'granted', beneficiary }))).toEqual([
      'FloorStatus (confid=40 tid=2 userid=8)',
      'FLOOR-ID 1',
      'FLOOR-REQUEST-INFORMATION floor-request-id=3',
      'OVERALL-REQUEST-STATUS floor-request-id=3',
      'REQUEST-STATUS Granted (3), qpos=0',
      'FLOOR-REQUEST-STATUS floor-id=1',
      'REQUEST-STATUS Granted (3), qpos=0',
      'BENEFICIARY-INFORMATION beneficiary-id=12',
      'USER-DISPLAY-NAME "Ann Ü"',
    ]);
  });

  test('what it can do', () => {
    const [, primitives, attributes] = printed(helloAck(false));
    for (const name of Object.keys(PRIMITIVE)) {
      if (!name.startsWith('Chair')) expect(primitives).toContain(` ${name}`);
    }
    expect(attributes).toContain('18: BENEFICIARY-ID FLOOR-ID');
    expect(attributes).not.toContain('?');
  });

  test('errors', () => {
    expect(printed(failure('unsupportedVersion', 'version 5'))).toEqual([
      'Error (confid=40 tid=2 userid=8)',
      'ERROR-CODE 12 (Unsupported Version)',
      'ERROR-INFO "version 5"',
    ]);
    expect(printed(unknownAttributes([2, 2, 18]))[1]).toBe(
      'ERROR-CODE 4 (Unknown Mandatory Attribute) FLOOR-ID OVERALL-REQUEST-STATUS',
    );
  });
});
