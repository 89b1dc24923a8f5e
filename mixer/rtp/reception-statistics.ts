import type { ReportBlock } from './rtcp-packet.ts';

/** Constants of RFC 3550 A.1. */
const SEQUENCE_MODULUS = 0x10000;
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;
const MIN_SEQUENTIAL = 2;
const NO_BAD_SEQUENCE = SEQUENCE_MODULUS + 1;

/** `probation`: the source has not yet shown two packets in sequence; `invalid`: a stray, or perhaps a restart. */
export type SequenceCheck = 'valid' | 'probation' | 'invalid' | 'restart';

/** What RTP statistics say of one source that is received (RFC 3550 A.1, A.3 and A.8). */
export class ReceptionStatistics {
  readonly ssrc: number;
  readonly clockRateHz: number;
  packetsReceived = 0;
  octetsReceived = 0;

  #highestSequence: number;
  /** Shifted count of sequence number cycles. */
  #cycles = 0;
  #baseSequence: number;
  #badSequence = NO_BAD_SEQUENCE;
  #probation = MIN_SEQUENTIAL;
  /** Counted since the base sequence number was set, for the loss. */
  #counted = 0;
  #expectedPrior = 0;
  #countedPrior = 0;
  #jitterTicks = 0;
  #lastTransit = Number.NaN;

  /** `sequenceNumber` is that of the first packet, with which `received` is to be called all the same. */
  constructor(ssrc: number, clockRateHz: number, sequenceNumber: number) {
    this.ssrc = ssrc;
    this.clockRateHz = clockRateHz;
    this.#highestSequence = (sequenceNumber - 1) & 0xffff;
    this.#baseSequence = sequenceNumber;
  }

  /** Interarrival jitter (RFC 3550 §6.4.1). */
  get jitterMs(): number {
    return (this.#jitterTicks * 1000) / this.clockRateHz;
  }

  get extendedHighestSequence(): number {
    return this.#cycles + this.#highestSequence;
  }

  get packetsExpected(): number {
    return this.#probation > 0 ? 0 : this.extendedHighestSequence - this.#baseSequence + 1;
  }

  /** Negative when there were more duplicates than losses. */
  get packetsLost(): number {
    return this.packetsExpected - this.#counted;
  }

  /** Counts a packet (RFC 3550 A.1 and A.8); only `valid` and `restart` ones are to be played. */
  received(sequenceNumber: number, timestamp: number, payloadLength: number, arrivalMs: number): SequenceCheck {
    const check = this.#checkSequence(sequenceNumber);
    if (check !== 'valid' && check !== 'restart') return check;
    this.packetsReceived++;
    this.octetsReceived += payloadLength;
    this.#counted++;
    this.#updateJitter(timestamp, arrivalMs);
    return check;
  }

  /** Fills the loss and jitter part of a report block and begins the next interval (RFC 3550 A.3). */
  report(block: ReportBlock): void {
    const expected = this.packetsExpected;
    const expectedInterval = expected - this.#expectedPrior;
    const lostInterval = expectedInterval - (this.#counted - this.#countedPrior);
    this.#expectedPrior = expected;
    this.#countedPrior = this.#counted;
    block.ssrc = this.ssrc;
    block.fractionLost =
      expectedInterval === 0 || lostInterval <= 0
        ? 0
        : Math.min(255, Math.floor((lostInterval * 256) / expectedInterval));
    block.cumulativeLost = Math.max(-0x800000, Math.min(0x7fffff, expected - this.#counted));
    block.extendedHighestSequence = this.extendedHighestSequence >>> 0;
    block.jitter = Math.floor(this.#jitterTicks);
  }

  #checkSequence(sequenceNumber: number): SequenceCheck {
    const delta = (sequenceNumber - this.#highestSequence) & 0xffff;
    if (this.#probation > 0) return this.#checkProbation(sequenceNumber);
    if (delta < MAX_DROPOUT) {
      if (sequenceNumber < this.#highestSequence) this.#cycles += SEQUENCE_MODULUS;
      this.#highestSequence = sequenceNumber;
      return 'valid';
    }
    if (delta <= SEQUENCE_MODULUS - MAX_MISORDER) {
      // Two packets in sequence after a jump: the other side began anew without telling.
      if (sequenceNumber === this.#badSequence) {
        this.#begin(sequenceNumber);
        return 'restart';
      }
      this.#badSequence = (sequenceNumber + 1) & 0xffff;
      return 'invalid';
    }
    return 'valid';
  }

  #checkProbation(sequenceNumber: number): SequenceCheck {
    if (sequenceNumber !== ((this.#highestSequence + 1) & 0xffff)) {
      this.#probation = MIN_SEQUENTIAL - 1;
      this.#highestSequence = sequenceNumber;
      return 'probation';
    }
    this.#probation--;
    this.#highestSequence = sequenceNumber;
    if (this.#probation > 0) return 'probation';
    this.#begin(sequenceNumber);
    return 'valid';
  }

  #begin(sequenceNumber: number): void {
    this.#baseSequence = sequenceNumber;
    this.#highestSequence = sequenceNumber;
    this.#badSequence = NO_BAD_SEQUENCE;
    this.#cycles = 0;
    this.#counted = 0;
    this.#countedPrior = 0;
    this.#expectedPrior = 0;
    this.#lastTransit = Number.NaN;
  }

  #updateJitter(timestamp: number, arrivalMs: number): void {
    const arrivalTicks = (arrivalMs * this.clockRateHz) / 1000;
    const transit = arrivalTicks - timestamp;
    if (!Number.isNaN(this.#lastTransit)) {
      const wrapped = transit - this.#lastTransit;
      // Timestamps wrap, and so does their difference.
      const difference = Math.abs(wrapped - Math.round(wrapped / 2 ** 32) * 2 ** 32);
      this.#jitterTicks += (difference - this.#jitterTicks) / 16;
    }
    this.#lastTransit = transit;
  }
}
