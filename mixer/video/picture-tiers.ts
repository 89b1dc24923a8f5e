import type { VideoLimits } from '../video-protocol.ts';

/** A size, rate and bitrate that pictures are made in once for all who get the same. */
export interface Tier {
  width: number;
  height: number;
  /** One of so many of the room's frames is sent. */
  everyNth: number;
  fps: number;
  /** Below it the next smaller tier looks better. */
  minBps: number;
  maxBps: number;
}

/** Heights below the room's own that are made for those who cannot take it. */
const SMALLER_HEIGHTS: readonly number[] = [720, 360, 180];
/** Of the smallest tier, whose lines are slow. */
const SLOW_FPS = 15;
/** What x264 in real time needs for a calm picture of 720p; smaller ones need more for each pixel. */
const BITS_PER_PIXEL = 0.07;
const PIXELS_720P = 1280 * 720;
const MIN_SHARE = 0.4;
/** A better tier is tried when the line has carried so much more than it needs at least, for so long. */
const UP_MARGIN = 1.25;
const UP_AFTER_MS = 5000;
/**
 * All who see the same get as much as the slowest takes. Who takes less than this share of what most take, for so long,
 * sees the next smaller tier, and tries again after a while, ever more seldom.
 */
const STRAGGLER_SHARE = 0.7;
const STRAGGLES_MS = 3000;
const FIRST_APART_MS = 60_000;
const MOST_APART_MS = 300_000;

/** The tiers of a room for one who takes at most `maxFps`; the best first. */
export function tiersOf(canvas: { width: number; height: number }, roomFps: number, maxFps: number): Tier[] {
  const heights = [canvas.height, ...SMALLER_HEIGHTS.filter((height) => height < canvas.height)];
  return heights.map((height, index) => {
    const width = even((canvas.width * height) / canvas.height);
    const slow = index > 0 && index === heights.length - 1;
    const everyNth = Math.ceil(roomFps / Math.max(1, Math.min(maxFps, slow ? SLOW_FPS : roomFps)));
    const fps = roomFps / everyNth;
    const maxBps = Math.round(width * height * fps * BITS_PER_PIXEL * (PIXELS_720P / (width * height)) ** 0.25);
    return { width, height: even(height), everyNth, fps, minBps: Math.round(maxBps * MIN_SHARE), maxBps };
  });
}

/** The tier of one viewer, from what they said that they take and from what their line carries. */
export class TierChoice {
  private index = 0;
  private last = 0;
  private roomyMs = 0;
  private upAfterMs = UP_AFTER_MS;
  private apartMs = FIRST_APART_MS;
  /** Since when they have been slower than most; null: they are not. */
  private slowSinceMs: number | null = null;

  /** @param rateBps what the viewer's line is thought to carry. */
  choose(tiers: readonly Tier[], limits: VideoLimits, rateBps: number, nowMs: number): Tier {
    const last = tiers.length - 1;
    this.last = last;
    const fitting = tiers.findIndex((tier) => fits(tier, limits));
    const best = fitting < 0 ? last : fitting;
    this.index = Math.min(last, Math.max(best, this.index));
    while (this.index < last && rateBps < tiers[this.index]!.minBps) {
      this.index++;
      this.roomyMs = nowMs;
    }
    if (this.index === best || rateBps < tiers[this.index - 1]!.minBps * UP_MARGIN) this.roomyMs = nowMs;
    else if (nowMs - this.roomyMs >= this.upAfterMs) {
      this.index--;
      this.roomyMs = nowMs;
      this.upAfterMs = UP_AFTER_MS;
    }
    return tiers[this.index]!;
  }

  /** To be called some times a second. @param othersBps what most take who see the same tier */
  compare(rateBps: number, othersBps: number, nowMs: number): void {
    if (this.index >= this.last || rateBps >= STRAGGLER_SHARE * othersBps) {
      this.slowSinceMs = null;
      return;
    }
    this.slowSinceMs ??= nowMs;
    if (nowMs - this.slowSinceMs < STRAGGLES_MS) return;
    this.slowSinceMs = null;
    this.index++;
    this.roomyMs = nowMs;
    this.upAfterMs = this.apartMs;
    this.apartMs = Math.min(MOST_APART_MS, 2 * this.apartMs);
  }
}

function fits({ width, height }: Tier, { maxWidth, maxHeight, maxPixels }: VideoLimits): boolean {
  return width <= maxWidth && height <= maxHeight && width * height <= maxPixels;
}

function even(size: number): number {
  return 2 * Math.round(size / 2);
}
