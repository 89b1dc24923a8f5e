import { expect, test } from 'vitest';
import {
  emptyExtendedReport,
  emptyVoipMetrics,
  readExtendedReport,
  type VoipMetrics,
  writeExtendedReport,
} from '../../mixer/rtp/rtcp-extended-report.ts';
import { RTCP_MAX_WRITTEN_LENGTH, RtcpCompound } from '../../mixer/rtp/rtcp-packet.ts';
import { RtcpSession } from '../../mixer/rtp/rtcp-session.ts';
import { RtpPacket, writeRtpHeader } from '../../mixer/rtp/rtp-packet.ts';

const metrics: VoipMetrics = {
  ...{ ssrc: 0xa1b2c3d4, lossShare: 0.125, discardShare: 0.0625, burstDensity: 0.5, gapDensity: 0.03125 },
  ...{ burstMs: 260, gapMs: 9000, roundTripMs: 70, endSystemMs: 120, gmin: 16 },
  ...{ rFactor: 81, listeningScore: 4.1, conversationalScore: 3.9, bufferMs: 60, bufferMostMs: 400 },
};

test('VoIP metrics have the octets of RFC 3611 §4.7', () => {
  const out = new Uint8Array(64);
  expect(writeExtendedReport(out, 4, 0x01020304, metrics, null)).toBe(4 + 44);
  const octets = [
    ...[0x80, 207, 0, 10, 1, 2, 3, 4],
    ...[7, 0, 0, 8, 0xa1, 0xb2, 0xc3, 0xd4],
    ...[32, 16, 128, 8, 1, 4, 0x23, 0x28, 0, 70, 0, 120],
    ...[127, 127, 127, 16, 81, 127, 41, 39],
    ...[0xb0, 0, 0, 60, 1, 0x90, 1, 0x90],
  ];
  expect([...out.subarray(4, 48)]).toEqual(octets);
});

test('what was written is read again, and only by whom it is about', () => {
  const out = new Uint8Array(64);
  const end = writeExtendedReport(out, 0, 9, metrics, { ssrc: 5, lastReport: 1, delay: 2 });
  const report = emptyExtendedReport();
  readExtendedReport(out, 0, end, metrics.ssrc, report);
  expect(report).toEqual({ hasMetrics: true, metrics, referenceTime: null });
  readExtendedReport(out, 0, end, 77, report);
  expect(report.hasMetrics).toBe(false);
});

test('what is not known is said to be unknown', () => {
  const out = new Uint8Array(64);
  const end = writeExtendedReport(out, 0, 9, emptyVoipMetrics(), null);
  const report = emptyExtendedReport();
  readExtendedReport(out, 0, end, 0, report);
  expect(report.metrics).toMatchObject({ rFactor: null, listeningScore: null, conversationalScore: null });
});

test('a damaged report of any length is passed over', () => {
  const out = new Uint8Array(64);
  const end = writeExtendedReport(out, 0, 9, metrics, null);
  const report = emptyExtendedReport();
  for (let length = 0; length < end; length++) readExtendedReport(out, 0, length, metrics.ssrc, report);
  expect(report.hasMetrics).toBe(false);
  out[11] = 200;
  readExtendedReport(out, 0, end, metrics.ssrc, report);
  expect(report.hasMetrics).toBe(false);
});

function newSession(ssrc: number): RtcpSession {
  const options = { cname: `c${ssrc}`, clockRateHz: 8000, wallClockOffsetMs: 1.7e12, startMs: 0, random: () => 0.5 };
  return new RtcpSession({ ssrc, ...options });
}

function receiveMedia(session: RtcpSession, ssrc: number): void {
  const packet = new RtpPacket();
  const bytes = new Uint8Array(172);
  for (let index = 0; index < 3; index++) {
    writeRtpHeader(bytes, 0, false, index, index * 160, ssrc);
    packet.parse(bytes, bytes.length);
    session.received(packet, 8000, index * 20);
  }
}

test('metrics go out with the reports to whom asked for them, and come in', () => {
  const [one, other] = [newSession(1), newSession(2)];
  receiveMedia(one, 2);
  const out = new Uint8Array(RTCP_MAX_WRITTEN_LENGTH);
  const compound = new RtcpCompound();
  const send = (): void => {
    expect(compound.parse(out, one.writeReport(out, 100))).toBe(true);
    other.receivedReport(compound, 110);
  };
  send();
  expect(other.remoteMetrics).toBeNull();
  one.fillMetrics = (mine) => Object.assign(mine, { ...metrics, ssrc: mine.ssrc });
  send();
  expect(other.remoteMetrics).toEqual({ ...metrics, ssrc: 2 });
});

test('a receiver reference time is answered once, with the delay (RFC 3611 §4.4, §4.5)', () => {
  const session = newSession(1);
  // RR without blocks, then an XR with a reference time.
  const report = Uint8Array.of(
    ...[0x80, 201, 0, 1, 0, 0, 0, 2],
    ...[0x80, 207, 0, 4, 0, 0, 0, 2, 4, 0, 0, 2, 0, 0, 0x12, 0x34, 0x56, 0x78, 0, 0],
  );
  const compound = new RtcpCompound();
  expect(compound.parse(report, report.length)).toBe(true);
  session.receivedReport(compound, 1000);
  const out = new Uint8Array(RTCP_MAX_WRITTEN_LENGTH);
  const first = out.slice(0, session.writeReport(out, 3000));
  expect([...first.subarray(-24)]).toEqual([
    ...[0x80, 207, 0, 5, 0, 0, 0, 1],
    ...[5, 0, 0, 3, 0, 0, 0, 2, 0x12, 0x34, 0x56, 0x78, 0, 2, 0, 0],
  ]);
  expect(session.writeReport(out, 8000)).toBe(first.length - 24);
});
