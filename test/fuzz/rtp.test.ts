import { expect, it } from 'vitest';
import { fuzzRtp } from './rtp.ts';

it('parses damaged RTP and RTCP without an exception and never beyond the packet', () => {
  const { rtpAccepted, rtcpAccepted } = fuzzRtp(50_000, 20);
  expect(rtpAccepted).toBeGreaterThan(5000);
  expect(rtcpAccepted).toBeGreaterThan(2000);
});
