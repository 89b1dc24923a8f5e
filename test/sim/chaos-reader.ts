import type { EventStreams } from '../../server/events/event-streams.ts';
import type { EventData } from '../../server/events/room-event.ts';
import type { RecordingView, RoomView } from '../../server/rooms/views.ts';
import { withoutLevels } from './chaos-views.ts';

/** Reads a stream of events, and keeps from them what the rooms are like; comes back where it left off. */
export class EventReader {
  readonly rooms = new Map<string, RoomView>();
  resumed = 0;
  private readonly streams: EventStreams;
  private readonly state: () => RoomView[];
  private readonly problems: string[];
  private close: (() => void) | null = null;
  private lastId: string | null = null;

  constructor(streams: EventStreams, state: () => RoomView[], problems: string[]) {
    this.streams = streams;
    this.state = state;
    this.problems = problems;
  }

  get isOpen(): boolean {
    return this.close !== null;
  }

  open(): void {
    if (this.lastId !== null) this.resumed++;
    const sink = { write: (text: string) => this.take(text), waitingBytes: 0, end: () => {}, cut: () => {} };
    const { state, lastId: lastEventId } = this;
    const request = { sink, room: null, breakouts: false, lastEventId, state, allowed: () => true, reader: 'chaos' };
    this.close = this.streams.open(request);
  }

  leave(): void {
    this.close?.();
    this.close = null;
  }

  private take(text: string): void {
    for (const frame of text.split('\n\n')) {
      const [, id, event, data] = /^id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(frame) ?? [];
      if (id === undefined || data === undefined) continue;
      this.lastId = id;
      if (event === 'state') this.whole((JSON.parse(data) as { rooms: RoomView[] }).rooms);
      else this.change(JSON.parse(data) as EventData);
    }
  }

  private whole(rooms: RoomView[]): void {
    this.rooms.clear();
    for (const room of rooms) this.rooms.set(room.name, withoutLevels(room));
  }

  private change(data: EventData): void {
    const { event, room: name, version, settings, participant, floor, activeSpeaker } = data;
    const before = this.rooms.get(name);
    if (event === 'room-opened') {
      this.expect(before === undefined && version === 0, `${name} opened again at ${version}`);
      const nobody = { participants: [], floor: [], activeSpeaker: null, spotlight: [], places: [], presenter: null };
      const recorded = { recording: 'off' as const, recordings: data.recordings ?? [] };
      this.rooms.set(name, { ...settings!, ...nobody, ...recorded, name, version });
      return;
    }
    if (before === undefined) {
      const isLate = data.recording !== undefined && version === 0;
      return this.expect(isLate, `${event} in ${name}, which is not there`);
    }
    if (event === 'room-closed') {
      this.expect(before.participants.length === 0, `${name} closed with somebody in it`);
      return void this.rooms.delete(name);
    }
    this.expect(version === before.version + 1, `${name}: ${event} at ${version} after ${before.version}`);
    const one = participant === undefined ? null : { ...participant, levelDb: null };
    let { participants } = before;
    if (event === 'participant-left') participants = participants.filter(({ id }) => id !== one?.id);
    else if (one !== null && participants.some(({ id }) => id === one.id)) {
      this.expect(event === 'participant-changed', `${name}: ${one.id} joined twice`);
      participants = participants.map((other) => (other.id === one.id ? one : other));
    } else if (one !== null) {
      this.expect(event === 'participant-joined', `${name}: ${event} of ${one.id}, who is not there`);
      participants = [...participants, one];
    }
    const speakers = { floor: floor ?? before.floor, activeSpeaker: activeSpeaker ?? before.activeSpeaker };
    if (activeSpeaker === null) speakers.activeSpeaker = null;
    for (const id of [...speakers.floor, ...(speakers.activeSpeaker === null ? [] : [speakers.activeSpeaker])]) {
      this.expect(
        participants.some((participant) => participant.id === id),
        `${name}: ${id} speaks, who is not there`,
      );
    }
    const { spotlight = before.spotlight, places = before.places } = data;
    const presenter = event === 'stage-changed' ? (data.presenter ?? null) : before.presenter;
    for (const id of [...spotlight, ...places]) {
      const isThere = id === null || participants.some((other) => other.id === id);
      this.expect(isThere, `${name}: ${id} is to be seen, who is not there`);
    }
    const stage = { spotlight, places, presenter };
    const recorded = data.recording === undefined ? {} : withRecording(before, data.recording);
    this.rooms.set(name, { ...before, ...settings, ...speakers, ...stage, ...recorded, version, participants });
  }

  private expect(holds: boolean, sentence: string): void {
    if (!holds) this.problems.push(`events: ${sentence}`);
  }
}

/** A room shows so many of its recordings. */
const SHOWN = 20;

/** One runs at a time; it is the flag of the room. */
function withRecording(room: RoomView, recording: RecordingView): Pick<RoomView, 'recording' | 'recordings'> {
  const { state, id } = recording;
  const known = room.recordings.some((other) => other.id === id);
  const recordings = known
    ? room.recordings.map((other) => (other.id === id ? recording : other))
    : [...room.recordings, recording].slice(-SHOWN);
  if (state === 'recording' || state === 'paused') return { recording: state, recordings };
  const isOther = recordings.some((other) => other.state === 'recording' || other.state === 'paused');
  return { recording: isOther ? room.recording : 'off', recordings };
}
