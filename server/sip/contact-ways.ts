import { type PeerContact, type Way, type Ways, waysTo } from './dialog/ways.ts';
import type { SipUri } from './message/uri.ts';

/** Where a user of ours is registered, the preferred place first; null for addresses that are none of our users'. */
export type Locate = (uri: SipUri) => readonly PeerContact[] | null;

/** Where calls of ours go: to the phones of our own users (RFC 3261 §16.5), and to all others by `others`. */
export class ContactWays implements Ways {
  private readonly locate: Locate;
  private readonly others: Ways;

  constructor(locate: Locate, others: Ways) {
    this.locate = locate;
    this.others = others;
  }

  find(uri: SipUri, found: (ways: readonly Way[], status?: number) => void): void {
    const contacts = this.locate(uri);
    if (contacts === null) this.others.find(uri, found);
    else if (contacts.length === 0) found([], 480);
    else this.collect(contacts, [], found);
  }

  private collect(
    contacts: readonly PeerContact[],
    ways: Way[],
    found: (ways: readonly Way[], status?: number) => void,
  ): void {
    const [contact, ...left] = contacts;
    if (contact === undefined) return found(ways, ways.length === 0 ? 480 : undefined);
    waysTo(contact, this.others, (more) => {
      ways.push(...more.map(({ open, unavailable }) => ({ open, unavailable, contact })));
      this.collect(left, ways, found);
    });
  }
}
