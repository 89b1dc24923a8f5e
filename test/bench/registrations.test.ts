import { expect, test } from 'vitest';
import { measureRegistrations } from './registrations.ts';

test('registrations are measured, and far from what would be a shame', () => {
  const { firstPerSecond, refreshesPerSecond, bytesPerBinding } = measureRegistrations(500);
  expect(firstPerSecond).toBeGreaterThan(500);
  expect(refreshesPerSecond).toBeGreaterThan(1_000);
  expect(bytesPerBinding).toBeLessThan(4_096);
});
