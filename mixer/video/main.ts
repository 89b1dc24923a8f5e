import { performance } from 'node:perf_hooks';
import { usesSystemCalls } from '../net/udp-socket.ts';
import { ServerChannel } from '../server-channel.ts';
import { timerMs } from '../timer-ms.ts';
import { type FromVideoMixer, type ToVideoMixer, VIDEO_PROTOCOL_VERSION } from '../video-protocol.ts';
import { loadEngine } from './engine/engine.ts';
import { VideoMixer } from './video-mixer.ts';

/** One video mixer process: the channel to the server, and the timer that drives packets and pictures. */

/** Null where the library is not there: the server has no video then. */
const engine = await loadEngine();

const channel = new ServerChannel<FromVideoMixer, ToVideoMixer>(received, () => {
  const ended = mixer ? mixer.close() : Promise.resolve();
  ended.finally(() => process.exit(0));
});

let mixer: VideoMixer | null = null;
let timer: NodeJS.Timeout | null = null;
/** `run` is called when this turn is over. */
let awake = false;

function run(): void {
  if (timer !== null) clearTimeout(timer);
  awake = false;
  const nextMs = mixer!.run(performance.now());
  timer = nextMs === null ? null : setTimeout(run, timerMs(nextMs, performance.now()));
}

function received(message: ToVideoMixer): void {
  if (message.type === 'request') return mixer?.request(message.id, message.method, message.params);
  if (message.version !== VIDEO_PROTOCOL_VERSION || engine === null) process.exit(1);
  mixer = new VideoMixer(message.settings, engine, {
    send: channel.send,
    now: () => performance.now(),
    wallClock: () => Date.now(),
    wake: () => {
      if (!awake) setImmediate(run);
      awake = true;
    },
  });
}

const native = [...(usesSystemCalls ? ['sockets'] : []), ...(engine === null ? [] : ['engine'])];
channel.send({ type: 'hello', version: VIDEO_PROTOCOL_VERSION, pid: process.pid, native });
