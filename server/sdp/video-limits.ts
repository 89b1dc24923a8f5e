import type { VideoLimits } from '../../mixer/video-protocol.ts';
import { readVideoBandwidth } from './bandwidth.ts';
import { type H264Level, h264Level } from './h264-profile.ts';
import { readImageSize } from './image-attribute.ts';
import { attributeValue } from './media-attributes.ts';
import type { MediaDescription, SessionDescription } from './session-description.ts';
import { agreedLevel, type RemoteVideoFormat } from './video-formats.ts';
import type { VideoSettings } from './video-options.ts';

/** What a decoder says of itself, in macroblocks of 16×16. */
interface DecoderLimits {
  macroblocks: number;
  macroblocksPerSecond: number;
  maxFps: number;
  maxBitrateBps: number | null;
}

/** Luma samples of a macroblock. */
const MACROBLOCK = 256;
/** Those of 4096×2304: more than anybody shows. */
const MOST_MACROBLOCKS = 36_864;
const MOST_FPS = 60;
/** Of who says nothing: 1920×1080. */
const UNSAID_MACROBLOCKS = 8_160;
const UNSAID_FPS = 30;

/** The largest picture and the quickest stream that the writer of `media` takes in this format of its. */
export function readVideoLimits(
  session: SessionDescription,
  media: MediaDescription,
  remote: RemoteVideoFormat,
  settings: VideoSettings,
): VideoLimits {
  const decoder = remote.profileLevel === null ? vp8Limits(remote) : h264Limits(remote, settings);
  const macroblocks = Math.min(decoder.macroblocks, MOST_MACROBLOCKS);
  // Neither side may be longer than this (H.264 §A.3.1, RFC 7741 §6.1).
  const longest = Math.floor(Math.sqrt(8 * macroblocks)) * 16;
  const image = readImageSize(media, remote.format.payloadType) ?? { width: longest, height: longest };
  return {
    maxWidth: Math.min(longest, image.width),
    maxHeight: Math.min(longest, image.height),
    maxPixels: macroblocks * MACROBLOCK,
    maxPixelsPerSecond: Math.min(decoder.macroblocksPerSecond, macroblocks * MOST_FPS) * MACROBLOCK,
    maxFps: Math.max(Math.min(decoder.maxFps, readFrameRate(media), MOST_FPS), 1),
    maxBitrateBps: lower(decoder.maxBitrateBps, readVideoBandwidth(session, media)),
  };
}

/** `max-mbps`, `max-fs` and `max-br` only ever say more than the level (RFC 6184 §8.1). */
function h264Limits(
  { profileLevel, format: { parameters } }: RemoteVideoFormat,
  settings: VideoSettings,
): DecoderLimits {
  const agreed = agreedLevel(profileLevel!, parameters, settings);
  const level = higherReceiveLevel(parameters) ?? agreed;
  const atLeast = (name: string, least: number): number => Math.max(readNumber(parameters[name]) ?? 0, least);
  return {
    macroblocks: Math.max(atLeast('max-fs', agreed.maxFs), level.maxFs),
    macroblocksPerSecond: Math.max(atLeast('max-mbps', agreed.maxMbps), level.maxMbps),
    // Hundredths of frames a second; not of RFC 6184, but of Cisco's, Polycom's and Pexip's, from H.241.
    maxFps: (readNumber(parameters['max-fps']) ?? MOST_FPS * 100) / 100,
    maxBitrateBps: Math.max(atLeast('max-br', agreed.maxBr), level.maxBr) * 1000,
  };
}

/** `max-recv-level`: `profile-iop` and `level_idc` in four hexadecimal digits; counts where it is above the level. */
function higherReceiveLevel(parameters: Readonly<Record<string, string>>): H264Level | null {
  const match = /^[0-9a-f]{2}([0-9a-f]{2})$/i.exec(parameters['max-recv-level'] ?? '');
  return match === null ? null : h264Level(Number.parseInt(match[1]!, 16));
}

function vp8Limits({ format: { parameters } }: RemoteVideoFormat): DecoderLimits {
  const macroblocks = readNumber(parameters['max-fs']) ?? UNSAID_MACROBLOCKS;
  const maxFps = readNumber(parameters['max-fr']) ?? UNSAID_FPS;
  return { macroblocks, macroblocksPerSecond: macroblocks * MOST_FPS, maxFps, maxBitrateBps: null };
}

/** `a=framerate` (RFC 8866 §6.13), which may have a fraction. */
function readFrameRate(media: MediaDescription): number {
  const text = attributeValue(media, 'framerate') ?? '';
  return /^\d{1,4}(\.\d{1,9})?$/.test(text) && Number(text) > 0 ? Number(text) : MOST_FPS;
}

/** Null: it is not there, or 0, which nobody can mean. */
function readNumber(text: string | undefined): number | null {
  return text !== undefined && /^0*[1-9]\d{0,9}$/.test(text) ? Number(text) : null;
}

function lower(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}
