import type { EventData } from '../server/events/room-event.ts';
import type { RoomView } from '../server/rooms/views.ts';
import { type Api, ApiError } from './api.ts';
import { ServerSentEventParser } from './server-sent-events.ts';

export type Connection = 'connecting' | 'live' | 'polling' | 'offline';

export interface LiveOptions {
  api: Pick<Api, 'events' | 'rooms'>;
  /** The whole, in place of all that was known. */
  state(rooms: RoomView[]): void;
  event(event: EventData): void;
  connection(now: Connection): void;
  /** The token is no good: nothing more will come. */
  denied(error: ApiError): void;
  /** Resolves after so long, and at once when the signal is aborted. */
  wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The server sends something every 15 s. */
const SILENT_AFTER_MS = 30_000;
const RETRY_MS = 2000;
const MAX_RETRY_MS = 30_000;
const POLL_MS = 2000;

/**
 * Keeps what is shown as the server has it: by its event stream, which is resumed after a break; and by asking again and again
 * where no stream is to be had.
 */
export class Live {
  private readonly options: LiveOptions;
  private readonly wait: NonNullable<LiveOptions['wait']>;
  private readonly stopping = new AbortController();
  private lastEventId: string | null = null;
  private retryMs = RETRY_MS;
  private streaming = false;

  constructor(options: LiveOptions) {
    this.options = options;
    this.wait = options.wait ?? waitFor;
  }

  /** Until it is stopped, or the token is no good. */
  async run(): Promise<void> {
    const { signal } = this.stopping;
    let failures = 0;
    this.options.connection('connecting');
    while (!signal.aborted) {
      const had = await this.stream().catch((error: unknown) => this.failed(error));
      failures = had ? 0 : failures + 1;
      if (signal.aborted) return;
      // Once it may have been a break; then the stream goes on where it was.
      if (failures === 0) {
        this.options.connection('connecting');
        await this.wait(this.retryMs, signal);
      } else await this.poll(Math.min(this.retryMs * 2 ** (failures - 1), MAX_RETRY_MS));
    }
  }

  stop(): void {
    this.stopping.abort();
  }

  /** After a change of one's own: events tell of it, but without them we must ask. */
  async refresh(): Promise<void> {
    if (this.streaming || this.stopping.signal.aborted) return;
    await this.ask();
  }

  /** True when anything came. */
  private async stream(): Promise<boolean> {
    const attempt = new AbortController();
    const signal = AbortSignal.any([this.stopping.signal, attempt.signal]);
    let watchdog = setTimeout(() => attempt.abort(), SILENT_AFTER_MS);
    let had = false;
    try {
      const response = await this.options.api.events(this.lastEventId, signal);
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      const parser = new ServerSentEventParser();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return had;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => attempt.abort(), SILENT_AFTER_MS);
        if (!had) this.began();
        had = true;
        for (const { name, data } of parser.push(value)) this.take(name, data);
        this.lastEventId = parser.lastEventId ?? this.lastEventId;
        this.retryMs = parser.retryMs ?? this.retryMs;
      }
    } catch (error) {
      if (!had) throw error;
      return true;
    } finally {
      this.streaming = false;
      clearTimeout(watchdog);
      attempt.abort();
    }
  }

  private began(): void {
    this.streaming = true;
    this.options.connection('live');
  }

  private take(name: string, data: string): void {
    const parsed: unknown = JSON.parse(data);
    if (name === 'state') this.options.state((parsed as { rooms: RoomView[] }).rooms);
    else this.options.event(parsed as EventData);
  }

  private failed(error: unknown): false {
    if (error instanceof ApiError && error.status === 401) this.deny(error);
    return false;
  }

  private deny(error: ApiError): void {
    if (this.stopping.signal.aborted) return;
    this.stop();
    this.options.denied(error);
  }

  private async poll(forMs: number): Promise<void> {
    const { signal } = this.stopping;
    // What was missed is in what we ask for; to resume from before it would show the past again.
    this.lastEventId = null;
    for (let waitedMs = 0; waitedMs < forMs && !signal.aborted; waitedMs += POLL_MS) {
      await this.ask();
      if (!signal.aborted) await this.wait(POLL_MS, signal);
    }
  }

  private async ask(): Promise<void> {
    try {
      const rooms = await this.options.api.rooms(this.stopping.signal);
      if (this.streaming || this.stopping.signal.aborted) return;
      this.options.state(rooms);
      this.options.connection('polling');
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      if (error instanceof ApiError && error.status === 401) this.deny(error);
      else this.options.connection('offline');
    }
  }
}

/** As `LiveOptions.wait`, by the real clock. Leaves nothing behind at the signal, which lasts as long as the page. */
export function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
