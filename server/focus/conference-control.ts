import type { Log } from '../log.ts';
import { MixerError } from '../mixers/mixer-channel.ts';
import type { Mixers } from '../mixers/mixers.ts';
import type { Recordings } from '../recordings/recordings.ts';
import type { Room } from '../rooms/room.ts';
import { roomName } from '../rooms/room-name.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { ParticipantDetails, ParticipantView, RecordingView, RoomPolicy, RoomView } from '../rooms/views.ts';
import { parseUri } from '../sip/message/uri.ts';
import {
  type ConferenceControl,
  ControlError,
  type NewParticipant,
  type ParticipantPatch,
  type RecordingFile,
  type RecordingFormat,
} from './control.ts';
import type { Focus } from './focus.ts';
import type { ParticipantCall } from './participant-call.ts';

export interface ConferencesOptions {
  rooms: Rooms;
  focus: Focus;
  mixers: Mixers;
  recordings: Recordings;
  log: Log;
}

/** Carries out what HTTP (and later keys and SIP) ask of the rooms. */
export class Conferences implements ConferenceControl {
  private readonly options: ConferencesOptions;
  /** Recordings that are being ended: by a moderator and by an empty room, say, at the same time. */
  private readonly ending = new Map<string, Promise<RecordingView>>();

  constructor(options: ConferencesOptions) {
    this.options = options;
  }

  rooms(): RoomView[] {
    return [...this.options.rooms].map((room) => this.viewOf(room));
  }

  room(name: string): RoomView {
    return this.viewOf(this.find(name));
  }

  createRoom(name: string, policy: Partial<RoomPolicy>): RoomView {
    const valid = roomName(name);
    if (valid === null) throw new ControlError('room-name-invalid', `${name} cannot be a room's name`);
    if (this.options.rooms.get(valid)) throw new ControlError('room-exists', `room ${valid} is there already`);
    return this.viewOf(this.options.rooms.open(valid, 'created', policy));
  }

  updateRoom(name: string, policy: Partial<RoomPolicy>): RoomView {
    const room = this.find(name);
    room.changePolicy(policy);
    return this.viewOf(room);
  }

  async deleteRoom(name: string): Promise<void> {
    const room = this.find(name);
    for (const participant of this.options.focus.in(room)) participant.hangUp('the room was closed');
    await this.stopRecordings(room);
    if (room.origin !== 'configured') this.options.rooms.close(room);
  }

  async participant(roomNamed: string, id: string): Promise<ParticipantDetails> {
    const room = this.find(roomNamed);
    const quality = (await this.findParticipant(room, id).statistics())?.quality ?? null;
    return { ...this.participantView(room, id), quality };
  }

  async updateParticipant(roomNamed: string, id: string, patch: ParticipantPatch): Promise<ParticipantView> {
    const room = this.find(roomNamed);
    const participant = this.findParticipant(room, id);
    const { muted, deaf, gainDb, role, hand } = patch;
    await this.carryOut(async () => {
      if (muted !== undefined) await participant.setMuted(muted, 'moderator');
      if (deaf !== undefined) await participant.setControl({ deaf });
      if (gainDb !== undefined) await participant.setControl({ gainDb });
    });
    if (role !== undefined) room.change(id, { role });
    if (hand !== undefined) room.change(id, { hand });
    return this.participantView(room, id);
  }

  addParticipant(roomNamed: string, { uri: text, displayName, role }: NewParticipant): ParticipantView {
    const room = this.find(roomNamed);
    const uri = parseUri(text);
    // A request method and headers in it would be for the one who answers to decide, not for us to send.
    if (uri === null || uri.headers.size > 0 || uri.parameters.has('method')) {
      throw new ControlError('participant-uri-invalid', `${text} is no SIP address that can be called`);
    }
    if (room.full) throw new ControlError('room-full', `${room.name} holds ${room.policy.maxParticipants}`);
    if (this.options.focus.full || this.options.focus.isBusy(room)) {
      throw new ControlError('server-full', 'the server holds no more calls');
    }
    return this.options.focus.dialOut(room, { uri, displayName, role });
  }

  async removeParticipant(room: string, id: string): Promise<void> {
    this.findParticipant(this.find(room), id).hangUp('removed by a moderator');
  }

  async muteAll(roomNamed: string, muted: boolean, except: 'moderators' | readonly string[]): Promise<void> {
    const room = this.find(roomNamed);
    const spared = (id: string): boolean =>
      except === 'moderators' ? room.participant(id)?.role === 'moderator' : except.includes(id);
    const meant = this.options.focus.in(room).filter((participant) => !spared(participant.id));
    await this.carryOut(() => Promise.all(meant.map((participant) => participant.setMuted(muted, 'moderator'))));
  }

  async startRecording(roomNamed: string): Promise<RecordingView> {
    const room = this.find(roomNamed);
    if (this.running(room).length > 0) throw new ControlError('recording-running', `${room.name} is being recorded`);
    return this.record(room);
  }

  async stopRecording(roomNamed: string, id: string): Promise<RecordingView> {
    const room = this.find(roomNamed);
    const recording = this.recordingOf(room, id);
    if (recording.state !== 'recording') throw new ControlError('recording-not-running', `${id} has ended`);
    return this.endRecording(room, id);
  }

  async deleteRecording(room: string, id: string): Promise<void> {
    this.recordingOf(this.find(room), id);
    await this.options.recordings.remove(id);
  }

  recordings(room: string): RecordingView[] {
    return this.options.recordings.list(this.find(room).name);
  }

  recordingFile(id: string, format: RecordingFormat): Promise<RecordingFile> {
    return this.options.recordings.file(id, format);
  }

  /** Everybody has left, or the server stops. */
  async stopRecordings(room: Room): Promise<void> {
    await Promise.all(this.running(room).map((recording) => this.endRecording(room, recording.id)));
  }

  /** The mixer died: what it wrote stays, and the conference is recorded on, into a new file. */
  async recordingsLost(lost: { room: string; recording: string }[]): Promise<void> {
    for (const { room: name, recording } of lost) {
      const ended = await this.options.recordings.ended(recording, {
        error: 'the mixer died; a new recording goes on',
      });
      const room = this.options.rooms.get(name);
      if (!room) continue;
      room.recordingChanged(ended);
      if (room.size > 0) await this.record(room);
    }
  }

  async recordingFailed(id: string, reason: string): Promise<void> {
    const ended = await this.options.recordings.ended(id, { error: reason });
    this.options.log.error({ recording: id, room: ended.room, reason }, 'recording failed');
    this.options.rooms.get(ended.room)?.recordingChanged(ended);
  }

  private async record(room: Room): Promise<RecordingView> {
    const { recordings, mixers, log } = this.options;
    const { id, path } = recordings.begin(room.name, new Date());
    try {
      await mixers.startRecording(room.name, id, path);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      room.recordingChanged(await recordings.ended(id, { error: reason }));
      throw new ControlError('recording-unavailable', `the recording could not be started: ${reason}`);
    }
    log.info({ recording: id, room: room.name }, 'recording started');
    room.recordingChanged(recordings.get(id));
    return recordings.get(id);
  }

  private endRecording(room: Room, id: string): Promise<RecordingView> {
    const running = this.ending.get(id) ?? this.finishCapture(room, id).finally(() => this.ending.delete(id));
    this.ending.set(id, running);
    return running;
  }

  private async finishCapture(room: Room, id: string): Promise<RecordingView> {
    const { recordings, mixers, log } = this.options;
    const outcome = await mixers.stopRecording(room.name, id).catch((error: unknown) => ({ error: String(error) }));
    const ended = await recordings.ended(id, outcome);
    log.info({ recording: id, room: room.name, durationMs: ended.durationMs, error: ended.error }, 'recording ended');
    room.recordingChanged(ended);
    return ended;
  }

  private running(room: Room): RecordingView[] {
    return this.options.recordings.list(room.name).filter((recording) => recording.state === 'recording');
  }

  private recordingOf(room: Room, id: string): RecordingView {
    const recording = this.options.recordings.list(room.name).find((candidate) => candidate.id === id);
    if (!recording) throw new ControlError('recording-not-found', `there is no recording ${id} of ${room.name}`);
    return recording;
  }

  private async carryOut(change: () => Promise<unknown>): Promise<void> {
    try {
      await change();
    } catch (error) {
      if (error instanceof MixerError) throw new ControlError('mixer-unavailable', error.message);
      throw error;
    }
  }

  private find(name: string): Room {
    const room = this.options.rooms.get(roomName(name) ?? '');
    if (!room) throw new ControlError('room-not-found', `there is no room ${name}`);
    return room;
  }

  private findParticipant(room: Room, id: string): ParticipantCall {
    const participant = this.options.focus.participant(room, id);
    if (!participant) throw new ControlError('participant-not-found', `there is no participant ${id} in ${room.name}`);
    return participant;
  }

  private participantView(room: Room, id: string): ParticipantView {
    const view = room.participant(id);
    if (!view) throw new ControlError('participant-not-found', `there is no participant ${id} in ${room.name}`);
    return view;
  }

  private viewOf(room: Room): RoomView {
    return room.view(this.options.recordings.list(room.name));
  }
}
