/** The state of rooms as HTTP, events and SIP subscribers see it. Plain data; made anew whenever something changes. */

import type { LegQuality } from '../../mixer/protocol.ts';
import type { RoomPolicy } from './policy.ts';

/** A listener is never heard. */
export type Role = 'participant' | 'moderator' | 'listener';

export type ParticipantState =
  | 'connecting'
  /** Is asked for the PIN or the name. */
  | 'entering'
  /** Waits until a moderator admits them. */
  | 'lobby'
  /** Waits for the moderator to come. */
  | 'waiting'
  | 'connected'
  | 'on-hold'
  | 'disconnecting';

export interface ParticipantView {
  id: string;
  uri: string;
  displayName: string | null;
  role: Role;
  state: ParticipantState;
  /** Null when the participant can be heard. A moderator's mute goes before one's own. */
  muted: { by: 'moderator' | 'self' } | null;
  deaf: boolean;
  /** Gain on what the participant sends. */
  gainDb: number;
  /** Gain on what the participant hears. */
  volumeDb: number;
  talking: boolean;
  levelDb: number | null;
  hand: boolean;
  /** ISO 8601; null when no hand is raised. Whose is earliest has raised it first. */
  handRaisedAt: string | null;
  /** Participants who alone hear this one; null: all do. */
  speaksTo: string[] | null;
  audio: { codec: string; clockRateHz: number; direction: string } | null;
  video: null;
  /** ISO 8601. */
  joinedAt: string;
}

/** What is asked for one participant at a time: it is measured, and no part of the room's state. */
export interface ParticipantDetails extends ParticipantView {
  /** Null when nothing was received yet, or the mixer is being started again. */
  quality: LegQuality | null;
}

export interface RecordingView {
  id: string;
  room: string;
  state: 'recording' | 'stopped' | 'failed';
  startedAt: string;
  stoppedAt: string | null;
  durationMs: number | null;
  bytes: number | null;
  /** Why it failed. */
  error: string | null;
}

/** Never shows PINs: events and lists go to people who may not know them. */
export interface RoomView extends Omit<RoomPolicy, 'pin' | 'moderatorPin'> {
  name: string;
  /** `configured` rooms are always there, `created` ones until they are deleted, `adhoc` ones until they are empty. */
  origin: 'configured' | 'created' | 'adhoc';
  /** The room that its participants go back to; null where it is no breakout room. */
  breakoutOf: string | null;
  pinRequired: boolean;
  moderatorPinSet: boolean;
  /** Goes up by one with every change of anything in the room. */
  version: number;
  participants: ParticipantView[];
  recordings: RecordingView[];
}

/** For administrators. */
export interface RoomDetails extends RoomView {
  pin: string | null;
  moderatorPin: string | null;
}
