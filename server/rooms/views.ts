/** The state of rooms as HTTP, events and SIP subscribers see it. Plain data; made anew whenever something changes. */

import type { LegQuality } from '../../mixer/protocol.ts';
import type { LayoutName, VideoStreamName } from '../../mixer/video-protocol.ts';
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

/** The video of one participant, as negotiated; size and slides are of what comes. */
export interface VideoView {
  codec: string;
  /** As we see it: `recvonly` is one who only sends. */
  direction: string;
  /** Null as long as no pictures come. */
  width: number | null;
  height: number | null;
  /** Shows slides, as a second stream. */
  slides: boolean;
}

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
  /** False: neither in the mix that is recorded nor in a track of its own. */
  recorded: boolean;
  audio: { codec: string; clockRateHz: number; direction: string } | null;
  /** Null: sound alone. */
  video: VideoView | null;
  /** False: a moderator has turned their picture off. */
  camera: boolean;
  /** Their own choice of what they see; null: as the room has it. */
  layout: LayoutName | null;
  /** Whether they see themselves; null: as the room has it. */
  hideSelf: boolean | null;
  /** ISO 8601. */
  joinedAt: string;
}

/** What is asked for one participant at a time: it is measured, and no part of the room's state. */
export interface ParticipantDetails extends ParticipantView {
  /** Null when nothing was received yet, or the mixer is being started again. */
  quality: LegQuality | null;
  /** One for each of their streams; empty without video, or as long as the mixer cannot say. */
  pictures: PictureQuality[];
}

/** How one stream of pictures fares. What is sent again as it was is not lost (RFC 3550 A.3), what is repaired by RTX is. */
export interface PictureQuality {
  stream: VideoStreamName;
  /** What we get; null: nothing that could be seen. */
  received: {
    codec: string;
    width: number;
    height: number;
    /** Of the last second. */
    fps: number;
    bitrateBps: number;
    lossPercent: number;
    jitterMs: number;
    /** Pictures that could not be made of what came. */
    broken: number;
    keyFramesAsked: number;
  } | null;
  /** What they get; null: nothing. */
  sent: {
    codec: string;
    width: number;
    height: number;
    fps: number;
    /** What the encoder is set to. */
    bitrateBps: number;
    /** By their last report; null before it. */
    lossPercent: number | null;
    packetsResent: number;
    keyFrames: number;
  } | null;
  roundTripMs: number | null;
}

/**
 * What a recording can be had as: sound; `mp4`, `webm`, `mkv`: with the picture, where there is one; `poster`, `sheet`:
 * one picture of it, or many; `zip`: all tracks, with time line and captions; `tracks`: one file with all tracks; `png`: its
 * waveform; `vtt`: who spoke when, as captions; `jsonl`: its time line.
 */
export const RECORDING_FORMATS = [
  ...(['wav', 'mp3', 'm4a', 'mp4', 'webm', 'mkv', 'ogg', 'mka', 'poster', 'sheet'] as const),
  ...(['zip', 'tracks', 'png', 'vtt', 'jsonl'] as const),
] as const;
export type RecordingFormat = (typeof RECORDING_FORMATS)[number];

/** A file that was made of a recording, or is to be. */
export interface RecordingFileView {
  format: RecordingFormat;
  /** Brought to a common loudness. */
  normalized: boolean;
  state: 'queued' | 'working' | 'ready' | 'failed';
  /** The share that is done, 0–1. */
  progress: number;
  bytes: number | null;
  /** Hexadecimal. */
  sha256: string | null;
  /** Why it failed. */
  error: string | null;
  /** Where else it is: `s3://bucket/key`, or a path. */
  stored: string | null;
}

export interface RecordingView {
  id: string;
  room: string;
  /** Pauses are no part of what is recorded. */
  state: 'recording' | 'paused' | 'stopped' | 'failed';
  /** ISO 8601. */
  startedAt: string;
  stoppedAt: string | null;
  /** Of the recorded time line, without pauses; null before the end. */
  durationMs: number | null;
  /** Of all that was captured; null before the end. */
  bytes: number | null;
  /** Why it failed. */
  error: string | null;
  startedBy: 'moderator' | 'keys' | 'policy';
  /** Whether each participant has a track of their own. */
  tracks: boolean;
  /** Whether there is a picture of the room, of some of the time at least. */
  video: boolean;
  /** Why the picture was not recorded any more while the sound was; null: nothing failed. */
  videoError: string | null;
  /** Whether it is encrypted on the disk. */
  encrypted: boolean;
  /** Names of those who were recorded, or their URIs, as they came; the first 100. */
  participants: string[];
  files: RecordingFileView[];
}

/** Whether a room is being recorded at present. */
export type RecordingFlag = 'off' | 'recording' | 'paused';

/** Never shows PINs: events and lists go to people who may not know them. */
export interface RoomView extends Omit<RoomPolicy, 'pin' | 'moderatorPin'> {
  name: string;
  /** `configured` rooms are always there, `created` ones until they are deleted, `adhoc` ones until they are empty. */
  origin: 'configured' | 'created' | 'adhoc';
  /** The room that its participants go back to; null where it is no breakout room. */
  breakoutOf: string | null;
  pinRequired: boolean;
  moderatorPinSet: boolean;
  /** Ids of those who alone are heard by all, as a moderator gave them the floor; none: it is free, and all are. */
  floor: string[];
  /** Who speaks at present, by id; null: nobody. Steadier than `talking`. */
  activeSpeaker: string | null;
  /** Ids of those who are shown first and large, as a moderator wants it. */
  spotlight: string[];
  /** Who is at which place of the picture, by id; null: whoever comes. Empty: there are no fixed places. */
  places: (string | null)[];
  /** Whose slides are shown, by id; null: nobody's. */
  presenter: string | null;
  /** Whether a recording runs. */
  recording: RecordingFlag;
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
