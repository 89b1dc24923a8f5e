import { expect, it } from 'vitest';
import { foreignStream } from '../video/engine/foreign-stream.ts';
import { engine } from '../video/engine/some-engine.ts';
import { fuzzVideoDecoders } from './video-decoders.ts';
import { videoStreams } from './video-streams.ts';

it('makes of damaged video what it can, and goes on', { timeout: 120_000 }, async () => {
  const odd = { encoder: 'libx264', width: 160, height: 96 } as const;
  const foreign = await Promise.all([
    foreignStream({ ...odd, options: { bf: 2, preset: 'veryfast' } }, 30),
    foreignStream({ ...odd, options: { flags: '+ilme+ildct', preset: 'veryfast' } }, 30),
    foreignStream({ ...odd, pixelFormat: 'gray', options: { preset: 'veryfast' } }, 30),
    foreignStream({ ...odd, pixelFormat: 'yuv422p', options: { preset: 'veryfast' } }, 30),
  ]);
  const streams = [...(await videoStreams(engine)), ...foreign.map((units) => ({ codec: 'H264' as const, units }))];
  const { pictures, damaged, drawn } = await fuzzVideoDecoders(engine, streams, 4000, 6184);
  expect(pictures).toBeGreaterThan(800);
  expect(damaged).toBeGreaterThan(100);
  expect(drawn).toBe(pictures);
});
