import type { Room, RoomChange } from '../rooms/room.ts';
import type { ParticipantView, RecordingFlag } from '../rooms/views.ts';
import {
  conferenceDescription,
  conferenceInfo,
  conferenceState,
  conferenceUri,
  deletedUser,
  type Endpoint,
  entityOf,
  user,
} from './conference-document.ts';
import { element } from './xml.ts';

export interface JournalContext {
  readonly domain: string;
  hasVideo(): boolean;
  /** Whether we called that participant. */
  calledByUs(id: string): boolean;
}

/** Users who have gone; who was not told of the earlier ones gets the full state. */
const MAX_GONE = 1000;

/** What is to be told of one room: its elements, and when each became what it is. */
export class ConferenceJournal {
  readonly room: Room;
  private readonly context: JournalContext;
  private readonly uri: string;
  private readonly endpoints = new Map<string, Map<string, Endpoint>>();
  private readonly users = new Map<string, { xml: string; at: number }>();
  /** In the order of `at`. */
  private readonly gone = new Map<string, number>();
  private description: { xml: string; at: number };
  private locked: boolean;
  private recording: RecordingFlag;
  private serialNow = 0;
  /** What went before is not known any more. */
  private knownFrom = 0;
  /** Many subscribers are told the same. */
  private lastParts = { key: '', parts: '' };

  constructor(room: Room, context: JournalContext) {
    this.room = room;
    this.context = context;
    this.uri = conferenceUri(room.name, context.domain);
    this.description = { xml: conferenceDescription(room, context.domain, context.hasVideo()), at: 0 };
    this.locked = room.policy.locked;
    this.recording = room.recording;
    for (const participant of room.participants) this.take(participant);
  }

  /** Goes up with each change that subscribers are to be told of. */
  get serial(): number {
    return this.serialNow;
  }

  changed(change: RoomChange): void {
    switch (change.change) {
      case 'participant-joined':
      case 'participant-changed':
        return this.take(change.participant);
      case 'participant-left':
        return this.drop(change.participant);
      case 'room-changed':
        return this.roomChanged();
      case 'floor-changed':
        for (const participant of this.room.participants) this.take(participant);
        this.serialNow++;
        return;
      case 'speaker-changed':
        this.serialNow++;
        return;
      case 'recording-changed':
        if (this.recording !== this.room.recording) this.serialNow++;
        this.recording = this.room.recording;
        return;
    }
  }

  /**
   * The document for one who knows the state as it was at `since`; null: who knows nothing, or is to get all.
   * @param version goes up by one with each document of a subscription (RFC 4575 §5.1)
   */
  document(since: number | null, version: number): string {
    const from = since !== null && since >= this.knownFrom ? since : null;
    const key = `${from} ${this.serialNow} ${this.room.version}`;
    if (this.lastParts.key !== key) this.lastParts = { key, parts: this.parts(from) };
    const head = { state: from === null ? 'full' : 'partial', version } as const;
    return conferenceInfo(this.room, this.context.domain, head, this.lastParts.parts);
  }

  private parts(since: number | null): string {
    const isNew = ({ at }: { at: number }) => since === null || at > since;
    const users = [...this.users.values()].filter(isNew).map(({ xml }) => xml);
    const deleted = [...this.gone]
      .filter(([, at]) => since !== null && at > since)
      .map(([entity]) => deletedUser(entity));
    const state = since === null ? 'full' : 'partial';
    const all = [...users, ...deleted];
    return [
      isNew(this.description) ? this.description.xml : '',
      conferenceState(this.room),
      since === null || all.length > 0 ? element('users', { state }, ...all) : '',
    ].join('');
  }

  private take(view: ParticipantView): void {
    const entity = entityOf(view);
    const endpoints = this.endpoints.get(entity) ?? new Map<string, Endpoint>();
    this.endpoints.set(entity, endpoints);
    const maySpeak = this.room.maySpeak(view.id);
    endpoints.set(view.id, { view, calledByUs: this.context.calledByUs(view.id), maySpeak });
    this.write(entity, endpoints);
  }

  private drop(view: ParticipantView): void {
    const entity = entityOf(view);
    const endpoints = this.endpoints.get(entity);
    if (endpoints?.delete(view.id) !== true) return;
    if (endpoints.size > 0) return this.write(entity, endpoints);
    this.endpoints.delete(entity);
    this.users.delete(entity);
    this.gone.set(entity, ++this.serialNow);
    const [oldest] = this.gone;
    if (this.gone.size <= MAX_GONE || oldest === undefined) return;
    this.gone.delete(oldest[0]);
    this.knownFrom = oldest[1];
  }

  private write(entity: string, endpoints: ReadonlyMap<string, Endpoint>): void {
    const xml = user(entity, [...endpoints.values()], this.uri);
    if (this.users.get(entity)?.xml === xml) return;
    this.gone.delete(entity);
    this.users.set(entity, { xml, at: ++this.serialNow });
  }

  private roomChanged(): void {
    const xml = conferenceDescription(this.room, this.context.domain, this.context.hasVideo());
    const { locked } = this.room.policy;
    if (xml === this.description.xml && locked === this.locked) return;
    this.serialNow++;
    this.locked = locked;
    if (xml !== this.description.xml) this.description = { xml, at: this.serialNow };
  }
}
