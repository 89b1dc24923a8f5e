import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { audioCodec } from '../../mixer/codec/registry.ts';
import type { AudioCodecName } from '../../mixer/protocol.ts';
import { Finishing } from '../../server/recordings/finishing/finishing.ts';
import { LONG_TESTS } from '../long-tests.ts';
import { decoded, onsetsMs } from './decoded-blocks.ts';
import { RecordedRoom } from './recorded-room.ts';
import { play } from './tone.ts';

const MINUTE_MS = 60_000;
/** Each says something for 100 ms in each of these, by their own clock, one after the other. */
const EVERY_MS = 10_000;
const SAID_MS = 100;
const TURN_MS = 2_000;
const PACKET_MS = 20;

interface Talker {
  id: string;
  codec: AudioCodecName;
  clockPpm: number;
  turn: number;
}

/** A hundred parts in a million: after half an hour such clocks are 180 ms off. In some minutes they are by being worse. */
const OFF_PPM = LONG_TESTS ? 100 : 400;
const TALKERS: readonly Talker[] = [
  { id: 'fast', codec: 'PCMU', clockPpm: OFF_PPM, turn: 0 },
  { id: 'slow', codec: 'G722', clockPpm: -OFF_PPM, turn: 1 },
  { id: 'right', codec: 'PCMA', clockPpm: 0, turn: 2 },
];
const OPUS_TALKERS: readonly Talker[] = [
  { id: 'fast', codec: 'opus', clockPpm: OFF_PPM, turn: 0 },
  { id: 'slow', codec: 'opus', clockPpm: -OFF_PPM, turn: 1 },
];

/** 16 bit samples by their number: quiet, but for the talker's turns. */
function speech({ codec, turn }: Talker): (sample: number) => number {
  const { sampleRateHz } = audioCodec(codec);
  return (sample) => {
    const ms = ((sample * 1_000) / sampleRateHz) % EVERY_MS;
    const sinceMs = ms - turn * TURN_MS;
    if (sinceMs < 0 || sinceMs >= SAID_MS) return 0;
    return Math.round(9_000 * Math.sin((2 * Math.PI * 700 * sample) / sampleRateHz));
  };
}

/** All that the talker ever says, as packets of 20 ms. Coded once, since coding half an hour of Opus takes minutes. */
function spokenPackets(talker: Talker): Uint8Array[] {
  const { sampleRateHz, createEncoder } = audioCodec(talker.codec);
  const encoder = createEncoder({
    ...{ complexity: 5, bitrateBps: 32_000, inbandFec: false, dtx: false, expectedLossPercent: 0 },
  });
  const say = speech(talker);
  const samples = (sampleRateHz * PACKET_MS) / 1_000;
  const pcm = new Int16Array(samples);
  const out = new Uint8Array(1_500);
  const packets = Array.from({ length: EVERY_MS / PACKET_MS }, (_, packet) => {
    for (let i = 0; i < samples; i++) pcm[i] = say(packet * samples + i);
    return out.slice(0, encoder.encode(pcm, 0, samples, out, 0));
  });
  encoder.close();
  return packets;
}

/** When the talker begins to say it, by the clock of the room. */
const saidAtMs = ({ clockPpm, turn }: Talker, number: number): number =>
  (number * EVERY_MS + turn * TURN_MS) / (1 + clockPpm / 1e6);

interface Found {
  of: string;
  /** How late what was said is found, by its number. Those at the very beginning settle. */
  lateMs: Map<number, number>;
}

function found(of: string, talker: Talker, onsets: readonly number[], lengthMs: number): Found {
  const lateMs = new Map<number, number>();
  for (const ms of onsets) {
    const number = Math.round((ms - talker.turn * TURN_MS) / EVERY_MS);
    const late = ms - saidAtMs(talker, number);
    if (number >= 1 && Math.abs(late) < TURN_MS / 2) lateMs.set(number, late);
  }
  expect(lateMs.size, `what ${of} says is found`).toBeGreaterThanOrEqual(lengthMs / EVERY_MS - 2);
  return { of, lateMs };
}

/** The furthest that anything is from where all of it is in the middle. */
function drift({ lateMs }: Found): number {
  const late = [...lateMs.values()].toSorted((a, b) => a - b);
  const middle = late[late.length >> 1]!;
  return Math.max(...late.map((ms) => Math.abs(ms - middle)));
}

function apart(track: Found, mix: Found): number {
  return Math.max(...[...track.lateMs].map(([number, ms]) => Math.abs(ms - (mix.lateMs.get(number) ?? ms))));
}

describe.each([
  { minutes: LONG_TESTS ? 30 : 5, talkers: TALKERS },
  { minutes: LONG_TESTS ? 30 : 3, talkers: OPUS_TALKERS },
])('$minutes minutes of callers whose clocks are off', ({ minutes, talkers }) => {
  it('stay within 20 ms of their clocks and the room’s, in the mix and in their tracks', {
    timeout: 480_000,
  }, async () => {
    const stage = new RecordedRoom();
    const lengthMs = minutes * MINUTE_MS;
    for (const talker of talkers) {
      const { codec, clockPpm } = talker;
      stage.room.join(talker.id, { codec, clockPpm, packets: spokenPackets(talker) });
    }
    const recording = await stage.record({ tracks: true });
    await stage.run(lengthMs);
    expect(await stage.end(recording)).toMatchObject({ durationMs: lengthMs });
    const onsets = onsetsMs(decoded(stage.disk.matroska('mix-1.mka').blocks, 'opus', lengthMs), 48_000);
    for (const talker of talkers) {
      const { blocks } = stage.disk.matroska(`track-1-${talker.id}-1.mka`);
      const { sampleRateHz } = audioCodec(talker.codec);
      const own = onsetsMs(decoded(blocks, talker.codec, lengthMs), sampleRateHz);
      const mix = found(`${talker.id} in the mix`, talker, onsets, lengthMs);
      const track = found(`${talker.id} in the track`, talker, own, lengthMs);
      for (const file of [mix, track]) expect(drift(file), file.of).toBeLessThan(20);
      expect(apart(track, mix), `${talker.id}, track to mix`).toBeLessThan(20);
    }
  });
});

describe('pauses and silence', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'parley-lengths-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('are exact to the sample in what is finished', { timeout: 120_000 }, async () => {
    const talker = TALKERS[2]!;
    const stage = new RecordedRoom();
    const recording = await stage.record({ tracks: true });
    // Nobody is there; somebody speaks; two pauses of odd lengths; silence again.
    await stage.run(3 * MINUTE_MS);
    const phone = stage.room.join(talker.id, { codec: talker.codec, sound: speech(talker) });
    const pauses: { fromMs: number; lengthMs: number }[] = [];
    for (const lengthMs of [7_340, 61_020]) {
      await stage.run(25_000);
      recording.pause(true);
      pauses.push({ fromMs: recording.positionMs, lengthMs });
      await stage.run(lengthMs);
      recording.pause(false);
    }
    await stage.run(25_000);
    phone.sending = false;
    await stage.run(4 * MINUTE_MS);
    const { durationMs } = await stage.end(recording);
    expect(durationMs).toBe(3 * MINUTE_MS + 75_000 + 4 * MINUTE_MS);
    for (const name of stage.disk.files.keys()) await writeFile(join(directory, name), stage.disk.octets(name));
    const source = {
      id: 'a',
      room: 'demo',
      directory,
      parts: [{ number: 1, startMs: 0 }],
      videoParts: [],
      durationMs,
      sealed: false,
    };
    const finishing = new Finishing({ log: { warn: () => undefined }, key: null, changed: () => undefined });
    const wav = await finishing.file({ ...source, startedAt: '2026-01-02T03:04:05.000Z' }, 'wav', false);
    if (!wav.ok) throw new Error(wav.reason);
    const samples = await play(wav.path);
    expect(samples).toHaveLength(durationMs * 48);
    expect(samples.subarray(0, 3 * MINUTE_MS * 48).every((sample) => sample === 0)).toBe(true);
    expect(samples.subarray(-3 * MINUTE_MS * 48).every((sample) => sample === 0)).toBe(true);
    // What was said in a pause is not there, and the rest is where it was said, less the pauses before it.
    const [first, second] = pauses as [(typeof pauses)[0], (typeof pauses)[0]];
    const heard = onsetsMs(samples, 48_000);
    const joinedMs = 3 * MINUTE_MS;
    const wanted: number[] = [];
    for (let number = 0; number < 30; number++) {
      const roomMs = joinedMs + number * EVERY_MS + talker.turn * TURN_MS;
      const untilFirst = roomMs < first.fromMs;
      const untilSecond = roomMs >= first.fromMs + first.lengthMs && roomMs < second.fromMs + first.lengthMs;
      const beyond = roomMs >= second.fromMs + first.lengthMs + second.lengthMs && roomMs < joinedMs + 75_000 + 68_360;
      if (untilFirst) wanted.push(roomMs);
      else if (untilSecond) wanted.push(roomMs - first.lengthMs);
      else if (beyond) wanted.push(roomMs - first.lengthMs - second.lengthMs);
    }
    expect(heard).toHaveLength(wanted.length);
    const late = heard.map((ms, index) => ms - wanted[index]!);
    expect(Math.max(...late) - Math.min(...late), 'moved against each other').toBeLessThanOrEqual(20);
    for (const ms of late) expect(Math.abs(ms - 60), 'late by what the jitter buffer takes').toBeLessThan(60);
  });
});
