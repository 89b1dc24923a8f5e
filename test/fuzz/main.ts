import { fuzzRtp } from './rtp.ts';
import { fuzzSdp } from './sdp.ts';
import { fuzzSipMessages } from './sip-messages.ts';
import { fuzzSipServer } from './sip-server.ts';

/** The long run: `npm run fuzz -- [iterations] [seed]`. A failure prints its input, to be kept as a case. */
const [iterations = 1_000_000, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);

for (const [name, fuzz] of [
  ['SIP messages', fuzzSipMessages],
  ['SIP stack', fuzzSipServer],
  ['SDP', fuzzSdp],
  ['RTP and RTCP', fuzzRtp],
] as const) {
  const started = performance.now();
  fuzz(iterations, seed);
  const seconds = (performance.now() - started) / 1000;
  const heapMb = Math.round(process.memoryUsage().heapUsed / 2 ** 20);
  console.log(`${name}: ${iterations} inputs, seed ${seed}, ${seconds.toFixed(1)} s, heap ${heapMb} MB`);
}
