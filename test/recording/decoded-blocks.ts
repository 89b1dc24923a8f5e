import { audioCodec } from '../../mixer/codec/registry.ts';
import type { AudioCodecName } from '../../mixer/protocol.ts';
import { goertzelHannLevelDb } from '../audio/goertzel.ts';
import type { Block } from './matroska-blocks.ts';

/** All blocks decoded, each where its time stamp says, at the codec's rate; between them zeros. */
export function decoded(blocks: readonly Block[], codec: AudioCodecName, lengthMs: number): Int16Array {
  const { sampleRateHz, createDecoder } = audioCodec(codec);
  const pcm = new Int16Array(((lengthMs + 200) * sampleRateHz) / 1000);
  const decoder = createDecoder();
  for (const { atMs, packet } of blocks) decoder.decode(packet, pcm, (atMs * sampleRateHz) / 1000);
  decoder.close();
  return pcm;
}

/** dBov. */
export function levelOfTone(pcm: Int16Array, rateHz: number, toneHz: number, fromMs: number, untilMs: number): number {
  return goertzelHannLevelDb(pcm, (fromMs * rateHz) / 1000, ((untilMs - fromMs) * rateHz) / 1000, toneHz, rateHz);
}

/** When sound begins that had 100 ms of silence before it, milliseconds. */
export function onsetsMs(pcm: Int16Array, rateHz: number, threshold = 1000): number[] {
  const onsets: number[] = [];
  let lastLoud = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < pcm.length; i++) {
    if (Math.abs(pcm[i]!) < threshold) continue;
    if (i - lastLoud > rateHz / 10) onsets.push((i * 1000) / rateHz);
    lastLoud = i;
  }
  return onsets;
}
