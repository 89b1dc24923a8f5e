import { expect, it } from 'vitest';
import { parseMessage } from '../../server/sip/message/parse-message.ts';
import { cpuMs, fuzzSipMessages } from './sip-messages.ts';

it('whatever stands in a message, it is accepted, refused or dropped, and quickly', () => {
  const report = fuzzSipMessages(5_000, 4475);
  expect(report.accepted + report.rejected + report.dropped).toBe(5_000);
  expect(Math.min(report.accepted, report.rejected, report.dropped)).toBeGreaterThan(100);
  expect(report.slowestMs).toBeLessThan(200);
});

/** Each fills a message with what makes careless parsers take quadratic time. */
it.each([
  ['folds', `X: a${'\r\n '.repeat(20_000)}`],
  ['spaces', `X: ${' '.repeat(60_000)}x`],
  ['quotes', `To: ${'"'.repeat(8_000)}`],
  ['backslashes', `To: "${'\\'.repeat(8_000)}`],
  ['commas', `Contact: ${','.repeat(8_000)}`],
  ['angle brackets', `Contact: ${'<'.repeat(8_000)}`],
  ['parameters', `Via: SIP/2.0/UDP a${';a'.repeat(4_000)}`],
  ['escapes', `To: <sip:${'%41'.repeat(2_600)}@a>`],
  ['dots', `To: <sip:a@${'a.'.repeat(4_000)}>`],
  ['digits', `CSeq: ${'9'.repeat(8_000)} INVITE`],
  ['Via lines', 'Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\n'.repeat(1_700)],
  ['header lines', 'a:b\r\n'.repeat(12_000)],
  ['line ends', '\r\n'.repeat(30_000)],
])('64 KiB of %s take no longer than a hundredth of a second', (_name, text) => {
  const bytes = Buffer.from(`INVITE sip:a@b SIP/2.0\r\n${text}\r\n\r\n`);
  parseMessage(bytes);
  let bestMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const startMs = cpuMs();
    parseMessage(bytes);
    bestMs = Math.min(bestMs, cpuMs() - startMs);
  }
  expect(bestMs).toBeLessThan(10);
});
