import type { Playback } from './playback.ts';

/** Nobody waits for more announcements than this. */
const MOST_WAITING = 32;

/**
 * What is played to one leg or to one room: one after the other, in the order of the requests. One that repeats rests
 * while there is another, and then goes on.
 */
export class SoundQueue {
  /** What sounds in this tick: one; or two, where one gives way to the other. */
  readonly sounding: Playback[] = [];
  private readonly playbacks: Playback[] = [];
  private current: Playback | null = null;

  get idle(): boolean {
    return this.playbacks.length === 0 && this.sounding.length === 0;
  }

  get full(): boolean {
    return this.playbacks.length >= MOST_WAITING;
  }

  add(playback: Playback): void {
    this.playbacks.push(playback);
  }

  tick(): void {
    const { sounding } = this;
    sounding.length = 0;
    const next = this.choose();
    const before = this.current;
    if (before && before !== next) this.sound(before, true);
    if (next) this.sound(next, false);
    this.current = next?.finished ? null : next;
    this.clear();
  }

  /** Ends all. */
  close(): void {
    for (const playback of this.playbacks) playback.end('stopped');
    this.playbacks.length = 0;
    this.sounding.length = 0;
  }

  private sound(playback: Playback, isLast: boolean): void {
    playback.next(isLast ? 'out' : playback.begun && playback !== this.current ? 'in' : 'none');
    this.sounding.push(playback);
  }

  /** The first that does not repeat, or when it is not there yet and when there is none, the first that does. */
  private choose(): Playback | null {
    const once = this.first(false);
    if (once?.ready) return once;
    const repeating = this.first(true);
    return repeating?.ready ? repeating : null;
  }

  private first(repeats: boolean): Playback | null {
    for (let index = 0; index < this.playbacks.length; index++) {
      const playback = this.playbacks[index]!;
      if (playback.repeats === repeats && !playback.stopping && !playback.finished) return playback;
    }
    return null;
  }

  /** One that was to be stopped has faded out in this tick, if it was sounding. */
  private clear(): void {
    let kept = 0;
    for (let index = 0; index < this.playbacks.length; index++) {
      const playback = this.playbacks[index]!;
      if (playback.stopping) playback.end('stopped');
      if (!playback.finished) this.playbacks[kept++] = playback;
    }
    this.playbacks.length = kept;
  }
}
