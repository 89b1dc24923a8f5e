const MEASURED_MS = 1000;

/** How much of a stream comes a second: of the last whole one. */
export class ArrivalRate {
  bitrateBps = 0;
  /** Pictures a second, with one decimal. */
  fps = 0;
  private sinceMs: number;
  private bytes = 0;
  private units = 0;

  constructor(startMs: number) {
    this.sinceMs = startMs;
  }

  /** @param bytes RTP with all its headers */
  packetCame(bytes: number): void {
    this.bytes += bytes;
  }

  unitCame(): void {
    this.units++;
  }

  /** Some times a second. */
  update(nowMs: number): void {
    const passedMs = nowMs - this.sinceMs;
    if (passedMs < MEASURED_MS) return;
    this.bitrateBps = Math.round((8000 * this.bytes) / passedMs);
    this.fps = Math.round((10_000 * this.units) / passedMs) / 10;
    this.sinceMs = nowMs;
    this.bytes = 0;
    this.units = 0;
  }
}
