import type { MediaDescription } from './session-description.ts';

/** The dynamic payload types begin here and end with 127 (RFC 3551 §3). */
const FIRST_DYNAMIC = 96;

/** What payload types can mean in a kind of stream. A meaning is any text that tells formats apart. */
export interface PayloadTypeMeanings {
  /** Those of a description, in its order. */
  of(media: MediaDescription): [payloadType: number, meaning: string][];
  /** What our offers propose: static ones (RFC 3551 §6), which are nothing else ever, and dynamic ones. */
  proposals: ReadonlyMap<string, number>;
}

/**
 * Which payload type has meant what in a stream, so that none of ours ever means something else (RFC 3264 §8.3.2).
 */
export class PayloadTypes {
  readonly #meaningsOf: PayloadTypeMeanings['of'];
  readonly #proposals: ReadonlyMap<string, number>;
  /** Never to be had for anything else, even when the other side did so. */
  readonly #static: ReadonlySet<number>;
  /** Those that our offers do not give to something by default. */
  readonly #spare: readonly number[];
  /** What our last description called it. */
  readonly #ours = new Map<string, number>();
  /** All that either side has used, with the meaning it had last. */
  readonly #meanings = new Map<number, string>();

  constructor({ of, proposals }: PayloadTypeMeanings) {
    this.#meaningsOf = of;
    this.#proposals = proposals;
    const proposed = new Set(proposals.values());
    this.#static = new Set([...proposed].filter((payloadType) => payloadType < FIRST_DYNAMIC));
    this.#spare = Array.from({ length: 32 }, (_, index) => FIRST_DYNAMIC + index).filter(
      (payloadType) => !proposed.has(payloadType),
    );
  }

  rememberOurs(media: MediaDescription): void {
    for (const [payloadType, meaning] of this.#meaningsOf(media)) {
      this.#ours.set(meaning, payloadType);
      this.#meanings.set(payloadType, meaning);
    }
  }

  rememberTheirs(media: MediaDescription): void {
    for (const [payloadType, meaning] of this.#meaningsOf(media)) this.#meanings.set(payloadType, meaning);
  }

  /**
   * For our next offer: the one that it has, else the proposed one, else any; taken from then on. Null when all dynamic
   * ones have been used for other things.
   */
  choose(meaning: string): number | null {
    const proposed = this.#proposals.get(meaning) ?? FIRST_DYNAMIC;
    if (this.#static.has(proposed)) return proposed;
    const ours = this.#ours.get(meaning);
    const candidates = ours === undefined ? [proposed, ...this.#spare] : [ours, proposed, ...this.#spare];
    const chosen = candidates.find(
      (payloadType) => !this.#static.has(payloadType) && (this.#meanings.get(payloadType) ?? meaning) === meaning,
    );
    if (chosen === undefined) return null;
    this.#ours.set(meaning, chosen);
    this.#meanings.set(chosen, meaning);
    return chosen;
  }
}
