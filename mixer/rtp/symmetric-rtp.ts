/** This many packets in a row with one SSRC and from one address make a source believed. */
const LATCH_PACKETS = 3;

/** A latched source must be quiet for this long before another may take its place unasked. */
export const QUIET_MS = 2000;

/** After new signalling, so many packets of the former source alone show that it is still the right one. */
const RETURN_PACKETS = 25;

export interface SymmetricRtpCounters {
  /** From elsewhere than the latched source. */
  foreign: number;
  latches: number;
}

/**
 * Finds out where a stream really comes from, so that we send back there (symmetric RTP, RFC 4961), and refuses what
 * comes from elsewhere.
 *
 * A phone behind a NAT signals an address that nobody can reach; its packets come from another. Believing the first
 * packet from anywhere would let anyone who guesses the port take the call's media or speak in it (RFC 7362 §5). So:
 *
 * - The signalled address is believed at once while nothing is latched, and after three packets otherwise.
 * - Elsewhere needs three packets in a row from one address with one SSRC, while nothing is latched. Three packets cost
 *   60 ms of sound at the beginning of a call from behind a NAT, and defeat single stray or guessed packets. Whether the
 *   signalled address is private doesn't matter: a public one may as well be an outer NAT's or a proxy's.
 * - Once latched, packets from elsewhere are dropped. The source changes only when the latched one has been quiet for
 *   two seconds (a NAT binding that moved, a phone that changed its network) and another, with the same SSRC, sends
 *   three packets in a row.
 * - New signalling, which is authenticated as far as the call is, opens the latch: we send to the new address, the old
 *   source is still heard, and the first other source that sends three packets is latched. When for half a second
 *   only the old one is heard, it is latched again.
 * - An attacker who sees the media (and so the SSRC) and outlasts the quiet time can still take it: against that there
 *   is only SRTP (RFC 7362 §5).
 *
 * Pure logic; one for the RTP and one for the RTCP of a stream.
 */
export class SymmetricRtp {
  /** Where to send to; null when nothing is known yet. */
  remoteAddress: string | null = null;
  remotePort = 0;
  latched = false;
  readonly counters: SymmetricRtpCounters = { foreign: 0, latches: 0 };

  #signalledAddress: string | null = null;
  #signalledPort = 0;
  /** Where media is taken from; null before the first latch. */
  #sourceAddress: string | null = null;
  #sourcePort = 0;
  #sourceSsrc = -1;
  /** Packets of the source since new signalling opened the latch. */
  #sourcePackets = 0;
  #lastHeardMs = 0;
  #candidateAddress = '';
  #candidatePort = 0;
  #candidateSsrc = -1;
  #candidatePackets = 0;

  /** The address of a session description, null when it gives none (RFC 3264 §8.4); a repeated one changes nothing. */
  signalled(address: string | null, port: number): void {
    if (address === null || (address === this.#signalledAddress && port === this.#signalledPort)) return;
    this.#signalledAddress = address;
    this.#signalledPort = port;
    this.remoteAddress = address;
    this.remotePort = port;
    this.#candidatePackets = 0;
    this.#sourcePackets = 0;
    this.latched = address === this.#sourceAddress && port === this.#sourcePort;
  }

  /**
   * A valid packet came: whether it is to be used.
   *
   * Whether it changed the source is seen by `counters.latches`.
   */
  accept(address: string, port: number, ssrc: number, nowMs: number): boolean {
    if (port === this.#sourcePort && address === this.#sourceAddress) {
      this.#sourceSsrc = ssrc;
      this.#lastHeardMs = nowMs;
      if (this.latched) this.#candidatePackets = 0;
      else if (++this.#sourcePackets >= RETURN_PACKETS) this.#latch(address, port, ssrc, nowMs);
      return true;
    }
    if (this.#isBelieved(address, port, ssrc, nowMs)) {
      this.#latch(address, port, ssrc, nowMs);
      return true;
    }
    this.counters.foreign++;
    return false;
  }

  #isBelieved(address: string, port: number, ssrc: number, nowMs: number): boolean {
    const signalled = port === this.#signalledPort && address === this.#signalledAddress;
    if (signalled && !this.latched) return true;
    if (this.latched && !signalled) {
      const sameStream = this.#sourceSsrc === -1 || this.#sourceSsrc === ssrc;
      if (nowMs - this.#lastHeardMs < QUIET_MS || !sameStream) return false;
    }
    if (port !== this.#candidatePort || ssrc !== this.#candidateSsrc || address !== this.#candidateAddress) {
      this.#candidateAddress = address;
      this.#candidatePort = port;
      this.#candidateSsrc = ssrc;
      this.#candidatePackets = 0;
    }
    this.#candidatePackets++;
    return this.#candidatePackets >= LATCH_PACKETS;
  }

  #latch(address: string, port: number, ssrc: number, nowMs: number): void {
    this.latched = true;
    this.remoteAddress = address;
    this.remotePort = port;
    this.#sourceAddress = address;
    this.#sourcePort = port;
    this.#sourceSsrc = ssrc;
    this.#lastHeardMs = nowMs;
    this.#candidatePackets = 0;
    this.counters.latches++;
  }
}
