import { describe, expect, it } from 'vitest';
import { muxedPacketKind, RtpPacket, writeRtpHeader } from '../../mixer/rtp/rtp-packet.ts';

const octets = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

describe('RTP packets (RFC 3550 §5.1)', () => {
  it('reads what it writes', () => {
    const out = new Uint8Array(172);
    expect(writeRtpHeader(out, 101, true, 65_535, 0xfedcba98, 0x89abcdef)).toBe(12);
    const packet = new RtpPacket();
    expect(packet.parse(out, 172)).toBe(true);
    expect(packet).toMatchObject({
      version: 2,
      payloadType: 101,
      marker: true,
      sequenceNumber: 65_535,
      timestamp: 0xfedcba98,
      ssrc: 0x89abcdef,
      csrcCount: 0,
      payloadOffset: 12,
      payloadLength: 160,
      paddingLength: 0,
      hasExtension: false,
    });
  });

  it('skips contributing sources, extension and padding', () => {
    const packet = new RtpPacket();
    const bytes = octets('b2 00 0001 00000002 00000003 0000000a 8000000b abcd 0001 11223344 aabbcc 00000004');
    expect(packet.parse(bytes, bytes.length)).toBe(true);
    expect(packet.csrcCount).toBe(2);
    expect(packet).toMatchObject({
      hasExtension: true,
      extensionProfile: 0xabcd,
      extensionOffset: 24,
      extensionLength: 4,
    });
    expect(packet).toMatchObject({ payloadOffset: 28, payloadLength: 3, paddingLength: 4 });
  });

  it.each([
    ['shorter than a header', '80 00 0001 00000002 000000'],
    ['version 1', '40 00 0001 00000002 00000003'],
    ['a sender report', '80 c8 0001 00000002 00000003'],
    ['contributing sources beyond the end', '81 00 0001 00000002 00000003'],
    ['an extension header beyond the end', '90 00 0001 00000002 00000003 bede'],
    ['an extension beyond the end', '90 00 0001 00000002 00000003 bede 0002 10ff0000'],
    ['padding of nothing', 'a0 00 0001 00000002 00000003 0000'],
    ['padding longer than the payload', 'a0 00 0001 00000002 00000003 0003'],
    ['padding without a payload', 'a0 00 0001 00000002 00000003'],
  ])('refuses %s', (_name, hex) => {
    const bytes = octets(hex);
    expect(new RtpPacket().parse(bytes, bytes.length)).toBe(false);
  });

  it('does not read beyond the length given', () => {
    expect(new RtpPacket().parse(new Uint8Array(12).fill(0x80, 0, 1), 13)).toBe(false);
    const bytes = octets('80 00 0001 00000002 00000003 ffff');
    const packet = new RtpPacket();
    expect(packet.parse(bytes, 12)).toBe(true);
    expect(packet.payloadLength).toBe(0);
  });

  it('finds one-byte extension elements, over padding and up to the reserved ID 15 (RFC 8285 §4.2)', () => {
    const packet = new RtpPacket();
    const bytes = octets('90 00 0001 00000002 00000003 bede 0003 10 85 00 21 0102 f0 30 07 000000');
    expect(packet.parse(bytes, bytes.length)).toBe(true);
    expect(packet.extensionElement(1)).toBe(true);
    expect(bytes[packet.elementOffset]).toBe(0x85);
    expect(packet.extensionElement(2)).toBe(true);
    expect([packet.elementOffset, packet.elementLength]).toEqual([20, 2]);
    expect(packet.extensionElement(3)).toBe(false);
    expect(packet.extensionElement(0)).toBe(false);
  });

  it('finds two-byte extension elements, empty ones too (RFC 8285 §4.3)', () => {
    const packet = new RtpPacket();
    const bytes = octets('90 00 0001 00000002 00000003 1000 0002 05 00 00 14 02 8182 00');
    expect(packet.parse(bytes, bytes.length)).toBe(true);
    expect(packet.extensionElement(5)).toBe(true);
    expect(packet.elementLength).toBe(0);
    expect(packet.extensionElement(20)).toBe(true);
    expect([packet.elementOffset, packet.elementLength]).toEqual([21, 2]);
  });

  it('stops at an element that reaches beyond the extension', () => {
    const packet = new RtpPacket();
    const bytes = octets('90 00 0001 00000002 00000003 bede 0001 1f 01 02 03 ffffffffffffffffffffffffffff');
    expect(packet.parse(bytes, bytes.length)).toBe(true);
    expect(packet.extensionElement(1)).toBe(false);
  });

  it('tells RTP from RTCP on one port (RFC 5761 §4)', () => {
    const kind = (first: number, second: number) => muxedPacketKind(Uint8Array.of(first, second, 0, 0), 4);
    expect(kind(0x80, 0)).toBe('rtp');
    expect(kind(0x80, 0x80 | 101)).toBe('rtp');
    expect(kind(0x80, 200)).toBe('rtcp');
    expect(kind(0x80, 223)).toBe('rtcp');
    expect(kind(0x80, 224)).toBe('rtp');
    expect(kind(0x00, 1)).toBe('other');
    expect(kind(0x16, 254)).toBe('other');
  });
});
