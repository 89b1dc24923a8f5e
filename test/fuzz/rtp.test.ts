import { expect, it } from 'vitest';
import { fuzzRtp, fuzzSrtp } from './rtp.ts';

it('parses damaged RTP, RTCP and STUN without an exception and never beyond the packet', () => {
  const { rtpAccepted, rtcpAccepted, metrics, feedback, stunAnswered } = fuzzRtp(50_000, 20);
  expect(rtpAccepted).toBeGreaterThan(5000);
  expect(rtcpAccepted).toBeGreaterThan(2000);
  expect(metrics).toBeGreaterThan(500);
  expect(feedback).toBeGreaterThan(5000);
  expect(stunAnswered).toBeGreaterThan(500);
});

it('takes no SRTP that was damaged, and goes on with what was not', () => {
  const { refused, accepted } = fuzzSrtp(5_000, 3711);
  expect(refused).toBeGreaterThan(4000);
  expect(accepted).toBe(5_000);
});
