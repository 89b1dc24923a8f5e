import type { RecordingPart } from '../recordings/catalogue.ts';
import type { RecordingClock } from '../recordings/recording-clock.ts';
import { RoomTimeline } from '../recordings/room-timeline.ts';
import type { Timeline, TimelineEntry } from '../recordings/timeline.ts';
import type { Room } from '../rooms/room.ts';
import type { ParticipantView } from '../rooms/views.ts';
import type { RecordedPicture } from './recorded-picture.ts';

export interface LiveRecordingOptions {
  readonly id: string;
  readonly room: Room;
  /** Where its files are. */
  readonly directory: string;
  /** Base64; null: it is not encrypted. */
  readonly key: string | null;
  readonly tracks: boolean;
  /** Those in the room are told of it. */
  readonly announced: boolean;
  readonly clock: RecordingClock;
  /** Null: it cannot be written. */
  readonly timeline: Timeline | null;
  /** Wall clock, milliseconds since 1970. */
  readonly epochMs: () => number;
  entered(participant: ParticipantView): void;
  /** There are others in it than at its beginning. */
  participantsChanged(): void;
}

/** Of those who are recorded; for whoever looks for a recording. */
const MOST_NAMES = 100;

/** A recording that runs: where it is, and what is told of it in its time line. */
export class LiveRecording {
  readonly options: LiveRecordingOptions;
  /** Null only while it is made. */
  picture: RecordedPicture | null = null;
  private partsNow: readonly RecordingPart[] = [{ number: 1, startMs: 0 }];
  paused = false;
  private readonly names = new Set<string>();
  private story: RoomTimeline | null = null;
  private toldMs = 0;

  constructor(options: LiveRecordingOptions) {
    this.options = options;
  }

  /** There is another one when a mixer died. */
  get parts(): readonly RecordingPart[] {
    return this.partsNow;
  }

  /** The one that is being recorded. */
  get part(): RecordingPart {
    return this.partsNow[this.partsNow.length - 1]!;
  }

  /** That is where its part begins. */
  placePart(startMs: number): void {
    this.partsNow = [...this.partsNow.slice(0, -1), { number: this.part.number, startMs }];
  }

  goOn(part: RecordingPart): void {
    this.partsNow = [...this.partsNow, part];
  }

  /** Names of those who are or were in it. */
  get participants(): string[] {
    return [...this.names];
  }

  /** Tells who is there, and what changes from now on. */
  begin(): void {
    this.story = new RoomTimeline(this.options.room, this.paused, {
      tell: (entry) => this.tell(entry),
      entered: (participant) => this.options.entered(participant),
      recorded: (participant) => this.recorded(participant),
    });
  }

  /** It has ended at that position. Settled when the time line is on the disk. */
  async end(positionMs: number | null, reason: string | null): Promise<void> {
    const { clock, timeline } = this.options;
    const runsMs = clock.positionMs;
    clock.stand(positionMs ?? runsMs);
    // Sound is recorded in whole ticks, so it ends some milliseconds before or after now.
    this.tell({ type: 'stopped', reason }, runsMs - Math.max(this.toldMs, clock.positionMs));
    await timeline?.close();
  }

  readonly changed: RoomTimeline['changed'] = (change) => this.story?.changed(change);

  readonly keyPressed: RoomTimeline['keyPressed'] = (participant, key) => this.story?.keyPressed(participant, key);

  setPaused(paused: boolean): void {
    this.paused = paused;
    this.story?.setPaused(paused);
  }

  /** Gives when it is told of; positions never go back. `agoMs`: since what it tells of, negative if that is yet to come. */
  tell(entry: TimelineEntry, agoMs = 0): { t: number; at: string } {
    const { clock, epochMs, timeline } = this.options;
    this.toldMs = Math.max(this.toldMs, clock.positionMs);
    const when = { t: this.toldMs, at: new Date(epochMs() - agoMs).toISOString() };
    timeline?.add({ ...when, ...entry });
    return when;
  }

  private recorded({ displayName, uri }: ParticipantView): void {
    const name = displayName?.trim() || uri;
    if (this.names.has(name) || this.names.size >= MOST_NAMES) return;
    this.names.add(name);
    if (this.story !== null) this.options.participantsChanged();
  }
}
