import type { SipMessage } from '../message/message.ts';
import type { RandomSource } from './random-source.ts';

const NIL = '0'.repeat(32);

/** The identifier of a session, made of a UUID of each side, for those who read logs (RFC 7989). */
export class SessionId {
  readonly local: string;
  private remote = NIL;

  constructor(random: RandomSource) {
    this.local = versionFour(`${random.token()}${random.token()}`);
  }

  /** What a message of the session carries. */
  get field(): readonly [string, string] {
    return ['Session-ID', `${this.local};remote=${this.remote}`];
  }

  /** The UUID of the peer, which may become another when the call is moved; malformed ones are ignored. */
  learn(message: SipMessage): void {
    const [uuid] = /^[0-9a-f]{32}(?=\s*(;|$))/i.exec(message.headers.get('session-id') ?? '') ?? [];
    if (uuid !== undefined && uuid !== NIL) this.remote = uuid.toLowerCase();
  }
}

/** Random digits as a UUID of version 4 (RFC 9562 §5.4), without hyphens. */
function versionFour(digits: string): string {
  const hex = digits.padEnd(32, '0').slice(0, 32);
  const variant = ((Number.parseInt(hex[16]!, 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 12)}4${hex.slice(13, 16)}${variant}${hex.slice(17)}`;
}
