import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { audioCodec } from '../../mixer/codec/registry.ts';
import type { AudioCodecName } from '../../mixer/protocol.ts';
import {
  BLOCK_HEAD_BYTES,
  CLUSTER_BYTES,
  matroskaHeader,
  writeBlockHead,
  writeCluster,
} from '../../mixer/recording/matroska.ts';

const FRAME_MS = 20;
const CLUSTER_MS = 5_000;

/** Sample values, ±32767, by the position in the recording, seconds. */
export type Signal = (seconds: number) => number;

export function sine(frequencyHz: number, amplitude = 8_000): Signal {
  return (seconds) => amplitude * Math.sin(2 * Math.PI * frequencyHz * seconds);
}

/** Bursts of 60 ms of a sine, one at each whole second. */
export function bursts(frequencyHz: number, amplitude = 12_000): Signal {
  const tone = sine(frequencyHz, amplitude);
  return (seconds) => (seconds % 1 < 0.06 ? tone(seconds % 1) : 0);
}

export interface Stretch {
  /** Positions in the capture's part. */
  fromMs: number;
  toMs: number;
}

/** Writes what a mixer would: the signal, coded, in these stretches; nothing between them. `startMs`: of its part. */
export async function writeCapture(
  path: string,
  codec: AudioCodecName,
  stretches: readonly Stretch[],
  signal: Signal,
  startMs = 0,
): Promise<void> {
  const file = createWriteStream(path);
  file.write(matroskaHeader(codec, 'test', new Date('2026-01-02T03:04:05Z')));
  const encoder = audioCodec(codec).createEncoder({
    ...{ complexity: 0, bitrateBps: 32_000, inbandFec: false, dtx: false, expectedLossPercent: 0 },
  });
  const samples = (encoder.sampleRateHz * FRAME_MS) / 1_000;
  const pcm = new Int16Array(samples);
  const packet = new Uint8Array(4_096);
  let clusterMs = Number.NEGATIVE_INFINITY;
  for (const { fromMs, toMs } of stretches) {
    for (let ms = fromMs; ms < toMs; ms += FRAME_MS) {
      for (let i = 0; i < samples; i++) pcm[i] = signal((startMs + ms) / 1_000 + i / encoder.sampleRateHz);
      const length = encoder.encode(pcm, 0, samples, packet, 0);
      if (ms - clusterMs >= CLUSTER_MS) {
        clusterMs = ms;
        const cluster = new Uint8Array(CLUSTER_BYTES);
        writeCluster(cluster, 0, ms);
        file.write(cluster);
      }
      const block = new Uint8Array(BLOCK_HEAD_BYTES + length);
      writeBlockHead(block, 0, ms - clusterMs, length);
      block.set(packet.subarray(0, length), BLOCK_HEAD_BYTES);
      if (!file.write(block)) await once(file, 'drain');
    }
  }
  encoder.close();
  file.end();
  await once(file, 'finish');
}

/** Writes packets of a sender's own making, one each 20 ms. */
export async function writePackets(path: string, codec: AudioCodecName, packets: readonly Uint8Array[]): Promise<void> {
  const pieces: Uint8Array[] = [matroskaHeader(codec, 'test', new Date('2026-01-02T03:04:05Z'))];
  for (const [index, packet] of packets.entries()) {
    const ms = index * FRAME_MS;
    if (ms % CLUSTER_MS === 0) pieces.push(new Uint8Array(CLUSTER_BYTES));
    if (ms % CLUSTER_MS === 0) writeCluster(pieces.at(-1)!, 0, ms);
    const head = new Uint8Array(BLOCK_HEAD_BYTES);
    writeBlockHead(head, 0, ms % CLUSTER_MS, packet.length);
    pieces.push(head, packet);
  }
  await writeFile(path, Buffer.concat(pieces));
}

/** Where sound begins after silence, milliseconds. */
export function onsetsMs(samples: Int16Array, sampleRateHz = 48_000, threshold = 1_500): number[] {
  const onsets: number[] = [];
  let loudAt = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < samples.length; i++) {
    if (Math.abs(samples[i]!) < threshold) continue;
    if (i - loudAt > sampleRateHz / 5) onsets.push((1_000 * i) / sampleRateHz);
    loudAt = i;
  }
  return onsets;
}
