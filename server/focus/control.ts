import type { ParticipantDetails, ParticipantView, RecordingView, Role, RoomPolicy, RoomView } from '../rooms/views.ts';

/** Every way in which a command to the conference can fail; HTTP gives each a status and documents it. */
export type ControlErrorCode =
  | 'room-not-found'
  | 'room-exists'
  | 'room-name-invalid'
  | 'participant-not-found'
  | 'participant-uri-invalid'
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
  muted?: boolean | undefined;
  deaf?: boolean | undefined;
  gainDb?: number | undefined;
  role?: Role | undefined;
  hand?: boolean | undefined;
}

/** Whom to call into a room. */
export interface NewParticipant {
  uri: string;
  displayName: string | null;
  role: Role;
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
  participant(room: string, id: string): Promise<ParticipantDetails>;
  updateParticipant(room: string, id: string, patch: ParticipantPatch): Promise<ParticipantView>;
  /** Calls somebody. The participant is there at once, `connecting`, and leaves again when nothing comes of the call. */
  addParticipant(room: string, participant: NewParticipant): ParticipantView;
  /** Hangs up. */
  removeParticipant(room: string, id: string): Promise<void>;
  muteAll(room: string, muted: boolean, except: 'moderators' | readonly string[]): Promise<void>;
  startRecording(room: string): Promise<RecordingView>;
  stopRecording(room: string, id: string): Promise<RecordingView>;
  deleteRecording(room: string, id: string): Promise<void>;
  recordings(room: string): RecordingView[];
  /** Finishes the capture into that format, or finds it done before. */
  recordingFile(id: string, format: RecordingFormat): Promise<RecordingFile>;
}
