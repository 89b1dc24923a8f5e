import type { RoomPolicy } from '../rooms/policy.ts';
import type {
  ParticipantDetails,
  ParticipantView,
  RecordingView,
  Role,
  RoomDetails,
  RoomView,
} from '../rooms/views.ts';

/** Every way in which a command to the conference can fail; HTTP gives each a status and documents it. */
export type ControlErrorCode =
  | 'room-not-found'
  | 'room-exists'
  | 'room-name-invalid'
  | 'participant-not-found'
  | 'participant-uri-invalid'
  | 'participant-not-waiting'
  | 'participant-elsewhere'
  | 'room-policy-invalid'
  | 'room-is-breakout'
  | 'prompt-not-found'
  | 'announcement-not-found'
  | 'room-full'
  | 'server-full'
  | 'recording-not-found'
  | 'recording-running'
  | 'recording-not-running'
  | 'recording-unavailable'
  | 'recording-empty'
  | 'mixer-unavailable'
  | 'user-not-found'
  | 'user-name-invalid';

export class ControlError extends Error {
  readonly code: ControlErrorCode;

  constructor(code: ControlErrorCode, message: string) {
    super(message);
    this.name = 'ControlError';
    this.code = code;
  }
}

export interface ParticipantPatch {
  /** By a moderator; what they muted themselves stays. */
  muted?: boolean | undefined;
  deaf?: boolean | undefined;
  /** Gain on what they send. */
  gainDb?: number | undefined;
  /** Gain on what they hear. */
  volumeDb?: number | undefined;
  role?: Role | undefined;
  hand?: boolean | undefined;
  /** Participants of the room who alone hear this one; null: all do. */
  speaksTo?: string[] | null | undefined;
  /** To another room. */
  room?: string | undefined;
  /** Out of the lobby, or from waiting for a moderator. */
  admitted?: true | undefined;
}

/** Whom to call into a room. */
export interface NewParticipant {
  uri: string;
  displayName: string | null;
  role: Role;
  /** They must press 1 before they are in. */
  confirm: boolean;
  /** How often they are called again when nothing came of it. */
  retries: number;
  retryAfterS: number;
}

/** One of `prompt` and `recording` is given, the other null. */
export interface NewAnnouncement {
  prompt: string | null;
  /** The id of one of this room that has ended. */
  recording: string | null;
  /** Who alone hears it; null: all. */
  participant: string | null;
  gainDb: number;
  /** Until it is removed. */
  repeat: boolean;
}

export interface Announcement extends NewAnnouncement {
  id: string;
  room: string;
}

export interface BreakoutGroup {
  /** The room's name; undefined: one is made of that of the room. */
  name?: string | undefined;
  participants: readonly string[];
}

export type RecordingFormat = 'wav' | 'mp4' | 'mka';

export interface RecordingFile {
  path: string;
  contentType: string;
  fileName: string;
}

/** What may be done to conferences from outside SIP. All failures are `ControlError`s. */
export interface ConferenceControl {
  rooms(): RoomView[];
  room(name: string): RoomView;
  createRoom(name: string, policy: Partial<RoomPolicy>): RoomView;
  updateRoom(name: string, policy: Partial<RoomPolicy>): RoomView;
  /** Hangs up on everybody in it. A configured room stays, empty. */
  deleteRoom(name: string): Promise<void>;
  /** With the PINs, for who may know them. */
  roomDetails(name: string): RoomDetails;
  /** Says that the conference ends, and hangs up on everybody, in breakout rooms too. The room stays. */
  endConference(name: string): Promise<void>;
  announce(room: string, announcement: NewAnnouncement): Promise<Announcement>;
  stopAnnouncement(room: string, id: string): void;
  openBreakouts(room: string, groups: readonly BreakoutGroup[]): Promise<RoomView[]>;
  /** All come back. */
  closeBreakouts(room: string): Promise<void>;
  participant(room: string, id: string): Promise<ParticipantDetails>;
  updateParticipant(room: string, id: string, patch: ParticipantPatch): Promise<ParticipantView>;
  /** Calls somebody. The participant is there at once, `connecting`, and leaves again when nothing comes of the call. */
  addParticipant(room: string, participant: NewParticipant): ParticipantView;
  /** Hangs up; nobody calls them again. The reason goes into the log and the BYE. */
  removeParticipant(room: string, id: string, reason?: string): Promise<void>;
  muteAll(room: string, muted: boolean, except: 'moderators' | readonly string[]): Promise<void>;
  startRecording(room: string): Promise<RecordingView>;
  stopRecording(room: string, id: string): Promise<RecordingView>;
  deleteRecording(room: string, id: string): Promise<void>;
  recordings(room: string): RecordingView[];
  /** Finishes the capture into that format, or finds it done before. */
  recordingFile(id: string, format: RecordingFormat): Promise<RecordingFile>;
}
