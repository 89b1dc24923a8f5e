/** The state of rooms as HTTP, events and SIP subscribers see it. Plain data; made anew whenever something changes. */

import type { LegQuality } from '../../mixer/protocol.ts';

export type Role = 'participant' | 'moderator';

export interface ParticipantView {
  id: string;
  uri: string;
  displayName: string | null;
  role: Role;
  state: 'connecting' | 'connected' | 'on-hold' | 'disconnecting';
  muted: { by: 'moderator' | 'self' } | null;
  deaf: boolean;
  gainDb: number;
  talking: boolean;
  levelDb: number | null;
  hand: boolean;
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

export interface RoomPolicy {
  maxParticipants: number;
  locked: boolean;
  muteOnEntry: boolean;
}

export interface RoomView extends RoomPolicy {
  name: string;
  /** `configured` rooms are always there, `created` ones until they are deleted, `adhoc` ones until they are empty. */
  origin: 'configured' | 'created' | 'adhoc';
  /** Goes up by one with every change of anything in the room. */
  version: number;
  participants: ParticipantView[];
  recordings: RecordingView[];
}
