export interface ServerSentEvent {
  /** `message` where the server does not say. */
  name: string;
  data: string;
}

/** Takes a stream of server-sent events apart (WHATWG HTML §9.2.6): text comes in as it arrives, events go out. */
export class ServerSentEventParser {
  /** The last that came; null before any. */
  lastEventId: string | null = null;
  /** What the server asked for: how long to wait before coming back, milliseconds. */
  retryMs: number | null = null;
  private rest = '';
  private name = '';
  private data: string[] = [];

  push(text: string): ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    // A carriage return at the end may be the first half of a line end.
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line !== '') this.field(line);
      else if (this.data.length > 0) events.push(this.finished());
      else this.name = '';
    }
    return events;
  }

  private finished(): ServerSentEvent {
    const event = { name: this.name || 'message', data: this.data.join('\n') };
    this.name = '';
    this.data = [];
    return event;
  }

  private field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.data.push(value);
    else if (name === 'event') this.name = value;
    else if (name === 'id' && !value.includes('\0')) this.lastEventId = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
  }
}
