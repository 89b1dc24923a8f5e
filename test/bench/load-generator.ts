import { setTimeout as pause } from 'node:timers/promises';
import { LOOPBACK } from '../e2e/clients/free-ports.ts';
import { type OutgoingCall, SipCaller } from '../e2e/clients/sip-caller.ts';
import { audioPort } from '../e2e/clients/sip-text.ts';
import { addedDelays, decodeStream, markerMiddleMs } from './added-delay.ts';
import { DurationHistogram } from './histogram.ts';
import { callersOf, type FromGenerator, type LoadJob, type LoadResult, type ToGenerator } from './load-protocol.ts';
import { CODEC_SHAPES, type LoadCodec, MARKED_TALKERS, PayloadLoops } from './load-signal.ts';
import { isMeasured, isObserved } from './measured-callers.ts';
import { MediaCaller, type MediaCounts } from './media-caller.ts';
import { SendClock } from './send-clock.ts';

/** Many callers in one process: started by the benchmark, led over IPC. */

const CALLS_AT_ONCE = 10;

class RunningLoad {
  readonly #job: LoadJob;
  readonly #counts: MediaCounts = { sent: 0, received: 0, lost: 0 };
  readonly #gaps = new DurationHistogram();
  readonly #clock = new SendClock();
  readonly #loops = new PayloadLoops();
  #media: MediaCaller[] = [];
  #sip: SipCaller | null = null;
  #calls: OutgoingCall[] = [];

  constructor(job: LoadJob) {
    this.#job = job;
  }

  /** Begins to send when all calls are up. */
  async start(): Promise<{ calls: number; refusal: string | null }> {
    const { target } = this.#job;
    const callers = callersOf(this.#job);
    for (let index = 0; index < callers; index++) {
      if (this.#takesPart(index)) this.#media.push(await this.#open(index));
    }
    if (target.kind === 'echo') {
      await Promise.all(this.#media.map((media, index) => media.connect(target.ports[index]!)));
    } else {
      this.#sip = await SipCaller.open({ serverPort: target.sipPort });
      for (let first = 0; first < this.#media.length; first += CALLS_AT_ONCE) {
        const some = this.#media.slice(first, first + CALLS_AT_ONCE);
        const answers = await Promise.all(some.map((media) => this.#call(media, target.uris[media.role.room]!)));
        const refusal = answers.find((answer) => answer !== null);
        if (refusal) return { calls: this.#calls.length, refusal };
      }
      for (const media of this.#media) {
        if (isObserved(this.#job, media.role.room, media.role.seat)) media.observed = [];
      }
    }
    for (const media of this.#media) this.#clock.add(media);
    this.#clock.start();
    return { calls: this.#media.length, refusal: null };
  }

  #open(index: number): Promise<MediaCaller> {
    const { callersPerRoom, talkersPerRoom } = this.#job;
    const room = Math.floor(index / callersPerRoom);
    const seat = index % callersPerRoom;
    const codec = this.#codecOf(seat);
    const talks = seat < talkersPerRoom;
    const loop = this.#loops.of(codec, seat, talks);
    return MediaCaller.open({ index, room, seat, talks, codec, loop }, this.#counts, this.#gaps);
  }

  #codecOf(seat: number): LoadCodec {
    const { codecs } = this.#job;
    return codecs[seat % codecs.length]!;
  }

  #takesPart(index: number): boolean {
    const { part, callersPerRoom } = this.#job;
    if (part === undefined) return true;
    const measured = isMeasured(this.#job, Math.floor(index / callersPerRoom), index % callersPerRoom);
    return measured === (part === 'measured');
  }

  /** Null, or how the call was refused. */
  async #call(media: MediaCaller, uri: string): Promise<string | null> {
    const call = this.#sip!.call(uri);
    const answer = await call.invite(this.#offer(media));
    if (answer.status !== 200) return `${answer.status} ${answer.reason}`;
    this.#calls.push(call);
    await media.connect(audioPort(answer.body));
    return null;
  }

  #offer({ port, role }: MediaCaller): string {
    const { payloadType, rtpmap, fmtp } = CODEC_SHAPES[role.codec];
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
    const observed = this.#media.filter((media) => media.observed !== null);
    if (observed.length === 0) return { addedDelayMs: null, markersMissed: 0 };
    const marked = Math.min(MARKED_TALKERS, this.#job.talkersPerRoom);
    const middles = Array.from({ length: marked }, (_, seat) => {
      const codec = this.#codecOf(seat);
      return markerMiddleMs(codec, seat, this.#loops.of(codec, seat, true));
    });
    const delays = new DurationHistogram();
    let markersMissed = 0;
    for (const { observed: packets, role } of observed) {
      const ofRoom = markers.filter(({ room }) => room === role.room);
      markersMissed += addedDelays(decodeStream(role.codec, packets!), ofRoom, middles, delays).missed;
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

let load: RunningLoad | null = null;

async function handle(message: ToGenerator): Promise<void> {
  switch (message.type) {
    case 'start':
      load = new RunningLoad(message.job);
      return tell({ type: 'running', ...(await load.start()) });
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
