import { SENDERS } from './code-word.ts';

/** A picture in planar YUV 4:2:0, the three planes one after the other without gaps; width and height are even. */
export interface YuvPicture {
  width: number;
  height: number;
  data: Uint8Array;
}

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const bytesOfPicture = (width: number, height: number): number => (width * height * 3) / 2;

/** Every sender's luma: so that only the colour tells them apart. */
export const COLOUR_LUMA = 120;
/** How far the colours are from grey: near enough for all of them to be RGB colours as well. */
const COLOUR_RADIUS = 60;

export interface Colour {
  u: number;
  v: number;
}

export function colourOf(sender: number): Colour {
  const angle = (2 * Math.PI * (sender + 0.5)) / SENDERS;
  return {
    u: Math.round(128 + COLOUR_RADIUS * Math.cos(angle)),
    v: Math.round(128 + COLOUR_RADIUS * Math.sin(angle)),
  };
}
