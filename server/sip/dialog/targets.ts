import { splitList } from '../message/header-value.ts';
import type { SipResponse } from '../message/message.ts';
import { type NameAddress, parseNameAddress } from '../message/name-address.ts';
import { type SipUri, sameUri } from '../message/uri.ts';

/** More than these are never tried for one call, however many redirects there are. */
const MAX_TARGETS = 10;

/** The addresses that a call was tried at: the one that was dialled, and those that redirects named (RFC 3261 §8.1.3.4). */
export class Targets {
  private readonly secure: boolean;
  private readonly seen: SipUri[];

  constructor(first: SipUri) {
    this.secure = first.scheme === 'sips';
    this.seen = [first];
  }

  /** The Contacts of a 3xx, the preferred first; those that were named before are left out, so that loops end. */
  redirectedTo(response: SipResponse): SipUri[] {
    const contacts = response.headers
      .all('contact')
      .flatMap(splitList)
      .map(parseNameAddress)
      .filter((contact) => contact !== null);
    return contacts
      .sort((one, other) => preference(other) - preference(one))
      .flatMap(({ uri }) => (uri !== null && this.isNew(uri) ? [uri] : []));
  }

  private isNew(uri: SipUri): boolean {
    // What was to be secure on every hop stays so (RFC 3261 §8.1.3.4).
    if (this.secure && uri.scheme !== 'sips') return false;
    if (this.seen.length >= MAX_TARGETS || this.seen.some((known) => sameUri(known, uri))) return false;
    this.seen.push(uri);
    return true;
  }
}

function preference({ parameters }: NameAddress): number {
  const q = Number(parameters.get('q') ?? 1);
  return q >= 0 && q <= 1 ? q : 0;
}
