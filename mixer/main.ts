import { performance } from 'node:perf_hooks';
import { usesSystemOpus } from './codec/opus-encoders.ts';
import { audioCodec } from './codec/registry.ts';
import { Mixer } from './mixer.ts';
import { usesSystemCalls } from './net/udp-socket.ts';
import { type FromMixer, PROTOCOL_VERSION, type ToMixer } from './protocol.ts';
import { ServerChannel } from './server-channel.ts';
import { timerMs } from './timer-ms.ts';

/** One mixer process: the channel to the server, and the timer that drives the rooms' clock. */

const channel = new ServerChannel<FromMixer, ToMixer>(received, () => {
  // Files are finished, and that is the end.
  const ended = mixer ? mixer.close() : Promise.resolve();
  ended.finally(() => process.exit(0));
});

let mixer: Mixer | null = null;
let utilizationBefore = performance.eventLoopUtilization();
let timer: NodeJS.Timeout | null = null;

function run(): void {
  const nextMs = mixer!.run(performance.now());
  timer = nextMs === null ? null : setTimeout(run, timerMs(nextMs, performance.now()));
}

function received(message: ToMixer): void {
  if (message.type === 'configure') {
    if (message.version !== PROTOCOL_VERSION) process.exit(1);
    mixer = new Mixer(message.settings, {
      send: channel.send,
      now: () => performance.now(),
      machineNow: () => Number(process.hrtime.bigint()) / 1e6,
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
channel.send({ type: 'hello', version: PROTOCOL_VERSION, pid: process.pid, native });
