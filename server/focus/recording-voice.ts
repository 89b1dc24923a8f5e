import type { Announcer } from '../ivr/announcer.ts';
import type { Room } from '../rooms/room.ts';
import type { Timer, Timers } from '../timers.ts';

export interface RecordingVoiceOptions {
  readonly announcer: Announcer;
  readonly timers: Timers;
}

export type RecordingPrompt = 'recording-started' | 'recording-stopped' | 'recording-paused' | 'recording-resumed';

/** Heard in pauses, and no trouble to who speaks: as it is, the tone is as loud as speech. */
const TONE_DB = -24;

/** What those in a room hear of its being recorded. */
export class RecordingVoice {
  private readonly options: RecordingVoiceOptions;
  private readonly tones = new Map<Room, { everyS: number; timer: Timer }>();

  constructor(options: RecordingVoiceOptions) {
    this.options = options;
  }

  tellAll(room: Room, prompt: RecordingPrompt): void {
    if (room.present.length > 0) this.options.announcer.say({ room: room.name }, room.policy.language, [prompt]);
  }

  /** Came in while it is recorded. */
  tellNew(room: Room, leg: string): void {
    this.options.announcer.say({ leg }, room.policy.language, ['this-call-is-recorded']);
  }

  /** Sees to it that the tone comes as the room's policy has it, as long as it is recorded. */
  setTone(room: Room, isRecorded: boolean): void {
    const everyS = isRecorded ? room.policy.recordingToneSeconds : 0;
    const before = this.tones.get(room);
    if ((before?.everyS ?? 0) === everyS) return;
    before?.timer.clear();
    this.tones.delete(room);
    if (everyS > 0) this.wait(room, everyS);
  }

  private wait(room: Room, everyS: number): void {
    const { announcer, timers } = this.options;
    const timer = timers.set(everyS * 1000, () => {
      this.wait(room, everyS);
      if (room.present.length === 0) return;
      announcer.playTone({ room: room.name }, 'recording-tone', TONE_DB);
    });
    this.tones.set(room, { everyS, timer });
  }
}
