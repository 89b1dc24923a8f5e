import type { RtpHeader } from './media-socket.ts';

export type ReceivedPacket = RtpHeader & { payload: Buffer };

export interface PacketOrderActions {
  forward(packet: ReceivedPacket): void;
  /** These did not come, and may be asked for again. */
  missing(sequenceNumbers: readonly number[]): void;
  /** It goes on without some. */
  gaveUp(): void;
}

const ASK_AGAIN_MS = 60;

/** Puts packets into their order, and asks for those that are missing, as a video phone does. */
export class PacketOrder {
  readonly #actions: PacketOrderActions;
  /** How long a missing packet is waited for. */
  readonly #patienceMs: number;
  readonly #waiting = new Map<number, ReceivedPacket>();
  #next: number | null = null;
  #highest = 0;
  #stuckSinceMs = 0;
  #askedMs = 0;

  constructor(patienceMs: number, actions: PacketOrderActions) {
    this.#patienceMs = patienceMs;
    this.#actions = actions;
  }

  put(packet: ReceivedPacket, nowMs: number): void {
    this.#next ??= packet.sequenceNumber;
    const ahead = ((packet.sequenceNumber - this.#next) << 16) >> 16;
    if (ahead < 0) return;
    if (this.#waiting.size === 0 || ((packet.sequenceNumber - this.#highest) << 16) >> 16 > 0) {
      this.#highest = packet.sequenceNumber;
    }
    this.#waiting.set(packet.sequenceNumber, packet);
    this.#drain(nowMs);
    this.check(nowMs);
  }

  /** Also when no packet comes, now and then. */
  check(nowMs: number): void {
    if (this.#next === null || this.#waiting.size === 0) return;
    if (this.#stuckSinceMs === 0) {
      this.#stuckSinceMs = nowMs;
      this.#askedMs = 0;
    }
    if (nowMs - this.#stuckSinceMs > this.#patienceMs) {
      while (!this.#waiting.has(this.#next)) this.#next = (this.#next + 1) & 0xffff;
      this.#actions.gaveUp();
      this.#drain(nowMs);
    } else if (nowMs - this.#askedMs > ASK_AGAIN_MS) {
      this.#askedMs = nowMs;
      this.#actions.missing(this.#gaps());
    }
  }

  #drain(nowMs: number): void {
    const before = this.#next;
    for (let packet = this.#waiting.get(this.#next!); packet; packet = this.#waiting.get(this.#next!)) {
      this.#waiting.delete(this.#next!);
      this.#next = (this.#next! + 1) & 0xffff;
      this.#actions.forward(packet);
    }
    if (this.#next === before) return;
    this.#stuckSinceMs = this.#waiting.size === 0 ? 0 : nowMs;
  }

  #gaps(): number[] {
    const gaps: number[] = [];
    for (let number = this.#next!; number !== this.#highest; number = (number + 1) & 0xffff) {
      if (!this.#waiting.has(number)) gaps.push(number);
    }
    return gaps.slice(0, 100);
  }
}
