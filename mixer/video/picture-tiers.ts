import type { VideoLimits } from '../video-protocol.ts';

interface Size {
  width: number;
  height: number;
}

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
/** And those for who takes none of them, as at level 1 of H.264 (99 macroblocks). Nobody's line asks for so little. */
const LEAST_HEIGHTS: readonly number[] = [90, 72];
/** Of the smallest tier, whose lines are slow. */
const SLOW_FPS = 15;
/** A picture is made smaller rather than slower than this for who takes few macroblocks a second. */
const LEAST_FPS = 10;
/** Of frame rates: 29.97 is 30 to everybody. */
const TOLERANCE = 0.002;
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

/** Of who takes all that there is: a recording. */
export const NO_LIMITS: VideoLimits = {
  ...{ maxWidth: 65_535, maxHeight: 65_535, maxPixels: 2 ** 32, maxPixelsPerSecond: 2 ** 40, maxFps: 1000 },
  maxBitrateBps: null,
};

/** The tiers of a room that one takes; the best first. Never none: who takes nothing gets the least. */
export function tiersOf(canvas: Size, roomFps: number, limits: VideoLimits): Tier[] {
  const takes = (height: number): boolean => fits(scaled(canvas, height), roomFps, limits);
  const usual = [canvas.height, ...SMALLER_HEIGHTS.filter((height) => height < canvas.height)];
  const taken = usual.filter(takes);
  const heights = taken.length > 0 ? taken : [LEAST_HEIGHTS.find(takes) ?? LEAST_HEIGHTS.at(-1)!];
  return heights.map((height) => {
    const { width, height: evenHeight } = scaled(canvas, height);
    const slow = height < canvas.height && height <= usual.at(-1)!;
    const everyNth = nthOf({ width, height: evenHeight }, roomFps, slow ? SLOW_FPS : roomFps, limits);
    const fps = roomFps / everyNth;
    const maxBps = Math.round(width * height * fps * BITS_PER_PIXEL * (PIXELS_720P / (width * height)) ** 0.25);
    return { width, height: evenHeight, everyNth, fps, minBps: Math.round(maxBps * MIN_SHARE), maxBps };
  });
}

/** The tier of one viewer, of those that they take, by what their line carries. */
export class TierChoice {
  private index = 0;
  private last = 0;
  private roomyMs = 0;
  private upAfterMs = UP_AFTER_MS;
  private apartMs = FIRST_APART_MS;
  /** Since when they have been slower than most; null: they are not. */
  private slowSinceMs: number | null = null;

  /** @param rateBps what the viewer's line is thought to carry. */
  choose(tiers: readonly Tier[], rateBps: number, nowMs: number): Tier {
    const last = tiers.length - 1;
    this.last = last;
    this.index = Math.min(last, this.index);
    while (this.index < last && rateBps < tiers[this.index]!.minBps) {
      this.index++;
      this.roomyMs = nowMs;
    }
    if (this.index === 0 || rateBps < tiers[this.index - 1]!.minBps * UP_MARGIN) this.roomyMs = nowMs;
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

/** Whether they take a picture of this size, and often enough. */
function fits(size: Size, roomFps: number, limits: VideoLimits): boolean {
  const { maxWidth, maxHeight, maxPixels, maxPixelsPerSecond, maxFps } = limits;
  const pixels = codedPixels(size);
  if (size.width > maxWidth || size.height > maxHeight || pixels > maxPixels) return false;
  return maxPixelsPerSecond / pixels >= Math.min(LEAST_FPS, roomFps, maxFps);
}

/** One of so many of the room's frames, so that there are no more than they take. */
function nthOf(size: Size, roomFps: number, wantedFps: number, { maxFps, maxPixelsPerSecond }: VideoLimits): number {
  const byRate = (roomFps * (1 - TOLERANCE)) / Math.max(1, Math.min(maxFps, wantedFps));
  return Math.max(1, Math.ceil(byRate), Math.ceil((roomFps * codedPixels(size)) / maxPixelsPerSecond));
}

/** As it is encoded, in whole macroblocks. */
function codedPixels({ width, height }: Size): number {
  return Math.ceil(width / 16) * Math.ceil(height / 16) * 256;
}

function scaled(canvas: Size, height: number): Size {
  return { width: even((canvas.width * height) / canvas.height), height: even(height) };
}

function even(size: number): number {
  return 2 * Math.round(size / 2);
}
