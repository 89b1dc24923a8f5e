/**
 * Pairs of media ports: RTP on an even one, RTCP on the next (RFC 3550 §11).
 *
 * A pair rests for a while after use, so that late packets of one call do not reach the next one. Pairs are handed out
 * round robin, which makes the rest longer still. Bound by nothing but the range: no sockets, no clock.
 */
export class PortPool {
  private readonly free: number[] = [];
  private head = 0;
  private readonly used = new Set<number>();
  private readonly resting: { rtpPort: number; untilMs: number }[] = [];
  private readonly quarantineMs: number;

  constructor(rtpPortMin: number, rtpPortMax: number, quarantineMs: number) {
    this.quarantineMs = quarantineMs;
    for (let port = rtpPortMin + (rtpPortMin % 2); port + 1 <= rtpPortMax; port += 2) this.free.push(port);
  }

  /** The even port of a pair, or null when all are in use or resting. */
  take(nowMs: number): number | null {
    this.wake(nowMs);
    const port = this.free[this.head];
    if (port === undefined) return null;
    this.head++;
    if (this.head > 1024) {
      this.free.splice(0, this.head);
      this.head = 0;
    }
    this.used.add(port);
    return port;
  }

  /** Takes a certain pair, for a leg that had it before a crash. False when it is in use. */
  claim(rtpPort: number): boolean {
    if (this.used.has(rtpPort)) return false;
    const free = this.free.indexOf(rtpPort, this.head);
    if (free >= 0) this.free.splice(free, 1);
    const resting = this.resting.findIndex((entry) => entry.rtpPort === rtpPort);
    if (resting >= 0) this.resting.splice(resting, 1);
    this.used.add(rtpPort);
    return true;
  }

  /** Gives a pair back; it is handed out again after its rest. */
  release(rtpPort: number, nowMs: number): void {
    if (!this.used.delete(rtpPort)) return;
    this.resting.push({ rtpPort, untilMs: nowMs + this.quarantineMs });
  }

  get portsInUse(): number {
    return this.used.size * 2;
  }

  portsResting(nowMs: number): number {
    this.wake(nowMs);
    return this.resting.length * 2;
  }

  private wake(nowMs: number): void {
    while (this.resting.length > 0 && this.resting[0]!.untilMs <= nowMs) this.free.push(this.resting.shift()!.rtpPort);
  }
}
