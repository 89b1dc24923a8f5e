import type { LegStatistics } from '../../mixer/protocol.ts';
import type { CallEnd, IncomingCall } from '../sip/dialog/call.ts';
import type { SipRequest } from '../sip/message/message.ts';
import type { Refusal } from './admission.ts';
import type { ParticipantCall } from './participant-call.ts';
import type { KeyMeans } from './pressed-keys.ts';

/** Told of what becomes of each call, for records and diagnosis. Must not throw, nor take long. */
export interface CallObserver {
  /** Before it is in its room. `invite` is theirs; null for a call that we make. */
  began(participant: ParticipantCall, invite: SipRequest | null): void;
  /** The call stands. */
  established(participant: ParticipantCall): void;
  /** A key was told by this means; told again when it comes by the other one as well. */
  keyTold(participant: ParticipantCall, means: KeyMeans): void;
  /** Once for each that began; its leg is closed. `statistics` are null when the mixer could not say. */
  ended(participant: ParticipantCall, end: CallEnd, statistics: LegStatistics | null): void;
  /** A call was refused at the door; it never began. */
  refused(call: IncomingCall, refusal: Refusal): void;
}
