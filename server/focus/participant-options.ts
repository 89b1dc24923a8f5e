import type { LegStatistics, MediaPorts } from '../../mixer/protocol.ts';
import type { VideoStreamName } from '../../mixer/video-protocol.ts';
import type { Log } from '../log.ts';
import type { Mixers } from '../mixers/mixers.ts';
import type { Room } from '../rooms/room.ts';
import type { Role } from '../rooms/views.ts';
import type { MediaSession } from '../sdp/media-session.ts';
import type { Call, CallEnd, CallHandler, Referral, SdpText } from '../sip/dialog/call.ts';
import type { Timers } from '../timers.ts';
import type { Arrival } from './arrival.ts';
import type { FloorControlServing } from './call-slides.ts';
import type { Caller } from './caller.ts';
import type { ParticipantCall } from './participant-call.ts';
import type { VideoStreams } from './participant-video.ts';
import type { KeyMeans } from './pressed-keys.ts';

/** Whom a participant's doings concern beyond the room. */
export interface ParticipantOwner {
  /** The call stands: to be let in, or asked for what the room wants first. */
  established(participant: ParticipantCall): void;
  /** The participant asks us to call somebody. */
  referred(referral: Referral, participant: ParticipantCall): void;
  keyPressed(participant: ParticipantCall, key: string): void;
  /** By whichever means; told for each of them. */
  keyTold(participant: ParticipantCall, means: KeyMeans): void;
  /** Whether there is this room still. */
  isOpen(room: Room): boolean;
  /** Somebody was moved out of it. */
  vacated(room: Room): void;
  /** Exactly once, when call and leg are gone. */
  gone(participant: ParticipantCall, end: CallEnd, statistics: LegStatistics | null): void;
}

/** Places our call: sends the INVITE with this offer, and tells the handler what comes of it. */
export type PlaceCall = (offer: SdpText, handler: CallHandler) => Call;

export interface ParticipantCallOptions {
  id: string;
  who: Caller;
  role: Role;
  arrival: Arrival;
  room: Room;
  /** The participant whose place this one takes, once the call stands (RFC 3891). */
  replaces: ParticipantCall | null;
  /** What comes of a call of ours, as SIP responses: for the one who asked for it. */
  report: ((status: number, reason: string) => void) | null;
  owner: ParticipantOwner;
  mixers: Mixers;
  video: VideoStreams;
  /** Of slides; null or left out: there is none. */
  floorControl?: FloorControlServing | null;
  /** The streams of video that whom we call is offered. */
  offers: readonly VideoStreamName[];
  timers: Timers;
  log: Log;
  /** Milliseconds since 1970. */
  epochMs: () => number;
  createSession(ports: MediaPorts, peer: string): MediaSession;
}
