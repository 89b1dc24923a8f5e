import { RoomRecording, type RoomRecordingOptions } from '../../mixer/room-recording.ts';
import { SimulatedRoom } from '../mixer/simulated-room.ts';
import { MemoryDisk, rest } from './memory-disk.ts';

/** A room in virtual time with what is recorded of it, on a disk in memory. */
export class RecordedRoom {
  readonly room: SimulatedRoom;
  readonly disk = new MemoryDisk();
  readonly failures: string[] = [];

  constructor(room = new SimulatedRoom({ automaticGain: 'off' })) {
    this.room = room;
  }

  async record(options: Partial<RoomRecordingOptions> = {}): Promise<RoomRecording> {
    const recording = new RoomRecording({
      ...{ room: this.room.room, directory: '/recordings/r', part: 1, tracks: false, paused: false, key: null },
      startedAt: new Date('2026-01-02T03:04:05Z'),
      failed: (reason) => void this.failures.push(reason),
      createFile: this.disk.createFile,
      ...options,
    });
    await recording.open();
    recording.begin();
    return recording;
  }

  /** Ticks, and time for the disk between them. */
  async run(ms: number): Promise<void> {
    for (let doneMs = 0; doneMs < ms; doneMs += 20) {
      this.room.run(20);
      await rest();
    }
  }

  end(recording: RoomRecording): ReturnType<RoomRecording['finish']> {
    const { recordings } = this.room.room;
    recordings.splice(recordings.indexOf(recording), 1);
    return recording.finish();
  }
}
