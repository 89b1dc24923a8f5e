import { simulateConversations } from '../sim/simulate-conversation.ts';
import { fuzzRtp } from './rtp.ts';
import { fuzzSdp } from './sdp.ts';
import { fuzzSipMessages } from './sip-messages.ts';
import { fuzzSipServer } from './sip-server.ts';

/** A conversation is a whole call, so there are a hundredth of the inputs. */
const CONVERSATIONS_PER_INPUT = 1 / 100;

/** The long run: `npm run fuzz -- [iterations] [seed]`. A failure prints its input or seed, to be kept as a case. */
const [iterations = 1_000_000, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);

for (const [name, fuzz, share] of [
  ['SIP messages', fuzzSipMessages, 1],
  ['SIP stack', fuzzSipServer, 1],
  ['SDP', fuzzSdp, 1],
  ['RTP and RTCP', fuzzRtp, 1],
  ['conversations of two stacks', fuzzConversations, CONVERSATIONS_PER_INPUT],
] as const) {
  const started = performance.now();
  const inputs = Math.ceil(iterations * share);
  fuzz(inputs, seed);
  const seconds = (performance.now() - started) / 1000;
  const heapMb = Math.round(process.memoryUsage().heapUsed / 2 ** 20);
  console.log(`${name}: ${inputs} inputs, seed ${seed}, ${seconds.toFixed(1)} s, heap ${heapMb} MB`);
}

/** In virtual time, over a bad network. */
function fuzzConversations(count: number, firstSeed: number): void {
  simulateConversations(firstSeed, count);
}
