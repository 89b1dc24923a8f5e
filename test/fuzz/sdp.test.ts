import { expect, test } from 'vitest';
import { fuzzSdp } from './sdp.ts';

test('mangled SDP breaks neither the parser nor a session', () => {
  const report = fuzzSdp(5000, 1);
  // The mangling must leave enough intact to get behind the parser.
  expect(report.parsed).toBeGreaterThan(500);
  expect(report.agreed).toBeGreaterThan(500);
  expect(report.video).toBeGreaterThan(200);
  expect(report.slides).toBeGreaterThan(50);
});
