import { describe, expect, it } from 'vitest';
import { PLAIN_CONTROL, type SimulatedPhone, SimulatedRoom } from './simulated-room.ts';

const LEVEL_DB = -20;

function hears(phone: SimulatedPhone, toneHz: number, fromMs: number, untilMs?: number): void {
  expect(Math.abs(phone.levelDb(toneHz, fromMs, untilMs) - LEVEL_DB), `${toneHz} Hz`).toBeLessThan(1);
}

function hearsNot(phone: SimulatedPhone, toneHz: number, fromMs: number, untilMs?: number): void {
  expect(phone.levelDb(toneHz, fromMs, untilMs), `${toneHz} Hz`).toBeLessThan(LEVEL_DB - 40);
}

describe.each(['PCMA', 'opus'] as const)('one who speaks to another alone (%s)', (codec) => {
  it('is heard by nobody else; and both hear the room as before', () => {
    const room = new SimulatedRoom({ automaticGain: 'off' });
    const coach = room.join('coach', { codec, toneHz: 500 }, { speaksTo: ['agent'] });
    const agent = room.join('agent', { codec, toneHz: 600 });
    const customer = room.join('customer', { codec, toneHz: 700 });
    const listener = room.join('listener', { codec });
    room.run(2000);
    hears(agent, 500, 500);
    hears(agent, 700, 500);
    hearsNot(agent, 600, 0);
    for (const toneHz of [600, 700]) {
      hears(coach, toneHz, 500);
      hears(listener, toneHz, 500);
    }
    hears(customer, 600, 500);
    for (const phone of [coach, customer, listener]) hearsNot(phone, 500, 0);
  });

  it('takes no place on the floor, and is heard however many speak', () => {
    const room = new SimulatedRoom({ automaticGain: 'off', maxTalkers: 1 });
    room.join('coach', { codec, toneHz: 500 }, { speaksTo: ['agent'] });
    const agent = room.join('agent', { codec });
    const customer = room.join('customer', { codec, toneHz: 700 });
    const listener = room.join('listener', { codec });
    room.run(1500);
    hears(agent, 500, 500);
    hears(agent, 700, 500);
    hears(listener, 700, 500);
    hearsNot(customer, 500, 0);
  });

  it('is heard by all again afterwards, without a click for anybody, in gapless streams', () => {
    const room = new SimulatedRoom({ automaticGain: 'off' });
    const coach = room.join('coach', { codec, toneHz: 500 });
    const agent = room.join('agent', { codec });
    const other = room.join('other', { codec });
    room.run(1000);
    coach.leg.control({ ...PLAIN_CONTROL, speaksTo: ['agent', 'nobody'] });
    room.run(1000);
    // What is said anew but not changed is no change.
    coach.leg.control({ ...PLAIN_CONTROL, speaksTo: ['agent', 'nobody'] });
    room.run(1000);
    coach.leg.control(PLAIN_CONTROL);
    room.run(2500);
    hears(other, 500, 300, 1000);
    hearsNot(other, 500, 1060, 3000);
    hears(other, 500, 3100);
    hears(agent, 500, 1100, 3000);
    for (const phone of [agent, other]) {
      for (let i = 1; i < phone.sent.length; i++) {
        const step = (phone.sent[i]!.timestamp - phone.sent[i - 1]!.timestamp) >>> 0;
        expect(step).toBe(codec === 'opus' ? 960 : 160);
      }
    }
    expect(agent.sent.at(-1)!.payload).toEqual(other.sent.at(-1)!.payload);
    expect(agent.leg.privateMix).toBe(null);
  });

  it('is not heard when muted, nor by one who is deaf', () => {
    const room = new SimulatedRoom({ automaticGain: 'off' });
    room.join('muted', { codec, toneHz: 500 }, { speaksTo: ['agent', 'deaf'], muted: true });
    room.join('coach', { codec, toneHz: 600 }, { speaksTo: ['agent', 'deaf'] });
    const agent = room.join('agent', { codec });
    const deaf = room.join('deaf', { codec }, { deaf: true });
    room.run(1000);
    hears(agent, 600, 300);
    hearsNot(agent, 500, 0);
    hearsNot(deaf, 600, 0);
  });
});

it('a whisper in mid-word fades from the ears of the others', () => {
  const room = new SimulatedRoom({ automaticGain: 'off' });
  const coach = room.join('coach', { codec: 'L16/16000', toneHz: 500 });
  const other = room.join('other', { codec: 'L16/16000' });
  room.run(1000);
  coach.leg.control({ ...PLAIN_CONTROL, speaksTo: ['other'] });
  coach.leg.control({ ...PLAIN_CONTROL, speaksTo: [] });
  room.run(500);
  const { pcm } = other.heard(500);
  let steepest = 0;
  for (let i = 1; i < pcm.length; i++) steepest = Math.max(steepest, Math.abs(pcm[i]! - pcm[i - 1]!));
  // The tone itself: its amplitude times 2π · 500 / 16000.
  expect(steepest).toBeLessThan(32767 * 0.1 * Math.SQRT2 * ((2 * Math.PI * 500) / 16_000) * 1.2);
});
