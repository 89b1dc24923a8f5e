import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { recordVoice } from '../../mixer/playback/record-voice.ts';
import { parseWav } from '../../mixer/playback/wav.ts';
import type { LegControl } from '../../mixer/protocol.ts';
import { goertzelHannLevelDb } from '../audio/goertzel.ts';
import { levelDb } from '../audio/signals.ts';
import { type SimulatedPhone, SimulatedRoom } from './simulated-room.ts';
import { folder, softTone } from './sound-files.ts';

/** A tone from `fromMs` on, in a line that is otherwise silent. */
function spoken(rateHz: number, fromMs: number, ms: number): Int16Array {
  const pcm = new Int16Array(rateHz * 20);
  pcm.set(softTone(rateHz, 700, ms), (rateHz * fromMs) / 1000);
  return pcm;
}

let files = 0;
const newPath = (): string => join(folder, `name${files++}.wav`);

function record(phone: SimulatedPhone, path: string, maxMs = 5000): Promise<{ durationMs: number }> {
  return recordVoice(phone.leg, { leg: 'caller', path, maxMs, endsAtSilenceMs: 1000 });
}

function read(path: string): Int16Array {
  const file = readFileSync(path);
  const { sampleRateHz, dataOffset, dataBytes } = parseWav(file, file.length);
  expect(sampleRateHz).toBe(16_000);
  return new Int16Array(file.buffer.slice(file.byteOffset + dataOffset, file.byteOffset + dataOffset + dataBytes));
}

describe('what a participant says', () => {
  const cases: [string, 'PCMU' | 'opus' | 'G722', number, Partial<LegControl>][] = [
    ['who is apart', 'PCMU', 8000, { apart: true }],
    ['who is muted', 'opus', 48_000, { muted: true }],
    ['in the room', 'G722', 16_000, {}],
  ];

  it.each(cases)('%s is recorded, without the silence around it (%s)', async (_who, codec, rateHz, control) => {
    const room = new SimulatedRoom();
    const caller = room.join('caller', { codec, sound: spoken(rateHz, 2000, 1000) }, control);
    room.run(1000);
    const path = newPath();
    const recorded = record(caller, path);
    room.run(5000);
    const { durationMs } = await recorded;
    expect(durationMs).toBeGreaterThanOrEqual(1000);
    expect(durationMs).toBeLessThan(1500);
    const pcm = read(path);
    expect(pcm.length).toBe(durationMs * 16);
    expect(Math.abs(goertzelHannLevelDb(pcm, 6400, 8000, 700, 16_000) - -20)).toBeLessThan(1);
    expect(levelDb(pcm, 0, 1600)).toBeLessThan(-50);
  });

  it('is recorded until the time is up', async () => {
    const room = new SimulatedRoom();
    const caller = room.join('caller', { codec: 'PCMU', toneHz: 700 });
    room.run(500);
    const path = newPath();
    const recorded = record(caller, path, 700);
    room.run(2000);
    expect(await recorded).toEqual({ durationMs: 700 });
  });

  it('is recorded until a key is pressed, and is as long as the words; one that was down before does not count', async () => {
    const room = new SimulatedRoom();
    const caller = room.join('caller', { codec: 'PCMU', sound: spoken(8000, 1000, 1000) }, { apart: true });
    room.run(500);
    caller.sendKey(11, 1000, false, 160);
    const path = newPath();
    const recorded = record(caller, path);
    room.run(100);
    for (let packet = 0; packet < 3; packet++) caller.sendKey(11, 1000, true, 800);
    room.run(1700);
    caller.sendKey(11, 20_000, false, 160);
    room.run(40);
    const { durationMs } = await recorded;
    expect(durationMs).toBeGreaterThan(1000);
    expect(durationMs).toBeLessThan(1500);
  });

  it('is nothing when they say nothing, or send nothing: then there is no file', async () => {
    const room = new SimulatedRoom();
    const caller = room.join('caller', { codec: 'PCMU' });
    const absent = room.join('absent', { codec: 'PCMU' });
    absent.sending = false;
    const [path, other] = [newPath(), newPath()];
    const recorded = [record(caller, path, 1000), record(absent, other, 1000)];
    room.run(1100);
    expect(await Promise.all(recorded)).toEqual([{ durationMs: 0 }, { durationMs: 0 }]);
    expect(existsSync(path) || existsSync(other)).toBe(false);
  });

  it('is kept when they hang up', async () => {
    const room = new SimulatedRoom();
    const caller = room.join('caller', { codec: 'PCMU', toneHz: 700 });
    room.run(500);
    const path = newPath();
    const recorded = record(caller, path);
    room.run(600);
    caller.leg.close();
    expect((await recorded).durationMs).toBeGreaterThanOrEqual(580);
    expect(existsSync(path)).toBe(true);
  });

  it('is recorded once at a time, not for ever, and into a folder that is there', async () => {
    const room = new SimulatedRoom();
    const caller = room.join('caller', { codec: 'PCMU', toneHz: 700 });
    const recorded = record(caller, join(folder, 'no', 'folder.wav'), 500);
    await expect(record(caller, newPath())).rejects.toMatchObject({ code: 'already-exists' });
    await expect(record(caller, newPath(), 61_000)).rejects.toMatchObject({ code: 'bad-request' });
    room.run(1000);
    await expect(recorded).rejects.toMatchObject({ code: 'cannot-write' });
  });
});
