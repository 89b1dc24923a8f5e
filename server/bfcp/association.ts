import type { Timer, Timers } from '../timers.ts';
import { Reassembly, splitMessage } from './fragments.ts';
import { type Attribute, type Message, type MessageHeader, PRIMITIVE } from './message.ts';
import type { ParsedHeader } from './parse-message.ts';
import type { Path } from './path.ts';
import { TokenBucket } from './token-bucket.ts';
import { writeMessage } from './write-message.ts';

/** What is said, without who says it to whom. */
export interface Saying {
  primitive: number;
  attributes: Attribute[];
  /** The name of what it is about. An answer that is given again says of it what was told last. */
  about?: string;
}

export interface AssociationOptions {
  readonly conferenceId: number;
  readonly userId: number;
  readonly timers: Timers;
  /** A request of theirs; what is given answers it. */
  readonly request: (message: Message) => Saying;
  /** Nothing is heard from them any more, though they were asked. */
  readonly lost: (reason: string) => void;
}

/** RFC 8855 §8.3.1: sent again after T1, then after twice as long each time. */
const T1_MS = 500;
const TRANSMISSIONS = 4;
/** RFC 8855 §8.3.2: for so long an answer is given again. */
const T2_MS = 10_000;
const MAX_ANSWERS = 16;
/** Fits into what every path takes, tunnels too. */
const MAX_DATAGRAM_BYTES = 1200;
/** No message of a phone is anywhere near it. */
export const MAX_PAYLOAD_BYTES = 4096;
/**
 * Ours over UDP are from here on, as theirs begin low: some ends match what comes to their own transactions by the number
 * alone.
 */
const FIRST_TRANSACTION = 0x8000;

/** FloorRequestStatusAck and FloorStatusAck of Tandberg's codecs, which had them before there were others. */
const TANDBERG_ACKS: readonly number[] = [91, 93];
/** Never a request of a phone; over TCP, and in version 1, there is no flag that says so. */
const ANSWERS: readonly number[] = [
  ...[PRIMITIVE.FloorRequestStatusAck, PRIMITIVE.FloorStatusAck, PRIMITIVE.GoodbyeAck],
  ...[PRIMITIVE.HelloAck, PRIMITIVE.Error],
  ...TANDBERG_ACKS,
];

/** Something of ours over UDP that was not acknowledged yet. */
interface Unacknowledged {
  about: string;
  saying: () => Saying | null;
  transactionId: number;
  bytes: Uint8Array;
  transmissions: number;
  /** Something has come from them since. */
  isHeard: boolean;
  timer: Timer;
}

/** Kept for when the request comes again. */
interface Answer {
  readonly saying: Saying;
  readonly transactionId: number;
  readonly untilMs: number;
}

/**
 * The floor control of one phone, from the server's end (RFC 8855 §8): what it asks is answered, and what it is told unasked
 * gets there. Over TCP that is all; over UDP answers are given again to what comes again, and what is told is sent again
 * until it is acknowledged, one thing after the other.
 */
export class Association {
  private readonly options: AssociationOptions;
  private readonly bucket: TokenBucket;
  private readonly fragments = new Reassembly(MAX_PAYLOAD_BYTES);
  private pathNow: Path | null = null;
  /** As they speak it. */
  private version = 1;
  /** By what it is about: only the latest of each is told. */
  private readonly waiting = new Map<string, () => Saying | null>();
  /** What did not get to them: told once something comes from them again. */
  private readonly missed = new Map<string, () => Saying | null>();
  private unacknowledged: Unacknowledged | null = null;
  /** What it is told. Null: it has not shown whether it does. */
  private acknowledges: boolean | null = null;
  private answering = false;
  private hasSpoken = false;
  private nextTransaction = FIRST_TRANSACTION;
  private readonly answers = new Map<string, Answer>();

  constructor(options: AssociationOptions) {
    this.options = options;
    // More than any phone says, in a second and in the long run.
    this.bucket = new TokenBucket(50, 20, options.timers.now());
  }

  /** Null before the phone has said anything, and after its connection has gone. */
  get path(): Path | null {
    return this.pathNow;
  }

  /** A piece of a message over UDP; gives the payload of the whole, once all of it is there. */
  assemble(header: ParsedHeader, part: Uint8Array): Uint8Array | null {
    return this.fragments.add(header, part);
  }

  /** Whether what comes on this path may be looked at: not more than a phone has to say. */
  admits(header: MessageHeader, path: Path): boolean {
    if (!this.bucket.take(this.options.timers.now())) return false;
    if (this.unacknowledged !== null) this.unacknowledged.isHeard = true;
    this.version = header.version;
    const before = this.pathNow;
    this.pathNow = path;
    this.hasSpoken = true;
    // It has made another connection: the one before is of no use to anybody.
    if (before !== null && before !== path) before.close();
    for (const [about, saying] of this.missed) if (!this.waiting.has(about)) this.waiting.set(about, saying);
    this.missed.clear();
    return true;
  }

  /** After `admits`. */
  received(message: Message): void {
    // What it makes us tell them comes after the answer.
    this.answering = true;
    if (message.responder || ANSWERS.includes(message.primitive)) this.answered(message);
    else this.asked(message);
    this.answering = false;
    this.tellNext();
  }

  /** Answers what was not even a message, or not one to be taken. */
  answer({ primitive, transactionId }: MessageHeader, saying: Saying): void {
    if (this.pathNow?.reliable === false) this.keep(`${primitive} ${transactionId}`, saying, transactionId);
    this.transmit(this.write(saying, transactionId, true));
  }

  /**
   * Tells something. What waits under the same name is not told any more; what is told is asked for when its turn comes, and
   * null is nothing.
   */
  tell(about: string, saying: () => Saying | null): void {
    for (const [key, answer] of this.answers) {
      const latest = answer.saying.about === about ? saying() : null;
      if (latest !== null) this.answers.set(key, { ...answer, saying: { ...latest, about } });
    }
    if (this.pathNow !== null) {
      this.waiting.set(about, saying);
      this.tellNext();
    } else if (this.hasSpoken) this.missed.set(about, saying);
  }

  /** The connection has gone; another one may come. */
  pathClosed(path: Path): boolean {
    if (path !== this.pathNow) return false;
    this.pathNow = null;
    this.miss();
    return true;
  }

  close(): void {
    this.miss();
    this.missed.clear();
    this.answers.clear();
    this.pathNow?.close();
    this.pathNow = null;
  }

  private tellNext(): void {
    const path = this.pathNow;
    while (path !== null && !this.answering && this.unacknowledged === null) {
      const [next] = this.waiting;
      if (next === undefined) return;
      this.waiting.delete(next[0]);
      const saying = next[1]();
      if (saying === null) continue;
      if (path.reliable) this.transmit(this.write(saying, 0, false));
      else this.begin(saying, next);
    }
  }

  private begin(said: Saying, [about, saying]: [string, () => Saying | null]): void {
    const transactionId = this.nextTransaction;
    this.nextTransaction = transactionId === 0xffff ? FIRST_TRANSACTION : transactionId + 1;
    const { timers } = this.options;
    const bytes = this.write(said, transactionId, false);
    if (this.acknowledges === false) return this.transmit(bytes);
    const timer = timers.set(T1_MS, () => this.notAcknowledged());
    this.unacknowledged = { about, saying, transactionId, bytes, transmissions: 1, isHeard: false, timer };
    this.transmit(bytes);
  }

  private notAcknowledged(): void {
    const pending = this.unacknowledged!;
    if (pending.transmissions < TRANSMISSIONS) {
      pending.timer = this.options.timers.set(T1_MS * 2 ** pending.transmissions, () => this.notAcknowledged());
      pending.transmissions++;
      return this.transmit(pending.bytes);
    }
    this.unacknowledged = null;
    if (!this.waiting.has(pending.about)) this.missed.set(pending.about, pending.saying);
    // Deviation: who speaks to us, or never acknowledged anything, as in version 1, is not lost (RFC 8855 §8.3.1).
    if (this.acknowledges === null || this.version === 1) this.acknowledges = false;
    if (pending.isHeard || !this.acknowledges) return this.tellNext();
    this.pathNow = null;
    this.miss();
    this.options.lost('what it was told was not acknowledged');
  }

  private asked(message: Message): void {
    const before = this.answers.get(`${message.primitive} ${message.transactionId}`);
    const isAgain = before !== undefined && before.untilMs > this.options.timers.now();
    if (isAgain) this.transmit(this.write(before.saying, before.transactionId, true));
    else this.answer(message, this.options.request(message));
  }

  private answered({ transactionId }: Message): void {
    this.acknowledges = true;
    if (this.unacknowledged?.transactionId !== transactionId) return;
    this.unacknowledged.timer.clear();
    this.unacknowledged = null;
  }

  private write({ primitive, attributes }: Saying, transactionId: number, isAnswer: boolean): Uint8Array {
    const { conferenceId, userId } = this.options;
    // The flag means nothing over TCP (RFC 8855 §5.1).
    const responder = isAnswer && this.pathNow?.reliable === false;
    const { version } = this;
    return writeMessage({ version, responder, primitive, conferenceId, transactionId, userId, attributes });
  }

  private transmit(bytes: Uint8Array): void {
    const path = this.pathNow;
    if (path === null) return;
    if (path.reliable) return path.send(bytes);
    for (const piece of splitMessage(bytes, MAX_DATAGRAM_BYTES)) path.send(piece);
  }

  private keep(key: string, saying: Saying, transactionId: number): void {
    this.answers.delete(key);
    const [oldest] = this.answers.keys();
    if (this.answers.size >= MAX_ANSWERS && oldest !== undefined) this.answers.delete(oldest);
    this.answers.set(key, { saying, transactionId, untilMs: this.options.timers.now() + T2_MS });
  }

  /** What is under way cannot get to them any more. */
  private miss(): void {
    const { unacknowledged, waiting, missed } = this;
    if (unacknowledged !== null) missed.set(unacknowledged.about, unacknowledged.saying);
    for (const [about, saying] of waiting) missed.set(about, saying);
    waiting.clear();
    unacknowledged?.timer.clear();
    this.unacknowledged = null;
  }
}
