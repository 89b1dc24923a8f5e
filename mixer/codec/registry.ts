import type { AudioCodecName } from '../protocol.ts';
import type { AudioCodec } from './codec.ts';
import { createG711Decoder, createG711Encoder } from './g711.ts';
import { createG722Decoder, createG722Encoder } from './g722.ts';
import { createL16Decoder, createL16Encoder } from './l16.ts';
import { createOpusEncoder } from './opus.ts';
import { createOpusDecoder } from './opus-decoder.ts';

function l16(name: AudioCodecName, sampleRateHz: number): AudioCodec {
  return {
    name,
    sampleRateHz,
    rtpClockRateHz: sampleRateHz,
    createDecoder: () => createL16Decoder(sampleRateHz),
    createEncoder: () => createL16Encoder(sampleRateHz),
  };
}

const CODECS: Record<AudioCodecName, AudioCodec> = {
  PCMU: {
    name: 'PCMU',
    sampleRateHz: 8000,
    rtpClockRateHz: 8000,
    createDecoder: () => createG711Decoder('PCMU'),
    createEncoder: () => createG711Encoder('PCMU'),
  },
  PCMA: {
    name: 'PCMA',
    sampleRateHz: 8000,
    rtpClockRateHz: 8000,
    createDecoder: () => createG711Decoder('PCMA'),
    createEncoder: () => createG711Encoder('PCMA'),
  },
  G722: {
    name: 'G722',
    sampleRateHz: 16000,
    rtpClockRateHz: 8000,
    createDecoder: createG722Decoder,
    createEncoder: createG722Encoder,
  },
  opus: {
    name: 'opus',
    sampleRateHz: 48000,
    rtpClockRateHz: 48000,
    createDecoder: () => createOpusDecoder(48000),
    createEncoder: (options) => createOpusEncoder(48000, options),
  },
  'L16/8000': l16('L16/8000', 8000),
  'L16/16000': l16('L16/16000', 16_000),
  'L16/48000': l16('L16/48000', 48_000),
};

/** The codec of this name. */
export function audioCodec(name: AudioCodecName): AudioCodec {
  return CODECS[name];
}
