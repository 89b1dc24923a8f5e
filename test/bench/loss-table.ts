import type { AudioDecoder } from '../../mixer/codec/codec.ts';
import { audioCodec } from '../../mixer/codec/registry.ts';
import { expectedLossPercentFor } from '../../mixer/expected-loss.ts';
import { type Attention, LegReceiver } from '../../mixer/leg-receiver.ts';
import type { AudioCodecName } from '../../mixer/protocol.ts';
import { RTP_HEADER_LENGTH, RtpPacket, writeRtpHeader } from '../../mixer/rtp/rtp-packet.ts';
import { type NetworkOptions, sendThroughNetwork } from '../rtp/jitter-simulation.ts';
import { speech } from '../speech/speech.ts';
import { barkDistanceDb } from '../speech/speech-quality.ts';

/** Speech through a network in virtual time into a real leg: jitter buffer, decoder, concealment, stretching. */

export type TableCodec = Extract<AudioCodecName, 'PCMU' | 'G722' | 'opus'>;

const PTIME_MS = 20;
const TICK_MS = 20;
const TICK_PHASE_MS = 7;
const PAYLOAD_TYPE = 96;
/** More than any change of the delay. */
const MOST_WARP_MS = 450;

export interface SpokenOptions extends NetworkOptions {
  codec: TableCodec;
  /** Puts silence in place of what is missing. */
  withoutConcealment?: boolean;
  /** `everything` when left out. */
  attention?: Attention;
  /** Decides whether FEC is sent (Opus). */
  expectedLossPercent?: number;
}

export interface Spoken {
  pcm: Int16Array;
  sampleRateHz: number;
  /** Of the jitter buffer, by tick. */
  delaysMs: number[];
  concealedPercent: number;
  /** Packets that were in time and not played. */
  discarded: number;
}

/** Speech of two voices, one after the other, over and over. */
function conversation(codec: TableCodec, seconds: number): Int16Array {
  const sampleRateHz = audioCodec(codec).sampleRateHz as 8000 | 16000 | 48000;
  const pcm = new Int16Array(sampleRateHz * seconds);
  const voices = [speech('low', sampleRateHz), speech('high', sampleRateHz)];
  for (let at = 0, turn = 0; at < pcm.length; turn++) {
    const voice = voices[turn % 2]!;
    pcm.set(voice.subarray(0, Math.min(voice.length, pcm.length - at)), at);
    at += voice.length;
  }
  return pcm;
}

const encoded = new Map<string, Uint8Array[]>();

function payloads(codec: TableCodec, seconds: number, expectedLossPercent: number): Uint8Array[] {
  const key = `${codec}/${seconds}/${expectedLossPercent}`;
  const known = encoded.get(key);
  if (known) return known;
  const inbandFec = expectedLossPercent > 0;
  const options = { complexity: 5, bitrateBps: 32_000, inbandFec, dtx: false, expectedLossPercent };
  const encoder = audioCodec(codec).createEncoder(options);
  const pcm = conversation(codec, seconds);
  const samples = (encoder.sampleRateHz * PTIME_MS) / 1000;
  const out = new Uint8Array(2000);
  const made: Uint8Array[] = [];
  for (let at = 0; at + samples <= pcm.length; at += samples) {
    made.push(out.slice(0, encoder.encode(pcm, at, samples, out, 0)));
  }
  encoder.close();
  encoded.set(key, made);
  return made;
}

export function speakThrough(options: SpokenOptions): Spoken {
  const { codec, seconds, withoutConcealment = false, expectedLossPercent = 0, attention = 'everything' } = options;
  const { rtpClockRateHz, sampleRateHz } = audioCodec(codec);
  const made = payloads(codec, seconds, expectedLossPercent);
  const { arrivals } = sendThroughNetwork({ firstSequence: 0, ...options }, PTIME_MS, rtpClockRateHz);
  const receiver = new LegReceiver({ decodes: 0 }, (name) => {
    const decoder = audioCodec(name).createDecoder();
    return withoutConcealment ? unrepaired(decoder) : decoder;
  });
  receiver.configure([{ codec, payloadType: PAYLOAD_TYPE, clockRateHz: rtpClockRateHz, parameters: {} }]);

  const ticks = Math.floor((seconds * 1000) / TICK_MS);
  const pcm = new Int16Array((ticks * sampleRateHz * TICK_MS) / 1000);
  const delaysMs: number[] = [];
  const packet = new RtpPacket();
  let next = 0;
  for (let tick = 0; tick < ticks; tick++) {
    const nowMs = tick * TICK_MS + TICK_PHASE_MS;
    for (; next < arrivals.length && arrivals[next]!.atMs <= nowMs; next++) {
      const { sequence, timestamp, marker, atMs } = arrivals[next]!;
      const bytes = new Uint8Array(RTP_HEADER_LENGTH + made[sequence]!.length);
      writeRtpHeader(bytes, PAYLOAD_TYPE, marker, sequence & 0xffff, timestamp >>> 0, 1);
      bytes.set(made[sequence]!, RTP_HEADER_LENGTH);
      packet.parse(bytes, bytes.length);
      receiver.put(packet, atMs);
    }
    receiver.pull(nowMs, attention);
    pcm.set(receiver.frame, (tick * sampleRateHz * TICK_MS) / 1000);
    delaysMs.push(receiver.delayMs);
  }
  const { concealedTicks = 0, discarded = 0 } = receiver.counters ?? {};
  receiver.close();
  const concealedPercent = (100 * concealedTicks) / (seconds * rtpClockRateHz);
  return { pcm, sampleRateHz, delaysMs, concealedPercent, discarded };
}

function unrepaired(decoder: AudioDecoder): AudioDecoder {
  return {
    sampleRateHz: decoder.sampleRateHz,
    historyPackets: decoder.historyPackets,
    decode: (payload, out, offset) => decoder.decode(payload, out, offset),
    samplesIn: (payload) => decoder.samplesIn(payload),
    saysSilence: (payload) => decoder.saysSilence(payload),
    repairsPrevious: () => false,
    conceal: (samples, out, offset) => void out.fill(0, offset, offset + samples),
    close: () => decoder.close(),
  };
}

/** Against the same codec over a network that neither loses nor delays. */
export function damageDb(spoken: Spoken, perfect: Spoken): number {
  return barkDistanceDb(perfect.pcm, spoken.pcm, spoken.sampleRateHz, MOST_WARP_MS);
}

export interface LossRow {
  codec: TableCodec;
  /** Opus with FEC from the sender. */
  fec: boolean;
  lossPercent: number;
  lossBurst: number;
  jitterMs: number;
  delayMs: number;
  concealedPercent: number;
  damageDb: number;
  damageUnrepairedDb: number;
}

export interface LossTableOptions {
  codecs: readonly { codec: TableCodec; fec: boolean }[];
  lossPercents: readonly number[];
  lossBursts: readonly number[];
  jittersMs: readonly number[];
  seconds: number;
}

export const WHOLE_TABLE: LossTableOptions = {
  codecs: [
    { codec: 'PCMU', fec: false },
    { codec: 'G722', fec: false },
    { codec: 'opus', fec: false },
    { codec: 'opus', fec: true },
  ],
  lossPercents: [0, 1, 5, 10, 20, 30],
  lossBursts: [1, 3],
  jittersMs: [0, 20, 60, 100, 150],
  seconds: 20,
};

export function lossTable(options: LossTableOptions): LossRow[] {
  const { codecs, lossPercents, lossBursts, jittersMs, seconds } = options;
  const rows: LossRow[] = [];
  for (const { codec, fec } of codecs) {
    for (const lossPercent of lossPercents) {
      const expectedLossPercent = fec ? expectedLossPercentFor(lossPercent / 100) : 0;
      const perfect = speakThrough({ codec, seconds, seed: 1, expectedLossPercent });
      for (const lossBurst of lossPercent === 0 ? [1] : lossBursts) {
        for (const jitterMs of jittersMs) {
          const network: SpokenOptions = {
            ...{ codec, seconds, seed: 7, lossPercent, lossBurst, expectedLossPercent },
            jitterMs: (_, random) => random() * jitterMs,
          };
          const spoken = speakThrough(network);
          const unrepaired = speakThrough({ ...network, withoutConcealment: true });
          rows.push({
            ...{ codec, fec, lossPercent, lossBurst, jitterMs },
            delayMs: median(spoken.delaysMs),
            concealedPercent: spoken.concealedPercent,
            damageDb: damageDb(spoken, perfect),
            damageUnrepairedDb: damageDb(unrepaired, perfect),
          });
        }
      }
    }
  }
  return rows;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

export function formatLossTable(rows: readonly LossRow[]): string {
  const head =
    'codec       loss  burst  jitter | delay median  concealed | Bark distance: concealed  silence in its place';
  const lines = rows.map((row) => {
    const where = [
      `${row.codec}${row.fec ? ' + FEC' : ''}`.padEnd(10),
      `${row.lossPercent}%`.padStart(6),
      String(row.lossBurst).padStart(7),
      `${row.jitterMs} ms`.padStart(8),
    ];
    const figures = [
      `${row.delayMs.toFixed(0)} ms`.padStart(13),
      `${row.concealedPercent.toFixed(1)}%`.padStart(11),
      ' | ',
      `${row.damageDb.toFixed(2)} dB`.padStart(24),
      `${row.damageUnrepairedDb.toFixed(2)} dB`.padStart(22),
    ];
    return `${where.join('')} |${figures.join('')}`;
  });
  return [head, ...lines].join('\n');
}
