import { expect, it } from 'vitest';
import { fuzzBfcp } from './bfcp.ts';

it('goes on after damaged floor control, and says only what can be read', () => {
  const { parsed, said, changes } = fuzzBfcp(10_000, 8855);
  expect(parsed).toBeGreaterThan(7_000);
  expect(said).toBeGreaterThan(4_000);
  expect(changes).toBeGreaterThan(200);
});
