import type { LegQuality } from '../../mixer/protocol.ts';
import {
  type Announcement,
  type AnnouncementPatch,
  type AnnouncementProgress,
  type BreakoutGroup,
  type ConferenceControl,
  ControlError,
  type MessageDelivery,
  type NewAnnouncement,
  type NewMessage,
  type NewParticipant,
  type NewRecording,
  type ParticipantPatch,
  type RecordingFile,
  type RecordingFormat,
  type RecordingMark,
  type RoomPatch,
} from '../../server/focus/control.ts';
import { policyConflict, type RoomPolicy, saidOf, USUAL_POLICY } from '../../server/rooms/policy.ts';
import type {
  ParticipantDetails,
  ParticipantView,
  PictureQuality,
  RecordingFileView,
  RecordingView,
  RoomDetails,
  RoomView,
} from '../../server/rooms/views.ts';
import { someFile, someRecording } from '../rooms/some-recording.ts';
import { someone } from '../rooms/someone.ts';

const pictures: PictureQuality = {
  ...{ stream: 'main', sent: null, roundTripMs: null },
  received: {
    ...{ codec: 'VP8', width: 1280, height: 720, fps: 24.9, bitrateBps: 1_500_000 },
    ...{ lossPercent: 0.2, jitterMs: 3, broken: 0, keyFramesAsked: 1 },
  },
};

const quality: LegQuality = {
  received: {
    ...{ mos: 4.4, lossPercent: 0, jitterMs: 1.5, concealedPercent: 0 },
    ...{ burstLossPercent: 0, burstMs: 0, gapLossPercent: 0, gapMs: 60_000 },
  },
  sent: null,
  roundTripMs: null,
  bufferDelayMs: 8,
};

function roomWith(policy: Partial<RoomPolicy>): RoomView {
  const { pin, moderatorPin, ...shown } = { ...USUAL_POLICY, ...policy };
  return {
    ...shown,
    name: '',
    origin: 'created',
    breakoutOf: null,
    pinRequired: pin !== null,
    moderatorPinSet: moderatorPin !== null,
    floor: [],
    activeSpeaker: null,
    spotlight: [],
    places: [],
    presenter: null,
    recording: 'off',
    version: 1,
    participants: [],
    recordings: [],
  };
}

/** Rooms without calls: does what the API asks, and remembers it. */
export class FakeConference implements ConferenceControl {
  readonly byName = new Map<string, RoomView>();
  /** Recordings of rooms that are closed by now, by room. */
  readonly closed = new Map<string, RecordingView[]>();
  /** What `recordingFile` gives. */
  file: RecordingFile | null = null;
  /** What `wantRecordingFile` says, unless the file is there. */
  making: RecordingFileView | null = null;
  readonly filesWanted: Array<[string, RecordingFormat, boolean, boolean]> = [];
  /** With what is said of loudness, if it is not to be as it is. */
  readonly filesAskedFor: Array<[string, RecordingFormat] | [string, RecordingFormat, 'normalized']> = [];
  readonly pins = new Map<string, string | null>();
  readonly played: Announcement[] = [];
  readonly texts: NewMessage[] = [];
  /** Thrown by whatever is asked next. */
  failure: Error | null = null;
  /** Awaited by whatever may take long. */
  meanwhile: Promise<void> = Promise.resolve();
  waiting = 0;

  constructor() {
    this.byName.set('demo', {
      ...roomWith({ maxParticipants: 10 }),
      name: 'demo',
      origin: 'configured',
      participants: [someone('anna', { role: 'moderator' }), someone('ben')],
      recordings: [],
    });
  }

  rooms(): RoomView[] {
    this.#mayFail();
    return [...this.byName.values()];
  }

  room(name: string): RoomView {
    this.#mayFail();
    const room = this.byName.get(name);
    if (!room) throw new ControlError('room-not-found', `there is no room ${name}`);
    return room;
  }

  breakoutOf(name: string): string | null {
    return this.byName.get(name)?.breakoutOf ?? null;
  }

  createRoom(name: string, policy: Partial<RoomPolicy>): RoomView {
    if (this.byName.has(name)) throw new ControlError('room-exists', `there is a room ${name}`);
    if (/[@ ]/.test(name)) throw new ControlError('room-name-invalid', `${name} cannot be dialled`);
    this.pins.set(name, policy.pin ?? null);
    const room: RoomView = { ...roomWith(policy), name };
    this.byName.set(name, room);
    return room;
  }

  updateRoom(name: string, { spotlight = [], places = [], ...said }: RoomPatch): RoomView {
    const policy = saidOf(said);
    const conflict = policyConflict({ ...USUAL_POLICY, ...policy });
    if (conflict) throw new ControlError('room-policy-invalid', conflict.text);
    for (const id of [...spotlight, ...places]) if (id !== null) this.#find(name, id);
    const { pin, moderatorPin, ...shown } = policy;
    return Object.assign(this.room(name), { spotlight, places, ...shown });
  }

  /** In the room demo there is something to be seen. */
  async picture(name: string, width: number): Promise<Uint8Array> {
    const room = this.room(name);
    if (room.name !== 'demo') throw new ControlError('picture-unavailable', `nobody in ${name} has video`);
    return Buffer.from(`\xff\xd8 ${width}`, 'latin1');
  }

  roomDetails(name: string): RoomDetails {
    return { ...this.room(name), pin: this.pins.get(name) ?? null, moderatorPin: null };
  }

  async endConference(name: string): Promise<void> {
    this.room(name).participants.length = 0;
  }

  async announce(room: string, wanted: NewAnnouncement): Promise<Announcement> {
    if (wanted.prompt === 'nonsense') throw new ControlError('prompt-not-found', 'there is no prompt nonsense');
    if (wanted.participant !== null) this.#find(room, wanted.participant);
    const id = `said-${this.played.length + 1}`;
    const announcement = { id, room: this.room(room).name, createdAt: '2026-01-01T00:00:00.000Z', ...wanted };
    this.played.push(announcement);
    return announcement;
  }

  announcements(room: string): Announcement[] {
    return this.played.filter((announcement) => announcement.room === this.room(room).name);
  }

  async updateAnnouncement(room: string, id: string, patch: AnnouncementPatch): Promise<AnnouncementProgress> {
    const announcement = this.announcements(room).find((said) => said.id === id);
    if (!announcement) throw new ControlError('announcement-not-found', `${id} is not played`);
    announcement.gainDb = patch.gainDb ?? announcement.gainDb;
    return { ...announcement, positionMs: patch.positionMs ?? 1000, durationMs: 5000 };
  }

  stopAnnouncement(room: string, id: string): void {
    const index = this.played.findIndex((said) => said.id === id && said.room === room);
    if (index < 0) throw new ControlError('announcement-not-found', `${id} is not played`);
    this.played.splice(index, 1);
  }

  /** Phones take all but the text "nonsense". */
  async sendMessage(room: string, message: NewMessage): Promise<MessageDelivery[]> {
    this.#mayFail();
    const { participants } = this.room(room);
    const entered = participants.filter(({ state }) => state === 'connected');
    const to = message.to?.map((id) => this.#find(room, id)) ?? entered;
    const calling = to.find(({ state }) => state === 'connecting');
    if (calling) throw new ControlError('participant-elsewhere', `${calling.id} has not answered yet`);
    this.texts.push(message);
    const taken = message.text !== 'nonsense';
    return to.map(({ id }) => ({
      participant: id,
      outcome: taken ? 'delivered' : 'refused',
      status: taken ? 200 : 405,
    }));
  }

  async openBreakouts(name: string, groups: readonly BreakoutGroup[]): Promise<RoomView[]> {
    if (this.room(name).breakoutOf !== null) throw new ControlError('room-is-breakout', `${name} is one itself`);
    return groups.map(({ name: own, participants }, index) => {
      const moved = participants.map((id) => this.#find(name, id));
      const breakout = { ...roomWith({}), name: own ?? `${name}-${index + 1}`, breakoutOf: name, participants: moved };
      this.byName.set(breakout.name, breakout);
      return breakout;
    });
  }

  async closeBreakouts(name: string): Promise<void> {
    for (const { breakoutOf, name: own } of this.byName.values()) if (breakoutOf === name) this.byName.delete(own);
  }

  async deleteRoom(name: string): Promise<void> {
    this.byName.delete(this.room(name).name);
  }

  /** Whoever is asked for sounds perfect, but has sent no report. */
  async participant(room: string, id: string): Promise<ParticipantDetails> {
    return { ...this.#find(room, id), quality, pictures: [pictures] };
  }

  #find(room: string, id: string): ParticipantView {
    const found = this.room(room).participants.find((participant) => participant.id === id);
    if (!found) throw new ControlError('participant-not-found', `${id} is not in ${room}`);
    return found;
  }

  async updateParticipant(
    room: string,
    id: string,
    { muted, admitted, room: target, ...rest }: ParticipantPatch,
  ): Promise<ParticipantView> {
    const participant = this.#find(room, id);
    if (admitted) throw new ControlError('participant-not-waiting', `${id} does not wait`);
    if (target !== undefined) throw new ControlError('participant-elsewhere', `${id} cannot be moved to ${target}`);
    if (muted !== undefined) participant.muted = muted ? { by: 'moderator' } : null;
    return Object.assign(participant, rest);
  }

  addParticipant(name: string, { uri, displayName, role }: NewParticipant): ParticipantView {
    const { participants, maxParticipants } = this.room(name);
    if (!uri.startsWith('sip:')) throw new ControlError('participant-uri-invalid', `${uri} cannot be called`);
    if (participants.length >= maxParticipants) throw new ControlError('room-full', `${name} is full`);
    const added = someone(`called-${participants.length}`, {
      uri,
      displayName,
      role,
      state: 'connecting',
      audio: null,
    });
    participants.push(added);
    return added;
  }

  async removeParticipant(room: string, id: string): Promise<void> {
    const leaving = this.#find(room, id);
    const { participants } = this.room(room);
    participants.splice(participants.indexOf(leaving), 1);
  }

  async muteAll(name: string, muted: boolean, except: 'moderators' | readonly string[]): Promise<void> {
    for (const participant of this.room(name).participants) {
      const spared = except === 'moderators' ? participant.role === 'moderator' : except.includes(participant.id);
      if (!spared) participant.muted = muted ? { by: 'moderator' } : null;
    }
  }

  async giveFloor(name: string, participants: readonly string[]): Promise<string[]> {
    for (const id of participants) {
      const { state } = this.#find(name, id);
      if (state !== 'connected') throw new ControlError('participant-elsewhere', `${id} has not entered yet`);
    }
    this.room(name).floor = [...participants];
    return [...participants];
  }

  async startRecording(name: string, { tracks = false }: NewRecording): Promise<RecordingView> {
    this.waiting++;
    await this.meanwhile;
    this.waiting--;
    const { recordings, participants } = this.room(name);
    if (participants.length === 0) throw new ControlError('room-empty', `nobody is in ${name}`);
    if (recordings.some(({ state }) => state === 'recording')) {
      throw new ControlError('recording-running', `${name} is being recorded`);
    }
    const recording = someRecording(`rec-${recordings.length + 1}`, { room: name, tracks });
    recordings.push(recording);
    return recording;
  }

  async updateRecording(room: string, id: string, state: 'recording' | 'paused' | 'stopped'): Promise<RecordingView> {
    const recording = this.#running(room, id);
    if (state !== 'stopped') return Object.assign(recording, { state });
    return Object.assign(recording, {
      state: 'stopped',
      stoppedAt: '2026-01-02T03:05:05.678Z',
      durationMs: 60_000,
      bytes: 480_000,
    });
  }

  markRecording(room: string, id: string, text: string): RecordingMark {
    this.#running(room, id);
    return { text, positionMs: 1234, at: '2026-01-02T03:04:06.912Z' };
  }

  #running(room: string, id: string): RecordingView {
    const recording = this.#recording(room, id);
    if (recording.stoppedAt !== null) throw new ControlError('recording-not-running', `${id} does not run`);
    return recording;
  }

  async deleteRecording(room: string, id: string): Promise<void> {
    const recording = this.#recording(room, id);
    if (recording.state === 'recording') throw new ControlError('recording-running', `${id} runs`);
    const recordings = this.recordings(room);
    recordings.splice(recordings.indexOf(recording), 1);
  }

  recordings(room: string): RecordingView[] {
    return this.closed.get(room) ?? this.room(room).recordings;
  }

  allRecordings(): RecordingView[] {
    return [...this.byName.values()].flatMap(({ recordings }) => recordings).concat(...this.closed.values());
  }

  recording(id: string): RecordingView {
    this.#mayFail();
    const found = this.allRecordings().find((recording) => recording.id === id);
    if (!found) throw new ControlError('recording-not-found', `there is no recording ${id}`);
    return found;
  }

  async removeRecording(id: string): Promise<void> {
    const { room } = this.recording(id);
    await this.deleteRecording(room, id);
  }

  async recordingFile(id: string, format: RecordingFormat, normalized: boolean): Promise<RecordingFile> {
    this.#mayFail();
    this.filesAskedFor.push(normalized ? [id, format, 'normalized'] : [id, format]);
    if (!this.file) throw new ControlError('recording-not-found', `there is no recording ${id}`);
    return this.file;
  }

  async wantRecordingFile(id: string, format: RecordingFormat, normalized: boolean, again: boolean) {
    this.#mayFail();
    this.filesWanted.push([id, format, normalized, again]);
    return { file: this.making ?? someFile({ format, normalized }), here: this.making === null };
  }

  #recording(room: string, id: string): RecordingView {
    const found = this.recordings(room).find((recording) => recording.id === id);
    if (!found) throw new ControlError('recording-not-found', `${room} has no recording ${id}`);
    return found;
  }

  #mayFail(): void {
    const { failure } = this;
    this.failure = null;
    if (failure) throw failure;
  }
}
