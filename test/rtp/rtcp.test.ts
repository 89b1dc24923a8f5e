import { describe, expect, it } from 'vitest';
import { ReceptionStatistics } from '../../mixer/rtp/reception-statistics.ts';
import { emptyReportBlock, RTCP_MAX_WRITTEN_LENGTH, RtcpCompound } from '../../mixer/rtp/rtcp-packet.ts';
import { RtcpSession } from '../../mixer/rtp/rtcp-session.ts';
import { RtpPacket, writeRtpHeader } from '../../mixer/rtp/rtp-packet.ts';
import { seededRandom } from './jitter-simulation.ts';

const octets = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const parses = (hex: string) => new RtcpCompound().parse(octets(hex), octets(hex).length);

describe('compound RTCP packets (RFC 3550 §6, A.2)', () => {
  it('reads a sender report with two blocks, a CNAME, an application packet and a BYE', () => {
    const bytes = octets(
      '82 c8 0012 00000001 e0000000 80000000 000003e8 0000000a 00000640' +
        '00000002 40 ffffff 0001000a 00000005 12345678 00010000' +
        '00000003 00 000007 00000001 00000000 00000000 00000000' +
        '81 ca 0003 00000001 01 03 612f62 00 0000' +
        '81 cc 0002 00000001 74657374' +
        '82 cb 0002 00000001 00000009',
    );
    const compound = new RtcpCompound();
    expect(compound.parse(bytes, bytes.length)).toBe(true);

    expect(compound.next()).toBe(true);
    expect(compound).toMatchObject({ kind: 'senderReport', ssrc: 1, count: 2 });
    expect(compound.senderInfo).toEqual({
      ntpSeconds: 0xe0000000,
      ntpFraction: 0x80000000,
      rtpTimestamp: 1000,
      packetCount: 10,
      octetCount: 1600,
    });
    expect(compound.readReportBlock(0)).toBe(true);
    expect(compound.reportBlock).toEqual({
      ssrc: 2,
      fractionLost: 64,
      cumulativeLost: -1,
      extendedHighestSequence: 65546,
      jitter: 5,
      lastSenderReport: 0x12345678,
      delaySinceLastSenderReport: 65536,
    });
    expect(compound.readReportBlock(1)).toBe(true);
    expect(compound.reportBlock).toMatchObject({ ssrc: 3, cumulativeLost: 7 });
    expect(compound.readReportBlock(2)).toBe(false);

    expect(compound.next()).toBe(true);
    expect(compound.kind).toBe('sourceDescription');
    expect(compound.next()).toBe(true);
    expect(compound.kind).toBe('application');
    expect(compound.next()).toBe(true);
    expect(compound).toMatchObject({ kind: 'bye', ssrc: 1, count: 2 });
    expect(compound.next()).toBe(false);
  });

  it('takes reduced-size packets and passes over types that it does not know (RFC 5506, RFC 3611)', () => {
    const bytes = octets('81 d1 0003 00000001 00000002 00000000 80 cf 0001 00000001');
    const compound = new RtcpCompound();
    expect(compound.parse(bytes, bytes.length)).toBe(true);
    expect(compound.next() && compound.kind).toBe('other');
    expect(compound.next() && compound.packetType).toBe(207);
  });

  it('takes padding only on the last packet, in multiples of four', () => {
    expect(parses('80 c9 0001 00000001 a0 c9 0002 00000001 00000004')).toBe(true);
    expect(parses('a0 c9 0002 00000001 00000004 80 c9 0001 00000001')).toBe(false);
    expect(parses('a0 c9 0002 00000001 00000003')).toBe(false);
    expect(parses('a0 c9 0002 00000001 00000000')).toBe(false);
    expect(parses('a0 c9 0002 00000001 00000010')).toBe(false);
  });

  it.each([
    ['nothing', ''],
    ['a wrong version', '40 c9 0001 00000001'],
    ['a type out of range', '80 08 0001 00000001'],
    ['a length beyond the end', '80 c9 0002 00000001'],
    ['a rest too short for a header', '80 c9 0001 00000001 80c9'],
    ['fewer report blocks than counted', '81 c9 0001 00000001'],
    ['a sender report without its sender', '80 c8 0001 00000001'],
    ['fewer sources than a BYE counts', '82 cb 0001 00000001'],
  ])('refuses %s', (_name, hex) => {
    expect(parses(hex)).toBe(false);
  });
});

describe('reception statistics (RFC 3550 A.1, A.3, A.8)', () => {
  const receive = (statistics: ReceptionStatistics, from: number, count: number, startMs = 0) => {
    for (let i = 0; i < count; i++) {
      statistics.received((from + i) & 0xffff, ((from + i) * 160) >>> 0, 160, startMs + i * 20);
    }
  };

  it('believes a source after two packets in sequence', () => {
    const statistics = new ReceptionStatistics(1, 8000, 100);
    expect(statistics.received(100, 0, 160, 0)).toBe('probation');
    expect(statistics.received(105, 800, 160, 100)).toBe('probation');
    expect(statistics.received(106, 960, 160, 120)).toBe('valid');
    expect(statistics.packetsExpected).toBe(1);
  });

  it('counts losses over a wrap of the sequence number, and by interval', () => {
    const statistics = new ReceptionStatistics(7, 8000, 65_430);
    receive(statistics, 65_430, 100);
    receive(statistics, 65_430 + 125, 75, 2500);
    const block = emptyReportBlock();
    statistics.report(block);
    expect(block).toMatchObject({ ssrc: 7, cumulativeLost: 25, extendedHighestSequence: 65_629 });
    expect(block.fractionLost).toBe(Math.floor((25 * 256) / 199));
    receive(statistics, 65_630, 50, 4000);
    statistics.report(block);
    expect(block).toMatchObject({ cumulativeLost: 25, fractionLost: 0 });
  });

  it('counts duplicates as negative loss, and their interval as no loss', () => {
    const statistics = new ReceptionStatistics(7, 8000, 0);
    receive(statistics, 0, 10);
    receive(statistics, 5, 5);
    const block = emptyReportBlock();
    statistics.report(block);
    expect(block).toMatchObject({ cumulativeLost: -5, fractionLost: 0 });
  });

  it('drops a stray packet and takes two in sequence for a restart', () => {
    const statistics = new ReceptionStatistics(7, 8000, 0);
    receive(statistics, 0, 10);
    expect(statistics.received(30_000, 0, 160, 200)).toBe('invalid');
    expect(statistics.received(10, 1600, 160, 200)).toBe('valid');
    expect(statistics.received(40_000, 0, 160, 220)).toBe('invalid');
    expect(statistics.received(40_001, 160, 160, 240)).toBe('restart');
    expect(statistics.packetsLost).toBe(0);
    expect(statistics.extendedHighestSequence).toBe(40_001);
  });

  it('measures the jitter of alternating delays, over a wrap of the timestamp', () => {
    const statistics = new ReceptionStatistics(7, 8000, 0);
    for (let i = 0; i < 1000; i++) {
      statistics.received(i, (0xffff0000 + i * 160) >>> 0, 160, i * 20 + (i % 2 === 0 ? 0 : 10));
    }
    expect(statistics.jitterMs).toBeCloseTo(10, 1);
  });
});

describe('an RTCP session of two', () => {
  const session = (ssrc: number, wallClockOffsetMs = 1_700_000_000_000) =>
    new RtcpSession({
      ssrc,
      cname: `${ssrc}@parley`,
      clockRateHz: 8000,
      wallClockOffsetMs,
      startMs: 0,
      random: seededRandom(ssrc),
    });
  const rtp = (ssrc: number, sequenceNumber: number) => {
    const bytes = new Uint8Array(172);
    writeRtpHeader(bytes, 0, false, sequenceNumber & 0xffff, sequenceNumber * 160, ssrc);
    const packet = new RtpPacket();
    expect(packet.parse(bytes, bytes.length)).toBe(true);
    return packet;
  };
  const out = new Uint8Array(RTCP_MAX_WRITTEN_LENGTH);
  const written = (length: number) => {
    const compound = new RtcpCompound();
    expect(compound.parse(out, length)).toBe(true);
    return compound;
  };

  it('reports every 5 s on average, never within 2.5 s nor later than 7.5 s, the first after half of it', () => {
    const one = session(1);
    let lastMs = one.nextReportMs;
    expect(lastMs).toBeGreaterThanOrEqual(1250);
    expect(lastMs).toBeLessThanOrEqual(3750);
    const startMs = lastMs;
    for (let i = 0; i < 1000; i++) {
      expect(one.reportDue(lastMs - 1)).toBe(false);
      expect(one.reportDue(lastMs)).toBe(true);
      one.writeReport(out, lastMs);
      const interval = one.nextReportMs - lastMs;
      expect(interval).toBeGreaterThanOrEqual(2500);
      expect(interval).toBeLessThanOrEqual(7500);
      lastMs = one.nextReportMs;
    }
    expect((lastMs - startMs) / 1000).toBeGreaterThan(4800);
    expect((lastMs - startMs) / 1000).toBeLessThan(5200);
  });

  it('reports at once when it sends its first packet, beside the regular reports (RFC 6051 §2.1)', () => {
    const one = session(1);
    const regularMs = one.nextReportMs;
    expect(one.reportDue(100)).toBe(false);
    one.sent(1000, 160, 100);
    expect(one.reportDue(100)).toBe(true);
    const compound = written(one.writeReport(out, 100));
    expect(compound.next() && compound.kind).toBe('senderReport');
    expect(compound.senderInfo).toMatchObject({ rtpTimestamp: 1000, packetCount: 1 });
    one.sent(1160, 160, 120);
    expect(one.reportDue(120)).toBe(false);
    expect(one.nextReportMs).toBe(regularMs);
  });

  it('sends a sender report while it sends, with the RTP time of that instant, and a receiver report two reports later', () => {
    const one = session(1);
    one.sent(1000, 160, 100);
    one.sent(1160, 160, 120);
    let compound = written(one.writeReport(out, 1120));
    expect(compound.next() && compound.kind).toBe('senderReport');
    expect(compound.senderInfo).toMatchObject({
      ntpSeconds: 1_700_000_001 + 2_208_988_800,
      rtpTimestamp: 1160 + 8000,
      packetCount: 2,
      octetCount: 320,
    });
    expect(compound.senderInfo.ntpFraction / 2 ** 32).toBeCloseTo(0.12, 3);
    expect(compound.next() && compound.kind).toBe('sourceDescription');
    expect(Buffer.from(out).includes(Buffer.from('\x01\x081@parley\0', 'latin1')), 'CNAME (RFC 3550 §6.5.1)').toBe(
      true,
    );
    one.writeReport(out, 6000);
    compound = written(one.writeReport(out, 11_000));
    expect(compound.next() && compound.kind).toBe('receiverReport');
  });

  it('finds the round trip of 80 ms and the loss that the other side sees', () => {
    const one = session(1);
    const two = session(2, 1_600_000_000_000);
    for (let i = 0; i < 100; i++) {
      one.sent(i * 160, 160, i * 20);
      if (i % 4 !== 3) two.received(rtp(1, i), 8000, i * 20 + 40);
      two.sent(i * 160, 160, i * 20);
      one.received(rtp(2, i), 8000, i * 20 + 40);
    }
    two.receivedReport(written(one.writeReport(out, 2000)), 2040);
    one.receivedReport(written(two.writeReport(out, 3000)), 3040);
    expect(one.roundTripMs).toBeCloseTo(80, 0);
    expect(one.remoteFractionLost).toBeCloseTo(0.24, 1);
    expect(two.roundTripMs).toBeNull();
  });

  it('does not let a stray packet of another SSRC displace the source, but two in sequence do', () => {
    const one = session(1);
    expect(one.received(rtp(5, 10), 8000, 0)).toBe('probation');
    expect(one.received(rtp(5, 11), 8000, 20)).toBe('newSource');
    expect(one.received(rtp(6, 90), 8000, 30)).toBe('probation');
    expect(one.received(rtp(5, 12), 8000, 40)).toBe('valid');
    expect(one.received(rtp(6, 91), 8000, 50)).toBe('probation');
    expect(one.received(rtp(6, 92), 8000, 70)).toBe('newSource');
    expect(one.reception?.ssrc).toBe(6);
  });

  it('says BYE after its last report, for its own source (RFC 3550 §6.6)', () => {
    const compound = written(session(3).writeBye(out, 100));
    const kinds: string[] = [];
    while (compound.next()) kinds.push(compound.kind);
    expect(kinds).toEqual(['receiverReport', 'sourceDescription', 'bye']);
    expect(compound).toMatchObject({ ssrc: 3, count: 1 });
  });
});
