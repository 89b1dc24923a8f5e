import { beforeEach, describe, expect, test } from 'vitest';
import { LegMedia } from '../../mixer/leg-media.ts';
import { LegReceiver } from '../../mixer/leg-receiver.ts';
import type { MediaSockets } from '../../mixer/net/media-sockets.ts';
import { PacketBuffers, type PacketSlot } from '../../mixer/net/packet-buffers.ts';
import type { AudioMedia, MediaCrypto, MixerEvent } from '../../mixer/protocol.ts';
import { RTP_HEADER_LENGTH, writeRtpHeader } from '../../mixer/rtp/rtp-packet.ts';
import { SrtpReceiver } from '../../mixer/rtp/srtp-receiver.ts';
import { SrtpSender } from '../../mixer/rtp/srtp-sender.ts';
import { newKey, type Packet, rtcpPacket, rtpPacket } from './srtp-streams.ts';

const SUITE = 'AES_CM_128_HMAC_SHA1_80';
const PHONE = '192.0.2.1';
const PHONE_PORT = 4000;
const ATTACKER = '198.51.100.66';

let sent: { data: Uint8Array; address: string; port: number }[];
let events: MixerEvent[];
let crypto: MediaCrypto;
let phone: SrtpSender;
let sequenceNumber: number;

function mediaOf(changes: Partial<AudioMedia> = {}): AudioMedia {
  const pcmu = { codec: 'PCMU', payloadType: 0, clockRateHz: 8000, parameters: {} } as const;
  return {
    remote: { address: PHONE, rtpPort: PHONE_PORT, rtcpPort: PHONE_PORT + 1 },
    rtcpMux: false,
    direction: 'sendrecv',
    send: pcmu,
    sendPtimeMs: 20,
    receive: [pcmu],
    receiveTelephoneEvent: null,
    crypto,
    ...changes,
  };
}

function newLeg(ssrc = 1): LegMedia {
  const leg = new LegMedia({
    leg: 'leg',
    cname: 'leg',
    ssrc,
    silenceTimeoutMs: 60_000,
    startMs: 0,
    wallClockOffsetMs: 0,
    receiver: new LegReceiver({ decodes: 0 }),
    buffers: new PacketBuffers(8),
    event: (event) => events.push(event),
    lossReported: () => undefined,
  });
  const keep = ({ bytes }: PacketSlot, length: number, port: number, address: string) =>
    sent.push({ data: bytes.slice(0, length), address, port });
  const nothing = () => {};
  leg.sockets = {
    sendRtp: keep,
    sendRtcp: keep,
    connectRtp: nothing,
    openRtp: nothing,
    receiveRtcp: nothing,
  } as unknown as MediaSockets;
  leg.update(mediaOf());
  return leg;
}

function protectedRtp(sender = phone): Packet {
  const packet = rtpPacket(++sequenceNumber);
  packet.length = sender.protectRtp(packet.data, packet.length);
  return packet;
}

function receive(leg: LegMedia, { data, length }: Packet, address = PHONE, port = PHONE_PORT): void {
  leg.receivedRtp(data.slice(), length, address, port, sequenceNumber * 20);
}

function sendTo(leg: LegMedia, ssrc = 1): Uint8Array {
  const packet = new PacketBuffers(1).take();
  writeRtpHeader(packet.bytes, 0, false, ++sequenceNumber, sequenceNumber * 160, ssrc);
  leg.sendRtp(packet, RTP_HEADER_LENGTH + 160, sequenceNumber * 160, 160, sequenceNumber * 20);
  return sent.at(-1)!.data;
}

beforeEach(() => {
  sent = [];
  events = [];
  sequenceNumber = 0;
  crypto = { suite: SUITE, sendKey: newKey(SUITE), receiveKey: newKey(SUITE), receiveMki: null };
  phone = new SrtpSender(SUITE, crypto.receiveKey);
});

describe('a secured leg', () => {
  test('takes what is authentic, and sends what the phone can read', () => {
    const leg = newLeg();
    for (let count = 0; count < 5; count++) receive(leg, protectedRtp());
    expect(leg.statistics()).toMatchObject({ packetsReceived: 5, latchedAddress: PHONE, srtpRefused: 0 });
    const packet = sendTo(leg);
    expect(packet).toHaveLength(182);
    expect(new SrtpReceiver(SUITE, crypto.sendKey, null).unprotectRtp(packet, packet.length)).toBe(172);
    expect(leg.statistics().bytesSent).toBe(182);
  });

  test('neither counts nor latches nor believes to live what is not authentic, wherever it is from', () => {
    const leg = newLeg();
    for (let count = 0; count < 50; count++) {
      sequenceNumber++;
      receive(leg, rtpPacket(sequenceNumber));
      receive(leg, rtpPacket(sequenceNumber), ATTACKER, 6666);
      receive(leg, protectedRtp(new SrtpSender(SUITE, newKey(SUITE))), ATTACKER, 6666);
    }
    expect(events).toEqual([]);
    expect(leg.statistics()).toMatchObject({ packetsReceived: 0, latchedAddress: null, srtpRefused: 150 });
  });

  test('is not taken over by one who repeats its packets from elsewhere', () => {
    const leg = newLeg();
    const recorded = Array.from({ length: 10 }, () => protectedRtp());
    for (const packet of recorded) receive(leg, packet);
    sequenceNumber += 1000;
    for (const packet of recorded) receive(leg, packet, ATTACKER, 6666);
    expect(leg.statistics()).toMatchObject({ packetsReceived: 10, latchedAddress: PHONE, srtpRefused: 10 });
  });

  test('finds out by authentic packets where a phone behind a NAT really is', () => {
    const leg = newLeg();
    for (let count = 0; count < 5; count++) receive(leg, protectedRtp(), '203.0.113.9', 40000);
    expect(leg.statistics()).toMatchObject({ latchedAddress: '203.0.113.9', latchedPort: 40000 });
  });

  test('secures its reports and its goodbye, and looks at no report that is not authentic', () => {
    const leg = newLeg();
    const reader = new SrtpReceiver(SUITE, crypto.sendKey, null);
    for (let tick = 0; tick < 5; tick++) leg.controlTick(10_000);
    leg.close(10_001);
    expect(sent).toHaveLength(2);
    for (const { data, port } of sent) {
      expect(port).toBe(PHONE_PORT + 1);
      expect(reader.unprotectRtcp(data, data.length)).toBeGreaterThan(0);
    }
    leg.receivedRtcp(rtcpPacket().data.slice(), 28, PHONE, PHONE_PORT + 1, 10_002);
    expect(leg.statistics().srtpRefused).toBe(1);
  });

  test('tells RTP and RTCP apart on one port', () => {
    const leg = newLeg();
    leg.update(mediaOf({ rtcpMux: true, remote: { address: PHONE, rtpPort: PHONE_PORT, rtcpPort: PHONE_PORT } }));
    const report = rtcpPacket();
    report.length = phone.protectRtcp(report.data, report.length);
    receive(leg, report);
    receive(leg, protectedRtp());
    expect(leg.statistics()).toMatchObject({ packetsReceived: 1, srtpRefused: 0 });
  });
});

describe('when an offer and answer change something', () => {
  test('an unchanged key goes on: numbering, replay window and all', () => {
    const leg = newLeg();
    const reader = new SrtpReceiver(SUITE, crypto.sendKey, null);
    const first = protectedRtp();
    receive(leg, first);
    const before = sendTo(leg);
    expect(reader.unprotectRtp(before, before.length)).toBe(172);
    leg.update(mediaOf({ direction: 'recvonly', crypto: { ...crypto } }));
    leg.update(mediaOf({ crypto: { ...crypto } }));
    receive(leg, first);
    expect(leg.statistics()).toMatchObject({ packetsReceived: 1, srtpRefused: 1 });
    const after = sendTo(leg);
    expect(reader.unprotectRtp(after, after.length)).toBe(172);
  });

  test("the phone's new key holds, and its old one only until the new one is used", () => {
    const leg = newLeg();
    receive(leg, protectedRtp());
    const receiveKey = newKey(SUITE);
    const rekeyed = new SrtpSender(SUITE, receiveKey);
    leg.update(mediaOf({ crypto: { ...crypto, receiveKey } }));
    receive(leg, protectedRtp());
    expect(leg.statistics()).toMatchObject({ packetsReceived: 2, srtpRefused: 0 });
    receive(leg, protectedRtp(rekeyed));
    expect(leg.statistics()).toMatchObject({ packetsReceived: 3, srtpRefused: 0 });
    receive(leg, protectedRtp());
    expect(leg.statistics()).toMatchObject({ packetsReceived: 3, srtpRefused: 1 });
  });

  test('a call that becomes secured takes nothing plain any more, and the other way round', () => {
    const leg = newLeg();
    leg.update(mediaOf({ crypto: null }));
    receive(leg, rtpPacket(++sequenceNumber));
    expect(leg.statistics().packetsReceived).toBe(1);
    leg.update(mediaOf());
    receive(leg, rtpPacket(++sequenceNumber));
    expect(leg.statistics()).toMatchObject({ packetsReceived: 1, srtpRefused: 1 });
    receive(leg, protectedRtp());
    expect(leg.statistics().packetsReceived).toBe(2);
    expect(sendTo(leg)).toHaveLength(182);
  });
});

test('a mixer that died and came back with the same keys finds into a call that is hours old, and is understood', () => {
  const reader = new SrtpReceiver(SUITE, crypto.sendKey, null);
  const before = sendTo(newLeg(1), 1);
  expect(reader.unprotectRtp(before, before.length)).toBe(172);
  for (let wrap = 0; wrap < 11; wrap++) {
    for (sequenceNumber of [60000, 20000]) protectedRtp();
  }
  const leg = newLeg(2);
  for (let count = 0; count < 20; count++) receive(leg, protectedRtp());
  const { packetsReceived, srtpRefused } = leg.statistics();
  expect(packetsReceived + srtpRefused).toBe(20);
  expect(srtpRefused).toBeLessThan(5);
  const after = sendTo(leg, 2);
  expect(reader.unprotectRtp(after, after.length)).toBe(172);
});
