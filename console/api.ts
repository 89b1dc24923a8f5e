import type { DiagnosisView } from '../server/diagnosis/diagnosis-view.ts';
import type { ParticipantView, RecordingView, Role, RoomView } from '../server/rooms/views.ts';

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
  room?: string;
  admitted?: true;
}

export interface Invitation {
  uri: string;
  displayName: string | null;
  role: Role;
  /** They must press 1 to join. */
  confirm: boolean;
}

export type RecordingFormat = 'wav' | 'mp4' | 'mka';

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

  async rooms(signal?: AbortSignal): Promise<RoomView[]> {
    const rooms: RoomView[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `?cursor=${part(cursor)}`;
      const page: { rooms: RoomView[]; nextCursor: string | null } = await this.json(
        'GET',
        `/rooms${query}`,
        undefined,
        signal,
      );
      rooms.push(...page.rooms);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return rooms;
  }

  async participants(room: string, signal?: AbortSignal): Promise<ParticipantView[]> {
    const path = `/rooms/${part(room)}/participants`;
    return (await this.json<{ participants: ParticipantView[] }>('GET', path, undefined, signal)).participants;
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

  async endConference(room: string): Promise<void> {
    await this.request('POST', `/rooms/${part(room)}/end`, {});
  }

  async startRecording(room: string): Promise<void> {
    await this.request('POST', `/rooms/${part(room)}/recordings`, {});
  }

  async stopRecording({ room, id }: RecordingView): Promise<void> {
    await this.request('PATCH', `/rooms/${part(room)}/recordings/${part(id)}`, { state: 'stopped' });
  }

  async deleteRecording({ room, id }: RecordingView): Promise<void> {
    await this.request('DELETE', `/rooms/${part(room)}/recordings/${part(id)}`);
  }

  async recordingFile(id: string, format: RecordingFormat): Promise<Blob> {
    return (await this.request('GET', `/recordings/${part(id)}/file?format=${format}`)).blob();
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
    if (body) headers['Content-Type'] = 'application/json';
    const init: RequestInit = { method, headers, credentials: 'omit' };
    if (body) init.body = JSON.stringify(body);
    if (signal) init.signal = signal;
    const response = await this.fetch(this.base + path, init).catch((error: unknown) => {
      if (signal?.aborted) throw error;
      throw new ApiError('unreachable', 0, 'The server cannot be reached');
    });
    if (!response.ok) throw await problemOf(response);
    return response;
  }
}

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
