import type { PeerContact } from '../sip/dialog/ways.ts';
import { canonicalHost } from '../sip/message/host.ts';
import { parseNameAddress } from '../sip/message/name-address.ts';
import { parseUri, type SipUri } from '../sip/message/uri.ts';
import type { Flow } from '../sip/transport/flow.ts';
import type { Binding, BindingSource } from './binding.ts';
import type { Bindings } from './bindings.ts';
import type { Users } from './users.ts';

export interface LocationOptions {
  readonly users: Users;
  readonly bindings: Bindings;
  /** The hosts of our users' addresses. */
  readonly hosts: readonly string[];
  /** The way back to where a REGISTER came from, while there is one. */
  readonly flowOf: (source: BindingSource) => Flow | null;
}

/** Where our users are reached: the location service of RFC 3261 §16.5. */
export class Location {
  private readonly options: LocationOptions;
  private readonly hosts: ReadonlySet<string>;

  constructor(options: LocationOptions) {
    this.options = options;
    this.hosts = new Set(options.hosts.map(canonicalHost));
  }

  /** The user of that name, whatever its case; null when there is none. */
  user(name: string | null): string | null {
    return this.options.users.get(name?.toLowerCase() ?? '')?.name ?? null;
  }

  /**
   * The contacts of the user whose address that is, the preferred first; for sips those over TLS alone. Null: no user's.
   * Deviation: a name of our domain that no user has is not refused (RFC 3261 §16.5), as others may serve the domain too.
   */
  locate(uri: SipUri): PeerContact[] | null {
    const user = this.hosts.has(canonicalHost(uri.host)) ? this.user(uri.user) : null;
    return user === null ? null : this.contacts(user, uri.scheme === 'sips');
  }

  /** By q, which is 1 unless told; of equals, the latest first. */
  contacts(user: string, secure = false): PeerContact[] {
    return this.options.bindings
      .of(user)
      .filter(({ source: { protocol } }) => !secure || protocol === 'tls' || protocol === 'wss')
      .sort((one, other) => (other.q ?? 1) - (one.q ?? 1) || other.registeredMs - one.registeredMs)
      .map((binding) => this.contactOf(binding))
      .filter((contact) => contact !== null);
  }

  /** Behind proxies, over UDP, their Path tells the way; otherwise the one that the REGISTER came by. */
  private contactOf({ contact, path, source, q }: Binding): PeerContact | null {
    const uri = parseUri(contact);
    const routes = path.map(parseNameAddress).filter((route) => route !== null);
    if (uri === null) return null;
    const byPath = source.protocol === 'udp' && routes.length > 0;
    return { uri, routes, flow: byPath ? null : this.options.flowOf(source), q: q ?? 1 };
  }
}
