import type { EventData } from '../server/events/room-event.ts';
import type { ParticipantView, RecordingView, RoomView } from '../server/rooms/views.ts';
import { isRunning } from './recording-time.ts';

/** All rooms that the token may see, by name. Never changed in place. */
export type RoomsState = ReadonlyMap<string, RoomView>;

export const roomsState = (rooms: readonly RoomView[]): RoomsState => new Map(rooms.map((room) => [room.name, room]));

/** The rooms after an event. */
export function afterEvent(rooms: RoomsState, event: EventData): RoomsState {
  const next = new Map(rooms);
  const room = next.get(event.room);
  if (event.event === 'room-closed') next.delete(event.room);
  else if (event.event === 'room-opened' && event.settings) {
    const { recordings = [] } = event;
    const nobody = { participants: [], floor: [], activeSpeaker: null, spotlight: [], places: [], presenter: null };
    const moments = { ...nobody, recording: flagOf(recordings) };
    next.set(event.room, { ...event.settings, ...moments, name: event.room, version: event.version, recordings });
  } else if (room) next.set(event.room, changed({ ...room, version: event.version }, event));
  return next;
}

function changed(room: RoomView, data: EventData): RoomView {
  const { event, settings, participant, floor, activeSpeaker, recording } = data;
  if (settings) return { ...room, ...settings };
  if (floor) return { ...room, floor };
  if (event === 'stage-changed') {
    const { spotlight = [], places = [], presenter = null } = data;
    return { ...room, spotlight, places, presenter };
  }
  if (activeSpeaker !== undefined) return { ...room, activeSpeaker };
  if (recording && event === 'recording-removed') {
    return { ...room, recordings: room.recordings.filter(({ id }) => id !== recording.id) };
  }
  if (recording) {
    const recordings = put(room.recordings, recording);
    return { ...room, recordings, recording: flagOf(recordings) };
  }
  if (!participant) return room;
  if (event === 'participant-left') {
    return { ...room, participants: room.participants.filter(({ id }) => id !== participant.id) };
  }
  return { ...room, participants: put(room.participants, participant) };
}

/** There is one at a time. */
function flagOf(recordings: readonly RecordingView[]): RoomView['recording'] {
  if (recordings.some(({ state }) => state === 'recording')) return 'recording';
  return recordings.some(({ state }) => state === 'paused') ? 'paused' : 'off';
}

/** In its place when it is there already, else at the end. */
function put<Item extends { id: string }>(items: readonly Item[], item: Item): Item[] {
  const known = items.some(({ id }) => id === item.id);
  return known ? items.map((other) => (other.id === item.id ? item : other)) : [...items, item];
}

/** Those who wait for a moderator's word: in the lobby, or for one to come. */
export const waitingIn = (room: RoomView): ParticipantView[] => inOrder(room).filter(waits);

/** Everybody else. */
export const presentIn = (room: RoomView): ParticipantView[] => inOrder(room).filter((view) => !waits(view));

const waits = ({ state }: ParticipantView) => state === 'lobby' || state === 'waiting';

/** As they came: the order never changes under somebody's finger. */
const inOrder = ({ participants }: RoomView): ParticipantView[] =>
  participants.toSorted((a, b) => compare(a.joinedAt, b.joinedAt) || compare(a.id, b.id));

/** Whose hand is up, who raised it first before the others. */
export const handsIn = ({ participants }: RoomView): ParticipantView[] =>
  participants
    .filter(({ hand }) => hand)
    .toSorted((a, b) => compare(a.handRaisedAt ?? '', b.handRaisedAt ?? '') || compare(a.id, b.id));

export const runningRecording = ({ recordings }: RoomView): RecordingView | undefined => recordings.find(isRunning);

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
