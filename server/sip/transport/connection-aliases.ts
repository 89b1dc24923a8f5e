import { isIP } from 'node:net';
import type { Via } from '../message/via.ts';
import type { Flow } from './flow.ts';
import type { PeerIdentity } from './peer-identity.ts';
import type { StreamConnection } from './stream-connection.ts';
import { defaultPort } from './via-routing.ts';

/** A peer that is a proxy has one, or one for each domain that it serves. */
const MAX_PER_CONNECTION = 8;

interface Peer {
  readonly connection: StreamConnection;
  readonly identity: PeerIdentity;
  /** What is sent over the connection by now, as keys of `byTarget`. */
  readonly targets: Set<string>;
  told: boolean;
}

/** The TLS connections of peers over which our own requests to those peers go too (RFC 5923 §8.2). */
export class ConnectionAliases {
  private readonly peers = new Map<Flow, Peer>();
  private readonly byTarget = new Map<string, StreamConnection>();

  /** How many names lead to connections. */
  get size(): number {
    return this.byTarget.size;
  }

  /** A connection that a peer opened; may be an alias from now on, until it is removed. */
  add(connection: StreamConnection, identity: PeerIdentity): void {
    this.peers.set(connection, { connection, identity, targets: new Set(), told: false });
  }

  remove(flow: Flow): void {
    const peer = this.peers.get(flow);
    this.peers.delete(flow);
    for (const target of peer?.targets ?? []) {
      // A newer connection of that peer may have taken its place.
      if (this.byTarget.get(target) === flow) this.byTarget.delete(target);
    }
  }

  /**
   * Honours `alias` in the topmost Via of a request: from now on requests to its sent-by, a name, go over that connection;
   * of two connections the one that asked last is used. Gives why not, the first time that this connection asks in vain;
   * else null. Connections that we opened are not concerned: they are used again as it is.
   */
  honour(via: Via, flow: Flow): string | null {
    const peer = this.peers.get(flow);
    if (peer === undefined || !via.parameters.has('alias')) return null;
    const target = targetKey(via.host, via.port ?? defaultPort('tls'));
    const fault = faultOf(via, peer.identity) ?? (isFull(peer, target) ? 'too many aliases' : null);
    if (fault === null) {
      peer.targets.add(target);
      this.byTarget.set(target, peer.connection);
      return null;
    }
    if (peer.told) return null;
    peer.told = true;
    return fault;
  }

  /** The open connection over which requests to that name and port go; null when there is none. */
  find(serverName: string, port: number): StreamConnection | null {
    const found = this.byTarget.get(targetKey(serverName, port));
    return found?.open ? found : null;
  }
}

/** The peer must have shown that it is whom its requests name as their sender (RFC 5923 §9.2, RFC 5922 §7.2). */
function faultOf({ transport, host }: Via, { domains, fault }: PeerIdentity): string | null {
  if (transport !== 'TLS') return 'the Via is not of TLS';
  if (fault !== null) return fault;
  if (isIP(host) !== 0) return 'sent-by is an address, for which no SIP certificate is';
  return domains.includes(host.toLowerCase()) ? null : 'the certificate is not for sent-by';
}

function isFull({ targets }: Peer, target: string): boolean {
  return targets.size >= MAX_PER_CONNECTION && !targets.has(target);
}

function targetKey(host: string, port: number): string {
  return `${host.toLowerCase()} ${port}`;
}
