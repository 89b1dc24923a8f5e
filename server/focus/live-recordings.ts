import type { Log } from '../log.ts';
import { RecordingClock } from '../recordings/recording-clock.ts';
import type { Recordings } from '../recordings/recordings.ts';
import { Timeline } from '../recordings/timeline.ts';
import type { Room } from '../rooms/room.ts';
import type { Timers } from '../timers.ts';
import { LiveRecording } from './live-recording.ts';
import { type PictureMixers, RecordedPicture } from './recorded-picture.ts';
import type { RecordingVoice } from './recording-voice.ts';

export interface LiveRecordingsOptions {
  readonly video: PictureMixers;
  readonly recordings: Recordings;
  readonly voice: RecordingVoice;
  readonly timers: Timers;
  readonly log: Log;
  /** Wall clock, milliseconds since 1970. */
  readonly epochMs: () => number;
  /** Whether it runs; those that have ended tell nothing more. */
  runs(live: LiveRecording): boolean;
}

/** What was taken down of a recording that is to begin. */
export interface BegunRecording {
  readonly id: string;
  readonly directory: string;
  readonly key: string | null;
  readonly tracks: boolean;
  readonly announced: boolean;
  /** Whether its picture is wanted; null: as the room has it. */
  readonly video: boolean | null;
}

/** Makes recordings that run, each with its clock, its time line and its picture. */
export class LiveRecordings {
  private readonly options: LiveRecordingsOptions;

  constructor(options: LiveRecordingsOptions) {
    this.options = options;
  }

  async make(room: Room, { video, ...about }: BegunRecording): Promise<LiveRecording> {
    const { timers, epochMs, recordings, voice, runs } = this.options;
    const live: LiveRecording = new LiveRecording({
      ...{ ...about, room, epochMs },
      clock: new RecordingClock(() => timers.now()),
      timeline: await this.openTimeline(about.id),
      entered: ({ id }) => {
        // What comes of a change is done after all were told of it.
        if (about.announced && !live.paused) queueMicrotask(() => voice.tellNew(room, id));
      },
      participantsChanged: () => {
        queueMicrotask(() => {
          if (runs(live)) recordings.changed(about.id, { participants: live.participants });
        });
      },
    });
    live.picture = this.picture(live, video);
    return live;
  }

  /** A recording without a time line is better than none. */
  private async openTimeline(id: string): Promise<Timeline | null> {
    const { recordings, timers, log } = this.options;
    const failed = (reason: string): void => log.error({ recording: id, reason }, 'time line cannot be written');
    try {
      return new Timeline({ sink: await recordings.timelineFile(id), timers, failed });
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  private picture(live: LiveRecording, wanted: boolean | null): RecordedPicture {
    const { video: mixers, recordings, timers, log } = this.options;
    const { id, room, directory, key, clock } = live.options;
    return new RecordedPicture({
      ...{ id, room, directory, key, clock, wanted, mixers, timers, log },
      setParts: (parts) => recordings.setVideoParts(id, parts),
      tell: (entry) => void live.tell(entry),
      failed: (videoError) => void recordings.changed(id, { videoError }),
    });
  }
}
