import { describe, expect, it } from 'vitest';
import type { MixerEvent } from '../../mixer/protocol.ts';
import { PLAIN_CONTROL, type SimulatedPhone, SimulatedRoom } from './simulated-room.ts';

const LEVEL_DB = -20;

function hears(phone: SimulatedPhone, toneHz: number, fromMs: number, untilMs?: number): void {
  const levelDb = phone.levelDb(toneHz, fromMs, untilMs);
  expect(Math.abs(levelDb - LEVEL_DB), `${toneHz} Hz at ${levelDb.toFixed(1)} dB`).toBeLessThan(1.5);
}

function hearsNot(phone: SimulatedPhone, toneHz: number, fromMs: number, untilMs?: number): void {
  expect(phone.levelDb(toneHz, fromMs, untilMs), `${toneHz} Hz`).toBeLessThan(LEVEL_DB - 40);
}

const keys = (events: MixerEvent[]) => events.filter((event) => event.event === 'legKey');

describe('a room', () => {
  it('lets each hear all others and not themselves, whatever the codec', () => {
    const room = new SimulatedRoom();
    const callers = [
      { phone: room.join('opus', { codec: 'opus', toneHz: 440 }), toneHz: 440 },
      { phone: room.join('g722', { codec: 'G722', toneHz: 620 }), toneHz: 620 },
      { phone: room.join('pcma', { codec: 'PCMA', toneHz: 800 }), toneHz: 800 },
      { phone: room.join('pcmu', { codec: 'PCMU', toneHz: 1030 }), toneHz: 1030 },
    ];
    room.run(2000);
    for (const { phone } of callers) {
      for (const other of callers) {
        if (other.phone === phone) hearsNot(phone, other.toneHz, 1000);
        else hears(phone, other.toneHz, 1000);
      }
    }
  });

  it('encodes once for all who only listen', () => {
    const room = new SimulatedRoom();
    for (let index = 0; index < 3; index++) room.join(`talker${index}`, { codec: 'PCMU', toneHz: 500 + 100 * index });
    const listeners = Array.from({ length: 50 }, (_, index) => room.join(`listener${index}`, { codec: 'PCMU' }));
    room.run(2000);
    const ticks = 100;
    expect(room.counts.encodes).toBeLessThanOrEqual(ticks * 4 + 10);
    expect(room.counts.encodesUnshared).toBeGreaterThan(ticks * 50);
    const [first, second] = listeners;
    expect(first!.sent.at(-1)!.payload).toEqual(second!.sent.at(-1)!.payload);
    expect(first!.sent.at(-1)!.ssrc).not.toBe(second!.sent.at(-1)!.ssrc);
    hears(first!, 500, 1000);
    hears(first!, 600, 1000);
    hears(first!, 700, 1000);
  });

  it('sends a gapless stream to everybody, also from one encoder to the other', () => {
    const room = new SimulatedRoom();
    const talker = room.join('talker', { codec: 'PCMA', toneHz: 500 });
    room.join('other', { codec: 'PCMA', toneHz: 700 });
    room.run(1000);
    talker.sending = false;
    room.run(1000);
    talker.sending = true;
    room.run(1000);
    for (const [index, packet] of talker.sent.entries()) {
      if (index === 0) {
        expect(packet.marker).toBe(true);
        continue;
      }
      const before = talker.sent[index - 1]!;
      expect((packet.sequenceNumber - before.sequenceNumber) & 0xffff).toBe(1);
      expect((packet.timestamp - before.timestamp) >>> 0).toBe(160);
      expect(packet.marker).toBe(false);
    }
    hears(talker, 700, 500);
  });

  it.each([10, 20, 30, 40, 60])('takes and makes packets of %i ms', (ptimeMs) => {
    const room = new SimulatedRoom();
    const one = room.join('one', { codec: 'PCMU', toneHz: 500, ptimeMs });
    const other = room.join('other', { codec: 'PCMU', toneHz: 900 });
    room.run(2400);
    hears(other, 500, 1200);
    hears(one, 900, 1200);
    hearsNot(one, 500, 1200);
    for (const packet of one.sent) expect(packet.payload.length).toBe(ptimeMs * 8);
    expect(one.sent.length).toBeGreaterThanOrEqual(Math.floor(2300 / ptimeMs));
  });

  it('keeps a muted caller from all others, who hears them all the same', () => {
    const room = new SimulatedRoom();
    const muted = room.join('muted', { codec: 'PCMU', toneHz: 500 });
    const other = room.join('other', { codec: 'opus', toneHz: 900 });
    room.run(1000);
    hears(other, 500, 500, 1000);
    muted.leg.control({ ...PLAIN_CONTROL, muted: true });
    room.run(1000);
    hearsNot(other, 500, 1100, 2000);
    hears(muted, 900, 1100, 2000);
    muted.leg.control(PLAIN_CONTROL);
    room.run(1000);
    hears(other, 500, 2150, 3000);
  });

  it('sends silence to the deaf', () => {
    const room = new SimulatedRoom();
    const deaf = room.join('deaf', { codec: 'PCMU', toneHz: 500 }, { deaf: true });
    const other = room.join('other', { codec: 'PCMU', toneHz: 900 });
    room.run(1000);
    hearsNot(deaf, 900, 300);
    expect(deaf.sent.length).toBeGreaterThan(45);
    hears(other, 500, 300);
  });

  it('applies a gain to one voice only', () => {
    const room = new SimulatedRoom();
    room.join('quiet', { codec: 'PCMU', toneHz: 500 }, { gainDb: -10 });
    const other = room.join('other', { codec: 'PCMU', toneHz: 900 });
    room.join('third', { codec: 'PCMU', toneHz: 1300 });
    room.run(1500);
    expect(Math.abs(other.levelDb(500, 500) - (LEVEL_DB - 10))).toBeLessThan(1.5);
    hears(other, 1300, 500);
  });

  it('adds up ten loud voices without wrapping round', () => {
    const room = new SimulatedRoom();
    for (let index = 0; index < 10; index++)
      room.join(`loud${index}`, { codec: 'PCMU', toneHz: 400 + 37 * index, levelDb: -6 });
    const listener = room.join('listener', { codec: 'PCMU' });
    room.run(2000);
    const { pcm } = listener.heard(1000);
    let steepest = 0;
    for (let index = 1; index < pcm.length; index++)
      steepest = Math.max(steepest, Math.abs(pcm[index]! - pcm[index - 1]!));
    // Ten tones below 740 Hz within full scale cannot step by more than 2π·740/8000 of it; a wrap steps by all of it.
    expect(steepest).toBeLessThan(25_000);
    const heard = Array.from({ length: 10 }, (_, index) => listener.levelDb(400 + 37 * index, 1000));
    expect(heard.filter((levelDb) => levelDb > -25)).toHaveLength(4);
  });

  it('sends to a caller on hold only when their offer says so', () => {
    const room = new SimulatedRoom();
    const held = room.join('held', { codec: 'PCMU', toneHz: 500 });
    const other = room.join('other', { codec: 'PCMU', toneHz: 900 });
    room.run(1000);
    held.leg.update(held.media('recvonly'));
    const before = held.sent.length;
    room.run(1000);
    expect(held.sent.length).toBe(before);
    hears(other, 500, 1100, 2000);
    held.leg.update(held.media('inactive'));
    room.run(1000);
    hearsNot(other, 500, 2200, 3000);
    held.leg.update(held.media('sendrecv'));
    room.run(1000);
    hears(held, 900, 3100);
    hears(other, 500, 3200);
    expect(held.sent[before]!.marker).toBe(true);
  });

  it('tells who talks, once at the beginning and once at the end', () => {
    const room = new SimulatedRoom();
    const phone = room.join('talker', { codec: 'PCMU', toneHz: 500 });
    room.join('other', { codec: 'PCMU' });
    room.run(1000);
    phone.toneHz = 0;
    room.run(1000);
    const talking = room.events.filter((event) => event.event === 'legTalking');
    expect(talking.map((event) => event.leg + event.talking)).toEqual(['talkertrue', 'talkerfalse']);
  });

  it('tells a key once, and keeps the sound going', () => {
    const room = new SimulatedRoom();
    const phone = room.join('caller', { codec: 'PCMU', toneHz: 500 });
    room.join('other', { codec: 'PCMU' });
    room.run(500);
    phone.sending = false;
    for (let packet = 1; packet <= 5; packet++) {
      phone.sendKey(5, 1000, false, 160 * packet);
      room.run(20);
    }
    for (let repeat = 0; repeat < 3; repeat++) phone.sendKey(5, 1000, true, 800);
    room.run(100);
    expect(keys(room.events)).toEqual([{ event: 'legKey', leg: 'caller', key: '5', durationMs: 100 }]);
  });

  it('notices that nothing comes any more, and says so again', () => {
    const room = new SimulatedRoom();
    const phone = room.join('caller', { codec: 'PCMU', toneHz: 500 });
    room.run(2000);
    expect(room.events.filter((event) => event.event === 'legSilent')).toEqual([]);
    phone.sending = false;
    room.run(2100);
    const silent = room.events.filter((event) => event.event === 'legSilent');
    expect(silent).toHaveLength(2);
    expect(silent[0]!.silentMs).toBeGreaterThanOrEqual(1000);
  });

  it('reports by RTCP with the name it was given, and says BYE at the end', () => {
    const room = new SimulatedRoom();
    const phone = room.join('caller-7', { codec: 'PCMU', toneHz: 500 });
    room.run(20_000);
    expect(phone.rtcp.length).toBeGreaterThanOrEqual(2);
    expect(phone.rtcp[0]![1]).toBe(200);
    expect(Buffer.from(phone.rtcp[0]!).includes('caller-7')).toBe(true);
    phone.leg.close();
    expect(Buffer.from(phone.rtcp.at(-1)!).includes(Buffer.from([0x81, 203]))).toBe(true);
  });
});
