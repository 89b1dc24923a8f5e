import type { Room, RoomChange } from '../rooms/room.ts';
import type { RecordingView } from '../rooms/views.ts';
import { EventLog, type EventLogLimits } from './event-log.ts';
import { eventData, type RoomEvent } from './room-event.ts';

export interface RoomEventsOptions {
  /** Names this run of the program: ids of another run mean nothing here. Letters and digits. */
  instance: string;
  /** Milliseconds since 1970. */
  epochMs: () => number;
  /** Those that are shown with a room of that name; default: none. */
  recordingsOf?: (room: string) => RecordingView[];
  limits?: EventLogLimits;
}

const USUAL_LIMITS: EventLogLimits = { events: 10_000, characters: 16 * 1024 * 1024 };

/** Makes events of what changes in rooms, numbers them, and hands them to streams and webhooks. */
export class RoomEvents {
  private readonly options: RoomEventsOptions;
  private readonly log: EventLog;
  private readonly listeners = new Set<(event: RoomEvent) => void>();
  private serial = 0;

  constructor(options: RoomEventsOptions) {
    this.options = options;
    this.log = new EventLog(options.limits ?? USUAL_LIMITS);
  }

  /** To be told of every change: `rooms.subscribe(events.changed)`. */
  readonly changed = (room: Room, change: RoomChange): void => {
    const { epochMs, recordingsOf = () => [] } = this.options;
    const atMs = epochMs();
    this.serial++;
    const id = this.lastId;
    const text = JSON.stringify(eventData(id, atMs, room, change, recordingsOf));
    const { name, breakoutOf } = room;
    const event: RoomEvent = { serial: this.serial, id, name: change.change, room: name, breakoutOf, atMs, text };
    this.log.add(event);
    for (const listener of this.listeners) listener(event);
  };

  /** Called with each event, in order; must not throw. Gives what ends it. */
  subscribe(listener: (event: RoomEvent) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** The latest event's; before the first one it ends in 0. */
  get lastId(): string {
    return `${this.options.instance}-${this.serial}`;
  }

  /** What has happened since the event with that id; null when that is not known any more, or never was. */
  since(id: string): RoomEvent[] | null {
    const [, instance, serial] = /^([^-]+)-(0|[1-9]\d{0,14})$/.exec(id) ?? [];
    return instance === this.options.instance ? this.log.after(Number(serial)) : null;
  }
}
