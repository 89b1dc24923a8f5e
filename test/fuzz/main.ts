import { loadEngine } from '../../mixer/video/engine/engine.ts';
import { simulateCalls } from '../sim/simulate-call.ts';
import { simulateConversations } from '../sim/simulate-conversation.ts';
import { fuzzBfcp } from './bfcp.ts';
import { inFlatMemory } from './limits.ts';
import { fuzzRtp, fuzzSrtp } from './rtp.ts';
import { fuzzSdp } from './sdp.ts';
import { fuzzSipMessages } from './sip-messages.ts';
import { fuzzSipServer, fuzzSipServerMemory } from './sip-server.ts';
import { fuzzVideoDecoders } from './video-decoders.ts';
import { fuzzVideoRtp } from './video-rtp.ts';
import { videoStreams } from './video-streams.ts';

/** A conversation is a whole call, so there are a hundredth of the inputs. */
const CONVERSATIONS_PER_INPUT = 1 / 100;
/** One of video takes much longer than one of anything else. */
const VIDEO_UNITS_PER_INPUT = 1 / 5;
const ROUNDS = 16;
/** Of what any input could leave behind in the process. */
const BYTES_PER_INPUT = 4;

/** The long run: `npm run fuzz -- [iterations] [seed]`. A failure prints its input or seed, to be kept as a case. */
const [iterations = 1_000_000, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);

for (const [name, fuzz, share, rounds] of [
  ['SIP messages and streams', fuzzSipMessages, 1, ROUNDS],
  ['SIP stack', fuzzSipServer, 1, ROUNDS],
  // It looks at its memory by itself.
  ['one SIP stack that goes on', fuzzSipServerMemory, 1 / 10, 1],
  ['SDP', fuzzSdp, 1, ROUNDS],
  ['RTP, RTCP and STUN', fuzzRtp, 1, ROUNDS],
  ['SRTP', fuzzSrtp, 1, ROUNDS],
  ['RTP of video', fuzzVideoRtp, 1, ROUNDS],
  ['floor control', fuzzBfcp, 1, ROUNDS],
  ['calls', fuzzCalls, CONVERSATIONS_PER_INPUT, ROUNDS],
  ['conversations of two stacks', fuzzConversations, CONVERSATIONS_PER_INPUT, ROUNDS],
] as const) {
  const started = performance.now();
  const inputs = Math.ceil((iterations * share) / rounds);
  // Seeds so far apart that no round does what another did.
  if (rounds === 1) fuzz(inputs, seed);
  else inFlatMemory(rounds, inputs * BYTES_PER_INPUT, (round) => void fuzz(inputs, seed + round * inputs));
  const seconds = (performance.now() - started) / 1000;
  const heapMb = Math.round(process.memoryUsage().heapUsed / 2 ** 20);
  console.log(`${name}: ${inputs * rounds} inputs, seed ${seed}, ${seconds.toFixed(1)} s, heap ${heapMb} MB`);
}

await fuzzVideo(Math.ceil(iterations * VIDEO_UNITS_PER_INPUT));

/** In virtual time, over a bad network. */
function fuzzCalls(count: number, firstSeed: number): void {
  simulateCalls(firstSeed, count);
}

function fuzzConversations(count: number, firstSeed: number): void {
  simulateConversations(firstSeed, count);
}

/** The library's memory is in no heap: what the whole process has is printed. */
async function fuzzVideo(units: number): Promise<void> {
  const engine = await loadEngine();
  if (engine === null) return console.log('damaged video: left out, as the library for video is not there');
  const started = performance.now();
  const { pictures, damaged } = await fuzzVideoDecoders(engine, await videoStreams(engine), units, seed);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const rssMb = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(
    `damaged video: ${units} units, seed ${seed}, ${pictures} pictures, ${damaged} damaged, ${seconds} s, process ${rssMb} MB`,
  );
}
