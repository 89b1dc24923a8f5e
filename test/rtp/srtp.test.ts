import { describe, expect, test } from 'vitest';
import type { SrtpSuite } from '../../mixer/protocol.ts';
import { SrtpReceiver } from '../../mixer/rtp/srtp-receiver.ts';
import { REPLAY_WINDOW } from '../../mixer/rtp/srtp-replay-window.ts';
import { SrtpSender } from '../../mixer/rtp/srtp-sender.ts';
import { SrtpSession } from '../../mixer/rtp/srtp-session.ts';
import { SRTP_SUITES } from '../../mixer/rtp/srtp-suite.ts';
import { createTransform } from '../../mixer/rtp/srtp-transform.ts';
import { MASTER_KEY_LENGTHS } from '../../server/sdp/crypto-attribute.ts';
import { seededRandom } from '../sdp/random-description.ts';
import { KEY_AND_SALT, PLAIN_RTCP, PLAIN_RTP, SECURED } from './srtp-libsrtp-packets.ts';
import { ALL_SUITES, copyOf, newKey, type Packet, rtcpPacket, rtpPacket } from './srtp-streams.ts';

const SUITE: SrtpSuite = 'AES_CM_128_HMAC_SHA1_80';

function newPair(suite: SrtpSuite = SUITE): { sender: SrtpSender; receiver: SrtpReceiver; key: string } {
  const key = newKey(suite);
  return { sender: new SrtpSender(suite, key), receiver: new SrtpReceiver(suite, key, null), key };
}

/** The packet with this extended sequence number. */
function secured(sender: SrtpSender, index: number, ssrc?: number): Packet {
  const packet = rtpPacket(index, ssrc);
  packet.length = sender.protectRtp(packet.data, packet.length);
  return packet;
}

/** True when it came through whole. */
function arrives(receiver: SrtpReceiver, packet: Packet): boolean {
  const { data, length } = copyOf(packet);
  const plainLength = receiver.unprotectRtp(data, length);
  if (plainLength < 0) return false;
  const sequenceNumber = (data[2]! << 8) | data[3]!;
  const expected = rtpPacket(sequenceNumber);
  expect(Buffer.compare(data.subarray(12, plainLength), expected.data.subarray(12, expected.length))).toBe(0);
  return true;
}

describe.each(ALL_SUITES)('%s', (suite) => {
  const { keyLength, saltLength } = SRTP_SUITES[suite];
  const masterKey = Buffer.from(KEY_AND_SALT, 'hex')
    .subarray(0, keyLength + saltLength)
    .toString('base64');

  test('makes the packets that libsrtp makes, and reads them', () => {
    const transform = createTransform(suite, masterKey);
    const packet = Buffer.alloc(200);
    const rtpLength = packet.write(PLAIN_RTP, 'hex');
    const { rtp, rtcp } = SECURED[suite];
    expect(packet.toString('hex', 0, transform.sealRtp(packet, 20, rtpLength, 1))).toBe(rtp);
    expect(transform.openRtp(packet, 20, rtp.length / 2, 1)).toBe(rtpLength);
    expect(packet.toString('hex', 0, rtpLength)).toBe(PLAIN_RTP);
    const rtcpLength = packet.write(PLAIN_RTCP, 'hex');
    expect(packet.toString('hex', 0, new SrtpSender(suite, masterKey).protectRtcp(packet, rtcpLength))).toBe(rtcp);
    expect(new SrtpReceiver(suite, masterKey, null).unprotectRtcp(packet, rtcp.length / 2)).toBe(rtcpLength);
    expect(packet.toString('hex', 0, rtcpLength)).toBe(PLAIN_RTCP);
  });

  test('carries a stream over two wraps of the sequence number, with loss, reordering and duplicates', () => {
    const { sender, receiver } = newPair(suite);
    const random = seededRandom(7);
    const late: Packet[] = [];
    for (let index = 65000; index < 65000 + 140000; index += 1 + Math.floor(random() ** 8 * 400)) {
      const packet = secured(sender, index);
      if (random() < 0.05) continue;
      if (random() < 0.05) {
        late.push(packet);
        continue;
      }
      expect(arrives(receiver, packet), `${index}`).toBe(true);
      if (random() < 0.02) expect(arrives(receiver, packet), `${index} again`).toBe(false);
      if (late.length > 3) for (const one of late.splice(0)) arrives(receiver, one);
    }
    expect(arrives(receiver, secured(sender, 65000 + 140001))).toBe(true);
  });

  test('lets no octet be changed', () => {
    const { sender, receiver } = newPair(suite);
    expect(arrives(receiver, secured(sender, 1))).toBe(true);
    const packet = secured(sender, 2);
    for (let at = 0; at < packet.length; at++) {
      const changed = copyOf(packet);
      changed.data[at]! ^= 0x10;
      expect(receiver.unprotectRtp(changed.data, changed.length), `octet ${at}`).toBe(-1);
    }
    expect(receiver.unprotectRtp(copyOf(packet).data, packet.length - 1)).toBe(-1);
    expect(arrives(receiver, packet)).toBe(true);
  });

  test('lets no octet of RTCP be changed, and takes each packet once', () => {
    const { sender, receiver } = newPair(suite);
    const packet = rtcpPacket();
    packet.length = sender.protectRtcp(packet.data, packet.length);
    for (let at = 0; at < packet.length; at++) {
      const changed = copyOf(packet);
      changed.data[at]! ^= 0x10;
      expect(receiver.unprotectRtcp(changed.data, changed.length), `octet ${at}`).toBe(-1);
    }
    const good = copyOf(packet);
    expect(receiver.unprotectRtcp(good.data, good.length)).toBe(28);
    expect(good.data.slice(0, 28)).toEqual(rtcpPacket().data.slice(0, 28));
    expect(receiver.unprotectRtcp(copyOf(packet).data, packet.length)).toBe(-1);
  });

  test('hides the payload, and differently in each packet', () => {
    const { sender } = newPair(suite);
    const first = secured(sender, 0);
    const second = secured(sender, 256);
    expect(first.data.slice(12, 28)).not.toEqual(rtpPacket(0).data.slice(12, 28));
    expect(first.data.slice(12, 28)).not.toEqual(second.data.slice(12, 28));
  });

  test('does nothing under another key, nor for plain RTP', () => {
    const { sender } = newPair(suite);
    const { receiver } = newPair(suite);
    expect(arrives(receiver, secured(sender, 5))).toBe(false);
    expect(arrives(receiver, rtpPacket(5))).toBe(false);
  });

  test('has a key length that SDP knows too', () => {
    expect(MASTER_KEY_LENGTHS[suite]).toBe(keyLength + saltLength);
    expect(() => new SrtpSender(suite, Buffer.alloc(keyLength).toString('base64'))).toThrow('not a key');
  });
});

describe('replay (RFC 3711 §3.3.2)', () => {
  test('each packet of the window is taken once, in whatever order, and older ones not at all', () => {
    const { sender, receiver } = newPair();
    const packets = Array.from({ length: REPLAY_WINDOW + 2 }, (_, index) => secured(sender, 65500 + index));
    expect(arrives(receiver, packets.at(-1)!)).toBe(true);
    const taken = packets.map((packet) => arrives(receiver, packet));
    expect(taken).toEqual([false, false, ...Array(REPLAY_WINDOW - 1).fill(true), false]);
    expect(packets.some((packet) => arrives(receiver, packet))).toBe(false);
  });

  test('a forged packet from far ahead does not close the window', () => {
    const { sender, receiver } = newPair();
    expect(arrives(receiver, secured(sender, 100))).toBe(true);
    expect(arrives(receiver, rtpPacket(30000))).toBe(false);
    expect(arrives(receiver, secured(sender, 101))).toBe(true);
  });

  test('RTCP has a window of its own', () => {
    const { sender, receiver } = newPair();
    const packets = Array.from({ length: 5 }, () => {
      const packet = rtcpPacket();
      packet.length = sender.protectRtcp(packet.data, packet.length);
      return packet;
    });
    const take = (packet: Packet) => receiver.unprotectRtcp(copyOf(packet).data, packet.length) > 0;
    expect([4, 0, 2, 2, 1, 3, 4].map((index) => take(packets[index]!))).toEqual([
      true,
      true,
      true,
      false,
      true,
      true,
      false,
    ]);
  });
});

describe('the rollover counter (RFC 3711 §3.3.1)', () => {
  test('may be 1 in the first packet that arrives', () => {
    const { sender, receiver } = newPair();
    secured(sender, 65535);
    const first = secured(sender, 65536);
    expect(arrives(receiver, first)).toBe(true);
  });

  test('a late packet from before the wrap is still taken', () => {
    const { sender, receiver } = newPair();
    const packets = [65533, 65534, 65535, 65536, 65537].map((index) => secured(sender, index));
    expect([0, 3, 1, 4, 2].map((index) => arrives(receiver, packets[index]!))).toEqual(Array(5).fill(true));
  });

  test.each(ALL_SUITES)(
    'goes on when packets are sent again, which are octet for octet what they were: %s',
    (suite) => {
      const { sender, receiver } = newPair(suite);
      const indices = [65533, 65534, 65535, 65536, 65537, 65538];
      const packets = indices.map((index) => secured(sender, index));
      const again = [65534, 65537, 65533, 65536].map((index) => secured(sender, index));
      for (const packet of again) {
        const first = packets.find(({ data }) => data[2] === packet.data[2] && data[3] === packet.data[3])!;
        expect(packet.length).toBe(first.length);
        expect(Buffer.compare(packet.data.subarray(0, packet.length), first.data.subarray(0, first.length))).toBe(0);
      }
      // What was lost is taken when it is sent again, what was not is none of it taken twice.
      expect([0, 2, 4, 5].map((index) => arrives(receiver, packets[index]!))).toEqual([true, true, true, true]);
      expect(again.map((packet) => arrives(receiver, packet))).toEqual([true, false, false, true]);
      expect(arrives(receiver, secured(sender, 65539))).toBe(true);
    },
  );

  test('a packet from before the first is not sent: it would have an index below 0', () => {
    const { sender } = newPair();
    secured(sender, 3);
    expect(secured(sender, 65535).length).toBe(0);
    expect(secured(sender, 4).length).toBeGreaterThan(0);
  });

  test.each([1, 3, 17, 66, 200])('of %i is found within a second by one who comes anew', (roc) => {
    const { sender, key } = newPair();
    for (let wrap = 0; wrap < roc; wrap++) {
      for (const index of [40000, 60000, 10000]) secured(sender, index);
    }
    const restarted = new SrtpReceiver(SUITE, key, null);
    let lost = 0;
    while (!arrives(restarted, secured(sender, 10001 + lost))) lost++;
    expect(lost).toBeLessThanOrEqual(50);
    expect(arrives(restarted, secured(sender, 10002 + lost))).toBe(true);
  });

  test('is looked for again and again, whoever sends rubbish meanwhile', () => {
    const { sender, receiver } = newPair();
    for (let count = 0; count < 1000; count++) expect(arrives(receiver, rtpPacket(count, count))).toBe(false);
    expect(arrives(receiver, secured(sender, 1))).toBe(true);
  });
});

describe('sources', () => {
  test('each has its own state: a new one may begin anywhere', () => {
    const { receiver, key } = newPair();
    const senders = [1, 2, 3].map((ssrc) => ({ ssrc, sender: new SrtpSender(SUITE, key) }));
    for (const start of [65530, 20, 300]) {
      for (const { ssrc, sender } of senders) expect(arrives(receiver, secured(sender, start + ssrc, ssrc))).toBe(true);
    }
  });

  test('as many as come one after another', () => {
    const { receiver, key } = newPair();
    for (let ssrc = 1; ssrc <= 200; ssrc++) {
      const sender = new SrtpSender(SUITE, key);
      expect(arrives(receiver, secured(sender, 7, ssrc))).toBe(true);
      expect(arrives(receiver, secured(sender, 8, ssrc))).toBe(true);
    }
  });

  test('of a sender have an index each, as has a stream of retransmissions (RFC 4588)', () => {
    const { sender, receiver } = newPair();
    for (const index of [65_534, 65_535, 65_536, 65_537]) {
      expect(arrives(receiver, secured(sender, index, 1))).toBe(true);
      expect(arrives(receiver, secured(sender, index - 65_000, 2))).toBe(true);
    }
  });

  test('of a sender are not without end: nothing is sent of more', () => {
    const { sender, receiver } = newPair();
    for (let ssrc = 1; ssrc <= 8; ssrc++) expect(arrives(receiver, secured(sender, 7, ssrc))).toBe(true);
    expect(secured(sender, 7, 9).length).toBe(0);
    expect(arrives(receiver, secured(sender, 8, 1))).toBe(true);
  });
});

describe.each(ALL_SUITES)('a master key identifier with %s', (suite) => {
  const MKI = '00000007';

  /** Where RFC 3711 §3.1 and RFC 7714 have it. */
  function withMki({ data, length }: Packet, tagLength: number): Packet {
    const packet = Buffer.from(data.slice(0, length));
    const at = length - tagLength;
    const joined = Buffer.concat([packet.subarray(0, at), Buffer.from(MKI, 'hex'), packet.subarray(at)]);
    return { data: joined, length: joined.length };
  }

  test('is checked and taken out', () => {
    const key = newKey(suite);
    const sender = new SrtpSender(suite, key);
    const receiver = new SrtpReceiver(suite, key, MKI);
    const transform = createTransform(suite, key);
    const packet = secured(sender, 1);
    expect(arrives(receiver, withMki(packet, transform.rtpTagAfterMki))).toBe(true);
    expect(arrives(receiver, secured(sender, 2))).toBe(false);
    const control = rtcpPacket();
    control.length = sender.protectRtcp(control.data, control.length);
    const controlWithMki = withMki(control, transform.rtcpTagAfterMki);
    expect(receiver.unprotectRtcp(controlWithMki.data, controlWithMki.length)).toBe(28);
  });

  test('that a new key has too does not spoil what comes under the one before', () => {
    const [before, after] = [newKey(suite), newKey(suite)];
    const session = new SrtpSession({ suite, sendKey: newKey(suite), receiveKey: before, receiveMki: MKI });
    session.update({ suite, sendKey: newKey(suite), receiveKey: after, receiveMki: MKI });
    const transform = createTransform(suite, before);
    const senders = { before: new SrtpSender(suite, before), after: new SrtpSender(suite, after) };
    for (const [of, sequenceNumber] of [
      ['before', 1],
      ['before', 2],
      ['after', 3],
    ] as const) {
      const { data, length } = withMki(secured(senders[of], sequenceNumber), transform.rtpTagAfterMki);
      expect(session.unprotectRtp(data, length), of).toBeGreaterThan(0);
    }
    const forged = withMki(secured(new SrtpSender(suite, newKey(suite)), 4), transform.rtpTagAfterMki);
    const copy = Buffer.from(forged.data);
    expect(session.unprotectRtp(forged.data, forged.length)).toBe(-1);
    expect(forged.data, 'as it was').toEqual(copy);
  });

  test('that a new key has too does not spoil reports under the one before', () => {
    const [before, after] = [newKey(suite), newKey(suite)];
    const session = new SrtpSession({ suite, sendKey: newKey(suite), receiveKey: before, receiveMki: MKI });
    session.update({ suite, sendKey: newKey(suite), receiveKey: after, receiveMki: MKI });
    const transform = createTransform(suite, before);
    for (const key of [before, after]) {
      const control = rtcpPacket();
      control.length = new SrtpSender(suite, key).protectRtcp(control.data, control.length);
      const { data, length } = withMki(control, transform.rtcpTagAfterMki);
      expect(session.unprotectRtcp(data, length)).toBe(28);
    }
  });
});

test('random octets of any length are refused, and nothing is thrown', () => {
  const random = seededRandom(3);
  for (const suite of ALL_SUITES) {
    const { receiver } = newPair(suite);
    for (let length = 0; length < 400; length++) {
      const data = Uint8Array.from({ length }, () => Math.floor(random() * 256));
      data[0] = (data[0]! & 0x3f) | 0x80;
      expect(receiver.unprotectRtp(data.slice(), length)).toBe(-1);
      expect(receiver.unprotectRtcp(data.slice(), length)).toBe(-1);
    }
    expect(receiver.unprotectRtp(new Uint8Array(65507).fill(0x80), 65507)).toBe(-1);
    expect(receiver.unprotectRtcp(new Uint8Array(65507).fill(0x80), 65507)).toBe(-1);
  }
});
