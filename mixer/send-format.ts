import type { AudioEncoder, ComplexityLimits, EncoderOptions } from './codec/codec.ts';
import { audioCodec } from './codec/registry.ts';
import type { AudioCodecName, AudioFormat } from './protocol.ts';

/** Frame sizes that a single Opus frame can have, of those that our ticks can make (RFC 6716 §2). */
const OPUS_PTIMES_MS = [60, 40, 20, 10];

/** 1500 less the headers of IPv6, UDP and RTP, and what SRTP adds. */
const MOST_PAYLOAD_OCTETS = 1400;

/** Speech at full band, near transparent for one voice (RFC 7587 §3.1.1 calls 28–40 kbit/s the sweet spot), and some more. */
const OPUS_BITRATE_BPS = 48_000;
/** With the lower end of it nothing is lost that a recording should have. */
const LOSSLESS_BPS = 32_000;
/**
 * From here on CELT alone is nearer to the original than SILK with CELT above it, in half the time of an encode, and its
 * sound comes 4 ms sooner (docs/sound-under-loss.md has the figures).
 */
const LOW_DELAY_BPS = 40_000;
const LOW_DELAY_PTIME_MS = 20;
/**
 * Prepared for so much, CELT says more often how loud its bands are without referring to the packet before: without loss
 * that costs 0.1 dB, and at 5% it gains 0.9 (mean over Bark bands).
 */
const LOW_DELAY_EXPECTED_LOSS_PERCENT = 20;
/** RFC 7587 §6.1: the least and the most that Opus can do. */
const OPUS_LEAST_BITRATE_BPS = 6000;

/**
 * Bit rates that lose nothing in speech of a bandwidth (the lower ends in RFC 7587 §3.1.1, and some), by what the listener
 * can play at most, Hz.
 */
const BITRATES_BY_PLAYBACK_RATE: readonly (readonly [playbackRateHz: number, bitrateBps: number])[] = [
  [8000, 16_000],
  [12_000, 20_000],
  [16_000, 24_000],
  [24_000, 28_000],
  [48_000, OPUS_BITRATE_BPS],
];

/** How packets are made. Listeners with the same `key` get the same bytes and share one encoder. */
export interface SendFormat {
  readonly key: string;
  readonly codec: AudioCodecName;
  readonly ptimeMs: number;
  /** In silence nothing is sent but a packet now and then, by which the listener's comfort noise is kept right. */
  readonly dtx: boolean;
  /** What is above half of it gets lost. */
  readonly playbackRateHz: number;
  /** It has all the bits that such a bandwidth needs. */
  readonly lossless: boolean;
  /** As in `EncoderOptions`. */
  readonly lowDelay: boolean;
  /** Made with less effort for one listener than for all who share it. */
  createEncoder(listeners: 'one' | 'shared'): AudioEncoder;
}

export interface SendConditions {
  /** 0–10. */
  complexity: number;
  complexityLimit?: ComplexityLimits;
  /** Of `ExpectedLoss`; only what can carry FEC heeds it. */
  expectedLossPercent: number;
}

/** What we send to one who negotiated `format` (RFC 7587 §6.1 for Opus) and wants packets of `ptimeMs`. */
export function sendFormat(
  format: Pick<AudioFormat, 'codec' | 'parameters'>,
  ptimeMs: number,
  conditions: SendConditions,
): SendFormat {
  if (format.codec === 'opus') return opusFormat(format.parameters, ptimeMs, conditions);
  const codec = audioCodec(format.codec);
  const ptime = isL16(format.codec) ? Math.min(ptimeMs, longestL16PtimeMs(codec.sampleRateHz)) : ptimeMs;
  return {
    key: `${format.codec}/${ptime}`,
    codec: format.codec,
    ptimeMs: ptime,
    dtx: false,
    playbackRateHz: codec.sampleRateHz,
    lossless: true,
    lowDelay: false,
    createEncoder: () => codec.createEncoder(plain),
  };
}

/** Whether one who had `before` can get `format` with the packets going on, no gap and no overlap. */
export function goesOn(before: SendFormat, format: SendFormat): boolean {
  return before.codec === format.codec && before.ptimeMs === format.ptimeMs;
}

/** Whether an encoder of `format` can also go on with all that one of `before` has encoded. */
export function remembers(before: SendFormat, format: SendFormat): boolean {
  return goesOn(before, format) && before.lowDelay === format.lowDelay;
}

function isL16(codec: AudioCodecName): boolean {
  return codec.startsWith('L16/');
}

/** Packets must fit what Ethernet carries; in steps of the 10 ms that ticks can make. */
function longestL16PtimeMs(sampleRateHz: number): number {
  return Math.floor((MOST_PAYLOAD_OCTETS * 1000) / (2 * sampleRateHz) / 10) * 10;
}

/**
 * What we send is always mono, which every receiver takes (RFC 7587 §6.1: `stereo` is only what it prefers). What it says
 * of its own sending (`sprop-stereo`, `sprop-maxcapturerate`) needs nothing from us: packets say themselves what they are.
 */
function opusFormat(
  parameters: Record<string, string>,
  ptimeMs: number,
  { complexity, complexityLimit, expectedLossPercent }: SendConditions,
): SendFormat {
  const playbackRateHz = playbackRate(parameters);
  const bitrateBps = bitrate(parameters, playbackRateHz);
  const inbandFec = parameters['useinbandfec'] === '1' && expectedLossPercent > 0;
  const dtx = parameters['usedtx'] === '1';
  // Of 30 and 50 ms there are no Opus frames: the next shorter ones are sent.
  const ptime = OPUS_PTIMES_MS.find((candidate) => candidate <= ptimeMs) ?? 10;
  // Only SILK has copies of lost packets, and knows silence well enough to send nothing.
  const lowDelay = !inbandFec && !dtx && ptime <= LOW_DELAY_PTIME_MS && bitrateBps >= LOW_DELAY_BPS;
  const options: EncoderOptions = {
    complexity,
    ...(complexityLimit ? { complexityLimit } : {}),
    ...{ bitrateBps, inbandFec, dtx, lowDelay },
    expectedLossPercent: lowDelay ? LOW_DELAY_EXPECTED_LOSS_PERCENT : inbandFec ? expectedLossPercent : 0,
    constantBitrate: parameters['cbr'] === '1',
    maxPlaybackRateHz: playbackRateHz,
  };
  const modes = [dtx ? 'dtx' : '', options.constantBitrate ? 'cbr' : '', lowDelay ? 'low' : ''].join('');
  const key = `opus/${ptime}/${playbackRateHz}/${bitrateBps}/${options.expectedLossPercent}/${modes}`;
  return {
    key,
    codec: 'opus',
    ptimeMs: ptime,
    dtx,
    playbackRateHz,
    lossless: bitrateBps >= Math.min(LOSSLESS_BPS, bitrate({}, playbackRateHz)),
    lowDelay,
    createEncoder: (listeners) =>
      audioCodec('opus').createEncoder(
        // What saves much with SILK, saves little of what is little already.
        listeners === 'one' && complexityLimit && !lowDelay
          ? { ...options, complexityLimit: complexityLimit.own }
          : options,
      ),
  };
}

const plain: EncoderOptions = {
  complexity: 5,
  bitrateBps: OPUS_BITRATE_BPS,
  inbandFec: false,
  dtx: false,
  expectedLossPercent: 0,
};

/** One of the five that make a difference; any number is allowed, and 48000 when it is not said. */
function playbackRate(parameters: Record<string, string>): number {
  const most = Number(parameters['maxplaybackrate'] ?? 48_000);
  const known = BITRATES_BY_PLAYBACK_RATE.findLast(([rateHz]) => rateHz <= most);
  return (known ?? BITRATES_BY_PLAYBACK_RATE.at(Number.isFinite(most) ? 0 : -1)!)[0];
}

function bitrate(parameters: Record<string, string>, playbackRateHz: number): number {
  const enough = BITRATES_BY_PLAYBACK_RATE.find(([rateHz]) => rateHz === playbackRateHz)![1];
  const most = Number(parameters['maxaveragebitrate']);
  return Number.isFinite(most) && most >= OPUS_LEAST_BITRATE_BPS ? Math.min(most, enough) : enough;
}
