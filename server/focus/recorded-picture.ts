import type { Log } from '../log.ts';
import { isLost, MixerError } from '../mixers/mixer-channel.ts';
import type { VideoMixers } from '../mixers/video-mixers.ts';
import type { RecordingPart } from '../recordings/catalogue.ts';
import type { RecordingClock } from '../recordings/recording-clock.ts';
import type { TimelineEntry } from '../recordings/timeline.ts';
import type { Room } from '../rooms/room.ts';
import type { Timer, Timers } from '../timers.ts';

/** As much of the video mixers as recordings have to do with. */
export type PictureMixers = Pick<
  VideoMixers,
  'available' | 'isUp' | 'startRecording' | 'controlRecording' | 'stopRecording'
>;

export interface RecordedPictureOptions {
  readonly id: string;
  readonly room: Room;
  readonly directory: string;
  /** Base64; null: it is not encrypted. */
  readonly key: string | null;
  /** Null: as the room's policy has it, at each moment. */
  readonly wanted: boolean | null;
  /** That of the sound. */
  readonly clock: RecordingClock;
  readonly mixers: PictureMixers;
  readonly timers: Timers;
  readonly log: Log;
  /** Settled when it is on the disk. */
  setParts(parts: readonly RecordingPart[]): Promise<void>;
  tell(entry: TimelineEntry): void;
  /** No picture is recorded any more. */
  failed(reason: string): void;
}

/** A mixer that died is soon back. */
const AGAIN_AFTER_MS = 1000;
/** Recorded sound comes so late: 2 ms of the limiter, 2.5 of an Opus encoder of its own, or 6.5 of one that listeners share. */
const SOUND_LATE_MS = 5;
/** Sound does not wait longer for the picture to pause. */
const PAUSE_MS = 250;

/**
 * The picture of a recording that runs, on the time line of its sound: begun when somebody in the room has video, gone on
 * with as a new part when a video mixer died. Whatever becomes of it, the sound is not held up.
 */
export class RecordedPicture {
  private readonly options: RecordedPictureOptions;
  private parts: readonly RecordingPart[] = [];
  /** `lost`: the mixer's next life is waited for. `over`: it has ended, or cannot be. */
  private state: 'off' | 'on' | 'lost' | 'over' = 'off';
  private paused = false;
  private again: Timer | null = null;
  /** What is asked of the mixer is asked one after the other. */
  private work: Promise<void> = Promise.resolve();

  constructor(options: RecordedPictureOptions) {
    this.options = options;
  }

  /** The room may have got a picture by now, or is not to have it recorded any more. */
  check(): void {
    if (this.state === 'over') return;
    if (this.isWanted) {
      if (this.state === 'off' && this.hasPicture) this.begin();
    } else if (this.state !== 'off') this.leaveOff();
  }

  /** Settled when nothing more of it gets into the file, or that takes too long. */
  pause(): Promise<void> {
    this.paused = true;
    if (this.state !== 'on') return Promise.resolve();
    const { timers } = this.options;
    const paused = this.next(() => this.tellPaused());
    return new Promise((resolve) => {
      const timer = timers.set(PAUSE_MS, resolve);
      void paused.then(() => {
        timer.clear();
        resolve();
      });
    });
  }

  /** The clock runs again. */
  goOn(): void {
    this.paused = false;
    if (this.state === 'on') void this.next(() => this.tellPaused());
  }

  /** The mixer died; there is another one. */
  lost(): void {
    if (this.state === 'on' || this.state === 'lost') this.begin();
  }

  /** The mixer could not go on with it. */
  fail(reason: string): void {
    if (this.state === 'over') return;
    const { id, room, log, tell, failed } = this.options;
    log.error({ recording: id, room: room.name, reason }, 'the picture is not recorded any more, the sound is');
    void this.end();
    tell({ type: 'video', part: null, reason });
    failed(reason);
  }

  /** Settled when its file is closed, or cannot be. Never rejects. */
  end(): Promise<void> {
    const isOn = this.state === 'on';
    this.close();
    return isOn ? this.next(() => this.stop()) : this.work;
  }

  private get isWanted(): boolean {
    const { wanted, room, mixers } = this.options;
    return (wanted ?? room.policy.recordVideo) && room.policy.video && mixers.available;
  }

  private get hasPicture(): boolean {
    return this.options.room.present.some(({ video, recorded }) => video !== null && recorded);
  }

  private begin(): void {
    this.again?.clear();
    this.again = null;
    this.state = 'on';
    void this.next(() => this.start());
  }

  private close(): void {
    this.state = 'over';
    this.again?.clear();
    this.again = null;
  }

  private leaveOff(): void {
    const wasOn = this.state === 'on';
    this.close();
    this.state = 'off';
    this.options.tell({ type: 'video', part: null, reason: null });
    if (wasOn) void this.next(() => this.stop());
  }

  private async start(): Promise<void> {
    const { id, room, directory, key, clock, mixers, log, setParts, tell } = this.options;
    if (this.state !== 'on') return;
    if (!mixers.isUp) return this.tryAgain();
    const number = this.parts.length + 1;
    const startMs = clock.positionMs;
    this.parts = [...this.parts, { number, startMs }];
    try {
      // Before there is anything in it, so that it is found whenever the server ends.
      await setParts(this.parts);
      const originMs = this.originMs(startMs);
      await mixers.startRecording({
        ...{ room: room.name, recording: id, directory, part: number },
        ...{ originMs, paused: this.paused, key },
      });
    } catch (error) {
      if (isLost(error)) return this.goneUnder('start');
      return this.fail(`it could not be started: ${describe(error)}`);
    }
    tell({ type: 'video', part: number, reason: null });
    log.info({ recording: id, room: room.name, videoPart: number }, 'the picture is recorded');
  }

  private async tellPaused(): Promise<void> {
    const part = this.parts.at(-1);
    if (this.state !== 'on' || part === undefined) return;
    const { id, room, mixers } = this.options;
    const params = { recording: id, paused: this.paused, originMs: this.originMs(part.startMs) };
    await mixers.controlRecording(room.name, params).catch((error: unknown) => {
      if (isGone(error)) return this.goneUnder('control');
      this.fail(describe(error));
    });
  }

  private async stop(): Promise<void> {
    const { id, room, mixers, log } = this.options;
    await mixers.stopRecording(room.name, id).catch((error: unknown) => {
      if (!isGone(error)) log.warn({ recording: id, room: room.name, reason: describe(error) }, 'video not stopped');
    });
  }

  /** When the pictures of a part would have begun, for them to be in step with the sound that is recorded. */
  private originMs(startMs: number): number {
    return this.options.clock.originMs + startMs - SOUND_LATE_MS;
  }

  /** `lost` is told when there is another one. */
  private goneUnder(what: string): void {
    const { id, room, log } = this.options;
    if (this.state === 'on') this.state = 'lost';
    log.warn({ recording: id, room: room.name, what }, 'the video mixer died over the picture of a recording');
  }

  private tryAgain(): void {
    this.state = 'lost';
    this.again = this.options.timers.set(AGAIN_AFTER_MS, () => this.lost());
  }

  private next(work: () => Promise<void>): Promise<void> {
    this.work = this.work.then(work).catch((error: unknown) => {
      this.options.log.error({ recording: this.options.id, err: error }, 'the picture of a recording');
    });
    return this.work;
  }
}

function isGone(error: unknown): boolean {
  return isLost(error) || (error instanceof MixerError && error.code === 'no-such-recording');
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
