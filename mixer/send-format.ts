import type { AudioEncoder, EncoderOptions } from './codec/codec.ts';
import { audioCodec } from './codec/registry.ts';
import type { AudioCodecName, AudioFormat } from './protocol.ts';

/** Frame sizes that a single Opus frame can have, of those that our ticks can make (RFC 6716 §2). */
const OPUS_PTIMES_MS = [60, 40, 20, 10];

/** Speech at full band, near transparent for one voice (RFC 7587 §3.1.1 calls 28–40 kbit/s the sweet spot). */
const OPUS_BITRATE_BPS = 32_000;

/** How packets are made. Listeners with the same `key` get the same bytes and share one encoder. */
export interface SendFormat {
  readonly key: string;
  readonly codec: AudioCodecName;
  readonly ptimeMs: number;
  /** Nothing is sent in silence. */
  readonly dtx: boolean;
  createEncoder(): AudioEncoder;
}

/** What we send to one who negotiated `format` (RFC 7587 §6.1 for Opus) and wants packets of `ptimeMs`. */
export function sendFormat(
  format: Pick<AudioFormat, 'codec' | 'parameters'>,
  ptimeMs: number,
  complexity: number,
): SendFormat {
  const codec = audioCodec(format.codec);
  if (format.codec !== 'opus') {
    return {
      key: `${format.codec}/${ptimeMs}`,
      codec: format.codec,
      ptimeMs,
      dtx: false,
      createEncoder: () => codec.createEncoder(plain),
    };
  }
  const options: EncoderOptions = {
    complexity,
    bitrateBps: opusBitrate(format.parameters),
    inbandFec: format.parameters['useinbandfec'] === '1',
    dtx: format.parameters['usedtx'] === '1',
    expectedLossPercent: format.parameters['useinbandfec'] === '1' ? 5 : 0,
  };
  const ptime = OPUS_PTIMES_MS.find((candidate) => candidate <= ptimeMs) ?? 20;
  const key = `opus/${ptime}/${options.bitrateBps}/${options.inbandFec ? 'fec' : ''}/${options.dtx ? 'dtx' : ''}`;
  return { key, codec: 'opus', ptimeMs: ptime, dtx: options.dtx, createEncoder: () => codec.createEncoder(options) };
}

const plain: EncoderOptions = {
  complexity: 5,
  bitrateBps: OPUS_BITRATE_BPS,
  inbandFec: false,
  dtx: false,
  expectedLossPercent: 0,
};

function opusBitrate(parameters: Record<string, string>): number {
  const most = Number(parameters['maxaveragebitrate']);
  return Number.isFinite(most) && most >= 6000 ? Math.min(most, OPUS_BITRATE_BPS) : OPUS_BITRATE_BPS;
}

/** What most Opus phones ask for, so that a recording shares their encoder also when they come later. */
export function recordingFormat(complexity: number): SendFormat {
  return sendFormat({ codec: 'opus', parameters: { useinbandfec: '1' } }, 20, complexity);
}
