import { expect, it } from 'vitest';
import { encoderFormat } from '../../mixer/video/shared-encoder.ts';
import { H264 } from './simulated-video-mixer.ts';

/** RFC 6184 §8.1, table 5, as far as we send it. */
it.each([
  ['42e01f', 'constrained-baseline'],
  ['42001f', 'constrained-baseline'],
  ['4d001f', 'main'],
  ['4d401f', 'main'],
  ['4d801f', 'constrained-baseline'],
  ['4DE01F', 'constrained-baseline'],
  ['58c01f', 'constrained-baseline'],
  ['64001f', 'high'],
  ['640c1f', 'high'],
  [undefined, 'constrained-baseline'],
])('a decoder of %s is sent %s', (profileLevelId, profile) => {
  const parameters: Record<string, string> = { 'packetization-mode': '1' };
  if (profileLevelId !== undefined) parameters['profile-level-id'] = profileLevelId;
  expect(encoderFormat({ ...H264, parameters })).toMatchObject({ profile, mode: 1 });
});
