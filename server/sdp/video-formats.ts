import type { VideoFormat } from '../../mixer/video-protocol.ts';
import { type H264Level, type H264ProfileLevel, lowerLevel, readProfileLevelId, withLevel } from './h264-profile.ts';
import { type RtpFormat, readFormatParameters, readRtpFormats } from './media-attributes.ts';
import type { PayloadTypeMeanings } from './payload-types.ts';
import { readFeedback } from './rtcp-feedback.ts';
import type { MediaDescription } from './session-description.ts';
import type { VideoCodecChoice, VideoSettings } from './video-options.ts';

/** A format of theirs that is a codec of ours. */
export interface RemoteVideoFormat {
  choice: VideoCodecChoice;
  /** Of H.264, whose profile is one that we can take. */
  profileLevel: H264ProfileLevel | null;
  /** Tells formats apart: of H.264, by mode and profile (RFC 6184 §8.2.2). */
  meaning: string;
  /** With their parameters, and all that they can do. */
  format: VideoFormat;
}

/** The RTP clock of all of them. */
const CLOCK_RATE_HZ = 90_000;

/** Constrained baseline, which everybody has, at the level that the settings say. */
const OUR_PROFILE = '42e0';

/** The profiles by preference: what all have comes first, so that one encoder serves all who see the same. */
const PROFILES = ['constrained-baseline', 'baseline', 'main', 'high'] as const;

/** What our offers call their formats. */
const OUR_MEANINGS: Readonly<Record<VideoCodecChoice, string>> = {
  H264: h264Meaning('H264', 'constrained-baseline'),
  'H264/0': h264Meaning('H264/0', 'constrained-baseline'),
  VP8: 'VP8',
};

export function h264Meaning(choice: 'H264' | 'H264/0', profile: string): string {
  return `${choice} ${profile}`;
}

/** The formats that are codecs of ours, in their order; of several that are the same but for the level, the first. */
export function readVideoFormats(media: MediaDescription, formats: readonly RtpFormat[]): RemoteVideoFormat[] {
  const known = new Map<string, RemoteVideoFormat>();
  for (const format of formats) {
    const read = readVideoFormat(media, format, formats);
    if (read !== null && !known.has(read.meaning)) known.set(read.meaning, read);
  }
  return [...known.values()];
}

/** Null: it is none of ours. */
export function readVideoFormat(
  media: MediaDescription,
  { payloadType, encodingName, clockRateHz, fmtp }: RtpFormat,
  all: readonly RtpFormat[],
): RemoteVideoFormat | null {
  if (clockRateHz !== CLOCK_RATE_HZ) return null;
  const parameters = readFormatParameters(fmtp);
  const feedback = readFeedback(media, payloadType);
  const common = { payloadType, parameters, feedback, rtxPayloadType: feedback.nack ? rtxOf(payloadType, all) : null };
  switch (encodingName.toUpperCase()) {
    case 'VP8':
      return { choice: 'VP8', profileLevel: null, meaning: OUR_MEANINGS.VP8, format: { codec: 'VP8', ...common } };
    case 'H264': {
      const choice = h264Choice(parameters);
      const profileLevel = readProfileLevelId(parameters['profile-level-id']);
      if (choice === null || !profileLevel?.profile) return null;
      const meaning = h264Meaning(choice, profileLevel.profile);
      const sets = parameters['sprop-parameter-sets'];
      const format = { codec: 'H264', ...common, ...(sets === undefined ? {} : { parameterSets: sets }) } as const;
      return { choice, profileLevel, meaning, format };
    }
    default:
      return null;
  }
}

/** By `packetization-mode`; not interleaved (2), and nothing unknown. */
export function h264Choice(parameters: Readonly<Record<string, string>>): 'H264' | 'H264/0' | null {
  const mode = parameters['packetization-mode'] ?? '0';
  return mode === '1' ? 'H264' : mode === '0' ? 'H264/0' : null;
}

/** The payload type of what is sent again of a format (RFC 4588 §8.6). */
function rtxOf(payloadType: number, formats: readonly RtpFormat[]): number | null {
  const rtx = formats.find((format) => isRtx(format) && aptOf(format) === payloadType);
  return rtx?.payloadType ?? null;
}

export function isRtx({ encodingName, clockRateHz }: RtpFormat): boolean {
  return encodingName.toLowerCase() === 'rtx' && clockRateHz === CLOCK_RATE_HZ;
}

export function aptOf({ fmtp }: RtpFormat): number {
  return Number(readFormatParameters(fmtp).apt || Number.NaN);
}

/** Those of theirs that we take, in the order of our preference, within which theirs counts. */
export function commonVideoFormats(
  theirs: readonly RemoteVideoFormat[],
  { codecs }: VideoSettings,
): RemoteVideoFormat[] {
  const rankOf = ({ choice, profileLevel }: RemoteVideoFormat): number =>
    codecs.indexOf(choice) * PROFILES.length + PROFILES.indexOf(profileLevel?.profile ?? PROFILES[0]);
  return theirs.filter(({ choice }) => codecs.includes(choice)).toSorted((one, other) => rankOf(one) - rankOf(other));
}

/**
 * The level that both directions keep to (RFC 6184 §8.2.2), or theirs, where each side may have its own. Of a format of
 * theirs, offered or answered.
 */
export function agreedLevel(
  { level }: H264ProfileLevel,
  parameters: Readonly<Record<string, string>>,
  settings: VideoSettings,
): H264Level {
  return allowsAsymmetry(parameters) ? level : lowerLevel(level, settings.level);
}

function allowsAsymmetry(parameters: Readonly<Record<string, string>>): boolean {
  return parameters['level-asymmetry-allowed'] === '1';
}

/** What we as a receiver say of a format in our offer. */
export function offeredParameters(choice: VideoCodecChoice, settings: VideoSettings): Record<string, string> {
  if (choice === 'VP8') return vp8Parameters(settings);
  const profile = readProfileLevelId(`${OUR_PROFILE}1f`)!;
  return {
    'profile-level-id': withLevel(profile, settings.level),
    'level-asymmetry-allowed': '1',
    'packetization-mode': modeOf(choice),
  };
}

/** What we as a receiver answer to a format of theirs: of H.264, its profile in its words, and a level that we may say. */
export function answeredParameters(
  { choice, profileLevel, format: { parameters } }: RemoteVideoFormat,
  settings: VideoSettings,
): Record<string, string> {
  if (choice === 'VP8' || profileLevel === null) return vp8Parameters(settings);
  const mode = { 'packetization-mode': modeOf(choice) };
  if (allowsAsymmetry(parameters)) {
    return { 'profile-level-id': withLevel(profileLevel, settings.level), 'level-asymmetry-allowed': '1', ...mode };
  }
  const level = agreedLevel(profileLevel, parameters, settings);
  const text = level === profileLevel.level ? profileLevel.text : withLevel(profileLevel, level);
  return { 'profile-level-id': text, ...mode, ...beyondLevel(level, parameters, settings) };
}

/** To those who say a low level and more than it, we say so too; others may not know these parameters. */
function beyondLevel(
  level: H264Level,
  parameters: Readonly<Record<string, string>>,
  { level: ours }: VideoSettings,
): Record<string, string> {
  const known = parameters['max-fs'] !== undefined || parameters['max-mbps'] !== undefined;
  if (!known || level === ours) return {};
  return { 'max-mbps': String(ours.maxMbps), 'max-fs': String(ours.maxFs) };
}

function modeOf(choice: 'H264' | 'H264/0'): string {
  return choice === 'H264' ? '1' : '0';
}

/** RFC 7741 §6.1. */
function vp8Parameters({ maxFps, maxFs }: VideoSettings): Record<string, string> {
  return { 'max-fr': String(maxFps), 'max-fs': String(maxFs) };
}

export function offeredMeaning(choice: VideoCodecChoice): string {
  return OUR_MEANINGS[choice];
}

/** Of video streams. */
export const VIDEO_MEANINGS: PayloadTypeMeanings = {
  of(media) {
    const formats = readRtpFormats(media);
    const meaningOf = (format: RtpFormat): string =>
      readVideoFormat(media, format, formats)?.meaning ??
      `${format.encodingName}/${format.clockRateHz} ${format.fmtp ?? ''}`.toLowerCase();
    return formats.map((format) => [format.payloadType, meaningOf(format)]);
  },
  proposals: new Map([
    [OUR_MEANINGS.H264, 103],
    [OUR_MEANINGS['H264/0'], 104],
    [OUR_MEANINGS.VP8, 105],
  ]),
};
