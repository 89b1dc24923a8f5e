import { type RecordingEnd, Recordings, type RecordingToBegin } from '../../server/recordings/recordings.ts';
import type { TimelineSink } from '../../server/recordings/timeline.ts';

/** Recordings on a real disk, which knows of no virtual time: that stands still as long as something is waited for there. */
export class ChaosRecordings extends Recordings {
  /** What is waited for. */
  pending = 0;

  override begin(recording: RecordingToBegin): ReturnType<Recordings['begin']> {
    return this.waitFor(super.begin(recording));
  }

  override ended(id: string, end: RecordingEnd): ReturnType<Recordings['ended']> {
    return this.waitFor(super.ended(id, end));
  }

  override setParts(...args: Parameters<Recordings['setParts']>): Promise<void> {
    return this.waitFor(super.setParts(...args));
  }

  override async timelineFile(id: string): Promise<TimelineSink> {
    const sink = await this.waitFor(super.timelineFile(id));
    return {
      write: (bytes) => this.waitFor(sink.write(bytes)),
      close: () => this.waitFor(sink.close()),
    };
  }

  private async waitFor<T>(work: Promise<T>): Promise<T> {
    this.pending++;
    try {
      return await work;
    } finally {
      this.pending--;
    }
  }
}
