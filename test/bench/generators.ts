import { setPriority } from 'node:os';
import { GeneratorProcess } from './generator-process.ts';
import type { DurationSummary } from './histogram.ts';
import type { LoadJob, LoadResult } from './load-protocol.ts';

/** Nice value. */
const BEFORE_OTHERS = -10;

/**
 * Two load generators: those callers by whom delay is measured have a process of their own. In one with hundreds of others
 * they would send and be read when it is their turn there, which would be measured as jitter and delay of the network. So
 * would be what their process waits for the processor, which no phone does: it runs before others, where that is allowed.
 */
export class Generators {
  readonly #measured = new GeneratorProcess();
  readonly #others = new GeneratorProcess();

  constructor() {
    try {
      setPriority(this.#measured.pid, BEFORE_OTHERS);
    } catch {
      // Without the right to, as any other.
    }
  }

  /** Begins to call, those who are measured first; with a refusal the others send nothing. */
  async start(job: LoadJob): Promise<{ calls: number; refusal: string | null }> {
    const first = await this.#measured.start({ ...job, part: 'measured' });
    if (first.refusal !== null) return first;
    const { calls, refusal } = await this.#others.start({ ...job, part: 'others' });
    return { calls: first.calls + calls, refusal };
  }

  /** As `GeneratorProcess`. */
  async measure<Measured>(
    seconds: number,
    measuring: () => Promise<Measured>,
  ): Promise<{ result: LoadResult; measured: Measured }> {
    const [others, { result, measured }] = await Promise.all([
      this.#others.measure(seconds, async () => {}),
      this.#measured.measure(seconds, measuring),
    ]);
    return { result: together(result, others.result), measured };
  }

  /** Hangs up. */
  async stop(): Promise<void> {
    await Promise.all([this.#measured.stop(), this.#others.stop()]);
  }

  async end(): Promise<void> {
    await Promise.all([this.#measured.end(), this.#others.end()]);
  }
}

/** Gaps and delays are of those who are measured. */
function together(measured: LoadResult, others: LoadResult): LoadResult {
  return {
    ...measured,
    packetsSent: measured.packetsSent + others.packetsSent,
    packetsReceived: measured.packetsReceived + others.packetsReceived,
    packetsLost: measured.packetsLost + others.packetsLost,
    generatorCpu: measured.generatorCpu + others.generatorCpu,
    generatorLatenessMs: later(measured.generatorLatenessMs, others.generatorLatenessMs),
  };
}

const later = (one: DurationSummary, other: DurationSummary): DurationSummary => (other.p99 > one.p99 ? other : one);
