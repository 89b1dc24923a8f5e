import type { Saying } from './association.ts';
import {
  ATTRIBUTE,
  type Attribute,
  ERROR_CODE,
  type ErrorName,
  PRIMITIVE,
  REQUEST_STATUS,
  type RequestStatusName,
} from './message.ts';
import { fitted } from './write-message.ts';

/** What a floor control server says (RFC 8855 §5.3). */

/** A request for the floor, as one is told of it. */
export interface FloorRequestView {
  requestId: number;
  floorId: number;
  status: RequestStatusName;
  /** Who has it, or wants it; null: the one who is told. */
  beneficiary: { userId: number; name: string | null } | null;
  /** Why; null: nothing to say. */
  info?: string | null;
}

/** In all, a request must fit into an attribute of 255 octets. */
const MAX_NAME_BYTES = 64;
const MAX_INFO_BYTES = 64;
const MAX_ERROR_BYTES = 200;

/** What we take of them; the rest is ours to say. */
const TAKEN = [
  ...[PRIMITIVE.FloorRequest, PRIMITIVE.FloorRelease, PRIMITIVE.FloorRequestQuery, PRIMITIVE.UserQuery],
  ...[PRIMITIVE.FloorQuery, PRIMITIVE.Hello, PRIMITIVE.Error],
];
const SAID = [...[PRIMITIVE.FloorRequestStatus, PRIMITIVE.UserStatus, PRIMITIVE.FloorStatus, PRIMITIVE.HelloAck]];
const OVER_UDP = [
  ...[PRIMITIVE.FloorRequestStatusAck, PRIMITIVE.FloorStatusAck, PRIMITIVE.Goodbye, PRIMITIVE.GoodbyeAck],
];

export function helloAck(reliable: boolean): Saying {
  const primitives = [...TAKEN, ...SAID, ...(reliable ? [] : OVER_UDP)].sort((a, b) => a - b);
  return {
    primitive: PRIMITIVE.HelloAck,
    attributes: [
      { name: 'supportedPrimitives', values: primitives },
      { name: 'supportedAttributes', values: Object.values(ATTRIBUTE) },
    ],
  };
}

export function goodbyeAck(): Saying {
  return { primitive: PRIMITIVE.GoodbyeAck, attributes: [] };
}

export function floorRequestStatus(request: FloorRequestView): Saying {
  return { primitive: PRIMITIVE.FloorRequestStatus, attributes: [information(request)] };
}

/** Null: nobody has the floor. */
export function floorStatus(floorId: number, request: FloorRequestView | null): Saying {
  const requests = request === null ? [] : [information(request)];
  return { primitive: PRIMITIVE.FloorStatus, attributes: [{ name: 'floorId', id: floorId }, ...requests] };
}

/** To a FloorQuery that asks for no floor (RFC 8855 §12.2). */
export function noFloorStatus(): Saying {
  return { primitive: PRIMITIVE.FloorStatus, attributes: [] };
}

export function userStatus(user: { userId: number; name: string | null }, request: FloorRequestView | null): Saying {
  return {
    primitive: PRIMITIVE.UserStatus,
    attributes: [beneficiary(user), ...(request === null ? [] : [information(request)])],
  };
}

export function failure(error: ErrorName, info: string, details = new Uint8Array(0)): Saying {
  return {
    primitive: PRIMITIVE.Error,
    attributes: [
      { name: 'errorCode', code: ERROR_CODE[error], details },
      { name: 'errorInfo', text: fitted(info, MAX_ERROR_BYTES) },
    ],
  };
}

/** The details are the types, as they stand in attributes (RFC 8855 §5.2.6.1). */
export function unknownAttributes(types: readonly number[]): Saying {
  const known = [...new Set(types)].slice(0, 64);
  return failure(
    'unknownMandatoryAttribute',
    'unknown attributes',
    Uint8Array.from(known, (type) => type << 1),
  );
}

function information({ requestId, floorId, status, beneficiary: who, info = null }: FloorRequestView): Attribute {
  const statusNow: Attribute = { name: 'requestStatus', status: REQUEST_STATUS[status], queuePosition: 0 };
  const why: Attribute[] = info === null ? [] : [{ name: 'statusInfo', text: fitted(info, MAX_INFO_BYTES) }];
  return {
    name: 'floorRequestInformation',
    id: requestId,
    attributes: [
      { name: 'overallRequestStatus', id: requestId, attributes: [statusNow, ...why] },
      { name: 'floorRequestStatus', id: floorId, attributes: [statusNow] },
      ...(who === null ? [] : [beneficiary(who)]),
    ],
  };
}

function beneficiary({ userId, name }: { userId: number; name: string | null }): Attribute {
  const named: Attribute[] = name === null ? [] : [{ name: 'userDisplayName', text: fitted(name, MAX_NAME_BYTES) }];
  return { name: 'beneficiaryInformation', id: userId, attributes: named };
}
