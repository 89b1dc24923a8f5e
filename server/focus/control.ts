import type { LayoutName } from '../../mixer/video-protocol.ts';
import type { RoomPolicy, SaidPolicy } from '../rooms/policy.ts';
import type {
  ParticipantDetails,
  ParticipantView,
  RecordingFileView,
  RecordingFormat,
  RecordingView,
  Role,
  RoomDetails,
  RoomView,
} from '../rooms/views.ts';

export type { RecordingFormat };

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
  | 'sound-not-found'
  | 'sound-invalid'
  | 'sound-too-large'
  | 'sounds-unavailable'
  | 'too-many-messages'
  | 'room-full'
  | 'room-empty'
  | 'server-full'
  | 'recording-not-found'
  | 'recording-running'
  | 'recording-not-running'
  | 'recording-unavailable'
  | 'recording-empty'
  | 'recording-captures-gone'
  | 'mixer-unavailable'
  | 'picture-unavailable'
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

/** Of a room: its policy, and who is where in the picture, by id. */
export interface RoomPatch extends SaidPolicy {
  spotlight?: string[] | undefined;
  places?: (string | null)[] | undefined;
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
  /** Whether they are in recordings. */
  recorded?: boolean | undefined;
  /** Participants of the room who alone hear this one; null: all do. */
  speaksTo?: string[] | null | undefined;
  /** False: their picture is not shown. */
  camera?: boolean | undefined;
  /** What they see; null: as the room has it. */
  layout?: LayoutName | null | undefined;
  hideSelf?: boolean | null | undefined;
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
  /** Whether they are in recordings. */
  recorded: boolean;
  /** Whether they are offered video; null: if anybody in the room has it. */
  video: boolean | null;
  /** Whether they are offered a stream for slides, and floor control, with it. */
  slides: boolean;
  /** They must press 1 before they are in. */
  confirm: boolean;
  /** How often they are called again when nothing came of it. */
  retries: number;
  retryAfterS: number;
}

/** One of `prompt`, `recording` and `sound` is given, the others null. */
export interface NewAnnouncement {
  prompt: string | null;
  /** The id of one of this room that has ended. */
  recording: string | null;
  /** The id of one that was uploaded. */
  sound: string | null;
  /** Who alone hears it; null: all. */
  participant: string | null;
  gainDb: number;
  /** Where to begin. */
  startMs: number;
  /** Until it is removed. */
  repeat: boolean;
}

export interface Announcement extends NewAnnouncement {
  id: string;
  room: string;
  /** When it was asked for; ISO 8601. */
  createdAt: string;
}

/** An announcement, and how far it is. */
export interface AnnouncementProgress extends Announcement {
  positionMs: number;
  durationMs: number;
}

export interface AnnouncementPatch {
  gainDb?: number | undefined;
  /** Where to go on; the end when there is not so much. */
  positionMs?: number | undefined;
}

export interface NewMessage {
  text: string;
  /** Ids, also of those who wait to be let in; null: all who have entered. */
  to: readonly string[] | null;
}

/** What came of a text to one participant. */
export interface MessageDelivery {
  participant: string;
  /** `unreachable`: the phone did not answer at all; `pending`: it has not done so yet. */
  outcome: 'delivered' | 'refused' | 'unreachable' | 'pending';
  /** That of SIP; null while it is pending. */
  status: number | null;
}

export interface BreakoutGroup {
  /** The room's name; undefined: one is made of that of the room. */
  name?: string | undefined;
  participants: readonly string[];
}

/** What is not said is as the room's policy has it. */
export interface NewRecording {
  /** A track of each participant, too. */
  tracks?: boolean | undefined;
  /** The picture of the room, too, when somebody has video. */
  video?: boolean | undefined;
  /** All are told that they are recorded. */
  announced?: boolean | undefined;
}

/** A place in a recording that somebody wanted to find again. */
export interface RecordingMark {
  text: string;
  /** In the recorded time line. */
  positionMs: number;
  /** ISO 8601. */
  at: string;
}

/** What an encrypted file is read with. */
export interface SealedFile {
  key: Uint8Array;
  /** How many there are when it is plain. */
  bytes: number;
}

export interface RecordingFile {
  path: string;
  contentType: string;
  fileName: string;
  /** Of its plain octets, hexadecimal. */
  sha256: string;
  /** Undefined: it is not encrypted. */
  sealed?: SealedFile;
}

/** What may be done to conferences from outside SIP. All failures are `ControlError`s. */
export interface ConferenceControl {
  rooms(): RoomView[];
  room(name: string): RoomView;
  /** The room that people of this one go back to; null: it is no breakout room, or not open. */
  breakoutOf(name: string): string | null;
  createRoom(name: string, policy: Partial<RoomPolicy>): RoomView;
  /** Errors: `room-policy-invalid`, `participant-not-found`. */
  updateRoom(name: string, patch: RoomPatch): RoomView;
  /** Hangs up on everybody in it. A configured room stays, empty. */
  deleteRoom(name: string): Promise<void>;
  /** With the PINs, for who may know them. */
  roomDetails(name: string): RoomDetails;
  /** Says that the conference ends, and hangs up on everybody, in breakout rooms too. The room stays. */
  endConference(name: string): Promise<void>;
  announce(room: string, announcement: NewAnnouncement): Promise<Announcement>;
  announcements(room: string): Announcement[];
  /** Changes nothing where the patch says nothing. Errors: `announcement-not-found`, `mixer-unavailable`. */
  updateAnnouncement(room: string, id: string, patch: AnnouncementPatch): Promise<AnnouncementProgress>;
  stopAnnouncement(room: string, id: string): void;
  /**
   * Settled when all phones have answered, and after some seconds at the latest.
   * Errors: `participant-not-found`, `participant-elsewhere`, `too-many-messages`.
   */
  sendMessage(room: string, message: NewMessage): Promise<MessageDelivery[]>;
  openBreakouts(room: string, groups: readonly BreakoutGroup[]): Promise<RoomView[]>;
  /** All come back. */
  closeBreakouts(room: string): Promise<void>;
  participant(room: string, id: string): Promise<ParticipantDetails>;
  updateParticipant(room: string, id: string, patch: ParticipantPatch): Promise<ParticipantView>;
  /** Calls somebody. The participant is there at once, `connecting`, and leaves again when nothing comes of the call. */
  addParticipant(room: string, participant: NewParticipant): ParticipantView;
  /** Hangs up; nobody calls them again. The reason goes into the log and the BYE. */
  removeParticipant(room: string, id: string, reason?: string): Promise<void>;
  /**
   * What the room looks like now, as JPEG of that width; it may be half a second old.
   * Errors: `picture-unavailable` where nobody has video, `mixer-unavailable`.
   */
  picture(room: string, width: number): Promise<Uint8Array>;
  /** Only these are heard by all until it is given to others, or back: nobody means that all are. */
  giveFloor(room: string, participants: readonly string[]): Promise<string[]>;
  muteAll(room: string, muted: boolean, except: 'moderators' | readonly string[]): Promise<void>;
  /** Errors: `recording-running`, `recording-unavailable`, which says why. */
  startRecording(room: string, wanted: NewRecording): Promise<RecordingView>;
  /** Nothing happens when it is in that state already. Errors: `recording-not-running`, `mixer-unavailable`. */
  updateRecording(room: string, id: string, state: 'recording' | 'paused' | 'stopped'): Promise<RecordingView>;
  /** Errors: `recording-not-running`. */
  markRecording(room: string, id: string, text: string): RecordingMark;
  /** Errors: `recording-running`. */
  deleteRecording(room: string, id: string): Promise<void>;
  /** Also of a room that is closed by now. Errors: `room-not-found`, when there are neither. */
  recordings(room: string): RecordingView[];
  /** All there are, also of rooms that are closed; oldest first. */
  allRecordings(): RecordingView[];
  /** Errors: `recording-not-found`. */
  recording(id: string): RecordingView;
  /** As `deleteRecording`, also of a room that is closed. Errors: `recording-not-found`, `recording-running`. */
  removeRecording(id: string): Promise<void>;
  /**
   * Makes it of what was captured, fetches it back, or finds it done before.
   * Errors: `recording-not-found`, `recording-running`, `recording-empty`, `recording-captures-gone`, `recording-unavailable`.
   */
  recordingFile(id: string, format: RecordingFormat, normalized: boolean): Promise<RecordingFile>;
  /**
   * The same in the background: says how far it is, and whether it can be sent at once. `again`: also when it could not be
   * made before. Errors as `recordingFile`.
   */
  wantRecordingFile(
    id: string,
    format: RecordingFormat,
    normalized: boolean,
    again: boolean,
  ): Promise<{ file: RecordingFileView; here: boolean }>;
}
