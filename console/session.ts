import type { EventData } from '../server/events/room-event.ts';
import type { RecordingView, RoomView } from '../server/rooms/views.ts';
import { type Access, Api, ApiError } from './api.ts';
import { Levels } from './levels.ts';
import { type Connection, Live } from './live.ts';
import { RecordingTimes } from './recording-time.ts';
import { afterEvent, type RoomsState, roomsState } from './rooms-state.ts';
import { Spoken } from './spoken.ts';
import { Store } from './store.ts';
import { problemText, spokenOf } from './words.ts';

type RecordingListener = (recording: RecordingView, removed: boolean) => void;

/** From signing in to signing out. */
export class Session {
  readonly api: Api;
  readonly access: Access;
  /** Null until the server has told it. */
  readonly rooms = new Store<RoomsState | null>(null);
  readonly connection = new Store<Connection>('connecting');
  /** What went wrong last; null when it was seen. */
  readonly problem = new Store<string | null>(null);
  readonly spoken = new Spoken();
  readonly levels: Levels;
  readonly recordingTimes = new RecordingTimes();
  private readonly recordingListeners = new Set<RecordingListener>();
  private readonly live: Live;
  private readonly ended: (why: string) => void;
  private watched: string | null = null;

  /** Rejects with `ApiError` when the token is no good. */
  static async open(token: string, ended: (why: string) => void): Promise<Session> {
    const api = new Api(token);
    return new Session(api, await api.access(), ended);
  }

  private constructor(api: Api, access: Access, ended: (why: string) => void) {
    this.api = api;
    this.access = access;
    this.ended = ended;
    this.levels = new Levels(api);
    this.live = new Live({
      api,
      state: (rooms) => this.state(rooms),
      event: (event) => this.happened(event),
      connection: (now) => this.connection.set(now),
      denied: (error) => this.end(problemText(error)),
    });
    void this.live.run();
  }

  get mayModerate(): boolean {
    return this.access.scope !== 'reader';
  }

  get isAdministrator(): boolean {
    return this.access.scope === 'administrator';
  }

  /** Told of recordings as they change, also of rooms that are closed. Gives what ends it. */
  onRecording(listener: RecordingListener): () => void {
    this.recordingListeners.add(listener);
    return () => void this.recordingListeners.delete(listener);
  }

  /** The room that is looked at: its events are spoken, its levels shown. */
  watch(room: string | null): void {
    this.watched = room;
    this.levels.watch(room);
  }

  /** Does something, and shows why when it cannot be done; true when it was. */
  async act(run: (api: Api) => Promise<unknown>): Promise<boolean> {
    try {
      await run(this.api);
      this.problem.set(null);
      void this.live.refresh();
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.end(problemText(error));
      else this.problem.set(problemText(error));
      return false;
    }
  }

  close(): void {
    this.live.stop();
    this.levels.watch(null);
  }

  private end(why: string): void {
    this.close();
    this.ended(why);
  }

  private state(rooms: RoomView[]): void {
    this.recordingTimes.state(rooms);
    this.rooms.set(roomsState(rooms));
  }

  private happened(event: EventData): void {
    this.recordingTimes.event(event);
    const before = this.rooms.get() ?? roomsState([]);
    if (event.room === this.watched) {
      const spoken = spokenOf(before.get(event.room), event);
      if (spoken !== null) this.spoken.say(spoken);
    }
    this.rooms.set(afterEvent(before, event));
    if (!event.recording) return;
    const removed = event.event === 'recording-removed';
    for (const listener of [...this.recordingListeners]) listener(event.recording, removed);
  }
}
