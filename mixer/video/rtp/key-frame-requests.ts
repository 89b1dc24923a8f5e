/** A request or its answer may get lost. */
const REPEAT_MS = 500;
/** An encoder's key frames are no closer than this, whoever asks. */
const APART_MS = 300;
/** A viewer may have two so close to each other, as one may get lost, but no more than two in the longer time. */
const APART_FOR_VIEWER_MS = 500;
const TWO_FOR_VIEWER_MS = 2000;

const NEVER = Number.NEGATIVE_INFINITY;
const UNSERVED = { lastMs: NEVER, beforeMs: NEVER };

/** Ours to a sender: at once when a key frame is needed, and again until it has come. */
export class KeyFrameRequests {
  /** Of the present request, 0–255, for FIR: a repetition has the same (RFC 5104 §4.3.1.2). */
  command = 0;
  /** Requests and repetitions. */
  asked = 0;
  private lastMs = Number.NEGATIVE_INFINITY;
  private waiting = false;

  /** Whether to ask now. @param needed `VideoReceiver.keyFrameNeeded` */
  due(needed: boolean, nowMs: number): boolean {
    if (!needed) {
      this.waiting = false;
      return false;
    }
    // Who loses a key frame as often as it comes asks no more often, either.
    if (nowMs - this.lastMs < REPEAT_MS) return false;
    if (!this.waiting) this.command = (this.command + 1) & 0xff;
    this.waiting = true;
    this.lastMs = nowMs;
    this.asked++;
    return true;
  }
}

/**
 * Theirs to an encoder that viewers share, and what newcomers need: all who ask get the same key frame, and nobody makes a
 * storm of it for the others.
 */
export class KeyFrameDemand {
  private newcomers = false;
  /** Who asks. */
  private readonly asking = new Set<number>();
  /** When those who asked were served last, and the time before. */
  private readonly served = new Map<number, { lastMs: number; beforeMs: number }>();
  private madeMs = Number.NEGATIVE_INFINITY;

  /** Somebody can see nothing before the next key frame. */
  newcomer(): void {
    this.newcomers = true;
  }

  /** A viewer asks. What comes just after their last one was asked before that could arrive, and is served by it. */
  asked(viewer: number, nowMs: number): void {
    if (nowMs - (this.served.get(viewer)?.lastMs ?? NEVER) >= APART_MS) this.asking.add(viewer);
  }

  /** The viewer has gone. */
  forget(viewer: number): void {
    this.asking.delete(viewer);
    this.served.delete(viewer);
  }

  /** Whether the next frame shall be a key frame. */
  isDue(nowMs: number): boolean {
    if (nowMs - this.madeMs < APART_MS) return false;
    if (this.newcomers) return true;
    for (const viewer of this.asking) {
      const { lastMs, beforeMs } = this.served.get(viewer) ?? UNSERVED;
      if (nowMs - lastMs >= APART_FOR_VIEWER_MS && nowMs - beforeMs >= TWO_FOR_VIEWER_MS) return true;
    }
    return false;
  }

  /** A key frame goes, asked for or not: all who waited are served. */
  sent(nowMs: number): void {
    this.madeMs = nowMs;
    this.newcomers = false;
    for (const viewer of this.asking) {
      this.served.set(viewer, { lastMs: nowMs, beforeMs: (this.served.get(viewer) ?? UNSERVED).lastMs });
    }
    this.asking.clear();
  }
}

/** Tells a new FIR from one that is repeated as its answer has not arrived yet (RFC 5104 §4.3.1.2). */
export class IntraCommands {
  private sender = -1;
  private command = -1;
  private heardMs = Number.NEGATIVE_INFINITY;

  /** The same command much later is new: what answered it was lost, or they never count. */
  isNew(sender: number, command: number, nowMs: number): boolean {
    if (sender === this.sender && command === this.command && nowMs - this.heardMs < REPEAT_MS) return false;
    this.sender = sender;
    this.command = command;
    this.heardMs = nowMs;
    return true;
  }
}
