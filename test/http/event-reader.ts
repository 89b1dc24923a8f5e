import { get, type IncomingMessage } from 'node:http';

export interface ReadEvent {
  id: string;
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it freely, and then compare.
  data: any;
}

/** Reads server-sent events over a real connection. */
export class EventReader {
  readonly response: IncomingMessage;
  text = '';
  private readonly queue: ReadEvent[] = [];
  private readonly wanted: Array<(event: ReadEvent | null) => void> = [];
  private rest = '';
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>;

  /** Resolves with the answer's headers, whatever its status. */
  static open(port: number, path: string, headers: Record<string, string>): Promise<EventReader> {
    return new Promise((resolve, reject) => {
      get({ port, path, headers, agent: false }, (response) => resolve(new EventReader(response))).on('error', reject);
    });
  }

  private constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.take(text));
    this.ended = new Promise((resolve) => {
      response.on('error', () => {});
      response.on('close', () => {
        for (const give of this.wanted.splice(0)) give(null);
        resolve();
      });
    });
  }

  /** The next one; null when the stream has ended. */
  next(): Promise<ReadEvent | null> {
    const first = this.queue.shift();
    if (first || this.response.destroyed) return Promise.resolve(first ?? null);
    return new Promise((resolve) => this.wanted.push(resolve));
  }

  close(): void {
    this.response.destroy();
  }

  private take(text: string): void {
    this.text += text;
    const blocks = (this.rest + text).split('\n\n');
    this.rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const [, id, event, data] = /^id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(block) ?? [];
      if (id === undefined) continue;
      const read = { id, event: event!, data: JSON.parse(data!) };
      const give = this.wanted.shift();
      if (give) give(read);
      else this.queue.push(read);
    }
  }
}
