import type { Role } from '../rooms/views.ts';

/** Who ended a call: the one who called or was called, this server, or neither, as something was not to be reached. */
export type EndedBy = 'participant' | 'server' | 'network';

/** What is kept of a call that is over; flat, so that it is a line of a table as well. Times are ISO 8601. */
export interface CallRecord {
  /** The conference that the participant was in first; null: in none. */
  conference: string | null;
  /** The room that was called, or called from; what was dialled, when the call was refused at the door. */
  room: string;
  /** All that the participant was moved through, the first too. */
  rooms: string[];
  /** Null when the call was refused at the door. */
  participant: string | null;
  direction: 'in' | 'out';
  uri: string;
  displayName: string | null;
  role: Role | null;
  transport: string | null;
  sourceAddress: string | null;
  sourcePort: number | null;
  userAgent: string | null;
  callId: string;
  startedAt: string;
  /** Null when it was not answered. */
  answeredAt: string | null;
  endedAt: string;
  /** From the INVITE to the answer, or to the end. */
  ringingMs: number;
  connectedMs: number;
  codecSent: string | null;
  codecReceived: string | null;
  /** Crypto suite; null: not encrypted. */
  srtp: string | null;
  /** Scores of the E-model, 1 to 4.5: what we got from the participant, and what the participant got from us. */
  mosReceived: number | null;
  mosSent: number | null;
  lossReceivedPercent: number | null;
  lossSentPercent: number | null;
  jitterReceivedMs: number | null;
  jitterSentMs: number | null;
  roundTripMs: number | null;
  packetsReceived: number | null;
  packetsSent: number | null;
  cause: string;
  /** SIP status that the call was refused with. */
  status: number | null;
  reason: string | null;
  endedBy: EndedBy;
}

/** From when somebody was in a room until nobody was. */
export interface ConferenceRecord {
  conference: string;
  room: string;
  startedAt: string;
  endedAt: string;
  durationMs: number;
  /** How often somebody entered. */
  entries: number;
  /** How many were in it at a time, at most. */
  mostParticipants: number;
  /** Ids. */
  recordings: string[];
}

/** As they are read: with the number that they have in their list. */
export type StoredCall = CallRecord & { id: string };
export type StoredConference = ConferenceRecord & { id: string };

/** Where a page ends: the key of its last record. */
export interface RecordCursor {
  endedMs: number;
  id: number;
}

/** Null: does not matter. */
export interface RecordQuery {
  room: string | null;
  /** Of the end, inclusive; milliseconds since 1970. */
  fromMs: number | null;
  /** Exclusive. */
  toMs: number | null;
  after: RecordCursor | null;
  limit: number;
}

export interface CallQuery extends RecordQuery {
  /** `alice`, `alice@example.com` or the same as a SIP URI. */
  user: string | null;
}

/** Up to `limit` in the order of their ends, and the cursor of the last one when there may be more. */
export interface RecordPage<Item> {
  items: Item[];
  next: RecordCursor | null;
}

/** What is asked of the records from outside. */
export interface RecordControl {
  calls(query: CallQuery): RecordPage<StoredCall>;
  conferences(query: RecordQuery): RecordPage<StoredConference>;
}
