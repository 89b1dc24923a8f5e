import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import OpusScript from 'opusscript';
import { findFfmpeg } from '../../server/recordings/finishing/ffmpeg-binary.ts';

const SAMPLE_RATE_HZ = 48_000;
const FRAME_SAMPLES = 960;

/** A second or more of a sine, as 20 ms Opus packets of one mono encoder. */
export function opusTone(frequencyHz: number, seconds: number): Uint8Array[] {
  const encoder = new OpusScript(SAMPLE_RATE_HZ, 1, OpusScript.Application.AUDIO);
  const packets: Uint8Array[] = [];
  for (let frame = 0; frame < seconds * 50; frame++) {
    const pcm = Buffer.alloc(FRAME_SAMPLES * 2);
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const t = (frame * FRAME_SAMPLES + i) / SAMPLE_RATE_HZ;
      pcm.writeInt16LE(Math.round(10_000 * Math.sin(2 * Math.PI * frequencyHz * t)), 2 * i);
    }
    packets.push(Uint8Array.from(encoder.encode(pcm, FRAME_SAMPLES)));
  }
  encoder.delete();
  return packets;
}

/** What a player makes of a file: mono samples at 48 kHz. Rejects when ffmpeg fails. */
export async function play(path: string): Promise<Int16Array> {
  const ffmpegPath = await findFfmpeg(process.env['PATH'] ?? '');
  if (ffmpegPath === null) throw new Error('there is no ffmpeg');
  const { stdout } = await promisify(execFile)(
    ffmpegPath,
    ['-v', 'error', '-i', path, '-ac', '1', '-ar', String(SAMPLE_RATE_HZ), '-f', 's16le', '-'],
    { encoding: 'buffer', maxBuffer: 1 << 30 },
  );
  return new Int16Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.byteLength));
}

/** Level of one frequency in dB relative to full scale (Goertzel). */
export function toneDb(samples: Int16Array, frequencyHz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * frequencyHz) / SAMPLE_RATE_HZ);
  let s1 = 0;
  let s2 = 0;
  for (const sample of samples) {
    const s0 = sample / 32_768 + coefficient * s1 - s2;
    s2 = s1;
    s1 = s0;
  }
  const power = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
  return 10 * Math.log10((4 * power) / samples.length ** 2 + 1e-20);
}
