/** A sender, a network and a mixer leg in virtual time around one jitter buffer; for tests and the bench. */

import { JitterBuffer, type JitterBufferOptions } from '../../mixer/rtp/jitter-buffer.ts';

/** What lies between a sender and us. */
export interface NetworkOptions {
  seed: number;
  seconds: number;
  /** How much faster the sender's clock runs than ours. */
  driftPpm?: number;
  lossPercent?: number;
  /** Mean length of a loss burst in packets; 1 is independent loss. */
  lossBurst?: number;
  /** Network delay above the least, by packet time. */
  jitterMs?: (atMs: number, random: () => number) => number;
  /** False while the sender pauses (DTX). */
  talking?: (atMs: number) => boolean;
  /** Share of packets that come twice, percent. */
  duplicatePercent?: number;
  firstSequence?: number;
  firstTimestamp?: number;
}

export interface SimulationOptions extends NetworkOptions {
  ptimeMs?: number;
  clockRateHz?: number;
  /** Moment of the first tick after the first packet was sent. */
  tickPhaseMs?: number;
  /** Whether the leg stretches as the buffer asks. */
  stretches?: boolean;
  buffer?: Partial<JitterBufferOptions>;
  /** Figures are taken from here on. */
  measureFromMs?: number;
}

export interface SimulationResult {
  /** From the arrival of a packet to the tick that plays its first sample. */
  medianDelayMs: number;
  percentile99DelayMs: number;
  /** Shares of what was played, percent. */
  concealedPercent: number;
  silencePercent: number;
  /** Of the packets that arrived, percent. */
  latePercent: number;
  discarded: number;
  finalDelayMs: number;
  finalTargetMs: number;
  playedOutOfOrder: number;
  played: number;
  sent: number;
  arrived: number;
  stretchedMs: number;
  shortenedMs: number;
  /** `delayMs` each simulated second. */
  delayBySecond: number[];
  jitterBuffer: JitterBuffer;
}

/** A small generator of equally distributed numbers from 0 to 1 (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Arrival {
  atMs: number;
  sequence: number;
  timestamp: number;
  marker: boolean;
}

const TICK_MS = 20;
const PAYLOAD = { buffer: new Uint8Array(160), payloadOffset: 0, payloadLength: 160 };

export function simulate(options: SimulationOptions): SimulationResult {
  const ptimeMs = options.ptimeMs ?? 20;
  const clockRateHz = options.clockRateHz ?? 8000;
  const network = sendThroughNetwork(options, ptimeMs, clockRateHz);
  const jitterBuffer = new JitterBuffer({ clockRateHz, minDelayMs: 0, maxDelayMs: 400, ...options.buffer });
  const leg = new SimulatedLeg(jitterBuffer, options.stretches ?? true, clockRateHz, options.measureFromMs ?? 0);

  const ticks = Math.floor((options.seconds * 1000) / TICK_MS);
  const payloadTicks = (ptimeMs * clockRateHz) / 1000;
  let next = 0;
  for (let tick = 0; tick < ticks; tick++) {
    const nowMs = tick * TICK_MS + (options.tickPhaseMs ?? 7);
    for (; next < network.arrivals.length && network.arrivals[next]!.atMs <= nowMs; next++) {
      const { sequence, timestamp, marker, atMs } = network.arrivals[next]!;
      const sequenceNumber = sequence & 0xffff;
      jitterBuffer.put({ ...PAYLOAD, sequenceNumber, timestamp: timestamp >>> 0, payloadType: 0, marker }, atMs);
    }
    leg.tick(nowMs, payloadTicks);
  }
  return leg.result(network.sent, next);
}

/** All packets of a sender that arrive, by the time of their arrival. */
export function sendThroughNetwork(
  options: NetworkOptions,
  ptimeMs: number,
  clockRateHz: number,
): { arrivals: Arrival[]; sent: number } {
  const random = seededRandom(options.seed);
  const loss = (options.lossPercent ?? 0) / 100;
  const burst = Math.max(1, options.lossBurst ?? 1);
  // A chain of two states: from good to lost and back, with the mean share and mean length asked for.
  const leaveLoss = 1 / burst;
  const enterLoss = loss >= 1 ? 1 : (loss * leaveLoss) / (1 - loss);
  const arrivals: Arrival[] = [];
  let lost = random() < loss;
  let sent = 0;
  let wasTalking = false;
  const packets = Math.floor((options.seconds * 1000) / ptimeMs);
  for (let i = 0; i < packets; i++) {
    const atMs = (i * ptimeMs) / (1 + (options.driftPpm ?? 0) / 1e6);
    const talking = options.talking?.(atMs) ?? true;
    const marker = talking && !wasTalking;
    wasTalking = talking;
    if (!talking) continue;
    const sequence = (options.firstSequence ?? 65_000) + sent++;
    if (burst === 1) lost = random() < loss;
    else lost = random() < (lost ? 1 - leaveLoss : enterLoss);
    const delayMs = options.jitterMs?.(atMs, random) ?? 0;
    if (lost) continue;
    const timestamp = ((options.firstTimestamp ?? 0xfffff000) + (i * ptimeMs * clockRateHz) / 1000) % 2 ** 32;
    arrivals.push({ atMs: atMs + delayMs, sequence, timestamp, marker });
    if (random() * 100 < (options.duplicatePercent ?? 0)) {
      arrivals.push({ atMs: atMs + delayMs + random() * 50, sequence, timestamp, marker });
    }
  }
  arrivals.sort((a, b) => a.atMs - b.atMs);
  return { arrivals, sent };
}

class SimulatedLeg {
  readonly #jitterBuffer: JitterBuffer;
  readonly #stretches: boolean;
  readonly #ticksPerMs: number;
  readonly #measureFromMs: number;
  readonly #delays: number[] = [];
  readonly #delayBySecond: number[] = [];
  #fifoMs = 0;
  #playedMs = 0;
  #concealedMs = 0;
  #silentMs = 0;
  #stretchedMs = 0;
  #shortenedMs = 0;
  #outOfOrder = 0;
  #lastSequence = -1;

  constructor(jitterBuffer: JitterBuffer, stretches: boolean, clockRateHz: number, measureFromMs: number) {
    this.#jitterBuffer = jitterBuffer;
    this.#stretches = stretches;
    this.#ticksPerMs = clockRateHz / 1000;
    this.#measureFromMs = measureFromMs;
  }

  tick(nowMs: number, packetTicks: number): void {
    const measured = nowMs >= this.#measureFromMs;
    while (this.#fifoMs < TICK_MS - 1e-6) {
      const playout = this.#jitterBuffer.take(nowMs, this.#fifoMs);
      const gapMs = this.#jitterBuffer.gapTicks / this.#ticksPerMs;
      if (playout === 'packet') {
        this.#playPacket(measured, packetTicks);
      } else {
        if (gapMs <= 0) throw new Error('a gap of nothing');
        this.#fifoMs += gapMs;
        if (measured && playout === 'conceal') this.#concealedMs += gapMs;
        if (measured && playout === 'silence') this.#silentMs += gapMs;
      }
    }
    this.#fifoMs -= TICK_MS;
    if (measured) this.#playedMs += TICK_MS;
    if (nowMs % 1000 < TICK_MS) this.#delayBySecond.push(this.#jitterBuffer.delayMs);
  }

  #playPacket(measured: boolean, packetTicks: number): void {
    const buffer = this.#jitterBuffer;
    if (measured) this.#delays.push(buffer.packet.waitedMs + this.#fifoMs);
    if (this.#lastSequence >= 0 && ((buffer.packet.sequenceNumber - this.#lastSequence) << 16) >> 16 <= 0) {
      this.#outOfOrder++;
    }
    this.#lastSequence = buffer.packet.sequenceNumber;
    const packetMs = packetTicks / this.#ticksPerMs;
    const { adjustment } = buffer;
    // A pitch period of speech is 2.5 to 10 ms.
    const stretchMs = this.#stretches ? Math.min(buffer.adjustmentTicks / this.#ticksPerMs, 6, packetMs / 2) : 0;
    buffer.played(packetTicks);
    this.#fifoMs += packetMs;
    if (adjustment === 'none' || stretchMs < 2.5) return;
    if (adjustment === 'shorten') {
      this.#fifoMs -= stretchMs;
      this.#shortenedMs += stretchMs;
    } else {
      this.#fifoMs += stretchMs;
      this.#stretchedMs += stretchMs;
    }
  }

  result(sent: number, arrived: number): SimulationResult {
    const { counters } = this.#jitterBuffer;
    this.#delays.sort((a, b) => a - b);
    const percentile = (share: number) => this.#delays[Math.floor((this.#delays.length - 1) * share)] ?? 0;
    return {
      medianDelayMs: percentile(0.5),
      percentile99DelayMs: percentile(0.99),
      concealedPercent: (100 * this.#concealedMs) / this.#playedMs,
      silencePercent: (100 * this.#silentMs) / this.#playedMs,
      latePercent: (100 * counters.late) / Math.max(1, arrived),
      discarded: counters.discarded,
      finalDelayMs: this.#jitterBuffer.delayMs,
      finalTargetMs: this.#jitterBuffer.targetDelayMs,
      playedOutOfOrder: this.#outOfOrder,
      played: counters.played,
      sent,
      arrived,
      stretchedMs: this.#stretchedMs,
      shortenedMs: this.#shortenedMs,
      delayBySecond: this.#delayBySecond,
      jitterBuffer: this.#jitterBuffer,
    };
  }
}

export interface JitterTableRow {
  lossPercent: number;
  lossBurst: number;
  jitterMs: number;
  medianDelayMs: number;
  percentile99DelayMs: number;
  concealedPercent: number;
  latePercent: number;
}

/** Delay and concealment over loss (independent and in bursts of 4) and jitter (equally distributed to its maximum). */
export function jitterTable(seconds: number, seed: number): JitterTableRow[] {
  const rows: JitterTableRow[] = [];
  for (const lossBurst of [1, 4]) {
    for (const lossPercent of [0, 1, 5, 10, 20, 30]) {
      if (lossPercent === 0 && lossBurst > 1) continue;
      for (const jitterMs of [0, 10, 30, 60, 100, 150]) {
        const result = simulate({
          seed,
          seconds,
          lossPercent,
          lossBurst,
          jitterMs: (_at, random) => random() * jitterMs,
          measureFromMs: Math.min(10_000, (seconds * 1000) / 4),
        });
        const { medianDelayMs, percentile99DelayMs, concealedPercent, latePercent } = result;
        rows.push({
          lossPercent,
          lossBurst,
          jitterMs,
          medianDelayMs,
          percentile99DelayMs,
          concealedPercent,
          latePercent,
        });
      }
    }
  }
  return rows;
}

/** The table as text. */
export function formatJitterTable(rows: readonly JitterTableRow[]): string {
  const lines = ['loss %  burst  jitter ms | delay ms: median  99 % | concealed %  late %'];
  for (const row of rows) {
    lines.push(
      `${String(row.lossPercent).padStart(6)}${String(row.lossBurst).padStart(7)}${String(row.jitterMs).padStart(11)} |` +
        `${row.medianDelayMs.toFixed(1).padStart(17)}${row.percentile99DelayMs.toFixed(1).padStart(6)} |` +
        `${row.concealedPercent.toFixed(2).padStart(12)}${row.latePercent.toFixed(2).padStart(8)}`,
    );
  }
  return lines.join('\n');
}
