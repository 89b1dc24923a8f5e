import type { DiagnosisView, TraceView } from '../../../server/diagnosis/diagnosis-view.ts';
import type {
  Announcement,
  BreakoutGroup,
  MessageDelivery,
  NewAnnouncement,
  NewParticipant,
} from '../../../server/focus/control.ts';
import type { StoredCall, StoredConference } from '../../../server/records/call-record.ts';
import type { RegistrationView } from '../../../server/registrar/user-control.ts';
import type { RoomPolicy } from '../../../server/rooms/policy.ts';
import type { ParticipantDetails, ParticipantView, RecordingView, RoomView } from '../../../server/rooms/views.ts';

/** A problem document (RFC 9457) that a call of the API was answered with. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;

  constructor(request: string, status: number, body: string) {
    super(`${request}: ${status} ${body}`);
    this.name = 'ApiProblem';
    this.status = status;
    this.code = codeIn(body);
  }
}

function codeIn(body: string): string {
  try {
    return String((JSON.parse(body) as { code?: unknown }).code ?? '');
  } catch {
    return '';
  }
}

/** The HTTP API as a moderator's program uses it. */
export class ApiClient {
  readonly #base: string;
  readonly #token: string;

  constructor(base: string, token: string) {
    this.#base = base;
    this.#token = token;
  }

  room(room: string): Promise<RoomView> {
    return this.#json('GET', `/rooms/${room}`);
  }

  createRoom(room: { name: string } & Partial<RoomPolicy>): Promise<RoomView> {
    return this.#json('POST', '/rooms', room);
  }

  updateRoom(
    room: string,
    policy: Partial<RoomPolicy> & { spotlight?: string[]; places?: (string | null)[] },
  ): Promise<RoomView> {
    return this.#json('PATCH', `/rooms/${room}`, policy);
  }

  /** JPEG. */
  async picture(room: string, width?: number): Promise<Buffer> {
    const response = await this.#request('GET', `/rooms/${room}/picture.jpg${width ? `?width=${width}` : ''}`);
    return Buffer.from(await response.arrayBuffer());
  }

  async deleteRoom(room: string): Promise<void> {
    await this.#request('DELETE', `/rooms/${room}`);
  }

  async participants(room: string): Promise<ParticipantView[]> {
    return (await this.room(room)).participants;
  }

  participant(room: string, id: string): Promise<ParticipantDetails> {
    return this.#json('GET', `/rooms/${room}/participants/${id}`);
  }

  addParticipant(room: string, participant: { uri: string } & Partial<NewParticipant>): Promise<ParticipantView> {
    return this.#json('POST', `/rooms/${room}/participants`, participant);
  }

  updateParticipant(room: string, id: string, patch: object): Promise<ParticipantView> {
    return this.#json('PATCH', `/rooms/${room}/participants/${id}`, patch);
  }

  async hangUp(room: string, id: string): Promise<void> {
    await this.#request('DELETE', `/rooms/${room}/participants/${id}`);
  }

  async endConference(room: string): Promise<void> {
    await this.#request('POST', `/rooms/${room}/end`);
  }

  async giveFloor(room: string, participants: string[]): Promise<void> {
    await this.#request('PUT', `/rooms/${room}/floor`, { participants });
  }

  async freeFloor(room: string): Promise<void> {
    await this.#request('DELETE', `/rooms/${room}/floor`);
  }

  announce(room: string, announcement: Partial<NewAnnouncement>): Promise<Announcement> {
    return this.#json('POST', `/rooms/${room}/announcements`, announcement);
  }

  async stopAnnouncement(room: string, id: string): Promise<void> {
    await this.#request('DELETE', `/rooms/${room}/announcements/${id}`);
  }

  async sendMessage(room: string, message: { text: string; to?: string[] }): Promise<MessageDelivery[]> {
    const path = `/rooms/${room}/messages`;
    return (await this.#json<{ deliveries: MessageDelivery[] }>('POST', path, message)).deliveries;
  }

  async openBreakouts(room: string, groups: BreakoutGroup[]): Promise<RoomView[]> {
    const { rooms } = await this.#json<{ rooms: RoomView[] }>('POST', `/rooms/${room}/breakouts`, { groups });
    return rooms;
  }

  async closeBreakouts(room: string): Promise<void> {
    await this.#request('DELETE', `/rooms/${room}/breakouts`);
  }

  startRecording(room: string, wanted: { tracks?: boolean; announced?: boolean } = {}): Promise<RecordingView> {
    return this.#json('POST', `/rooms/${room}/recordings`, wanted);
  }

  pauseRecording(room: string, id: string, paused: boolean): Promise<RecordingView> {
    return this.#json('PATCH', `/rooms/${room}/recordings/${id}`, { state: paused ? 'paused' : 'recording' });
  }

  async markRecording(room: string, id: string, text: string): Promise<{ positionMs: number }> {
    return this.#json('POST', `/rooms/${room}/recordings/${id}/marks`, { text });
  }

  async removeRecording(room: string, id: string): Promise<void> {
    await this.#request('DELETE', `/rooms/${room}/recordings/${id}`);
  }

  stopRecording(room: string, id: string): Promise<RecordingView> {
    return this.#json('PATCH', `/rooms/${room}/recordings/${id}`, { state: 'stopped' });
  }

  /** Made if need be. */
  async recordingFile(id: string, format: string, normalized = false): Promise<Buffer> {
    const response = await this.#request(
      'GET',
      `/recordings/${id}/file?format=${format}${normalized ? '&normalized=true' : ''}`,
    );
    return Buffer.from(await response.arrayBuffer());
  }

  async recordings(room: string): Promise<RecordingView[]> {
    return (await this.#json<{ recordings: RecordingView[] }>('GET', `/rooms/${room}/recordings`)).recordings;
  }

  /** Its secret. */
  async createToken(wanted: { name: string; scope: string; room: string }): Promise<string> {
    return (await this.#json<{ token: string }>('POST', '/tokens', wanted)).token;
  }

  async putUser(user: string, password: string): Promise<void> {
    await this.#request('PUT', `/users/${user}`, { password });
  }

  async registrations(user: string): Promise<RegistrationView[]> {
    const answer = await this.#json<{ registrations: RegistrationView[] }>('GET', `/users/${user}/registrations`);
    return answer.registrations;
  }

  diagnosis(room: string, id: string): Promise<DiagnosisView> {
    return this.#json('GET', `/rooms/${room}/participants/${id}/diagnosis`);
  }

  trace(room: string, id: string): Promise<TraceView> {
    return this.#json('GET', `/rooms/${room}/participants/${id}/trace`);
  }

  async pcap(room: string, id: string): Promise<Buffer> {
    const response = await this.#request('GET', `/rooms/${room}/participants/${id}/trace?format=pcap`);
    return Buffer.from(await response.arrayBuffer());
  }

  async calls(query = ''): Promise<StoredCall[]> {
    return (await this.#json<{ calls: StoredCall[] }>('GET', `/calls?${query}`)).calls;
  }

  async callsAsCsv(): Promise<string> {
    return (await this.#request('GET', '/calls?format=csv')).text();
  }

  async conferences(): Promise<StoredConference[]> {
    return (await this.#json<{ conferences: StoredConference[] }>('GET', '/conferences')).conferences;
  }

  /** Of a room, as they come; the first is its whole state. */
  async *events(room: string, signal: AbortSignal): AsyncGenerator<{ type: string; data: unknown }> {
    const headers = { authorization: `Bearer ${this.#token}` };
    const response = await fetch(`${this.#base}/rooms/${room}/events`, { headers, signal });
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const events = text.split('\n\n');
      text = events.pop()!;
      for (const event of events) {
        const type = /^event: *(.*)$/m.exec(event)?.[1];
        const data = /^data: *(.*)$/m.exec(event)?.[1];
        if (type !== undefined && data !== undefined) yield { type, data: JSON.parse(data) };
      }
    }
  }

  async #json<Result>(method: string, path: string, body?: object): Promise<Result> {
    return (await this.#request(method, path, body)).json() as Promise<Result>;
  }

  async #request(method: string, path: string, body?: object): Promise<Response> {
    const response = await fetch(this.#base + path, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new ApiProblem(`${method} ${path}`, response.status, await response.text());
    return response;
  }
}
