import { performance } from 'node:perf_hooks';
import { usesSystemOpus } from './codec/opus-encoders.ts';
import { audioCodec } from './codec/registry.ts';
import { Mixer } from './mixer.ts';
import { usesSystemCalls } from './net/udp-socket.ts';
import { type FromMixer, PROTOCOL_VERSION, type ToMixer } from './protocol.ts';

/** One mixer process: the channel to the server, and the timer that drives the rooms' clock. */

/** What is to be sent at the end of this turn of the event loop, together. */
let waiting: FromMixer[] = [];

const send = (message: FromMixer): void => {
  if (waiting.push(message) === 1) setImmediate(flush);
};

function flush(): void {
  const messages = waiting;
  waiting = [];
  if (process.connected) process.send!(messages);
}

let mixer: Mixer | null = null;
let utilizationBefore = performance.eventLoopUtilization();
let timer: NodeJS.Timeout | null = null;

function run(): void {
  const nextMs = mixer!.run(performance.now());
  timer = nextMs === null ? null : setTimeout(run, Math.max(0, nextMs - performance.now()));
}

process.on('message', (messages: ToMixer[]) => {
  for (const message of messages) received(message);
});

function received(message: ToMixer): void {
  if (message.type === 'configure') {
    if (message.version !== PROTOCOL_VERSION) process.exit(1);
    mixer = new Mixer(message.settings, {
      send,
      now: () => performance.now(),
      wallClock: () => Date.now(),
      utilization: () => {
        const since = performance.eventLoopUtilization(utilizationBefore);
        utilizationBefore = performance.eventLoopUtilization();
        return since.utilization;
      },
      wake: () => {
        if (timer) clearTimeout(timer);
        run();
      },
    });
    return;
  }
  mixer?.request(message.id, message.method, message.params);
}

// The server is gone: files are finished, and that is the end.
process.on('disconnect', () => {
  const ended = mixer ? mixer.close() : Promise.resolve();
  ended.finally(() => process.exit(0));
});

// The server decides when a mixer ends: it says goodbye to the callers first.
process.on('SIGTERM', () => undefined);
process.on('SIGINT', () => undefined);

/** WebAssembly is compiled at its first use, which takes longer than a tick: so that is before the first call. */
function warmUp(): void {
  const codec = audioCodec('opus');
  const encoder = codec.createEncoder({
    complexity: 5,
    bitrateBps: 32_000,
    inbandFec: true,
    dtx: false,
    expectedLossPercent: 5,
  });
  const decoder = codec.createDecoder();
  const payload = new Uint8Array(1500);
  const pcm = new Int16Array(960);
  const length = encoder.encode(pcm, 0, pcm.length, payload, 0);
  decoder.decode(payload.subarray(0, length), pcm, 0);
  encoder.close();
  decoder.close();
}

warmUp();
const native = [...(usesSystemCalls ? ['sockets'] : []), ...(usesSystemOpus ? ['opus'] : [])];
send({ type: 'hello', version: PROTOCOL_VERSION, pid: process.pid, native });
