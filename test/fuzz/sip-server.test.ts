import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { fuzzSipServer, fuzzSipServerMemory, replayOnSipServer } from './sip-server.ts';

it('takes whatever comes in, in dialogs and outside, and nothing of it remains', () => {
  const report = fuzzSipServer(6_000, 3261);
  expect(report.calls).toBeGreaterThan(400);
  expect(report.mostCalls).toBeGreaterThan(5);
  expect(report.mostCalls).toBeLessThanOrEqual(200);
  expect(report.mostTransactions).toBeLessThan(2500);
  expect(report.mostRegistrations).toBe(4);
}, 60_000);

it('keeps no memory of what is over', () => {
  expect(fuzzSipServerMemory(8_000, 5626).mostCalls).toBeGreaterThan(5);
}, 60_000);

const cases = new URL('cases/', import.meta.url);

/** Inputs that once did harm; named for it. */
it.each(existsSync(cases) ? readdirSync(cases) : [])('%s', (name) => {
  replayOnSipServer(readFileSync(new URL(name, cases)));
});
