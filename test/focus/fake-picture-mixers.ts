import type { VideoRecordingToStart } from '../../mixer/video-protocol.ts';
import type { PictureMixers } from '../../server/focus/recorded-picture.ts';

/** Video mixers without any: remember what they were asked to record. */
export class FakePictureMixers implements PictureMixers {
  available = true;
  isUp = true;
  readonly started: VideoRecordingToStart[] = [];
  /** In short, what they were asked. */
  readonly asked: string[] = [];
  failsWith: Error | null = null;
  /** What is asked of them is answered then. */
  answering: Promise<void> = Promise.resolve();

  async startRecording(params: VideoRecordingToStart): Promise<void> {
    this.asked.push(`start ${params.part}${params.paused ? ' paused' : ''}`);
    this.started.push(params);
    await this.answer();
  }

  async controlRecording(
    _room: string,
    { paused, originMs }: { recording: string; paused: boolean; originMs: number },
  ): Promise<void> {
    this.asked.push(paused ? 'pause' : `go on from ${originMs}`);
    await this.answer();
  }

  async stopRecording(): Promise<{ bytes: number }> {
    this.asked.push('stop');
    await this.answer();
    return { bytes: 1 };
  }

  private async answer(): Promise<void> {
    await this.answering;
    if (this.failsWith !== null) throw this.failsWith;
  }
}
