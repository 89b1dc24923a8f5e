import { senderOf } from '../guard/sender.ts';
import { PinAttempts } from '../ivr/pin-attempts.ts';
import type { Log } from '../log.ts';
import type { SipRequest } from '../sip/message/message.ts';
import type { Flow } from '../sip/transport/flow.ts';
import type { Identify } from './admission.ts';
import { assertedIdentity } from './caller.ts';

/** Whose wrong PINs are counted together. */
export interface PinSource {
  readonly key: string;
  /**
   * For the log. `address` is what fail2ban bans; for a trusted peer and for a signed-in user it is `peer`, as others
   * call from there too.
   */
  readonly peer: { readonly address: string } | { readonly peer: string; readonly caller: string };
}

export interface PinGuardOptions {
  readonly identify: Identify;
  readonly isTrusted: (address: string) => boolean;
  /** Milliseconds on a monotonic clock. */
  readonly now: () => number;
  readonly log: Log;
}

/** What a From or P-Asserted-Identity says may be as long as its sender likes. */
const MOST_CALLER_CHARACTERS = 128;

/** Keeps those out who guess PINs, call after call. */
export class PinGuard {
  /** What became of the PINs that were given; for metrics. */
  readonly counts = { right: 0, wrong: 0, refused: 0 };
  private readonly options: PinGuardOptions;
  private readonly attempts: PinAttempts;

  constructor(options: PinGuardOptions, attempts = new PinAttempts()) {
    this.options = options;
    this.attempts = attempts;
  }

  /**
   * Who gives PINs in this call: behind a trusted peer, the user whom it names; else the user who is signed in, whom
   * guessers at the same address do not concern; else the address. `asked`: the room has a PIN, so that it matters
   * who calls.
   */
  sourceOf({ request, flow }: { request: SipRequest; flow: Flow }, asked: boolean): PinSource {
    const { identify, isTrusted } = this.options;
    const { remoteAddress } = flow;
    const sender = senderOf(remoteAddress);
    if (isTrusted(remoteAddress)) {
      const caller = callingUser(request);
      return { key: `peer ${sender} ${caller}`, peer: { peer: remoteAddress, caller } };
    }
    const identity = asked ? identify(request, flow) : null;
    if (identity !== null && 'user' in identity) {
      return { key: `user ${identity.user}`, peer: { peer: remoteAddress, caller: identity.user } };
    }
    return { key: `address ${sender}`, peer: { address: remoteAddress } };
  }

  /** Whether a PIN of this source would be looked at. */
  takes(room: string, source: PinSource): boolean {
    return this.attempts.blockedMs(room, source.key, this.options.now()) === 0;
  }

  /** A PIN was not looked at. */
  refused(room: string, source: PinSource): void {
    this.counts.refused++;
    const leftMs = this.attempts.blockedMs(room, source.key, this.options.now());
    this.warn(room, source, 'too many wrong PINs', leftMs, 'pin refused');
  }

  wrong(room: string, source: PinSource): void {
    this.counts.wrong++;
    const blockMs = this.attempts.wrong(room, source.key, this.options.now());
    if (blockMs > 0) this.warn(room, source, 'too many wrong PINs', blockMs, 'pins blocked');
  }

  /** @param best there is no better one to guess: who knows it has no more reason to try others */
  right(room: string, source: PinSource, best: boolean): void {
    this.counts.right++;
    if (best) this.attempts.right(room, source.key);
  }

  private warn(room: string, { peer }: PinSource, reason: string, ms: number, message: string): void {
    this.options.log.warn({ ...peer, room, reason, seconds: Math.ceil(ms / 1000) }, message);
  }
}

/**
 * The user, or the number, by P-Asserted-Identity, else by From. Also where the caller wants it hidden (RFC 3323): nobody
 * is shown it but who reads the log.
 */
function callingUser(request: SipRequest): string {
  const { uri, uriText } = assertedIdentity(request) ?? request.from;
  return (uri?.user?.split(';', 1)[0] ?? uriText).toLowerCase().slice(0, MOST_CALLER_CHARACTERS);
}
