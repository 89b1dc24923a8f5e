import type { Log } from '../log.ts';
import type { Mixers } from '../mixers/mixers.ts';
import type { Recordings } from '../recordings/recordings.ts';
import type { Room } from '../rooms/room.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { RecordingView } from '../rooms/views.ts';
import { ControlError } from './control.ts';

export interface RoomRecordingsOptions {
  rooms: Rooms;
  mixers: Mixers;
  recordings: Recordings;
  log: Log;
}

/** Recordings of rooms: begun, ended, and gone on with when a mixer died. */
export class RoomRecordings {
  private readonly options: RoomRecordingsOptions;
  /** Recordings that are being ended: by a moderator and by an empty room, say, at the same time. */
  private readonly ending = new Map<string, Promise<RecordingView>>();

  constructor(options: RoomRecordingsOptions) {
    this.options = options;
  }

  async start(room: Room): Promise<RecordingView> {
    if (this.running(room).length > 0) throw new ControlError('recording-running', `${room.name} is being recorded`);
    return this.record(room);
  }

  async stop(room: Room, id: string): Promise<RecordingView> {
    const recording = this.find(room, id);
    if (recording.state !== 'recording') throw new ControlError('recording-not-running', `${id} has ended`);
    return this.end(room, id);
  }

  async toggle(room: Room): Promise<'started' | 'stopped'> {
    if (this.running(room).length > 0) {
      await this.stopAll(room);
      return 'stopped';
    }
    await this.record(room);
    return 'started';
  }

  async remove(room: Room, id: string): Promise<void> {
    this.find(room, id);
    await this.options.recordings.remove(id);
  }

  /** Everybody has left, or the server stops. */
  async stopAll(room: Room): Promise<void> {
    await Promise.all(this.running(room).map((recording) => this.end(room, recording.id)));
  }

  /** The mixer died: what it wrote stays, and the conference is recorded on, into a new file. */
  async lost(lost: { room: string; recording: string }[]): Promise<void> {
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

  async failed(id: string, reason: string): Promise<void> {
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

  private end(room: Room, id: string): Promise<RecordingView> {
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

  find(room: Room, id: string): RecordingView {
    const recording = this.options.recordings.list(room.name).find((candidate) => candidate.id === id);
    if (!recording) throw new ControlError('recording-not-found', `there is no recording ${id} of ${room.name}`);
    return recording;
  }
}
