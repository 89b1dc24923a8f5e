import type { AudioDecoder, EncoderOptions } from '../../mixer/codec/codec.ts';
import { createOpusEncoder } from '../../mixer/codec/opus.ts';
import { createOpusDecoder } from '../../mixer/codec/opus-decoder.ts';
import { expectedLossPercentFor } from '../../mixer/expected-loss.ts';
import { seededRandom } from '../rtp/jitter-simulation.ts';
import { speech, type Voice } from '../speech/speech.ts';
import { barkDistanceDb, segmentalSnrDb } from '../speech/speech-quality.ts';
import { createOpusscriptDecoder } from './opusscript-decoder.ts';

/** How Opus sounds with packets lost, by decoder and by what is done about it. */

const RATE_HZ = 48000;
const FRAME = 960;
const VOICES: readonly Voice[] = ['low', 'high'];
/** Of encoder and decoder together, at 48 kHz (RFC 6716 §1); and of CELT alone. */
const CODEC_DELAY = 312;
const LOW_DELAY = 120;
const OPTIONS: EncoderOptions = {
  ...{ complexity: 5, bitrateBps: 48_000, dtx: false },
  ...{ inbandFec: false, expectedLossPercent: 0 },
};
/** As listeners are sent who report no loss (`sendFormat`). */
const CELT_OPTIONS: EncoderOptions = { ...OPTIONS, lowDelay: true, expectedLossPercent: 20 };
/** Where FEC is sent at all, it is for so much at least. */
const LEAST_EXPECTED_PERCENT = 10;
/** All repairs are of packets already there, so nothing but the loss differs. */
const NO_WARP_MS = 0;

type Repair = 'none' | 'opusscript' | 'conceal' | 'lowDelay' | 'fec';

export interface OpusLossRow {
  repair: Repair;
  lossPercent: number;
  /** Against the same packets without loss: what the loss did. */
  segmentalSnrDb: number;
  barkDistanceDb: number;
  /** Against the speech that was encoded: what FEC costs in the quality of the rest is in it. */
  totalDistanceDb: number;
}

export const REPAIRS: Record<Repair, string> = {
  none: 'SILK and CELT, silence in place of what is lost',
  opusscript: "SILK and CELT, concealment by opusscript's decoder (libopus 1.4)",
  conceal: 'SILK and CELT, concealment by that of libopus-wasm (libopus 1.6)',
  lowDelay: 'CELT alone, prepared for loss, concealment by libopus-wasm',
  fec: 'SILK and CELT, FEC sent, and used where the next packet is there',
};

/** By the order of `REPAIRS`; all at 48 kbit/s. */
export function opusLossTable(lossPercents: readonly number[], seeds: number): OpusLossRow[] {
  const plain = VOICES.map((voice) => encode(voice, OPTIONS));
  const celt = VOICES.map((voice) => encode(voice, CELT_OPTIONS));
  return lossPercents.flatMap((lossPercent) => {
    const expectedLossPercent = Math.max(LEAST_EXPECTED_PERCENT, expectedLossPercentFor(lossPercent / 100));
    const withFec = VOICES.map((voice) => encode(voice, { ...OPTIONS, inbandFec: true, expectedLossPercent }));
    return (Object.keys(REPAIRS) as Repair[]).map((repair): OpusLossRow => {
      const row = { repair, lossPercent, segmentalSnrDb: 0, barkDistanceDb: 0, totalDistanceDb: 0 };
      const sent = repair === 'fec' ? withFec : repair === 'lowDelay' ? celt : plain;
      for (const [index, voice] of VOICES.entries()) {
        for (let seed = 1; seed <= seeds; seed++) addRun(row, speech(voice, RATE_HZ), sent[index]!, seed);
      }
      row.segmentalSnrDb /= VOICES.length * seeds;
      row.barkDistanceDb /= VOICES.length * seeds;
      row.totalDistanceDb /= VOICES.length * seeds;
      return row;
    });
  });
}

function encode(voice: Voice, options: EncoderOptions): Uint8Array[] {
  const encoder = createOpusEncoder(RATE_HZ, options);
  const pcm = speech(voice, RATE_HZ);
  const packets: Uint8Array[] = [];
  const out = new Uint8Array(1500);
  for (let at = 0; at + FRAME <= pcm.length; at += FRAME) {
    packets.push(out.slice(0, encoder.encode(pcm, at, FRAME, out, 0)));
  }
  encoder.close();
  return packets;
}

function addRun(row: OpusLossRow, spoken: Int16Array, packets: Uint8Array[], seed: number): void {
  const random = seededRandom(seed);
  const lost = packets.map(() => random() * 100 < row.lossPercent);
  const reference = decode(packets, [], row.repair);
  const heard = decode(packets, lost, row.repair);
  const delay = row.repair === 'lowDelay' ? LOW_DELAY : CODEC_DELAY;
  row.segmentalSnrDb += segmentalSnrDb(reference, heard, RATE_HZ);
  row.barkDistanceDb += barkDistanceDb(reference, heard, RATE_HZ, NO_WARP_MS);
  row.totalDistanceDb += barkDistanceDb(spoken, heard.subarray(delay), RATE_HZ, NO_WARP_MS);
}

function decode(packets: Uint8Array[], lost: readonly boolean[], repair: Repair): Int16Array {
  const decoder: AudioDecoder = repair === 'opusscript' ? createOpusscriptDecoder() : createOpusDecoder(RATE_HZ);
  const out = new Int16Array(packets.length * FRAME);
  for (const [index, packet] of packets.entries()) {
    if (!lost[index]) decoder.decode(packet, out, index * FRAME);
    else if (repair !== 'none') {
      const following = repair === 'fec' && !lost[index + 1] ? (packets[index + 1] ?? null) : null;
      decoder.conceal(FRAME, out, index * FRAME, following);
    }
  }
  decoder.close();
  return out;
}

export function formatOpusLossTable(rows: readonly OpusLossRow[]): string {
  const head = `${'loss'.padStart(5)}  ${'repair'.padEnd(64)} segmental SNR  Bark distance  to the speech itself`;
  const lines = rows.map((row) => {
    const figures = [
      row.segmentalSnrDb.toFixed(1).padStart(10),
      row.barkDistanceDb.toFixed(2).padStart(12),
      row.totalDistanceDb.toFixed(2).padStart(18),
    ];
    const loss = `${String(row.lossPercent).padStart(4)}%`;
    return `${loss}  ${REPAIRS[row.repair].padEnd(64)} ${figures.map((figure) => `${figure} dB`).join('')}`;
  });
  return [head, ...lines].join('\n');
}
