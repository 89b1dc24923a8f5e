/** Random and damaged RTP, RTCP, SRTP and STUN packets: parsers must say yes or no, and then stay within the packet. */

import type { FeedbackHandler } from '../../mixer/rtp/rtcp-feedback.ts';
import { RtcpCompound } from '../../mixer/rtp/rtcp-packet.ts';
import { RtcpSession } from '../../mixer/rtp/rtcp-session.ts';
import { muxedPacketKind, RtpPacket } from '../../mixer/rtp/rtp-packet.ts';
import { SrtpSession } from '../../mixer/rtp/srtp-session.ts';
import { TelephoneEventReceiver } from '../../mixer/rtp/telephone-event.ts';
import { answerStun } from '../../server/sip/transport/stun-keep-alive.ts';
import { seededRandom } from '../rtp/jitter-simulation.ts';
import { ALL_SUITES, newKey, type Packet, rtcpPacket, rtpPacket } from '../rtp/srtp-streams.ts';
import { eachInTime } from './limits.ts';

export interface RtpFuzzResult {
  iterations: number;
  rtpAccepted: number;
  rtcpAccepted: number;
  /** Of extended reports, how many brought metrics. */
  metrics: number;
  /** What was said in feedback messages. */
  feedback: number;
  /** Binding requests that were answered. */
  stunAnswered: number;
}

const SEEDS = [
  '8000000100000002000000030102030405060708',
  '92e5000100000002000000030000000400000005bede000210850021010230070000010203040506',
  'b00000010000000200000003100000020500001402818200ffffffff00000004',
  '81c8000c00000001e000000080000000000003e80000000a000006400000000240ffffff0001000a000000051234567800010000' +
    '81ca0003000000010103612f6200000081cb000100000001',
  '81c9000700000001000000020000000000000001000000000000000000000000' +
    '81ca0003000000010103612f6200000081cc0002000000017465737481cb000100000001',
  'a0c900020000000100000004',
  '050a0640',
  // Receiver report and extended report: reference time, its answer, VoIP metrics.
  '80c900010000000180cf00110000000104000002e00000008000000005000003000000020000000100000010' +
    '070000080000000210080c0a00640032001e0014ecd878105f7f4a28b00000280050007d',
  // Receiver report with NACK and PLI; FIR; TMMBR; TMMBN; REMB.
  '80c900010000000181cd00040000000100000002fff08001001000ff81ce00020000000100000002',
  '84ce0004000000010000000000000002070000008fce0005000000010000000052454d420107fb9300000002',
  '83cd00040000000100000000000000020a6161fe84cd00040000000100000000000000020a6161fe',
  // STUN Binding request, with and without SOFTWARE.
  '000100002112a4420102030405060708090a0b0c',
  '0001000c2112a4420102030405060708090a0b0c80220008706172' + '6c65793132',
].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));

/** Runs `iterations` inputs made from `seed`; throws with the input in hexadecimal when something is wrong. */
export function fuzzRtp(iterations: number, seed: number): RtpFuzzResult {
  const random = seededRandom(seed);
  const result: RtpFuzzResult = {
    iterations,
    rtpAccepted: 0,
    rtcpAccepted: 0,
    metrics: 0,
    feedback: 0,
    stunAnswered: 0,
  };
  const session = new RtcpSession({
    ssrc: 2,
    cname: 'fuzz',
    clockRateHz: 8000,
    wallClockOffsetMs: 0,
    startMs: 0,
    random,
  });
  session.feedback = feedbackChecks(result);
  const events = new TelephoneEventReceiver(8000);
  const packet = new RtpPacket();
  const compound = new RtcpCompound();
  let bytes: Uint8Array = new Uint8Array(0);
  let length = 0;
  const one = (i: number): void => {
    bytes = mutate(SEEDS[Math.floor(random() * SEEDS.length)]!, random);
    // The buffer is often larger than the packet, as a socket's is.
    length = random() < 0.8 ? bytes.length : Math.floor(random() * (bytes.length + 2));
    muxedPacketKind(bytes, length);
    if (packet.parse(bytes, length)) {
      result.rtpAccepted++;
      checkRtp(packet, length);
      session.received(packet, 8000, i);
    }
    session.remoteMetrics = null;
    if (compound.parse(bytes, length)) {
      result.rtcpAccepted++;
      checkRtcp(compound, length);
      compound.parse(bytes, length);
      session.receivedReport(compound, i);
    }
    if (session.remoteMetrics !== null) result.metrics++;
    events.receive(bytes, 0, Math.min(length, bytes.length), i * 160, random() < 0.5, i);
    while (events.poll(i)) check(events.durationMs >= 0, 'negative duration');
    if (answerStun(Buffer.from(bytes), '192.0.2.1', 5060) !== null) result.stunAnswered++;
  };
  const describe = (i: number): string =>
    `seed ${seed}, iteration ${i}, length ${length}: ${Buffer.from(bytes).toString('hex')}`;
  eachInTime(iterations, one, describe);
  return result;
}

/**
 * Damages packets of SRTP streams on their way: none of them is taken for authentic, and the good ones in between are.
 * Throws at the first that is.
 */
export function fuzzSrtp(iterations: number, seed: number): { refused: number; accepted: number } {
  const random = seededRandom(seed);
  const streams = ALL_SUITES.map((suite) => {
    const key = newKey(suite);
    const crypto = { suite, sendKey: key, receiveKey: key, sendMki: null, receiveMki: null };
    return { suite, sender: new SrtpSession(crypto), receiver: new SrtpSession(crypto), sequenceNumber: 0 };
  });
  const result = { refused: 0, accepted: 0 };
  let damaged: Uint8Array = new Uint8Array(0);
  const one = (i: number): void => {
    const stream = streams[i % streams.length]!;
    const control = random() < 0.3;
    const good: Packet = control ? rtcpPacket() : rtpPacket(stream.sequenceNumber++);
    good.length = stream.sender[control ? 'protectRtcp' : 'protectRtp'](good.data, good.length);
    const unprotect = control ? 'unprotectRtcp' : 'unprotectRtp';
    const original = good.data.slice(0, good.length);
    damaged = mutate(original, random);
    if (Buffer.compare(damaged, original) !== 0) {
      const room = new Uint8Array(damaged.length + 64);
      room.set(damaged);
      check(stream.receiver[unprotect](room, damaged.length) < 0, `${stream.suite}: a damaged packet was taken`);
      result.refused++;
    }
    check(stream.receiver[unprotect](good.data, good.length) >= 0, `${stream.suite}: a good packet was refused`);
    result.accepted++;
  };
  eachInTime(iterations, one, (i) => `seed ${seed}, iteration ${i}: ${Buffer.from(damaged).toString('hex')}`);
  return result;
}

/** Counts what is said, and checks that it can be. */
function feedbackChecks(result: RtpFuzzResult): FeedbackHandler {
  const said = (value: number, most: number): void => {
    result.feedback++;
    check(Number.isInteger(value) && value >= 0 && value <= most, `feedback says ${value}`);
  };
  return {
    packetLost: (sequenceNumber) => said(sequenceNumber, 0xffff),
    pictureLost: () => said(0, 0),
    intraRequested: (_, command) => said(command, 0xff),
    bitrateLimited: (_, bitrateBps) => said(bitrateBps, 2 ** 80),
    limitNotified: (owner) => said(owner, 2 ** 32),
    bitrateEstimated: (bitrateBps) => said(bitrateBps, 2 ** 81),
  };
}

function checkRtp(packet: RtpPacket, length: number): void {
  check(packet.payloadOffset >= 12 && packet.payloadLength >= 0, 'payload');
  check(packet.payloadOffset + packet.payloadLength + packet.paddingLength === length, 'parts do not make the whole');
  for (let id = 0; id < 256; id += 5) {
    if (!packet.extensionElement(id)) continue;
    check(packet.elementOffset >= packet.extensionOffset, 'element before the extension');
    const end = packet.extensionOffset + packet.extensionLength;
    check(packet.elementOffset + packet.elementLength <= end, 'element beyond the extension');
  }
}

function checkRtcp(compound: RtcpCompound, length: number): void {
  let packets = 0;
  while (compound.next()) {
    check(++packets <= length / 4, 'more packets than fit');
    for (let i = 0; compound.readReportBlock(i); i++) {
      check(Number.isInteger(compound.reportBlock.delaySinceLastSenderReport), 'report block beyond the packet');
    }
  }
}

function mutate(seed: Uint8Array, random: () => number): Uint8Array {
  const choice = random();
  if (choice < 0.1) return Uint8Array.from({ length: Math.floor(random() * 64) }, () => random() * 256);
  const length = choice < 0.4 ? Math.floor(random() * (seed.length + 8)) : seed.length;
  const bytes = new Uint8Array(length);
  bytes.set(seed.subarray(0, length));
  const changes = Math.floor(random() * 4);
  for (let i = 0; i < changes && length > 0; i++) {
    const at = Math.floor(random() * length);
    if (random() < 0.5) bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8));
    else bytes[at] = random() * 256;
  }
  return bytes;
}

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}
