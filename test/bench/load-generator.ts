import { setTimeout as pause } from 'node:timers/promises';
import { LOOPBACK } from '../e2e/clients/free-ports.ts';
import { type OutgoingCall, SipCaller } from '../e2e/clients/sip-caller.ts';
import { audioPort } from '../e2e/clients/sip-text.ts';
import { addedDelays, decodeStream, markerMiddleMs } from './added-delay.ts';
import { DurationHistogram } from './histogram.ts';
import type { FromGenerator, LoadJob, LoadResult, ToGenerator } from './load-protocol.ts';
import { CODEC_SHAPES, listenerLoop, MAX_TALKERS, type PayloadLoop, talkerLoop } from './load-signal.ts';
import { MediaCaller, type MediaCounts } from './media-caller.ts';
import { SendClock } from './send-clock.ts';

/** Many callers in one process: started by the benchmark, led over IPC. */

/** Listeners whose streams are searched for markers. */
const OBSERVED_LISTENERS = 4;
const CALLS_AT_ONCE = 10;

class Load {
  readonly #job: LoadJob;
  readonly #counts: MediaCounts = { sent: 0, received: 0, lost: 0 };
  readonly #gaps = new DurationHistogram();
  readonly #clock = new SendClock();
  #talkerLoops: PayloadLoop[] = [];
  #media: MediaCaller[] = [];
  #sip: SipCaller | null = null;
  #calls: OutgoingCall[] = [];

  constructor(job: LoadJob) {
    if (job.talkers > MAX_TALKERS) throw new Error(`at most ${MAX_TALKERS} talkers`);
    this.#job = job;
  }

  async start(): Promise<void> {
    const { codec, callers, talkers, target } = this.#job;
    this.#talkerLoops = Array.from({ length: talkers }, (_, talker) => talkerLoop(codec, talker));
    const silence = listenerLoop(codec);
    for (let index = 0; index < callers; index++) {
      const talker = index < talkers ? index : null;
      const loop = talker === null ? silence : this.#talkerLoops[talker]!;
      this.#media.push(await MediaCaller.open(index, codec, loop, talker, this.#counts, this.#gaps));
    }
    if (target.kind === 'echo') {
      await Promise.all(this.#media.map((media, index) => media.connect(target.ports[index]!)));
    } else {
      this.#sip = await SipCaller.open({ serverPort: target.sipPort });
      for (let first = 0; first < callers; first += CALLS_AT_ONCE) {
        await Promise.all(
          this.#media.slice(first, first + CALLS_AT_ONCE).map((media) => this.#call(media, target.uri)),
        );
      }
      for (const listener of this.#media.slice(talkers, talkers + OBSERVED_LISTENERS)) listener.observed = [];
    }
    for (const media of this.#media) this.#clock.add(media);
    this.#clock.start();
  }

  async #call(media: MediaCaller, uri: string): Promise<void> {
    const call = this.#sip!.call(uri);
    const answer = await call.invite(this.#offer(media.port));
    if (answer.status !== 200) throw new Error(`a call was answered ${answer.status} ${answer.reason}`);
    this.#calls.push(call);
    await media.connect(audioPort(answer.body));
  }

  #offer(port: number): string {
    const { payloadType, rtpmap, fmtp } = CODEC_SHAPES[this.#job.codec];
    return [
      'v=0',
      `o=load 1 1 IN IP4 ${LOOPBACK}`,
      's=-',
      `c=IN IP4 ${LOOPBACK}`,
      't=0 0',
      `m=audio ${port} RTP/AVP ${payloadType}`,
      `a=rtpmap:${payloadType} ${rtpmap}`,
      ...(fmtp ? [`a=fmtp:${payloadType} ${fmtp}`] : []),
      'a=ptime:20',
      'a=sendrecv',
      '',
    ].join('\r\n');
  }

  async measure(seconds: number): Promise<LoadResult> {
    const markers: NonNullable<MediaCaller['sentMarkers']> = [];
    for (const media of this.#media) {
      media.restartCounting();
      media.sentMarkers = markers;
    }
    Object.assign(this.#counts, { sent: 0, received: 0, lost: 0 });
    this.#gaps.clear();
    this.#clock.latenessMs.clear();
    const cpuBefore = process.cpuUsage();
    const startedMs = performance.now();
    await pause(seconds * 1_000);
    const tookSeconds = (performance.now() - startedMs) / 1_000;
    const cpu = process.cpuUsage(cpuBefore);
    const counts = { ...this.#counts };
    for (const media of this.#media) media.sentMarkers = null;
    return {
      seconds: tookSeconds,
      packetsSent: counts.sent,
      packetsReceived: counts.received,
      packetsLost: counts.lost,
      gapsMs: this.#gaps.summary(),
      generatorCpu: (cpu.user + cpu.system) / 1e6 / tookSeconds,
      generatorLatenessMs: this.#clock.latenessMs.summary(),
      ...this.#delays(markers),
    };
  }

  #delays(markers: NonNullable<MediaCaller['sentMarkers']>): Pick<LoadResult, 'addedDelayMs' | 'markersMissed'> {
    const { codec, target } = this.#job;
    if (target.kind === 'echo') return { addedDelayMs: null, markersMissed: 0 };
    const middles = this.#talkerLoops.map((loop, talker) => markerMiddleMs(codec, talker, loop));
    const delays = new DurationHistogram();
    let markersMissed = 0;
    for (const { observed } of this.#media) {
      if (observed) markersMissed += addedDelays(decodeStream(codec, observed), markers, middles, delays).missed;
    }
    return { addedDelayMs: delays.summary(), markersMissed };
  }

  async stop(): Promise<void> {
    this.#clock.stop();
    for (let first = 0; first < this.#calls.length; first += CALLS_AT_ONCE) {
      const some = this.#calls.slice(first, first + CALLS_AT_ONCE);
      await Promise.allSettled(some.map((call) => call.bye()));
    }
    this.#sip?.close();
    for (const media of this.#media) media.close();
  }
}

function tell(message: FromGenerator): void {
  process.send?.(message);
}

let load: Load | null = null;

async function handle(message: ToGenerator): Promise<void> {
  switch (message.type) {
    case 'start':
      load = new Load(message.job);
      await load.start();
      return tell({ type: 'running' });
    case 'measure': {
      tell({ type: 'measuring' });
      const result = await load!.measure(message.seconds);
      return tell({ type: 'measured', result });
    }
    case 'stop':
      await load?.stop();
      tell({ type: 'stopped' });
      process.disconnect();
  }
}

process.on('message', (message: ToGenerator) => {
  handle(message).catch((error: unknown) => tell({ type: 'failed', message: String(error) }));
});
process.on('disconnect', () => process.exit());
