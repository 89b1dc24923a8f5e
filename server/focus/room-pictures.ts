import type { VideoMixers } from '../mixers/video-mixers.ts';
import type { Timers } from '../timers.ts';
import { ControlError } from './control.ts';

export interface RoomPicturesOptions {
  readonly mixers: Pick<VideoMixers, 'has' | 'picture'>;
  readonly timers: Timers;
}

/** A picture is good for so long, and none is made of the same room sooner. */
const EVERY_MS = 500;
/** Widths are rounded up to these steps, so that those who look at a room share pictures. */
const WIDTH_STEP = 160;

interface Made {
  readonly picture: Promise<Uint8Array>;
  /** When it is made, or was. */
  readonly atMs: number;
}

/** What rooms look like, for those who only look: made twice a second at most, however many ask. */
export class RoomPictures {
  private readonly options: RoomPicturesOptions;
  /** By room and width; none is older than `EVERY_MS`. */
  private readonly made = new Map<string, Map<number, Made>>();

  constructor(options: RoomPicturesOptions) {
    this.options = options;
  }

  /**
   * JPEG. Rejects with `ControlError` `picture-unavailable`, or a `MixerError`.
   * @param width pixels, rounded up to the next step
   */
  of(room: string, width: number): Promise<Uint8Array> {
    if (!this.options.mixers.has(room)) {
      return Promise.reject(new ControlError('picture-unavailable', `nobody in ${room} has video`));
    }
    const step = Math.ceil(width / WIDTH_STEP) * WIDTH_STEP;
    const widths = this.made.get(room) ?? new Map<number, Made>();
    this.made.set(room, widths);
    const shared = widths.get(step);
    if (shared !== undefined) return shared.picture;
    const nowMs = this.options.timers.now();
    const atMs = Math.max(nowMs, ...[...widths.values()].map((made) => made.atMs + EVERY_MS));
    const picture = this.makeIn(atMs - nowMs, room, step);
    widths.set(step, { picture, atMs });
    this.options.timers.set(atMs + EVERY_MS - nowMs, () => this.forget(room, step));
    return picture;
  }

  private async makeIn(waitMs: number, room: string, width: number): Promise<Uint8Array> {
    const { mixers, timers } = this.options;
    if (waitMs > 0) await new Promise<void>((resolve) => timers.set(waitMs, resolve));
    return mixers.picture(room, width);
  }

  private forget(room: string, width: number): void {
    const widths = this.made.get(room);
    widths?.delete(width);
    if (widths?.size === 0) this.made.delete(room);
  }
}
