import { describe, expect, it } from 'vitest';
import { audioCodec } from '../../mixer/codec/registry.ts';
import { Playbacks } from '../../mixer/playback/playbacks.ts';
import type { AudioCodecName } from '../../mixer/protocol.ts';
import { levelDb } from '../audio/signals.ts';
import { type SimulatedPhone, SimulatedRoom } from './simulated-room.ts';
import { wavTone } from './sound-files.ts';

const LEVEL_DB = -20;

/** Two rooms on one clock, whose ticks come at other times and have other numbers. */
class House {
  readonly first: SimulatedRoom;
  readonly second: SimulatedRoom;

  constructor(phaseMs = 19) {
    this.first = new SimulatedRoom({ automaticGain: 'off' });
    this.second = new SimulatedRoom({ automaticGain: 'off' }, { phaseMs, firstTick: 1234 });
  }

  run(ms: number): void {
    for (let done = 0; done < ms; done++) {
      this.first.run(1);
      this.second.run(1);
    }
  }

  move(phone: SimulatedPhone): void {
    phone.leg.depart();
    this.first.room.afterTick(() => {
      phone.leg.arrive();
      this.first.room.remove(phone.leg);
      phone.leg.moveTo(this.second.room);
      this.second.room.add(phone.leg);
    });
  }
}

function hears(phone: SimulatedPhone, toneHz: number, fromMs: number, untilMs?: number): void {
  expect(Math.abs(phone.levelDb(toneHz, fromMs, untilMs) - LEVEL_DB), `${toneHz} Hz`).toBeLessThan(1);
}

function hearsNot(phone: SimulatedPhone, toneHz: number, fromMs: number, untilMs?: number): void {
  expect(phone.levelDb(toneHz, fromMs, untilMs), `${toneHz} Hz`).toBeLessThan(LEVEL_DB - 40);
}

function sharpest(pcm: Int16Array): number {
  let most = 0;
  for (let i = 2; i < pcm.length; i++) most = Math.max(most, Math.abs(pcm[i]! - 2 * pcm[i - 1]! + pcm[i - 2]!));
  return most;
}

const CODECS: AudioCodecName[] = ['L16/16000', 'PCMU', 'G722', 'opus'];

describe.each(CODECS)('a participant who is moved to another room (%s)', (codec) => {
  it.each([1, 8, 19])('is heard there and hears it, and no longer the room before (ticks at %i ms)', (phaseMs) => {
    const house = new House(phaseMs);
    const moved = house.first.join('moved', { codec, toneHz: 500 });
    const before = house.first.join('before', { codec, toneHz: 600 });
    const left = house.first.join('left', { codec });
    const after = house.second.join('after', { codec, toneHz: 700 });
    house.run(1000);
    house.move(moved);
    house.run(2000);
    hears(moved, 600, 300, 1000);
    hearsNot(moved, 700, 0, 1000);
    hears(moved, 700, 1200);
    hearsNot(moved, 600, 1060);
    hears(left, 500, 300, 1000);
    hears(left, 600, 1100);
    hearsNot(left, 500, 1060);
    hears(after, 500, 1200);
    hearsNot(after, 500, 0, 1000);
    hearsNot(before, 500, 1060);
    hearsNot(moved, 500, 0);
  });

  it('is sent one stream, without a gap or a click', () => {
    const house = new House();
    const moved = house.first.join('moved', { codec });
    house.first.join('before', { codec, toneHz: 600 });
    house.second.join('after', { codec, toneHz: 700 });
    const stays = house.second.join('stays', { codec });
    house.run(1000);
    house.move(moved);
    house.run(3000);
    const { sent } = moved;
    const ticks = audioCodec(codec).rtpClockRateHz / 50;
    for (let i = 1; i < sent.length; i++) {
      expect((sent[i]!.timestamp - sent[i - 1]!.timestamp) >>> 0).toBe(ticks);
      expect((sent[i]!.sequenceNumber - sent[i - 1]!.sequenceNumber) & 0xffff).toBe(1);
      expect(sent[i]!.ssrc).toBe(sent[0]!.ssrc);
      expect(sent[i]!.marker).toBe(i === 0);
      expect(sent[i]!.atMs - sent[i - 1]!.atMs).toBeLessThanOrEqual(20);
    }
    const steady = sharpest(stays.heard(1500).pcm);
    expect(sharpest(moved.heard(500).pcm)).toBeLessThan((codec === 'opus' ? 2 : 1.3) * steady);
    expect(sent.at(-1)!.payload).toEqual(stays.sent.at(-1)!.payload);
    expect(moved.leg.privateMix).toBe(null);
  });

  it('in mid-word fades from the ears of those who stay, with packets of 60 ms too', () => {
    const house = new House();
    const moved = house.first.join('moved', { codec, toneHz: 500, ptimeMs: 60 });
    const left = house.first.join('left', { codec });
    house.run(1010);
    house.move(moved);
    house.run(1000);
    const steady = sharpest(left.heard(300, 900).pcm);
    expect(sharpest(left.heard(300).pcm)).toBeLessThan((codec === 'G722' || codec === 'PCMU' ? 2 : 1.5) * steady);
    expect(levelDb(left.heard(1100).pcm)).toBeLessThan(-60);
    const { sent } = moved;
    // 60 ms, or of L16 what goes into a packet.
    const ticks = (sent[1]!.timestamp - sent[0]!.timestamp) >>> 0;
    expect(ticks).toBeGreaterThanOrEqual(audioCodec(codec).rtpClockRateHz / 25);
    for (let i = 1; i < sent.length; i++) {
      expect((sent[i]!.timestamp - sent[i - 1]!.timestamp) >>> 0).toBe(ticks);
    }
  });
});

describe('a participant who is moved', () => {
  it('takes along what is being played to them', async () => {
    const house = new House();
    const ended: string[] = [];
    const playbacks = new Playbacks((playback, reason) => void ended.push(`${playback} ${reason}`));
    const moved = house.first.join('moved', { codec: 'PCMA' });
    house.second.join('after', { codec: 'PCMA', toneHz: 700 });
    house.run(500);
    const sound = { playback: 'one', to: { leg: 'moved' }, files: [wavTone(1000, 1000)], gainDb: 0, repeat: false };
    await playbacks.play(sound, (playback) => moved.leg.play(playback));
    house.run(500);
    house.move(moved);
    house.run(1500);
    hears(moved, 1000, 600, 1400);
    hears(moved, 700, 2000);
    expect(ended).toEqual(['one finished']);
  });

  it('on hold goes along too', () => {
    const house = new House();
    const moved = house.first.join('moved', { codec: 'opus', toneHz: 500 });
    house.second.join('after', { codec: 'opus', toneHz: 700 });
    house.run(500);
    moved.leg.update(moved.media('inactive'));
    house.run(100);
    house.move(moved);
    house.run(500);
    moved.leg.update(moved.media('sendrecv'));
    house.run(1000);
    hears(moved, 700, 1200);
  });

  it('hears no whisper of the room before', () => {
    const house = new House();
    const moved = house.first.join('moved', { codec: 'PCMA' });
    house.first.join('coach', { codec: 'PCMA', toneHz: 500 }, { speaksTo: ['moved'] });
    house.run(500);
    hears(moved, 500, 200);
    house.move(moved);
    house.run(500);
    hearsNot(moved, 500, 560);
  });
});
