import type { AudioCodecName } from '../../mixer/protocol.ts';
import { AUDIO_CAPABILITIES, codecOf, TELEPHONE_EVENT_PAYLOAD_TYPES, telephoneEventsOf } from './audio-capabilities.ts';
import { readRtpFormats } from './media-attributes.ts';
import type { MediaDescription } from './session-description.ts';

/** The dynamic payload types begin here and end with 127 (RFC 3551 §3). */
const FIRST_DYNAMIC = 96;

/** Never to be had for anything else, even when the other side did so. */
const OUR_STATIC: ReadonlySet<number> = new Set(
  Object.values(AUDIO_CAPABILITIES)
    .map((capability) => capability.payloadType)
    .filter((payloadType) => payloadType < FIRST_DYNAMIC),
);

/** Those that our offers do not give to something by default. */
const SPARE: readonly number[] = Array.from({ length: 32 }, (_, index) => FIRST_DYNAMIC + index).filter(
  (payloadType) =>
    !Object.values(AUDIO_CAPABILITIES).some((capability) => capability.payloadType === payloadType) &&
    ![...TELEPHONE_EVENT_PAYLOAD_TYPES.values()].includes(payloadType),
);

/**
 * Which payload type has meant what in a session, so that none of ours ever means something else (RFC 3264 §8.3.2).
 */
export class PayloadTypes {
  /** What our last description called it. */
  readonly #ours = new Map<string, number>();
  /** All that either side has used, with the meaning it had last. */
  readonly #meanings = new Map<number, string>();

  rememberOurs(media: MediaDescription): void {
    for (const [payloadType, meaning] of meaningsOf(media)) {
      this.#ours.set(meaning, payloadType);
      this.#meanings.set(payloadType, meaning);
    }
  }

  rememberTheirs(media: MediaDescription): void {
    for (const [payloadType, meaning] of meaningsOf(media)) this.#meanings.set(payloadType, meaning);
  }

  /** For our next offer; null when all dynamic ones have been used for other things. */
  ofCodec(codec: AudioCodecName): number | null {
    const { payloadType } = AUDIO_CAPABILITIES[codec];
    return payloadType < FIRST_DYNAMIC ? payloadType : this.#choose(codec, payloadType);
  }

  ofTelephoneEvent(clockRateHz: number): number | null {
    return this.#choose(telephoneEvent(clockRateHz), TELEPHONE_EVENT_PAYLOAD_TYPES.get(clockRateHz) ?? FIRST_DYNAMIC);
  }

  /** The one that it has, else the preferred one, else any; taken from then on. */
  #choose(meaning: string, preferred: number): number | null {
    const ours = this.#ours.get(meaning);
    const candidates = ours === undefined ? [preferred, ...SPARE] : [ours, preferred, ...SPARE];
    const chosen = candidates.find(
      (payloadType) => !OUR_STATIC.has(payloadType) && (this.#meanings.get(payloadType) ?? meaning) === meaning,
    );
    if (chosen === undefined) return null;
    this.#ours.set(meaning, chosen);
    this.#meanings.set(chosen, meaning);
    return chosen;
  }
}

function meaningsOf(media: MediaDescription): [number, string][] {
  const formats = readRtpFormats(media);
  const events = new Set(telephoneEventsOf(formats).map((event) => event.payloadType));
  return formats.map((format) => {
    if (events.has(format.payloadType)) return [format.payloadType, telephoneEvent(format.clockRateHz)];
    const other = `${format.encodingName.toLowerCase()}/${format.clockRateHz}/${format.channels}`;
    return [format.payloadType, codecOf(format) ?? other];
  });
}

function telephoneEvent(clockRateHz: number): string {
  return `telephone-event/${clockRateHz}`;
}
