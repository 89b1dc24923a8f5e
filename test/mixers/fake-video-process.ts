import type { FromMixer, ToMixer } from '../../mixer/protocol.ts';
import {
  VIDEO_PROTOCOL_VERSION,
  type VideoMixerEvent,
  type VideoMixerRequests,
  type VideoMixerSettings,
} from '../../mixer/video-protocol.ts';
import type { MixerProcessOptions } from '../../server/mixers/mixer-process.ts';

type Method = keyof VideoMixerRequests;
type Answer = FromMixer<VideoMixerRequests, VideoMixerEvent>;

/** What processes that are started from now on are like. */
export interface FakeVideoWorld {
  readonly processes: FakeVideoProcess[];
  /** What they have found; null: they end before they say anything. */
  native: readonly string[] | null;
}

/** A video mixer process that answers everything, unless it is told not to. */
export class FakeVideoProcess {
  readonly asked: { method: Method; params: Record<string, unknown> }[] = [];
  settings: VideoMixerSettings | null = null;
  /** Instead of an answer. */
  readonly silentOn = new Set<Method>();
  readonly refuses = new Set<Method>();
  readonly options: MixerProcessOptions<VideoMixerRequests, VideoMixerEvent>;
  gone = false;
  private ports = 30_000;

  constructor(options: MixerProcessOptions<VideoMixerRequests, VideoMixerEvent>, world: FakeVideoWorld) {
    this.options = options;
    world.processes.push(this);
    const { native } = world;
    const pid = world.processes.length;
    queueMicrotask(() => {
      if (native === null) this.die('ended with code 1');
      else options.received({ type: 'hello', version: VIDEO_PROTOCOL_VERSION, pid, native });
    });
  }

  get methods(): Method[] {
    return this.asked.map(({ method }) => method);
  }

  of(method: Method): Record<string, unknown>[] {
    return this.asked.filter((asked) => asked.method === method).map(({ params }) => params);
  }

  send(message: ToMixer<VideoMixerRequests, VideoMixerSettings>): void {
    if (message.type === 'configure') {
      this.settings = message.settings;
      return;
    }
    const { id, method, params } = message;
    this.asked.push({ method, params: params as unknown as Record<string, unknown> });
    if (this.silentOn.has(method)) return;
    const answer: Answer = this.refuses.has(method)
      ? { type: 'error', id, code: 'no-ports', message: 'no' }
      : { type: 'reply', id, result: this.resultOf(method, params as { ports?: object }) as never };
    queueMicrotask(() => {
      if (!this.gone) this.options.received(answer);
    });
  }

  tell(event: VideoMixerEvent): void {
    this.options.received({ type: 'event', ...event });
  }

  die(reason = 'ended by SIGKILL'): void {
    this.gone = true;
    this.options.exited(reason);
  }

  kill(): void {
    this.die();
  }

  disconnect(): void {
    this.gone = true;
  }

  private resultOf(method: Method, { ports }: { ports?: object }): object {
    if (method === 'openStream') {
      this.ports += 2;
      return ports ?? { rtpPort: this.ports, rtcpPort: this.ports + 1 };
    }
    return method === 'picture' ? { jpeg: Buffer.from('picture').toString('base64') } : {};
  }
}
