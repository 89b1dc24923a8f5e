import type { Log } from '../log.ts';
import type { RoomView } from '../rooms/views.ts';
import type { Timer, Timers } from '../timers.ts';
import type { RoomEvent } from './room-event.ts';
import type { RoomEvents } from './room-events.ts';

/** Proxies and browsers give up connections on which nothing comes, many of them after 30 or 60 s. */
const HEARTBEAT_MS = 15_000;
/** Told to the reader: how soon to come back when the connection breaks. */
const RETRY_MS = 2000;
const MAX_STREAMS = 500;
/** So that no one reader takes them all. */
const MAX_STREAMS_OF_ONE = 200;
/** What may wait for a reader; one who falls behind further is cut off, and may resume. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** One reader's connection. */
export interface EventSink {
  write(text: string): void;
  /** What was written and has not left yet. */
  readonly waitingBytes: number;
  /** Ends it after what was written. */
  end(): void;
  /** Ends it at once. */
  cut(): void;
}

export interface StreamRequest {
  sink: EventSink;
  /** Null: all rooms. */
  room: string | null;
  /** And its breakout rooms. */
  breakouts: boolean;
  lastEventId: string | null;
  /** The rooms that it is about, as they are now. */
  state(): RoomView[];
  /** Asked again before each sending: a token may expire or be removed. */
  allowed(): boolean;
  /** Who reads: which token it came with. */
  reader: string;
}

interface Stream {
  readonly request: StreamRequest;
  /** More than usual until the state, which may be large, has been taken. */
  allowance: number;
}

/** Why a stream was ended that its reader would have gone on with. */
type Dropped = 'slow' | 'token';

/** Server-sent events (WHATWG HTML §9.2): the whole state or what was missed, and then every change. */
export class EventStreams {
  /** Streams that were dropped; for metrics. */
  readonly dropped: Record<Dropped, number> = { slow: 0, token: 0 };
  private readonly events: RoomEvents;
  private readonly timers: Timers;
  private readonly log: Log;
  private readonly streams = new Set<Stream>();
  private readonly unsubscribe: () => void;
  private heartbeat: Timer | null = null;
  private closed = false;

  constructor(events: RoomEvents, timers: Timers, log: Log) {
    this.events = events;
    this.timers = timers;
    this.log = log;
    this.unsubscribe = events.subscribe((event) => this.tell(event));
  }

  /** How many there are. */
  get size(): number {
    return this.streams.size;
  }

  /** Whether this reader can have no more. */
  fullFor(reader: string): boolean {
    if (this.streams.size >= MAX_STREAMS) return true;
    const own = [...this.streams].filter((stream) => stream.request.reader === reader);
    return own.length >= MAX_STREAMS_OF_ONE;
  }

  /** Begins a stream, unless `fullFor` its reader; what it gives is to be called when the connection has ended. */
  open(request: StreamRequest): () => void {
    if (this.closed) {
      request.sink.end();
      return () => {};
    }
    const opening = `retry: ${RETRY_MS}\n\n${this.missed(request) ?? this.whole(request)}`;
    const stream = { request, allowance: MAX_WAITING_BYTES + Buffer.byteLength(opening) };
    this.streams.add(stream);
    request.sink.write(opening);
    this.heartbeat ??= this.timers.set(HEARTBEAT_MS, this.beat);
    return () => this.remove(stream);
  }

  /** Ends all streams, and takes no more. */
  close(): void {
    this.closed = true;
    this.unsubscribe();
    for (const stream of this.streams) {
      this.remove(stream);
      stream.request.sink.end();
    }
  }

  private whole({ state }: StreamRequest): string {
    return frame(this.events.lastId, 'state', JSON.stringify({ id: this.events.lastId, rooms: state() }));
  }

  private missed(request: StreamRequest): string | null {
    const { lastEventId } = request;
    const events = lastEventId === null ? null : this.events.since(lastEventId);
    const about = events?.filter((event) => isAbout(event, request));
    return about?.map(frameOf).join('') ?? null;
  }

  private tell(event: RoomEvent): void {
    let text: string | null = null;
    for (const stream of this.streams) {
      if (!isAbout(event, stream.request)) continue;
      text ??= frameOf(event);
      this.send(stream, text);
    }
  }

  private readonly beat = (): void => {
    for (const stream of this.streams) this.send(stream, ': still here\n\n');
    this.heartbeat = this.streams.size > 0 ? this.timers.set(HEARTBEAT_MS, this.beat) : null;
  };

  private send(stream: Stream, text: string): void {
    const { sink, allowed, reader } = stream.request;
    if (!allowed()) {
      this.remove(stream);
      this.dropped.token++;
      this.log.info({ reader }, 'event stream ended: the token is no longer valid');
      sink.end();
      return;
    }
    if (sink.waitingBytes <= MAX_WAITING_BYTES) stream.allowance = MAX_WAITING_BYTES;
    if (sink.waitingBytes > stream.allowance) {
      this.remove(stream);
      this.dropped.slow++;
      this.log.warn({ reader, waitingBytes: sink.waitingBytes }, 'event stream cut: the reader is too slow');
      sink.cut();
      return;
    }
    sink.write(text);
  }

  private remove(stream: Stream): void {
    this.streams.delete(stream);
    if (this.streams.size > 0) return;
    this.heartbeat?.clear();
    this.heartbeat = null;
  }
}

function isAbout(event: RoomEvent, { room, breakouts }: Pick<StreamRequest, 'room' | 'breakouts'>): boolean {
  return room === null || event.room === room || (breakouts && event.breakoutOf === room);
}

const frameOf = ({ id, name, text }: RoomEvent) => frame(id, name, text);

/** JSON has no line ends in it, so that the data is one line. */
const frame = (id: string, event: string, data: string) => `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
