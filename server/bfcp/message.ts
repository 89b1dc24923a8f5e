/** Messages of the Binary Floor Control Protocol (RFC 8855 §5) as plain data. */

/** RFC 8855 §5.1, Table 1; the last four are for UDP alone. */
export const PRIMITIVE = {
  FloorRequest: 1,
  FloorRelease: 2,
  FloorRequestQuery: 3,
  FloorRequestStatus: 4,
  UserQuery: 5,
  UserStatus: 6,
  FloorQuery: 7,
  FloorStatus: 8,
  ChairAction: 9,
  ChairActionAck: 10,
  Hello: 11,
  HelloAck: 12,
  Error: 13,
  FloorRequestStatusAck: 14,
  FloorStatusAck: 15,
  Goodbye: 16,
  GoodbyeAck: 17,
} as const;

/** RFC 8855 §5.2, Table 2. */
export const ATTRIBUTE = {
  beneficiaryId: 1,
  floorId: 2,
  floorRequestId: 3,
  priority: 4,
  requestStatus: 5,
  errorCode: 6,
  errorInfo: 7,
  participantProvidedInfo: 8,
  statusInfo: 9,
  supportedAttributes: 10,
  supportedPrimitives: 11,
  userDisplayName: 12,
  userUri: 13,
  beneficiaryInformation: 14,
  floorRequestInformation: 15,
  requestedByInformation: 16,
  floorRequestStatus: 17,
  overallRequestStatus: 18,
} as const;

/** RFC 8855 §5.2.5, Table 4. */
export const REQUEST_STATUS = {
  pending: 1,
  accepted: 2,
  granted: 3,
  denied: 4,
  cancelled: 5,
  released: 6,
  revoked: 7,
} as const;
export type RequestStatusName = keyof typeof REQUEST_STATUS;

/** RFC 8855 §5.2.6, Table 5. */
export const ERROR_CODE = {
  conferenceDoesNotExist: 1,
  userDoesNotExist: 2,
  unknownPrimitive: 3,
  unknownMandatoryAttribute: 4,
  unauthorizedOperation: 5,
  invalidFloorId: 6,
  floorRequestIdDoesNotExist: 7,
  tooManyFloorRequests: 8,
  useTls: 9,
  unableToParse: 10,
  useDtls: 11,
  unsupportedVersion: 12,
  incorrectLength: 13,
  genericError: 14,
} as const;
export type ErrorName = keyof typeof ERROR_CODE;

export const HEADER_BYTES = 12;
/** With the two fields of a fragment. */
export const FRAGMENT_HEADER_BYTES = 16;

/** The common header (RFC 8855 §5.1), all but its lengths. */
export interface MessageHeader {
  /** 1: RFC 4582, over TCP; 2: RFC 8855, over UDP. */
  version: number;
  /** R: belongs to a transaction of the other side. Means something over UDP only. */
  responder: boolean;
  /** See `PRIMITIVE`; also ones that are not there. */
  primitive: number;
  /** 32 bits. */
  conferenceId: number;
  /** 16 bits; 0 over TCP in what the server says unasked. */
  transactionId: number;
  /** 16 bits. */
  userId: number;
}

export interface Message extends MessageHeader {
  attributes: Attribute[];
}

/** `mandatory`: who does not know the attribute must refuse the message; counts for those that the RFC does not have. */
export type Attribute = { mandatory?: boolean } & (
  | { name: 'beneficiaryId' | 'floorId' | 'floorRequestId'; id: number }
  /** 0 (lowest) to 4 (highest). */
  | { name: 'priority'; priority: number }
  | { name: 'requestStatus'; status: number; queuePosition: number }
  | { name: 'errorCode'; code: number; details: Uint8Array }
  | { name: TextName; text: string }
  /** Attribute types, or primitives. */
  | { name: 'supportedAttributes' | 'supportedPrimitives'; values: number[] }
  | { name: GroupName; id: number; attributes: Attribute[] }
  | { name: 'unknown'; type: number; contents: Uint8Array }
);

export type TextName = 'errorInfo' | 'participantProvidedInfo' | 'statusInfo' | 'userDisplayName' | 'userUri';
/** The id is of the user, the floor request, the user, the floor and the floor request, in this order. */
export type GroupName =
  | ('beneficiaryInformation' | 'floorRequestInformation' | 'requestedByInformation')
  | ('floorRequestStatus' | 'overallRequestStatus');
export type AttributeName = keyof typeof ATTRIBUTE;

/** Ids of all attributes of that name, in their order. */
export function idsOf({ attributes }: Message, name: 'beneficiaryId' | 'floorId' | 'floorRequestId'): number[] {
  return attributes.flatMap((attribute) => (attribute.name === name ? [attribute.id] : []));
}

/** For logs. */
export function primitiveName(primitive: number): string {
  const found = Object.entries(PRIMITIVE).find(([, value]) => value === primitive);
  return found?.[0] ?? `primitive ${primitive}`;
}
