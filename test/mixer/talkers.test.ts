import { describe, expect, it } from 'vitest';
import { levelDb, noise, speechLike } from '../audio/signals.ts';
import { speech } from '../speech/speech.ts';
import { PLAIN_CONTROL, SimulatedRoom } from './simulated-room.ts';

/** Two tones as from a keypad, 8000 Hz. */
function keySound(lowHz: number, highHz: number, fromMs: number, ms: number, lengthMs: number): Int16Array {
  const pcm = new Int16Array(lengthMs * 8);
  for (let i = fromMs * 8; i < (fromMs + ms) * 8; i++) {
    const t = (2 * Math.PI * i) / 8000;
    pcm[i] = Math.round(8000 * (Math.sin(lowHz * t) + Math.sin(highHz * t)));
  }
  return pcm;
}

describe('talkers', () => {
  it('are heard up to the number that was set, the loudest', () => {
    const room = new SimulatedRoom({ maxTalkers: 2, automaticGain: 'off' });
    const voices = [-35, -15, -25].map((level, index) => ({ level, toneHz: 500 + 300 * index }));
    for (const { level, toneHz } of voices) {
      const sound = speechLike(8000, 8 * 8000, 20_000 * 10 ** ((level + 15) / 20));
      const carrier = sound.map((sample, i) => sample * Math.cos((2 * Math.PI * toneHz * i) / 8000));
      room.join(`talker${level}`, { codec: 'PCMU', sound: carrier });
    }
    room.join('listener', { codec: 'PCMU' });
    room.run(5000);
    const talking = room.events.filter((event) => event.event === 'legTalking');
    const last = new Map(talking.map((event) => [event.leg, event.talking]));
    expect([...last].filter(([, is]) => is).map(([leg]) => leg)).toEqual(['talker-15', 'talker-25']);
    expect(talking.length).toBeLessThanOrEqual(4);
  });

  it('with a noisy line do not hold the floor: their noise is heard for some seconds, and then only what they say', () => {
    const room = new SimulatedRoom();
    const sound = noise(8000 * 20, 32768 * Math.sqrt(3) * 10 ** (-48 / 20));
    const spoken = speech('low', 8000);
    for (let i = 0; i < spoken.length && i < 8 * 8000; i++) sound[8000 * 8 + i]! += spoken[i]!;
    room.join('noisy', { codec: 'PCMU', sound });
    const listener = room.join('listener', { codec: 'PCMU' });
    room.run(20_000);
    expect(levelDb(listener.heard(1000, 2000).pcm)).toBeGreaterThan(-50);
    expect(levelDb(listener.heard(5000, 7900).pcm)).toBeLessThan(-60);
    expect(levelDb(listener.heard(9000, 11_000).pcm)).toBeGreaterThan(-35);
  });

  it('are told twice a second with their level, as long as they talk', () => {
    const room = new SimulatedRoom({ automaticGain: 'off' });
    const sound = new Int16Array(8000 * 12);
    sound.set(speechLike(8000, 4 * 8000, 20_000), 8000);
    room.join('talker', { codec: 'PCMU', sound });
    room.join('silent', { codec: 'PCMU' });
    room.run(12_000);
    const told = room.events.filter((event) => event.event === 'legLevel');
    expect(new Set(told.map(({ leg }) => leg))).toEqual(new Set(['talker']));
    expect(told.length).toBeGreaterThanOrEqual(6);
    expect(told.length).toBeLessThanOrEqual(14);
    for (const { levelDb: level } of told.slice(0, 6)) expect(level).toBeGreaterThan(-40);
  });

  it('come and go without a click: an offset of the line, or a steady sound, is faded', () => {
    const room = new SimulatedRoom();
    const sound = new Int16Array(8000 * 3).fill(3000, 8000, 16_000);
    room.join('offset', { codec: 'PCMU', sound });
    const listener = room.join('listener', { codec: 'PCMU' });
    room.run(3000);
    const { pcm } = listener.heard(900, 1900);
    let steepest = 0;
    for (let i = 1; i < pcm.length; i++) steepest = Math.max(steepest, Math.abs(pcm[i]! - pcm[i - 1]!));
    expect(steepest).toBeLessThan(1500);
  });

  it('are not heard at all, not for a moment, when they begin while muted', () => {
    const room = new SimulatedRoom();
    const muted = room.join('muted', { codec: 'PCMU' });
    const listener = room.join('listener', { codec: 'PCMU' });
    room.run(500);
    muted.leg.control({ ...PLAIN_CONTROL, muted: true });
    muted.toneHz = 500;
    room.run(1000);
    expect(levelDb(listener.heard(500).pcm)).toBeLessThan(-60);
  });
});

describe('keys in the sound', () => {
  const pressed = keySound(770, 1336, 1000, 200, 3000);

  it('of a phone without telephone events are told once, and not heard but for their beginning', () => {
    const room = new SimulatedRoom();
    room.join('caller', { codec: 'PCMA', sound: pressed, telephoneEvents: false });
    const listener = room.join('listener', { codec: 'PCMA' });
    room.run(3000);
    const keys = room.events.filter((event) => event.event === 'legKey');
    expect(keys).toEqual([{ event: 'legKey', leg: 'caller', key: '5', durationMs: expect.closeTo(200, -2) }]);
    const { pcm } = listener.heard(900, 1500);
    let loudMs = 0;
    for (let at = 0; at + 8 <= pcm.length; at += 8) if (levelDb(pcm, at, at + 8) > -40) loudMs++;
    expect(loudMs).toBeLessThanOrEqual(40);
  });

  it('of a muted one are told as well, so that they can unmute themselves', () => {
    const room = new SimulatedRoom();
    room.join('caller', { codec: 'PCMA', sound: pressed, telephoneEvents: false }, { muted: true });
    room.run(3000);
    expect(room.events.filter((event) => event.event === 'legKey')).toHaveLength(1);
  });

  it('of a phone with telephone events are left to those', () => {
    const room = new SimulatedRoom();
    room.join('caller', { codec: 'PCMA', sound: pressed });
    room.run(3000);
    expect(room.events.filter((event) => event.event === 'legKey')).toEqual([]);
  });

  it('are kept from others while a telephone event says that the key is down', () => {
    const room = new SimulatedRoom();
    const caller = room.join('caller', { codec: 'PCMA', toneHz: 700 });
    const listener = room.join('listener', { codec: 'PCMA' });
    room.run(1000);
    for (let packet = 1; packet <= 20; packet++) {
      caller.sendKey(5, 1000, false, 160 * packet);
      room.run(20);
    }
    expect(listener.levelDb(700, 1100, 1380)).toBeLessThan(-60);
    for (let repeat = 0; repeat < 3; repeat++) caller.sendKey(5, 1000, true, 3200);
    room.run(1000);
    expect(listener.levelDb(700, 1600)).toBeGreaterThan(-21.5);
  });
});

describe('comfort noise', () => {
  it('lies under a silent room, at the level that was set', () => {
    for (const codec of ['PCMU', 'PCMA', 'G722', 'opus'] as const) {
      const room = new SimulatedRoom({ comfortNoiseDb: -60 });
      const listener = room.join('listener', { codec });
      room.join('other', { codec });
      room.run(2000);
      expect(Math.abs(levelDb(listener.heard(1000).pcm) + 60), codec).toBeLessThan(3);
    }
  });

  it('is not there at −127', () => {
    const room = new SimulatedRoom({ comfortNoiseDb: -127 });
    const listener = room.join('listener', { codec: 'G722' });
    room.run(1000);
    expect(levelDb(listener.heard(500).pcm)).toBeLessThan(-85);
  });

  it('takes the place of our packets where it was negotiated (RFC 3389), and sound comes back at once', () => {
    const room = new SimulatedRoom();
    const listener = room.join('listener', { codec: 'PCMU', comfortNoise: true });
    const other = room.join('other', { codec: 'PCMU' });
    room.run(3000);
    const rest = listener.sent.filter(({ atMs }) => atMs > 1000);
    expect(rest).toHaveLength(4);
    for (const { payloadType, payload } of rest) expect([payloadType, ...payload]).toEqual([13, 65]);
    expect((rest[1]!.timestamp - rest[0]!.timestamp) >>> 0).toBe(4000);
    other.toneHz = 500;
    room.run(1000);
    const first = listener.sent.find(({ atMs, payloadType }) => atMs > 3000 && payloadType === 0)!;
    expect(first.marker).toBe(true);
    expect((first.timestamp - rest[3]!.timestamp) % 160).toBe(0);
    expect(listener.levelDb(500, 3200)).toBeGreaterThan(-21.5);
  });

  it('of a phone fills what follows its last word, and its next word is heard whole', () => {
    const room = new SimulatedRoom();
    const phone = room.join('phone', { codec: 'PCMU', toneHz: 500 });
    const listener = room.join('listener', { codec: 'PCMU' });
    room.run(1000);
    phone.sending = false;
    phone.sendComfortNoise(-50);
    room.run(3000);
    const after = levelDb(listener.heard(1100, 1250).pcm);
    expect(Math.abs(after + 50)).toBeLessThan(4);
    phone.sending = true;
    room.run(1000);
    expect(listener.levelDb(500, 4150)).toBeGreaterThan(-21.5);
    const { concealedFrames } = phone.leg.statistics();
    expect(concealedFrames).toBeLessThanOrEqual(1);
  });

  it('is told again each half second as long as nobody speaks, to one who hears nobody too, and costs no encodes', () => {
    const room = new SimulatedRoom();
    const listener = room.join('listener', { codec: 'PCMA', comfortNoise: true });
    const deaf = room.join('deaf', { codec: 'PCMU', comfortNoise: true }, { deaf: true });
    room.join('other', { codec: 'PCMU', comfortNoise: true });
    room.run(1000);
    const before = room.counts.encodes;
    room.run(10_000);
    expect(room.counts.encodes).toBe(before);
    for (const { sent } of [listener, deaf]) {
      const rest = sent.filter(({ atMs }) => atMs > 1000);
      expect(rest).toHaveLength(20);
      for (let i = 1; i < rest.length; i++) {
        expect(rest[i]).toMatchObject({ payloadType: 13, marker: false, ssrc: rest[0]!.ssrc });
        expect((rest[i]!.sequenceNumber - rest[i - 1]!.sequenceNumber) & 0xffff).toBe(1);
        expect((rest[i]!.timestamp - rest[i - 1]!.timestamp) >>> 0).toBe(4000);
      }
    }
  });

  it('goes to nobody else: G.722 and Opus listeners of the same room are sent all packets', () => {
    const room = new SimulatedRoom();
    room.join('resting', { codec: 'PCMU', comfortNoise: true });
    const others = (['PCMU', 'G722', 'opus'] as const).map((codec) => room.join(codec, { codec }));
    room.run(3000);
    for (const { sent } of others) {
      expect(sent.filter(({ atMs }) => atMs > 1000)).toHaveLength(100);
      expect(sent.some(({ payloadType }) => payloadType === 13)).toBe(false);
    }
  });

  it('of a phone beside G.722, whose RTP clock it has, is heard at its level as well', () => {
    const room = new SimulatedRoom();
    const phone = room.join('phone', { codec: 'G722', toneHz: 500, receivesComfortNoise: true });
    const listener = room.join('listener', { codec: 'L16/16000' });
    room.run(1000);
    phone.sending = false;
    phone.sendComfortNoise(-50);
    room.run(500);
    expect(Math.abs(levelDb(listener.heard(1100, 1250).pcm) + 50)).toBeLessThan(4);
    phone.sending = true;
    room.run(1000);
    expect(listener.levelDb(500, 1700)).toBeGreaterThan(-21.5);
  });

  it('among Opus packets, whose clock it does not have, is passed over', () => {
    const room = new SimulatedRoom();
    const phone = room.join('phone', { codec: 'opus', toneHz: 500, receivesComfortNoise: true });
    const listener = room.join('listener', { codec: 'opus' });
    room.run(1000);
    for (let turn = 0; turn < 10; turn++) {
      phone.sendComfortNoise(-50);
      room.run(100);
    }
    expect(listener.levelDb(500, 1000)).toBeGreaterThan(-21.5);
  });
});
