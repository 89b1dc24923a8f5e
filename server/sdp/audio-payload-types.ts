import { AUDIO_CAPABILITIES, codecOf, TELEPHONE_EVENT_PAYLOAD_TYPES, telephoneEventsOf } from './audio-capabilities.ts';
import { readRtpFormats } from './media-attributes.ts';
import type { PayloadTypeMeanings } from './payload-types.ts';

/** Of audio streams: a codec's name, or telephone-event with its clock. */
export const AUDIO_MEANINGS: PayloadTypeMeanings = {
  of(media) {
    const formats = readRtpFormats(media);
    const events = new Set(telephoneEventsOf(formats).map((event) => event.payloadType));
    return formats.map((format) => {
      if (events.has(format.payloadType)) return [format.payloadType, telephoneEventMeaning(format.clockRateHz)];
      const other = `${format.encodingName.toLowerCase()}/${format.clockRateHz}/${format.channels}`;
      return [format.payloadType, codecOf(format) ?? other];
    });
  },
  proposals: new Map([
    ...Object.values(AUDIO_CAPABILITIES).map(({ codec, payloadType }): [string, number] => [codec, payloadType]),
    ...[...TELEPHONE_EVENT_PAYLOAD_TYPES].map(([clockRateHz, payloadType]): [string, number] => [
      telephoneEventMeaning(clockRateHz),
      payloadType,
    ]),
  ]),
};

export function telephoneEventMeaning(clockRateHz: number): string {
  return `telephone-event/${clockRateHz}`;
}
