import { createMalformedResponse, createResponse } from '../../server/sip/message/create-message.ts';
import { MAX_HEADER_FIELDS } from '../../server/sip/message/message-lines.ts';
import { parseMessage } from '../../server/sip/message/parse-message.ts';
import { writeMessage } from '../../server/sip/message/write-message.ts';
import { StreamFraming } from '../../server/sip/transport/stream-framing.ts';
import { RFC_4475, RFC_5118, tortureMessage } from '../rfc/torture-cases.ts';
import { eachInTime } from './limits.ts';

export interface SipFuzzReport {
  iterations: number;
  accepted: number;
  rejected: number;
  dropped: number;
  /** The longest that a message took of the processor, and its octets, so that it can become a test. */
  slowestMs: number;
  slowest: Uint8Array;
}

/** What parsers trip over: separators, brackets, folds, escapes, numbers out of range, octets that are no UTF-8. */
const MORSELS = [
  '\r\n',
  '\r\n\r\n',
  '\n',
  '\r',
  '\r\n ',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '<',
  '>',
  '"',
  '\\',
  '\\"',
  '@',
  '%',
  '%0',
  '%00',
  '%ff',
  '?',
  '&',
  '=',
  '/',
  '[',
  ']',
  '[::',
  '[::1]',
  '*',
  'SIP/2.0',
  'sip:',
  'sips:',
  'tel:',
  'SIP/2.0/UDP ',
  'z9hG4bK',
  ';tag=',
  ';rport',
  ';lr',
  '0',
  '-1',
  '4294967296',
  '99999999999999999999',
  'Content-Length: 5\r\n',
  'l: -1\r\n',
  'Via: \r\n',
  'v:',
  'CSeq: 1 INVITE\r\n',
  'To:',
  'constructor: x\r\n',
  '__proto__: x\r\n',
  'ü',
  '\ufeff',
  '\0',
].map((morsel) => Buffer.from(morsel));

/**
 * Throws mutations of the torture messages at the parser, the framing and the writers: nothing may throw, what is accepted
 * must be accepted again after being written, and what is refused must be answered well-formed. The same seed makes the
 * same messages.
 */
export function fuzzSipMessages(iterations: number, seed: number): SipFuzzReport {
  const random = randomNumbers(seed);
  const corpus = [
    ...RFC_4475.map(({ name }) => tortureMessage(4475, name)),
    ...RFC_5118.map(({ name }) => tortureMessage(5118, name)),
  ];
  const report: SipFuzzReport = {
    iterations,
    accepted: 0,
    rejected: 0,
    dropped: 0,
    slowestMs: 0,
    slowest: new Uint8Array(0),
  };
  let bytes: Uint8Array = new Uint8Array(0);
  const one = (): void => {
    bytes = corpus[random(corpus.length)]!;
    for (let mutations = 1 + random(6); mutations > 0; mutations--) bytes = mutate(bytes, corpus, random);
    const startMs = cpuMs();
    tryMessage(bytes, report);
    tryStream(bytes, random);
    const tookMs = cpuMs() - startMs;
    if (tookMs > report.slowestMs) {
      report.slowestMs = tookMs;
      report.slowest = bytes;
    }
  };
  const describe = (number: number): string =>
    `seed ${seed}, iteration ${number}: ${JSON.stringify(Buffer.from(bytes).toString('latin1'))}`;
  eachInTime(iterations, one, describe);
  return report;
}

function tryMessage(bytes: Uint8Array, report: SipFuzzReport): void {
  const parsed = parseMessage(bytes);
  if (!parsed.ok) {
    const answer = createMalformedResponse(parsed.error);
    if (answer === null) report.dropped++;
    else report.rejected++;
    if (answer !== null && !Buffer.from(answer).toString('latin1').endsWith('\r\n\r\n')) {
      throw new Error('An answer without an end');
    }
    if (parsed.error.offset < 0 || parsed.error.offset > bytes.length * 3)
      throw new Error('An offset out of the message');
    return;
  }
  report.accepted++;
  const { message } = parsed;
  // With as many fields as are allowed, one that is added, such as Content-Length, is one too many for the next reader.
  if ([...message.headers].length > MAX_HEADER_FIELDS - 10) return;
  const again = parseMessage(writeMessage(message));
  if (!again.ok) throw new Error(`Not accepted after being written: ${again.error.reason}`);
  if (again.message.callId !== message.callId || again.message.via.branch !== message.via.branch) {
    throw new Error('Not the same after being written');
  }
  if (message.kind === 'request') {
    const answer = parseMessage(writeMessage(createResponse(message, 200, { toTag: 'fuzz' })));
    if (!answer.ok) throw new Error(`An answer that is refused: ${answer.error.reason}`);
    if (!answer.message.to.parameters.has('tag')) throw new Error('An answer without a tag');
  }
}

/** Cut into pieces anyhow, a stream gives the same as in one piece. */
function tryStream(bytes: Uint8Array, random: (below: number) => number): void {
  const whole = describe(new StreamFraming().push(bytes));
  const framing = new StreamFraming();
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + random(200);
    pieces.push(...describe(framing.push(bytes.subarray(at, end))));
    at = end;
  }
  // Pings that come at once are answered once, so they are not counted.
  if (pieces.join('\n') !== whole.join('\n')) throw new Error('Cut differently in pieces');
}

function describe(framed: ReturnType<StreamFraming['push']>): string[] {
  return framed
    .filter((item) => item.kind !== 'ping')
    .map((item) =>
      item.kind === 'error'
        ? item.error.reason
        : Buffer.from(item.kind === 'message' ? item.bytes : []).toString('hex'),
    );
}

export function mutate(
  bytes: Uint8Array,
  corpus: readonly Uint8Array[],
  random: (below: number) => number,
): Uint8Array {
  const at = random(bytes.length + 1);
  const length = random(random(4) === 0 ? 200 : 12);
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(Math.min(bytes.length, at + length));
  switch (random(7)) {
    case 0:
      return Buffer.concat([before, after]);
    case 1:
      return Buffer.concat([before, MORSELS[random(MORSELS.length)]!, bytes.subarray(at)]);
    case 2:
      return Buffer.concat([before, MORSELS[random(MORSELS.length)]!, after]);
    case 3:
      return Buffer.concat([before, Buffer.from([random(256)]), bytes.subarray(Math.min(bytes.length, at + 1))]);
    case 4:
      return Buffer.concat([before, bytes.subarray(at, at + length), bytes.subarray(at)]);
    case 5: {
      const morsel = MORSELS[random(MORSELS.length)]!;
      return Buffer.concat([before, Buffer.concat(Array<Buffer>(1 + random(300)).fill(morsel)), bytes.subarray(at)]);
    }
    default: {
      const other = corpus[random(corpus.length)]!;
      return Buffer.concat([before, other.subarray(random(other.length))]);
    }
  }
}

/** Our own time, so that a busy machine is not taken for a slow parser. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Numbers from 0 to below, the same for the same seed (xorshift32). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed | 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
