import type { LayoutName } from '../mixer/video-protocol.ts';
import type { DiagnosisView } from '../server/diagnosis/diagnosis-view.ts';
import type { Announcement, AnnouncementProgress, MessageDelivery, RecordingMark } from '../server/focus/control.ts';
import type {
  ParticipantView,
  RecordingFileView,
  RecordingFormat,
  RecordingView,
  Role,
  RoomView,
} from '../server/rooms/views.ts';
import type { SoundView } from '../server/sounds/sound-library.ts';

export type Scope = 'reader' | 'moderator' | 'administrator';

/** What the token allows. */
export interface Access {
  scope: Scope;
  /** The only room that it is for; null: all. */
  room: string | null;
}

/** What can be changed of one participant. */
export interface ParticipantChange {
  muted?: boolean;
  deaf?: boolean;
  gainDb?: number;
  volumeDb?: number;
  role?: Role;
  hand?: boolean;
  recorded?: boolean;
  camera?: boolean;
  /** Null: as the room has it. */
  layout?: LayoutName | null;
  room?: string;
  admitted?: true;
}

/** Of how a room's picture looks. */
export type PictureChange = Pick<
  RoomView,
  'videoTitle' | 'videoTheme' | 'videoFill' | 'videoSize' | 'videoFps' | 'videoNames' | 'hideSelf'
>;

export interface Invitation {
  uri: string;
  displayName: string | null;
  role: Role;
  /** They must press 1 to join. */
  confirm: boolean;
}

/** A file that can be had of a recording. */
export interface WantedFile {
  format: RecordingFormat;
  /** Brought to a common loudness. */
  normalized: boolean;
}

/** Which recordings are looked for; what is left out does not matter. Times are ISO 8601. */
export interface RecordingSearch {
  q?: string;
  room?: string;
  from?: string;
  to?: string;
}

/** What is to be played into a room. */
export type Playable = { sound: string } | { recording: string };

/** A problem document (RFC 9457), as far as it is shown; `code` is `unreachable` when there was no answer at all. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  readonly detail: string | null;

  constructor(code: string, status: number, title: string, detail: string | null = null) {
    super(title);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
    this.detail = detail;
  }
}

type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

const part = encodeURIComponent;

/** The calls of the HTTP API that the console makes. All reject with `ApiError`, or what the signal says. */
export class Api {
  private readonly token: string;
  private readonly fetch: Fetch;
  private readonly base: string;

  constructor(token: string, fetchLike: Fetch = (input, init) => fetch(input, init), base = '/api/v1') {
    this.token = token;
    this.fetch = fetchLike;
    this.base = base;
  }

  access(): Promise<Access> {
    return this.json('GET', '/access');
  }

  rooms(signal?: AbortSignal): Promise<RoomView[]> {
    return this.all('/rooms', 'rooms', signal);
  }

  participants(room: string, signal?: AbortSignal): Promise<ParticipantView[]> {
    return this.all(`/rooms/${part(room)}/participants`, 'participants', signal);
  }

  diagnosis(room: string, id: string, signal?: AbortSignal): Promise<DiagnosisView> {
    return this.json('GET', `${participantPath(room, id)}/diagnosis`, undefined, signal);
  }

  /** The call's SIP messages as a capture file. */
  async sipTrace(room: string, id: string): Promise<Blob> {
    return (await this.request('GET', `${participantPath(room, id)}/trace?format=pcap`)).blob();
  }

  async changeParticipant(room: string, id: string, change: ParticipantChange): Promise<void> {
    await this.request('PATCH', participantPath(room, id), change);
  }

  async removeParticipant(room: string, id: string, reason: string): Promise<void> {
    await this.request('DELETE', `${participantPath(room, id)}?reason=${part(reason)}`);
  }

  async invite(room: string, invitation: Invitation): Promise<void> {
    await this.request('POST', `/rooms/${part(room)}/participants`, invitation);
  }

  async muteAll(room: string, muted: boolean): Promise<void> {
    await this.request('POST', `/rooms/${part(room)}/mute`, muted ? { muted, except: 'moderators' } : { muted });
  }

  async lock(room: string, locked: boolean): Promise<void> {
    await this.request('PATCH', `/rooms/${part(room)}`, { locked });
  }

  async setLayout(room: string, layout: LayoutName): Promise<void> {
    await this.request('PATCH', `/rooms/${part(room)}`, { layout });
  }

  async changePicture(room: string, change: PictureChange): Promise<void> {
    await this.request('PATCH', `/rooms/${part(room)}`, change);
  }

  /** Who has which place, first to last; null: whoever comes. */
  async setPlaces(room: string, places: readonly (string | null)[]): Promise<void> {
    await this.request('PATCH', `/rooms/${part(room)}`, { places });
  }

  /** Shows these first and large; nobody: as the layout has it. */
  async spotlight(room: string, participants: readonly string[]): Promise<void> {
    await this.request('PATCH', `/rooms/${part(room)}`, { spotlight: participants });
  }

  /** What the room looks like now. */
  async roomPicture(room: string, width: number, signal: AbortSignal): Promise<Blob> {
    return (await this.request('GET', `/rooms/${part(room)}/picture.jpg?width=${width}`, undefined, signal)).blob();
  }

  async endConference(room: string): Promise<void> {
    await this.request('POST', `/rooms/${part(room)}/end`, {});
  }

  /** To these, or to all who have entered; resolves with what their phones said to it. */
  async sendMessage(room: string, text: string, to: readonly string[] | null): Promise<MessageDelivery[]> {
    const path = `/rooms/${part(room)}/messages`;
    const { deliveries } = await this.json<{ deliveries: MessageDelivery[] }>('POST', path, { text, to });
    return deliveries;
  }

  /** Only these are heard by all from now on; nobody: all are again. */
  async giveFloor(room: string, participants: readonly string[]): Promise<void> {
    const path = `/rooms/${part(room)}/floor`;
    await (participants.length === 0 ? this.request('DELETE', path) : this.request('PUT', path, { participants }));
  }

  async startRecording(room: string, wanted: { tracks: boolean; video: boolean; announced: boolean }): Promise<void> {
    await this.request('POST', `/rooms/${part(room)}/recordings`, wanted);
  }

  async changeRecording({ room, id }: RecordingView, state: Exclude<RecordingView['state'], 'failed'>): Promise<void> {
    await this.request('PATCH', `/rooms/${part(room)}/recordings/${part(id)}`, { state });
  }

  markRecording({ room, id }: RecordingView, text: string): Promise<RecordingMark> {
    return this.json('POST', `/rooms/${part(room)}/recordings/${part(id)}/marks`, { text });
  }

  /** Of all rooms, oldest first. */
  searchRecordings(search: RecordingSearch, signal: AbortSignal): Promise<RecordingView[]> {
    return this.all(`/recordings?${new URLSearchParams({ ...search })}`, 'recordings', signal);
  }

  recording(id: string, signal?: AbortSignal): Promise<RecordingView> {
    return this.json('GET', `/recordings/${part(id)}`, undefined, signal);
  }

  async deleteRecording(id: string): Promise<void> {
    await this.request('DELETE', `/recordings/${part(id)}`);
  }

  /** Has the file made, unless it is there. */
  makeRecordingFile(id: string, { format, normalized }: WantedFile): Promise<RecordingFileView> {
    return this.json('POST', `/recordings/${part(id)}/files`, { format, normalized });
  }

  /** As a whole; what is not there is made first. */
  async recordingFile(id: string, { format, normalized }: WantedFile, signal?: AbortSignal): Promise<Blob> {
    const path = `/recordings/${part(id)}/file?format=${format}&normalized=${normalized}`;
    return (await this.request('GET', path, undefined, signal)).blob();
  }

  /** An address on this server that needs no token, for so long. */
  recordingLink(id: string, { format, normalized }: WantedFile, expiresInSeconds: number): Promise<RecordingLink> {
    return this.json('POST', `/recordings/${part(id)}/links`, { format, normalized, expiresInSeconds });
  }

  sounds(signal?: AbortSignal): Promise<SoundView[]> {
    return this.all('/sounds', 'sounds', signal);
  }

  async addSound(name: string, file: Blob): Promise<SoundView> {
    return (await this.request('POST', `/sounds?name=${part(name)}`, file)).json() as Promise<SoundView>;
  }

  async deleteSound(id: string): Promise<void> {
    await this.request('DELETE', `/sounds/${part(id)}`);
  }

  async announce(room: string, what: Playable & { gainDb: number; repeat: boolean }): Promise<void> {
    await this.request('POST', `/rooms/${part(room)}/announcements`, what);
  }

  announcements(room: string, signal?: AbortSignal): Promise<Announcement[]> {
    return this.all(`/rooms/${part(room)}/announcements`, 'announcements', signal);
  }

  announcement(room: string, id: string, signal?: AbortSignal): Promise<AnnouncementProgress> {
    return this.json('GET', announcementPath(room, id), undefined, signal);
  }

  changeAnnouncement(room: string, id: string, change: AnnouncementChange): Promise<AnnouncementProgress> {
    return this.json('PATCH', announcementPath(room, id), change);
  }

  async stopAnnouncement(room: string, id: string): Promise<void> {
    await this.request('DELETE', announcementPath(room, id));
  }

  /** The stream of events; from after that id, if the server still knows it. */
  events(lastEventId: string | null, signal: AbortSignal): Promise<Response> {
    return this.request(
      'GET',
      '/events',
      undefined,
      signal,
      lastEventId === null ? {} : { 'Last-Event-ID': lastEventId },
    );
  }

  /** The items of all pages. */
  private async all<Item>(path: string, member: string, signal?: AbortSignal): Promise<Item[]> {
    const items: Item[] = [];
    const separator = path.includes('?') ? '&' : '?';
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `${separator}cursor=${part(cursor)}`;
      const page: Record<string, unknown> = await this.json('GET', `${path}${query}`, undefined, signal);
      items.push(...(page[member] as Item[]));
      cursor = (page['nextCursor'] as string | null | undefined) ?? null;
    } while (cursor !== null);
    return items;
  }

  private async json<Result>(method: string, path: string, body?: object, signal?: AbortSignal): Promise<Result> {
    return (await this.request(method, path, body, signal)).json() as Promise<Result>;
  }

  private async request(
    method: string,
    path: string,
    body?: object,
    signal?: AbortSignal,
    more: Record<string, string> = {},
  ): Promise<Response> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.token}`, ...more };
    const init: RequestInit = { method, headers, credentials: 'omit' };
    if (body instanceof Blob) {
      headers['Content-Type'] = 'application/octet-stream';
      init.body = body;
    } else if (body) {
      headers['Content-Type'] = 'application/json';
      init.body = JSON.stringify(body);
    }
    if (signal) init.signal = signal;
    const response = await this.fetch(this.base + path, init).catch((error: unknown) => {
      if (signal?.aborted) throw error;
      throw new ApiError('unreachable', 0, 'The server cannot be reached');
    });
    if (!response.ok) throw await problemOf(response);
    return response;
  }
}

export interface RecordingLink {
  url: string;
  /** ISO 8601. */
  expiresAt: string;
}

export interface AnnouncementChange {
  gainDb?: number;
  positionMs?: number;
}

const announcementPath = (room: string, id: string) => `/rooms/${part(room)}/announcements/${part(id)}`;

const participantPath = (room: string, id: string) => `/rooms/${part(room)}/participants/${part(id)}`;

async function problemOf(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => ({}))) as {
    code?: string;
    title?: string;
    detail?: string;
    errors?: { detail: string }[];
  };
  const detail = problem.errors?.map((error) => error.detail).join(' ') ?? problem.detail ?? null;
  const title = problem.title ?? `The server answered ${response.status}`;
  return new ApiError(problem.code ?? `status-${response.status}`, response.status, title, detail);
}
