import type { Timers } from '../../timers.ts';
import type { DnsAnswer, DnsRecords, DnsRecordType, DnsResolver } from './dns-resolver.ts';

/** What records say of themselves is kept within these bounds. */
const MIN_TTL_S = 5;
const MAX_TTL_S = 3_600;
/** Where they say nothing. */
const USUAL_TTL_S = 60;
/** That there is nothing (RFC 2308), and that nobody answers. */
const NOTHING_TTL_S = 30;
const NO_ANSWER_TTL_S = 5;

const QUERY_TIMEOUT_MS = 5_000;
const MAX_ENTRIES = 1_000;

type AnyAnswer = DnsAnswer<DnsRecords[DnsRecordType]> | null;

interface Entry {
  readonly answer: Promise<AnyAnswer>;
  /** Infinite while the answer is awaited. */
  untilMs: number;
}

/** Remembers answers for their time, asks once for all who ask the same, and waits no longer than five seconds. */
export class DnsCache implements DnsResolver {
  private readonly source: DnsResolver;
  private readonly timers: Timers;
  private readonly entries = new Map<string, Entry>();

  constructor(source: DnsResolver, timers: Timers) {
    this.source = source;
    this.timers = timers;
  }

  query<T extends DnsRecordType>(type: T, name: string): Promise<DnsAnswer<DnsRecords[T]> | null> {
    const key = `${type} ${name.toLowerCase()}`;
    const known = this.entries.get(key);
    const entry = known !== undefined && known.untilMs > this.timers.now() ? known : this.ask(key, type, name);
    return entry.answer as Promise<DnsAnswer<DnsRecords[T]> | null>;
  }

  private ask(key: string, type: DnsRecordType, name: string): Entry {
    const answer = this.inTime(this.source.query(type, name));
    const entry: Entry = { answer, untilMs: Number.POSITIVE_INFINITY };
    this.entries.delete(key);
    this.entries.set(key, entry);
    // The one that was asked for longest ago.
    if (this.entries.size > MAX_ENTRIES) this.entries.delete(this.entries.keys().next().value!);
    void answer.then((known) => {
      entry.untilMs = this.timers.now() + 1_000 * lifeOf(known);
    });
    return entry;
  }

  private inTime(asked: Promise<AnyAnswer>): Promise<AnyAnswer> {
    return new Promise((resolve) => {
      const timer = this.timers.set(QUERY_TIMEOUT_MS, () => resolve(null));
      asked
        .catch(() => null)
        .then((answer) => {
          timer.clear();
          resolve(answer);
        });
    });
  }
}

function lifeOf(answer: AnyAnswer): number {
  if (answer === null) return NO_ANSWER_TTL_S;
  if (answer.records.length === 0) return NOTHING_TTL_S;
  return Math.min(MAX_TTL_S, Math.max(MIN_TTL_S, answer.ttlSeconds ?? USUAL_TTL_S));
}
