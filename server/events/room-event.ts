import type { Room, RoomChange, RoomStage } from '../rooms/room.ts';
import type { ParticipantView, RecordingView, RoomView } from '../rooms/views.ts';

export type EventName = RoomChange['change'];

const everyEvent: Record<EventName, true> = {
  'room-opened': true,
  'room-changed': true,
  'room-closed': true,
  'participant-joined': true,
  'participant-changed': true,
  'participant-left': true,
  'floor-changed': true,
  'speaker-changed': true,
  'stage-changed': true,
  'recording-changed': true,
  'recording-ready': true,
  'recording-removed': true,
};
export const eventNames = Object.keys(everyEvent) as EventName[];

/** What changes while a room is as it is: who is in it, speaks and is seen, and what is recorded. */
type RoomMoments = 'participants' | 'floor' | 'activeSpeaker' | keyof RoomStage | 'recording' | 'recordings';

/** What a room is like, without who is in it: what `room-opened`, `room-changed` and `room-closed` tell. */
export type RoomSettings = Omit<RoomView, 'name' | 'version' | RoomMoments>;

/** What is told of a change: the data of a server-sent event, and the body of a webhook. */
export interface EventData {
  /** Nothing else ever has it; `Last-Event-ID` is one. */
  id: string;
  event: EventName;
  /** ISO 8601. */
  at: string;
  room: string;
  /** The room's, after the change. */
  version: number;
  settings?: RoomSettings;
  participant?: ParticipantView;
  floor?: string[];
  activeSpeaker?: string | null;
  spotlight?: string[];
  places?: (string | null)[];
  presenter?: string | null;
  recording?: RecordingView;
  /** Of a room that opens: what was recorded in one of this name before. */
  recordings?: RecordingView[];
}

/** A change, ready to be sent. */
export interface RoomEvent {
  readonly serial: number;
  readonly id: string;
  readonly name: EventName;
  readonly room: string;
  readonly breakoutOf: string | null;
  readonly atMs: number;
  /** `EventData` in JSON. */
  readonly text: string;
}

/** @param recordingsOf as they are shown with a room of that name */
export function eventData(
  id: string,
  atMs: number,
  room: Room,
  { change: event, ...what }: RoomChange,
  recordingsOf: (room: string) => RecordingView[],
): EventData {
  const about = { id, event, at: new Date(atMs).toISOString(), room: room.name, version: room.version };
  if (event === 'room-opened') return { ...about, settings: settingsOf(room), recordings: recordingsOf(room.name) };
  return event === 'room-changed' || event === 'room-closed'
    ? { ...about, settings: settingsOf(room) }
    : { ...about, ...what };
}

function settingsOf(room: Room): RoomSettings {
  const { name, version, participants, floor, activeSpeaker, spotlight, places, presenter, ...rest } = room.view([]);
  const { recording, recordings, ...settings } = rest;
  return settings;
}
