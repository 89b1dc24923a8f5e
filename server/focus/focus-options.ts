import type { MediaPorts } from '../../mixer/protocol.ts';
import type { Log } from '../log.ts';
import type { Mixers } from '../mixers/mixers.ts';
import type { Room } from '../rooms/room.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { Role } from '../rooms/views.ts';
import type { MediaSession } from '../sdp/media-session.ts';
import type { Call, CallHandler } from '../sip/dialog/call.ts';
import type { Invitee } from '../sip/dialog/outgoing-invites.ts';
import type { SipUri } from '../sip/message/uri.ts';
import type { Timers } from '../timers.ts';
import type { AdhocRooms, Identify } from './admission.ts';
import type { CallObserver } from './call-observer.ts';
import type { FloorControlServing } from './call-slides.ts';
import type { ParticipantCall } from './participant-call.ts';
import type { VideoStreams } from './participant-video.ts';
import type { PinGuard } from './pin-guard.ts';

export interface FocusOptions {
  rooms: Rooms;
  mixers: Mixers;
  video: VideoStreams;
  /** Of slides, asked for at each call; null or left out: there is none. */
  floorControl?: () => FloorControlServing | null;
  timers: Timers;
  log: Log;
  adhocRooms: AdhocRooms;
  /** Asked only where it matters who calls. */
  identify: Identify;
  /** Whether to believe what a peer at this address says of who calls (RFC 3325). */
  isTrusted: (address: string) => boolean;
  pins: PinGuard;
  /** Sends an INVITE; the handler is told what comes of it, never before this returns. */
  call: (invitee: Invitee, handler: CallHandler) => Call;
  /** What we call as. */
  domain: string;
  maxCalls: number;
  /** No call is taken to a mixer that is busier than this, 0–1: those that are up shall stay clean. */
  maxMixerLoad: number;
  /** `peer` is the address that the call comes from, or the host that is called: ours must be of its family. */
  createSession(ports: MediaPorts, peer: string): MediaSession;
  host: FocusHost;
  observer: CallObserver;
  /** Milliseconds since 1970. */
  epochMs: () => number;
  /** The last one has left; what still goes on there should end. */
  emptied(room: Room): void;
}

/** What is done with those whose calls stand. */
export interface FocusHost {
  established(participant: ParticipantCall): void;
  keyPressed(participant: ParticipantCall, key: string): void;
  /** The call is over. */
  left(participant: ParticipantCall): void;
  /** A moderator does not want them here any more; says so, and hangs up. */
  remove(participant: ParticipantCall): void;
}

/** Whom to call into a room. */
export interface Callee {
  readonly uri: SipUri;
  readonly displayName: string | null;
  readonly role: Role;
  /** Default: true. */
  readonly recorded?: boolean;
  /** Whether video is offered; null, as by default: if anybody in the room has it. */
  readonly video?: boolean | null;
  /** Whether a second stream is offered with it, for slides, and floor control; default: false. */
  readonly slides?: boolean;
  /** Must press 1 before they are in. */
  readonly confirm?: boolean;
  /** The participant's, where it called before. */
  readonly id?: string;
  /** Further fields of the INVITE. */
  readonly headers?: ReadonlyArray<readonly [string, string]>;
}
