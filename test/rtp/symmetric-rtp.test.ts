import { describe, expect, it } from 'vitest';
import { SymmetricRtp } from '../../mixer/rtp/symmetric-rtp.ts';

const SIGNALLED = '192.168.1.20';
const NAT = '203.0.113.7';
const EVIL = '198.51.100.66';

function latchedBehindNat(): SymmetricRtp {
  const symmetric = new SymmetricRtp();
  symmetric.signalled(SIGNALLED, 4000);
  for (let i = 0; i < 3; i++) symmetric.accept(NAT, 61_000, 77, i * 20);
  expect(symmetric).toMatchObject({ latched: true, remoteAddress: NAT, remotePort: 61_000 });
  return symmetric;
}

const accepted = (
  symmetric: SymmetricRtp,
  address: string,
  port: number,
  ssrc: number,
  fromMs: number,
  count: number,
) => {
  let packets = 0;
  for (let i = 0; i < count; i++) if (symmetric.accept(address, port, ssrc, fromMs + i * 20)) packets++;
  return packets;
};

describe('symmetric RTP (RFC 4961, RFC 7362)', () => {
  it('sends to the signalled address until something else is known, and believes it at its first packet', () => {
    const symmetric = new SymmetricRtp();
    expect(symmetric.remoteAddress).toBeNull();
    symmetric.signalled(SIGNALLED, 4000);
    expect(symmetric).toMatchObject({ latched: false, remoteAddress: SIGNALLED, remotePort: 4000 });
    expect(symmetric.accept(SIGNALLED, 4000, 1, 0)).toBe(true);
    expect(symmetric.latched).toBe(true);
  });

  it('finds a phone behind a NAT with its third packet', () => {
    const symmetric = new SymmetricRtp();
    symmetric.signalled(SIGNALLED, 4000);
    expect(symmetric.accept(NAT, 61_000, 77, 0)).toBe(false);
    expect(symmetric.accept(NAT, 61_000, 77, 20)).toBe(false);
    expect(symmetric.accept(NAT, 61_000, 77, 40)).toBe(true);
    expect(symmetric).toMatchObject({ latched: true, remoteAddress: NAT, remotePort: 61_000 });
  });

  it('needs the three packets from one port and with one SSRC', () => {
    const symmetric = new SymmetricRtp();
    symmetric.signalled(SIGNALLED, 4000);
    for (let i = 0; i < 30; i++) expect(symmetric.accept(EVIL, 5000 + (i % 2), 1, i)).toBe(false);
    for (let i = 0; i < 30; i++) expect(symmetric.accept(EVIL, 5000, 100 + i, i)).toBe(false);
    expect(symmetric.latched).toBe(false);
    expect(symmetric.counters.foreign).toBe(60);
  });

  it('drops an attacker who sends beside the phone, even with the right SSRC', () => {
    const symmetric = latchedBehindNat();
    const before = symmetric.counters.foreign;
    for (let i = 0; i < 500; i++) {
      expect(symmetric.accept(EVIL, 5000, 77, 100 + i * 20)).toBe(false);
      expect(symmetric.accept(NAT, 61_000, 77, 101 + i * 20)).toBe(true);
    }
    expect(symmetric.remoteAddress).toBe(NAT);
    expect(symmetric.counters.foreign - before).toBe(500);
  });

  it('follows a NAT binding that moved, once the old one has been quiet for two seconds', () => {
    const symmetric = latchedBehindNat();
    expect(accepted(symmetric, NAT, 62_000, 77, 60, 99)).toBe(0);
    expect(accepted(symmetric, NAT, 62_000, 77, 2040, 10)).toBe(8);
    expect(symmetric).toMatchObject({ remoteAddress: NAT, remotePort: 62_000 });
  });

  it('does not give a quiet call (on hold) to another SSRC', () => {
    const symmetric = latchedBehindNat();
    expect(accepted(symmetric, EVIL, 5000, 78, 60_000, 100)).toBe(0);
    expect(symmetric.accept(NAT, 61_000, 79, 70_000)).toBe(true);
  });

  it('after a new session description sends to its address at once and latches to the new source, NAT or not', () => {
    const symmetric = latchedBehindNat();
    symmetric.signalled('192.168.1.99', 4100);
    expect(symmetric).toMatchObject({ latched: false, remoteAddress: '192.168.1.99', remotePort: 4100 });
    expect(symmetric.accept(NAT, 61_000, 77, 1000)).toBe(true);
    symmetric.accept(NAT, 63_000, 88, 1001);
    expect(symmetric.accept(NAT, 61_000, 77, 1020)).toBe(true);
    symmetric.accept(NAT, 63_000, 88, 1021);
    expect(symmetric.accept(NAT, 63_000, 88, 1041)).toBe(true);
    expect(symmetric).toMatchObject({ latched: true, remotePort: 63_000 });
    expect(symmetric.accept(NAT, 61_000, 77, 1060)).toBe(false);
  });

  it('goes back to the old source when after new signalling nobody else is heard', () => {
    const symmetric = latchedBehindNat();
    symmetric.signalled('192.168.1.99', 4100);
    expect(accepted(symmetric, NAT, 61_000, 77, 1000, 25)).toBe(25);
    expect(symmetric).toMatchObject({ latched: true, remoteAddress: NAT, remotePort: 61_000 });
  });

  it('keeps the latch when the same address is signalled again (hold and resume, session refresh)', () => {
    const symmetric = latchedBehindNat();
    symmetric.signalled(null, 0);
    symmetric.signalled(SIGNALLED, 4000);
    expect(symmetric).toMatchObject({ latched: true, remoteAddress: NAT });
  });
});
