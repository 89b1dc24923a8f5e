import { describe, expect, it } from 'vitest';
import type { AudioCodecName } from '../../mixer/protocol.ts';
import { SILENT_PACKET } from '../../mixer/recording/recorded-mix.ts';
import { PLAIN_CONTROL } from '../mixer/simulated-room.ts';
import { decoded, levelOfTone as toneDb } from './decoded-blocks.ts';
import type { Block } from './matroska-blocks.ts';
import { RecordedRoom } from './recorded-room.ts';

const LEVEL_DB = -20;

/** Of the mix: is a packet each 20 ms, without exception. */
function expectGapless(blocks: readonly Block[], lengthMs: number): void {
  expect(blocks.map(({ atMs }) => atMs)).toEqual(Array.from({ length: lengthMs / 20 }, (_, index) => index * 20));
}

describe('the mix', () => {
  it.each<AudioCodecName>(['PCMU', 'G722', 'opus', 'L16/48000'])(
    'has what all hear, as long as the time it took (%s)',
    async (codec) => {
      const stage = new RecordedRoom();
      const ptimeMs = codec === 'L16/48000' ? 10 : 20;
      stage.room.join('one', { codec, ptimeMs, toneHz: 500 });
      stage.room.join('other', { codec, ptimeMs, toneHz: 700 });
      await stage.run(200);
      const recording = await stage.record();
      await stage.run(3000);
      const result = await stage.end(recording);
      expect(result).toEqual({ durationMs: 3000, bytes: stage.disk.octets('mix-1.mka').length });
      const { blocks, codecId, title } = stage.disk.matroska('mix-1.mka');
      expect([codecId, title]).toEqual(['A_OPUS', 'demo']);
      expectGapless(blocks, 3000);
      const pcm = decoded(blocks, 'opus', 3000);
      for (const toneHz of [500, 700]) {
        expect(Math.abs(toneDb(pcm, 48_000, toneHz, 500, 2900) - LEVEL_DB), `${toneHz} Hz`).toBeLessThan(1.5);
      }
      expect(stage.disk.closed).toEqual(['mix-1.mka']);
      expect(stage.failures).toEqual([]);
    },
  );

  it('is what Opus listeners get, and costs no encode of its own', async () => {
    const stage = new RecordedRoom();
    const listener = stage.room.join('listener', { codec: 'opus' });
    stage.room.join('talker', { codec: 'opus', toneHz: 500 });
    await stage.run(500);
    const before = stage.room.counts.encodes;
    await stage.run(1000);
    const encodes = stage.room.counts.encodes - before;
    const from = listener.sent.length;
    const recording = await stage.record();
    await stage.run(1000);
    await stage.end(recording);
    expect(stage.room.counts.encodes - before - encodes).toBe(encodes);
    const { blocks } = stage.disk.matroska('mix-1.mka');
    expect(blocks.map(({ packet }) => [...packet])).toEqual(
      listener.sent.slice(from, from + 50).map(({ payload }) => [...payload]),
    );
  });

  it('takes what Opus listeners get from the first pause after they came, and goes on when they have gone', async () => {
    const stage = new RecordedRoom();
    const talker = stage.room.join('talker', { codec: 'PCMU', toneHz: 500 });
    const recording = await stage.record();
    await stage.run(1000);
    const listener = stage.room.join('listener', { codec: 'opus' });
    await stage.run(1000);
    // A decoder would make noise of packets whose beginning it has not heard.
    const early = new Set(listener.sent.map(({ payload }) => Buffer.from(payload).toString('hex')));
    talker.sending = false;
    await stage.run(600);
    talker.sending = true;
    await stage.run(2400);
    stage.room.room.remove(listener.leg);
    listener.leg.close();
    await stage.run(3000);
    talker.sending = false;
    await stage.run(1000);
    await stage.end(recording);
    const { blocks } = stage.disk.matroska('mix-1.mka');
    expectGapless(blocks, 9000);
    const heard = new Set(listener.sent.map(({ payload }) => Buffer.from(payload).toString('hex')));
    const shared = blocks.slice(150, 240).filter(({ packet }) => heard.has(packet.toString('hex')));
    expect(shared).toHaveLength(90);
    expect(blocks.slice(55, 100).filter(({ packet }) => early.has(packet.toString('hex')))).toEqual([]);
    const pcm = decoded(blocks, 'opus', 9000);
    for (let fromMs = 200; fromMs < 7800; fromMs += 200) {
      if (fromMs >= 2000 && fromMs < 2800) continue;
      expect(Math.abs(toneDb(pcm, 48_000, 500, fromMs, fromMs + 200) - LEVEL_DB), `${fromMs}`).toBeLessThan(2);
    }
    // Nothing is left in the room of a recording that has ended.
    expect(stage.room.room.opusStreams(8000, null)).toBeNull();
  });

  it('does not take the packets of one who wants less than others send', async () => {
    const stage = new RecordedRoom();
    stage.room.join('narrow', { codec: 'opus', parameters: { maxaveragebitrate: '6000' } });
    stage.room.join('talker', { codec: 'G722', toneHz: 6000 });
    const recording = await stage.record();
    await stage.run(2000);
    await stage.end(recording);
    const pcm = decoded(stage.disk.matroska('mix-1.mka').blocks, 'opus', 2000);
    expect(Math.abs(toneDb(pcm, 48_000, 6000, 500, 1900) - LEVEL_DB)).toBeLessThan(2);
  });

  it('is made of silent packets where nobody is heard, and costs no encode then', async () => {
    const stage = new RecordedRoom();
    const talker = stage.room.join('talker', { codec: 'PCMU', toneHz: 500 });
    const recording = await stage.record();
    await stage.run(1000);
    talker.sending = false;
    await stage.run(60_000);
    talker.sending = true;
    await stage.run(1000);
    expect(await stage.end(recording)).toMatchObject({ durationMs: 62_000 });
    const { blocks } = stage.disk.matroska('mix-1.mka');
    expectGapless(blocks, 62_000);
    const silent = Buffer.from(SILENT_PACKET);
    for (const { packet, atMs } of blocks.slice(100, 3040)) expect(packet.equals(silent), `${atMs}`).toBe(true);
    const pcm = decoded(blocks, 'opus', 62_000);
    expect(pcm.subarray(2 * 48_000, 60 * 48_000).every((sample) => Math.abs(sample) < 2)).toBe(true);
    expect(Math.abs(toneDb(pcm, 48_000, 500, 61_200, 61_900) - LEVEL_DB)).toBeLessThan(2);
  });

  it('is silent for the ticks that a busy machine left out', async () => {
    const stage = new RecordedRoom();
    stage.room.join('talker', { codec: 'PCMU', toneHz: 500 });
    const recording = await stage.record();
    await stage.run(1000);
    stage.room.skipTicks(25);
    await stage.run(1000);
    expect(await stage.end(recording)).toMatchObject({ durationMs: 2500 });
    expectGapless(stage.disk.matroska('mix-1.mka').blocks, 2500);
  });
});

describe('a pause', () => {
  it('leaves nothing in the files, exact to the sample', async () => {
    const stage = new RecordedRoom();
    const talker = stage.room.join('talker', { codec: 'PCMU', toneHz: 500 });
    await stage.run(200);
    const recording = await stage.record({ tracks: true });
    await stage.run(1000);
    expect(recording.pause(true)).toBe(true);
    expect(recording.pause(true)).toBe(false);
    talker.toneHz = 900;
    await stage.run(10_000);
    expect(recording.positionMs).toBe(1000);
    talker.toneHz = 700;
    stage.room.run(100);
    recording.pause(false);
    await stage.run(1000);
    expect(await stage.end(recording)).toMatchObject({ durationMs: 2000 });
    const { blocks } = stage.disk.matroska('mix-1.mka');
    expectGapless(blocks, 2000);
    const mix = decoded(blocks, 'opus', 2000);
    const track = decoded(stage.disk.matroska('track-1-talker-1.mka').blocks, 'PCMU', 2000);
    for (const [pcm, rateHz] of [
      [mix, 48_000],
      [track, 8000],
    ] as const) {
      expect(Math.abs(toneDb(pcm, rateHz, 500, 200, 950) - LEVEL_DB)).toBeLessThan(2);
      expect(toneDb(pcm, rateHz, 900, 0, 2000)).toBeLessThan(LEVEL_DB - 25);
      expect(Math.abs(toneDb(pcm, rateHz, 700, 1100, 1950) - LEVEL_DB)).toBeLessThan(2);
    }
  });

  it('brings to the disk what was recorded before it, and nothing is written in it', async () => {
    const stage = new RecordedRoom();
    stage.room.join('talker', { codec: 'PCMU', toneHz: 500 });
    const recording = await stage.record({ tracks: true });
    await stage.run(1100);
    recording.pause(true);
    await stage.run(100);
    expect(stage.disk.matroska('mix-1.mka').blocks).toHaveLength(55);
    const tracked = stage.disk.matroska('track-1-talker-1.mka').blocks.length;
    expect(tracked).toBeGreaterThan(50);
    const writes = stage.disk.writes.length;
    await stage.run(20_000);
    expect(stage.disk.writes).toHaveLength(writes);
    await stage.end(recording);
    expect(stage.disk.matroska('track-1-talker-1.mka').blocks).toHaveLength(tracked);
  });

  it('may come first', async () => {
    const stage = new RecordedRoom();
    stage.room.join('talker', { codec: 'PCMU', toneHz: 500 });
    const recording = await stage.record({ paused: true });
    await stage.run(1000);
    recording.pause(false);
    await stage.run(500);
    expect(await stage.end(recording)).toMatchObject({ durationMs: 500 });
  });
});

describe('who may not be recorded', () => {
  it.each<AudioCodecName>(['PCMU', 'opus'])('is heard, but neither in the mix nor in a track (%s)', async (codec) => {
    const stage = new RecordedRoom();
    const listener = stage.room.join('listener', { codec });
    stage.room.join('yes', { codec, toneHz: 500 });
    const no = stage.room.join('no', { codec, toneHz: 900 }, { recorded: false });
    await stage.run(200);
    const recording = await stage.record({ tracks: true });
    await stage.run(2000);
    no.leg.control({ ...PLAIN_CONTROL, recorded: true });
    await stage.run(2000);
    no.leg.control({ ...PLAIN_CONTROL, recorded: false });
    await stage.run(2000);
    await stage.end(recording);
    const { blocks } = stage.disk.matroska('mix-1.mka');
    expectGapless(blocks, 6000);
    const pcm = decoded(blocks, 'opus', 6000);
    for (const [fromMs, isIn] of [
      [100, false],
      [2600, true],
      [4030, false],
    ] as const) {
      const untilMs = fromMs < 2000 ? 1980 : fromMs < 4000 ? 3000 : 5950;
      const level = toneDb(pcm, 48_000, 900, fromMs, untilMs);
      if (isIn) expect(Math.abs(level - LEVEL_DB)).toBeLessThan(2);
      else expect(level).toBeLessThan(LEVEL_DB - 35);
    }
    expect(Math.abs(listener.levelDb(900, 300) - LEVEL_DB)).toBeLessThan(2);
    const track = stage.disk.matroska('track-1-no-1.mka').blocks;
    expect(track.length).toBeGreaterThan(95);
    for (const { atMs } of track) {
      expect(atMs).toBeGreaterThanOrEqual(2000);
      expect(atMs).toBeLessThan(4020);
    }
  });
});
