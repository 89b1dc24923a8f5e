import { splitList } from '../message/header-value.ts';
import type { Headers } from '../message/headers.ts';

/** The option tags, or other tokens, of all fields of that name; in lower case. */
export function tagsOf(headers: Headers, name: string): Set<string> {
  return new Set(headers.all(name).flatMap((line) => splitList(line.toLowerCase())));
}

/** What the peer said that it can do, in its last INVITE, UPDATE or 2xx. */
export class PeerCapabilities {
  private methods: ReadonlySet<string> | null = null;

  /** Takes note of Allow, where it stands. */
  learn(headers: Headers): void {
    if (headers.has('allow')) this.methods = tagsOf(headers, 'allow');
  }

  /** Whether it named the method; false where it named none. */
  allows(method: string): boolean {
    return this.methods?.has(method.toLowerCase()) ?? false;
  }

  /** It answered 405 or 501. */
  doesNotKnow(method: string): void {
    this.methods = new Set([...(this.methods ?? [])].filter((known) => known !== method.toLowerCase()));
  }
}
