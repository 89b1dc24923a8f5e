import type { EncodeStream } from './encode-once.ts';
import type { RecordingResult } from './protocol.ts';
import type { RecordingSink } from './recording/capture.ts';
import type { SharedStreams } from './room.ts';

/** A recording of a room's mix: one more listener, whose packets go to a file. */
export class RoomRecording {
  readonly id: string;
  readonly streams: SharedStreams;
  private readonly sink: RecordingSink;
  private nextTick = -1;

  constructor(id: string, streams: SharedStreams, sink: RecordingSink) {
    this.id = id;
    this.streams = streams;
    this.sink = sink;
  }

  /** Called once a tick with the packets of that tick. */
  capture(stream: EncodeStream, tick: number): void {
    if (this.nextTick >= 0 && tick > this.nextTick) this.sink.skip((tick - this.nextTick) * stream.packetSamples);
    this.nextTick = tick + 1;
    for (let index = 0; index < stream.packetCount; index++) {
      this.sink.write(stream.payloads[index]!, 0, stream.payloadLengths[index]!, stream.packetSamples);
    }
  }

  finish(): Promise<RecordingResult> {
    return this.sink.finish();
  }
}
