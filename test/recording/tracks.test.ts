import { describe, expect, it } from 'vitest';
import { audioCodec } from '../../mixer/codec/registry.ts';
import type { AudioCodecName, AudioFormat } from '../../mixer/protocol.ts';
import { LegTrack } from '../../mixer/recording/leg-track.ts';
import { PlayedPackets } from '../../mixer/recording/played-packets.ts';
import type { TrackFile } from '../../mixer/recording/track-file.ts';
import { Room } from '../../mixer/room.ts';
import { writeRtpHeader } from '../../mixer/rtp/rtp-packet.ts';
import { PLAIN_CONTROL, type SimulatedPhone } from '../mixer/simulated-room.ts';
import { decoded, onsetsMs } from './decoded-blocks.ts';
import { RecordedRoom } from './recorded-room.ts';

const STEP_MS = 20;

/** 60 ms of a tone at each second and a half. */
function beeps(codec: AudioCodecName, seconds: number, toneHz = 500): Int16Array {
  const { sampleRateHz } = audioCodec(codec);
  const pcm = new Int16Array(seconds * sampleRateHz);
  for (let i = 0; i < pcm.length; i++) {
    const t = i / sampleRateHz;
    if (t % 1 >= 0.5 && t % 1 < 0.56) pcm[i] = Math.round(8000 * Math.sin(2 * Math.PI * toneHz * t));
  }
  return pcm;
}

function near(one: number[], other: number[], withinMs: number): void {
  expect(one.length).toBe(other.length);
  for (const [index, ms] of one.entries()) {
    expect(Math.abs(ms - other[index]!), `${ms} and ${other[index]}`).toBeLessThanOrEqual(withinMs);
  }
}

/** Sends a tone by RTP, in one stream, whatever its codec. */
class ChangingTalker {
  private readonly phone: SimulatedPhone;
  private readonly encoders = new Map<AudioCodecName, ReturnType<ReturnType<typeof audioCodec>['createEncoder']>>();
  private sequence = 0;
  private timestamp = 0;
  ssrc = 7;

  constructor(phone: SimulatedPhone, codecs: AudioCodecName[]) {
    this.phone = phone;
    phone.sending = false;
    const receive = codecs.map((codec, index): AudioFormat => {
      return { codec, payloadType: 96 + index, clockRateHz: audioCodec(codec).rtpClockRateHz, parameters: {} };
    });
    phone.leg.update({ ...phone.media('sendrecv'), receive });
    this.codecs = codecs;
  }
  private readonly codecs: AudioCodecName[];

  send(codec: AudioCodecName): void {
    const { sampleRateHz, rtpClockRateHz, createEncoder } = audioCodec(codec);
    const options = { complexity: 0, bitrateBps: 32_000, inbandFec: false, dtx: false, expectedLossPercent: 0 };
    const encoder = this.encoders.get(codec) ?? createEncoder(options);
    this.encoders.set(codec, encoder);
    const samples = (sampleRateHz * STEP_MS) / 1000;
    const pcm = Int16Array.from({ length: samples }, (_, i) => 8000 * Math.sin((2 * Math.PI * 500 * i) / sampleRateHz));
    const packet = new Uint8Array(2000);
    const length = encoder.encode(pcm, 0, samples, packet, 12);
    writeRtpHeader(packet, 96 + this.codecs.indexOf(codec), false, this.sequence++ & 0xffff, this.timestamp, this.ssrc);
    this.timestamp = (this.timestamp + (rtpClockRateHz * STEP_MS) / 1000) >>> 0;
    const { leg, address, port, nowMs } = this.phone;
    leg.receivedRtp(packet, 12 + length, address, port, nowMs);
  }

  jump(): void {
    this.ssrc++;
    this.sequence = 40_000;
    this.timestamp = 3_000_000_000;
  }
}

describe('a track', () => {
  it('holds the packets as they came, under the id of the leg', async () => {
    const stage = new RecordedRoom();
    const sent: string[] = [];
    const phone = stage.room.join('alice', { codec: 'PCMU', toneHz: 500 });
    const { receivedRtp } = phone.leg;
    Object.assign(phone.leg, {
      receivedRtp: (...args: Parameters<typeof receivedRtp>) => {
        sent.push(Buffer.from(args[0].subarray(12, args[1])).toString('hex'));
        receivedRtp(...args);
      },
    });
    const recording = await stage.record({ tracks: true, part: 3 });
    await stage.run(3000);
    await stage.end(recording);
    const { codecId, blocks, sampleRateHz } = stage.disk.matroska('track-3-alice-1.mka');
    expect([codecId, sampleRateHz]).toEqual(['A_MS/ACM', 8000]);
    const kept = blocks.map(({ packet }) => packet.toString('hex'));
    expect(kept.length).toBeGreaterThan(140);
    const first = sent.indexOf(kept[0]!);
    expect(sent.slice(first, first + kept.length)).toEqual(kept);
  });

  it.each<[AudioCodecName, number]>([
    ['PCMU', 20],
    ['PCMA', 30],
    ['PCMU', 10],
    ['G722', 60],
    ['opus', 20],
    ['opus', 60],
    ['L16/16000', 20],
  ])('is in step with the mix and with the others (%s, %i ms)', async (codec, ptimeMs) => {
    const stage = new RecordedRoom();
    stage.room.join('one', { codec, ptimeMs, sound: beeps(codec, 10) });
    const recording = await stage.record({ tracks: true });
    await stage.run(10_000);
    await stage.end(recording);
    const mix = decoded(stage.disk.matroska('mix-1.mka').blocks, 'opus', 10_000);
    const { blocks } = stage.disk.matroska('track-1-one-1.mka');
    for (let i = 1; i < blocks.length; i++) expect(blocks[i]!.atMs).toBeGreaterThanOrEqual(blocks[i - 1]!.atMs);
    const inMix = onsetsMs(mix, 48_000);
    expect(inMix.length).toBeGreaterThanOrEqual(9);
    near(onsetsMs(decoded(blocks, codec, 10_000), audioCodec(codec).sampleRateHz), inMix, 15);
  });

  it('stays in step with jitter, loss, a jump of the clock and pauses', async () => {
    const stage = new RecordedRoom();
    const phone = stage.room.join('one', { codec: 'PCMU', sound: beeps('PCMU', 60) });
    phone.loses = (sequenceNumber) => sequenceNumber % 23 === 5;
    const recording = await stage.record({ tracks: true });
    for (let second = 0; second < 30; second++) {
      await stage.run(600);
      phone.sending = second % 3 !== 1;
      await stage.run(300);
      phone.sending = true;
      if (second === 10) phone.ssrc++;
      await stage.run(100);
      if (second === 20) stage.room.skipTicks(3);
    }
    await stage.end(recording);
    const mix = decoded(stage.disk.matroska('mix-1.mka').blocks, 'opus', 31_000);
    const track = decoded(stage.disk.matroska('track-1-one-1.mka').blocks, 'PCMU', 31_000);
    const inMix = onsetsMs(mix, 48_000);
    expect(inMix.length).toBeGreaterThan(25);
    near(onsetsMs(track, 8000), inMix, 20);
  });

  it('begins when somebody comes, ends when they go, and begins anew when they come back', async () => {
    const stage = new RecordedRoom();
    const recording = await stage.record({ tracks: true });
    await stage.run(1000);
    const late = stage.room.join('late', { codec: 'PCMA', toneHz: 500 });
    await stage.run(1000);
    stage.room.room.remove(late.leg);
    await stage.run(1000);
    expect(stage.disk.closed).toEqual(['track-1-late-1.mka']);
    stage.room.room.add(late.leg);
    await stage.run(1000);
    await stage.end(recording);
    for (const [name, fromMs] of [
      ['track-1-late-1.mka', 1000],
      ['track-1-late-2.mka', 3000],
    ] as const) {
      const { blocks } = stage.disk.matroska(name);
      expect(blocks[0]!.atMs).toBeGreaterThanOrEqual(fromMs);
      expect(blocks[0]!.atMs).toBeLessThan(fromMs + 200);
      expect(blocks.at(-1)!.atMs).toBeLessThan(fromMs + 1020);
      expect(blocks.length).toBeGreaterThan(45);
    }
  });

  it('is cut where somebody moves to another room', async () => {
    const stage = new RecordedRoom();
    const guest = stage.room.join('guest', { codec: 'PCMU', toneHz: 500 });
    const other = new Room('aside', stage.room.counts, stage.room.settings);
    const recording = await stage.record({ tracks: true });
    await stage.run(1000);
    guest.leg.depart();
    await stage.run(20);
    guest.leg.arrive();
    stage.room.room.remove(guest.leg);
    guest.leg.moveTo(other);
    other.add(guest.leg);
    for (let i = 0; i < 50; i++) {
      await stage.run(20);
      other.tick(stage.room.nowMs, i);
    }
    expect(guest.leg.playedPackets).toBeNull();
    await stage.end(recording);
    const { blocks } = stage.disk.matroska('track-1-guest-1.mka');
    expect(blocks.at(-1)!.atMs).toBeLessThanOrEqual(1000);
    expect(stage.disk.closed.sort()).toEqual(['mix-1.mka', 'track-1-guest-1.mka']);
  });

  it('has a file for each run of a codec, and goes on through another source', async () => {
    const stage = new RecordedRoom();
    const talker = new ChangingTalker(stage.room.join('one', { codec: 'PCMU' }), ['PCMU', 'G722', 'opus']);
    const recording = await stage.record({ tracks: true });
    const runs: AudioCodecName[] = ['PCMU', 'G722', 'PCMU', 'opus'];
    for (const codec of runs) {
      for (let step = 0; step < 100; step++) {
        if (codec === 'G722' && step === 50) talker.jump();
        talker.send(codec);
        await stage.run(STEP_MS);
      }
    }
    await stage.end(recording);
    const ids = runs.map((_, index) => stage.disk.matroska(`track-1-one-${index + 1}.mka`));
    expect(ids.map(({ codecId }) => codecId)).toEqual(['A_MS/ACM', 'A_MS/ACM', 'A_MS/ACM', 'A_OPUS']);
    expect(ids.map(({ sampleRateHz }) => sampleRateHz)).toEqual([8000, 16_000, 8000, 48_000]);
    for (const [index, { blocks }] of ids.entries()) {
      expect(blocks.length).toBeGreaterThan(index === 1 ? 90 : 95);
      expect(Math.abs(blocks[0]!.atMs - index * 2000), `run ${index}`).toBeLessThan(200);
      const lengthMs = blocks.at(-1)!.atMs + 20 - blocks[0]!.atMs;
      expect(lengthMs).toBeLessThanOrEqual(2020);
    }
    expect(new Set(stage.disk.closed).size).toBe(5);
  });

  it('is left out for one who changes the codec without end', async () => {
    const stage = new RecordedRoom();
    const talker = new ChangingTalker(stage.room.join('one', { codec: 'PCMU' }), ['PCMU', 'PCMA']);
    const recording = await stage.record({ tracks: true });
    for (let step = 0; step < 300; step++) {
      talker.send(step % 2 === 0 ? 'PCMU' : 'PCMA');
      await stage.run(STEP_MS);
    }
    await stage.end(recording);
    expect(stage.disk.files.size).toBe(101);
    expect(stage.disk.closed).toHaveLength(101);
    expect(stage.failures).toEqual([]);
  });

  it('has no comfort noise in it, but a gap', async () => {
    const stage = new RecordedRoom();
    const phone = stage.room.join('one', { codec: 'PCMU', toneHz: 500 });
    const recording = await stage.record({ tracks: true });
    await stage.run(1000);
    phone.sendComfortNoise(-60);
    phone.sending = false;
    await stage.run(1000);
    phone.sending = true;
    await stage.run(1000);
    await stage.end(recording);
    const { blocks } = stage.disk.matroska('track-1-one-1.mka');
    expect(blocks.every(({ packet }) => packet.length === 160)).toBe(true);
    const gaps = blocks.filter(({ atMs }, index) => index > 0 && atMs - blocks[index - 1]!.atMs > 500);
    expect(gaps).toHaveLength(1);
    expect(Math.abs(gaps[0]!.atMs - 2000)).toBeLessThan(100);
  });

  it.each([
    ['muted', { muted: true }],
    ['apart', { apart: true }],
    ['whispering', { speaksTo: ['other'] }],
    ['not to be recorded', { recorded: false }],
  ])('has nothing of one who is %s, from the moment on', async (_, control) => {
    const stage = new RecordedRoom();
    const phone = stage.room.join('one', { codec: 'PCMU', toneHz: 500 }, control);
    stage.room.join('other', { codec: 'PCMU' });
    const recording = await stage.record({ tracks: true });
    await stage.run(1000);
    phone.leg.control(PLAIN_CONTROL);
    await stage.run(1000);
    phone.leg.control({ ...PLAIN_CONTROL, ...control });
    await stage.run(1000);
    await stage.end(recording);
    const { blocks } = stage.disk.matroska('track-1-one-1.mka');
    expect(blocks.length).toBeGreaterThan(45);
    expect(blocks[0]!.atMs).toBeGreaterThanOrEqual(1000);
    expect(blocks.at(-1)!.atMs).toBeLessThan(2020);
  });

  it('reaches the disk within a second, also the last words before a silence', async () => {
    const stage = new RecordedRoom();
    const phone = stage.room.join('one', { codec: 'PCMU', toneHz: 500 });
    const recording = await stage.record({ tracks: true });
    await stage.run(1100);
    phone.sending = false;
    await stage.run(900);
    expect(stage.disk.matroska('track-1-one-1.mka').blocks.at(-1)!.atMs).toBeGreaterThan(1000);
    await stage.end(recording);
  });
});

it.each([-300, 0, 300])('a sender whose clock is %i ppm off stays in step for half an hour', (ppm) => {
  const written: number[] = [];
  const file = { write: (_packet: Uint8Array, _length: number, atMs: number) => void written.push(atMs) };
  const track = new LegTrack({
    clockRateOf: () => 8000,
    openFile: () => file as unknown as TrackFile,
    closeFile: () => undefined,
  });
  const played = new PlayedPackets();
  const payload = new Uint8Array(160);
  const ticks = 30 * 60 * 50;
  let mostMs = 0;
  let worstStepMs = 0;
  for (let tick = 0; tick < ticks; tick++) {
    played.count = 0;
    // The jitter buffer makes up for the clock, so there is a packet for each tick; its time stamp is the sender's.
    played.add('PCMU', payload, Math.round(tick * 160 * (1 + ppm / 1e6)) + 4_294_000_000, 0);
    track.take(played, tick * 20);
    mostMs = Math.max(mostMs, Math.abs(written[tick]! - 6.5 - tick * 20));
    if (tick > 0) worstStepMs = Math.max(worstStepMs, Math.abs(written[tick]! - written[tick - 1]! - 20));
  }
  expect(mostMs).toBeLessThanOrEqual(3);
  expect(worstStepMs).toBeLessThan(4);
});
