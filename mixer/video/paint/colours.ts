import type { Yuv } from '../engine/planar-picture.ts';

/** `rgb`: 0xRRGGBB. In what canvases have: BT.601 (§2.5.1, §2.5.3), limited range. */
export function yuv(rgb: number): Yuv {
  const red = ((rgb >> 16) & 0xff) / 255;
  const green = ((rgb >> 8) & 0xff) / 255;
  const blue = (rgb & 0xff) / 255;
  const luma = 0.299 * red + 0.587 * green + 0.114 * blue;
  return {
    y: Math.round(16 + 219 * luma),
    u: Math.round(128 + (112 * (blue - luma)) / 0.886),
    v: Math.round(128 + (112 * (red - luma)) / 0.701),
  };
}

export interface Theme {
  background: Yuv;
  /** Behind initials, and beside pictures of another shape. */
  card: Yuv;
  /** A place where nobody is. */
  empty: Yuv;
  title: Yuv;
}

export const THEMES: Record<'dark' | 'light', Theme> = {
  dark: { background: yuv(0x1b1d21), card: yuv(0x2b2f36), empty: yuv(0x22252a), title: yuv(0xf4f5f7) },
  light: { background: yuv(0xe6e8ec), card: yuv(0xcdd2da), empty: yuv(0xdadde3), title: yuv(0x1b1d21) },
};

/** Over pictures, and so the same in each theme. */
export const OVERLAY = {
  bar: yuv(0x101216),
  barOpacity: 0.62,
  text: yuv(0xf4f5f7),
  talking: yuv(0x35c46b),
  muted: yuv(0xff6b6b),
  hand: yuv(0xffc94d),
  recording: yuv(0xf04141),
};

/** 0xRRGGBB. White is legible on each (contrast at least 4.5, WCAG 2.1 §1.4.3). */
export const PERSON_COLOURS: readonly number[] = [
  0x2f6fb5, 0x8a4fb0, 0xb2475f, 0x2b7d6d, 0x9c5a22, 0x4f63c4, 0x5c7a28, 0xa8458f, 0x2a7a91, 0xb04a32, 0x6b5bb5,
  0x417a45,
];

/** The same for the same name, on every machine and day (FNV-1a over UTF-16). */
export function personColour(name: string): Yuv {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index++) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193) >>> 0;
  }
  return yuv(PERSON_COLOURS[((hash ^ (hash >>> 16)) >>> 0) % PERSON_COLOURS.length] as number);
}
