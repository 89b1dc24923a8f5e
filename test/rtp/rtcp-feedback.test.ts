import { describe, expect, it } from 'vitest';
import {
  type FeedbackHandler,
  writeBitrateEstimate,
  writeBitrateLimit,
  writeIntraRequest,
  writeLimitNotification,
  writeNack,
  writePictureLoss,
} from '../../mixer/rtp/rtcp-feedback.ts';
import { RtcpCompound } from '../../mixer/rtp/rtcp-packet.ts';
import { RtcpSession } from '../../mixer/rtp/rtcp-session.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

const OURS = 0x23456789;
const THEIRS = 0x12345678;

class Heard implements FeedbackHandler {
  readonly said: unknown[][] = [];

  packetLost(sequenceNumber: number): void {
    this.said.push(['lost', sequenceNumber]);
  }

  pictureLost(): void {
    this.said.push(['picture']);
  }

  intraRequested(sender: number, command: number): void {
    this.said.push(['intra', sender, command]);
  }

  bitrateLimited(sender: number, bitrateBps: number, overhead: number): void {
    this.said.push(['limited', sender, bitrateBps, overhead]);
  }

  limitNotified(owner: number, bitrateBps: number, overhead: number): void {
    this.said.push(['notified', owner, bitrateBps, overhead]);
  }

  bitrateEstimated(bitrateBps: number): void {
    this.said.push(['estimated', bitrateBps]);
  }
}

function session(ssrc: number): RtcpSession {
  const made = new RtcpSession({
    ...{ ssrc, cname: 'them', clockRateHz: 90_000, wallClockOffsetMs: 0, startMs: 0, random: () => 0.5 },
  });
  made.feedback = new Heard();
  return made;
}

/** What our session makes of it; null: the whole is refused. */
function heard(bytes: Uint8Array, length = bytes.length): unknown[][] | null {
  const compound = new RtcpCompound();
  if (!compound.parse(bytes, length)) return null;
  const ours = session(OURS);
  ours.receivedReport(compound, 0);
  return (ours.feedback as Heard).said;
}

function octets(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

function written(write: (out: Uint8Array) => number): string {
  const out = new Uint8Array(100).fill(0xee);
  const length = write(out);
  return Buffer.from(out.subarray(0, length)).toString('hex');
}

describe('generic NACK (RFC 4585 §6.2.1)', () => {
  it('names a packet and those of the 16 after it that are lost, too', () => {
    const bytes = '81cd0003 12345678 23456789 ffff8001'.replaceAll(' ', '');
    expect(heard(octets(bytes))).toEqual([
      ['lost', 0xffff],
      ['lost', 0],
      ['lost', 15],
    ]);
    const lost = Uint16Array.of(0xffff, 0, 15);
    expect(written((out) => writeNack(out, 0, THEIRS, OURS, lost, 3))).toBe(bytes);
  });

  it('says any set of numbers, in few octets', () => {
    const random = new SeededRandom(1);
    for (let round = 0; round < 500; round++) {
      let number = random.below(65536);
      const lost = Uint16Array.from({ length: random.below(60) }, () => (number += 1 + random.below(30)));
      const out = new Uint8Array(500);
      const length = writeNack(out, 0, THEIRS, OURS, lost, lost.length);
      expect(length).toBeLessThanOrEqual(12 + 4 * lost.length);
      expect(heard(out, length)?.map(([, lostNumber]) => lostNumber)).toEqual([...lost]);
    }
  });

  it('is not for us when it is about another source', () => {
    expect(heard(octets('81cd0003 12345678 2345678a 00010000'))).toEqual([]);
    expect(heard(octets('81cd0003 12345678 00000000 00010000'))).toEqual([['lost', 1]]);
  });
});

describe('requests for key frames', () => {
  it('are PLI (RFC 4585 §6.3.1)', () => {
    const bytes = '81ce0002 12345678 23456789'.replaceAll(' ', '');
    expect(heard(octets(bytes))).toEqual([['picture']]);
    expect(written((out) => writePictureLoss(out, 0, THEIRS, OURS))).toBe(bytes);
    expect(heard(octets('81ce0002 12345678 2345678a'))).toEqual([]);
  });

  it('are FIR, one entry for each source (RFC 5104 §4.3.1.1)', () => {
    const bytes = '84ce0004 12345678 00000000 23456789 0c000000'.replaceAll(' ', '');
    expect(heard(octets(bytes))).toEqual([['intra', THEIRS, 12]]);
    expect(written((out) => writeIntraRequest(out, 0, THEIRS, OURS, 12))).toBe(bytes);
    const two = '84ce0006 12345678 00000000 99999999 0c000000 23456789 ff000000';
    expect(heard(octets(two))).toEqual([['intra', THEIRS, 255]]);
  });
});

describe('limits of the bitrate', () => {
  it('are TMMBR (RFC 5104 §4.2.1.1)', () => {
    // 78 000 × 2², 510 octets.
    const bytes = '83cd0004 12345678 00000000 23456789 0a6161fe'.replaceAll(' ', '');
    expect(heard(octets(bytes))).toEqual([['limited', THEIRS, 312_000, 510]]);
    expect(written((out) => writeBitrateLimit(out, 0, THEIRS, OURS, 312_000, 510))).toBe(bytes);
  });

  it('are confirmed by TMMBN (RFC 5104 §4.2.2.1), also that there is none', () => {
    const bytes = '84cd0004 12345678 00000000 23456789 0a6161fe'.replaceAll(' ', '');
    expect(heard(octets(bytes))).toEqual([['notified', OURS, 312_000, 510]]);
    expect(heard(octets('84cd0002 12345678 00000000'))).toEqual([]);
  });

  it('are REMB, a mantissa of 18 bits and an exponent of 6', () => {
    // 0x3fb93 × 2, for three sources.
    const bytes = '8fce0007 12345678 00000000 52454d42 0307fb93 23456789 2345678a 2345678b';
    expect(heard(octets(bytes))).toEqual([['estimated', 522_022]]);
    expect(heard(octets(bytes.replace('23456789', '2345678c')))).toEqual([]);
    expect(heard(octets(bytes.replace('52454d42', '52454d43')))).toEqual([]);
    expect(heard(octets(bytes.replace('0307', '0407')))).toEqual([]);
    const one = written((out) => writeBitrateEstimate(out, 0, THEIRS, OURS, 522_022));
    expect(one).toBe('8fce0005 12345678 00000000 52454d42 0107fb93 23456789'.replaceAll(' ', ''));
  });

  it('are read as they were written, never higher, and at most one in 2¹⁶ lower', () => {
    const out = new Uint8Array(64);
    for (let bps = 1; bps < 2 ** 50; bps = Math.ceil(bps * 1.37)) {
      for (const write of [writeBitrateLimit, writeLimitNotification, writeBitrateEstimate]) {
        const length = write(out, 0, THEIRS, OURS, bps, 40);
        const [name, ...values] = heard(out, length)![0]!;
        const read = Number(name === 'estimated' ? values[0] : values[1]);
        expect(read).toBeLessThanOrEqual(bps);
        expect(read).toBeGreaterThanOrEqual(bps * (1 - 2 ** -16));
      }
    }
  });
});

describe('feedback', () => {
  it('that is cut short is refused as a whole, and unknown forms are passed over', () => {
    expect(heard(octets('81cd0001 12345678'))).toBe(null);
    expect(heard(octets('9fcd0003 12345678 23456789 00010000'))).toEqual([]);
    expect(heard(octets('82ce0003 12345678 23456789 00010000'))).toEqual([]);
    expect(heard(octets('84ce0003 12345678 00000000 23456789'))).toEqual([]);
    expect(heard(octets('8fce0003 12345678 00000000 52454d42'))).toEqual([]);
  });

  it('goes in a compound packet of its own at once, which changes nothing in the regular reports (RFC 4585 §3.1)', () => {
    const them = session(THEIRS);
    const out = new Uint8Array(1500);
    for (let nowMs = 0; nowMs < 3000; nowMs += 1000) {
      const end = writeNack(out, them.beginFeedback(out, nowMs), THEIRS, OURS, Uint16Array.of(7), 1);
      const compound = new RtcpCompound();
      expect(compound.parse(out, end)).toBe(true);
      const kinds: string[] = [];
      while (compound.next()) kinds.push(`${compound.kind} ${compound.count}`);
      expect(kinds).toEqual(['receiverReport 0', 'sourceDescription 1', 'feedback 1']);
      expect(heard(out, end)).toEqual([['lost', 7]]);
    }
    expect(them.reportDue(2499)).toBe(false);
    expect(them.reportDue(2500)).toBe(true);
    them.sent(1000, 100, 3000);
    const compound = new RtcpCompound();
    compound.parse(out, writePictureLoss(out, them.beginFeedback(out, 3010), THEIRS, OURS));
    compound.next();
    expect(compound).toMatchObject({ kind: 'senderReport', count: 0, ssrc: THEIRS });
    expect(compound.senderInfo).toMatchObject({ packetCount: 1, octetCount: 100, rtpTimestamp: 1900 });
  });
});
