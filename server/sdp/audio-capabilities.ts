import type { AudioCodecName, AudioFormat, TelephoneEventFormat } from '../../mixer/protocol.ts';
import { type RtpFormat, readFormatParameters } from './media-attributes.ts';

/** What we can do with a codec, and how SDP says it. */
export interface AudioCapability {
  codec: AudioCodecName;
  /** Encoding name of its rtpmap. */
  encodingName: string;
  clockRateHz: number;
  /** As the rtpmap says, which for Opus is always 2 (RFC 7587 §7). */
  channels: number;
  /** Static (RFC 3551 §6), or the dynamic one that our offers propose. */
  payloadType: number;
  /** What we as a receiver ask of the sender. */
  parameters: Record<string, string>;
}

export const AUDIO_CAPABILITIES: Readonly<Record<AudioCodecName, AudioCapability>> = {
  opus: {
    codec: 'opus',
    encodingName: 'opus',
    clockRateHz: 48000,
    channels: 2,
    payloadType: 96,
    // Mono is the default, and all that a conference mixes (RFC 7587 §6.1).
    parameters: { minptime: '10', useinbandfec: '1' },
  },
  // The clock is 8000 although it samples at 16000 (RFC 3551 §4.5.2).
  G722: { codec: 'G722', encodingName: 'G722', clockRateHz: 8000, channels: 1, payloadType: 9, parameters: {} },
  PCMA: { codec: 'PCMA', encodingName: 'PCMA', clockRateHz: 8000, channels: 1, payloadType: 8, parameters: {} },
  PCMU: { codec: 'PCMU', encodingName: 'PCMU', clockRateHz: 8000, channels: 1, payloadType: 0, parameters: {} },
  'L16/48000': {
    codec: 'L16/48000',
    encodingName: 'L16',
    clockRateHz: 48000,
    channels: 1,
    payloadType: 127,
    parameters: {},
  },
  'L16/16000': {
    codec: 'L16/16000',
    encodingName: 'L16',
    clockRateHz: 16000,
    channels: 1,
    payloadType: 126,
    parameters: {},
  },
  'L16/8000': {
    codec: 'L16/8000',
    encodingName: 'L16',
    clockRateHz: 8000,
    channels: 1,
    payloadType: 125,
    parameters: {},
  },
};

/** By quality. */
export const DEFAULT_CODECS: readonly AudioCodecName[] = ['opus', 'G722', 'PCMA', 'PCMU'];

/** Not offered, as it needs ten times the bandwidth; but recorders and bots that have nothing else get it. */
export const LAST_RESORT_CODECS: readonly AudioCodecName[] = ['L16/48000', 'L16/16000', 'L16/8000'];

/**
 * Comfort noise (RFC 3389), of which we take the static payload type only, beside G.711, whose clock it has. To a G.722
 * listener nothing may be left out: their decoder lives on what it is sent. And Opus has its own.
 */
export const COMFORT_NOISE_PAYLOAD_TYPE = 13;

/** Whether our silence towards one who gets this codec may be comfort noise. */
export function mayRest(codec: AudioCodecName): boolean {
  return codec === 'PCMU' || codec === 'PCMA';
}

export function hasComfortNoise(formats: readonly RtpFormat[]): boolean {
  return formats.some(
    ({ payloadType, encodingName, clockRateHz }) =>
      payloadType === COMFORT_NOISE_PAYLOAD_TYPE && encodingName.toLowerCase() === 'cn' && clockRateHz === 8000,
  );
}

/** The payload types that our offers propose for telephone-event, by clock; RFC 4733 §2.1 wants the codec's clock. */
export const TELEPHONE_EVENT_PAYLOAD_TYPES: ReadonlyMap<number, number> = new Map([
  [8000, 101],
  [48000, 102],
]);

/** The keys 0–9, *, #, A–D and the hook flash (RFC 4733 §3.2). */
export const TELEPHONE_EVENTS = '0-16';

export const DEFAULT_PTIME_MS = 20;
export const MIN_PTIME_MS = 10;
export const MAX_PTIME_MS = 60;

/** Which of our codecs a format is, or null. */
export function codecOf(format: RtpFormat): AudioCodecName | null {
  switch (format.encodingName.toLowerCase()) {
    case 'opus':
      // RFC 7587 §7 wants 48000/2; the channels are left out by some, and mean nothing.
      return format.clockRateHz === 48000 ? 'opus' : null;
    case 'g722':
      // Payload type 9 is G.722 whatever its rtpmap says, and 16000 is a common mistake (RFC 3551 §4.5.2).
      return isMono(format) && (format.clockRateHz === 8000 || format.payloadType === 9) ? 'G722' : null;
    case 'pcma':
      return isMono(format) && format.clockRateHz === 8000 ? 'PCMA' : null;
    case 'pcmu':
      return isMono(format) && format.clockRateHz === 8000 ? 'PCMU' : null;
    case 'l16':
      return (isMono(format) && LAST_RESORT_CODECS.find((name) => name === `L16/${format.clockRateHz}`)) || null;
    default:
      return null;
  }
}

function isMono(format: RtpFormat): boolean {
  return format.channels === 1;
}

/** The formats that are codecs of ours, with the parameters that the writer asked for; one for each codec, the first. */
export function audioFormatsOf(formats: readonly RtpFormat[]): AudioFormat[] {
  const known = new Map<AudioCodecName, AudioFormat>();
  for (const format of formats) {
    const codec = codecOf(format);
    if (codec === null || known.has(codec)) continue;
    known.set(codec, {
      codec,
      payloadType: format.payloadType,
      clockRateHz: AUDIO_CAPABILITIES[codec].clockRateHz,
      parameters: readFormatParameters(format.fmtp),
    });
  }
  return [...known.values()];
}

export function telephoneEventsOf(formats: readonly RtpFormat[]): TelephoneEventFormat[] {
  return formats
    .filter((format) => format.encodingName.toLowerCase() === 'telephone-event')
    .map(({ payloadType, clockRateHz }) => ({ payloadType, clockRateHz }));
}

/**
 * The telephone-event that goes with a codec: the one of its clock, since both share a stream (RFC 4733 §2.1).
 *
 * Phones that offer Opus with telephone-event/8000 only are many, and do take and send it, so that one is second best.
 */
export function telephoneEventFor(
  clockRateHz: number,
  events: readonly TelephoneEventFormat[],
): TelephoneEventFormat | null {
  return (
    events.find((event) => event.clockRateHz === clockRateHz) ??
    events.find((event) => event.clockRateHz === 8000) ??
    null
  );
}
