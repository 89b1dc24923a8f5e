import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Playback } from '../../mixer/playback/playback.ts';
import { Playbacks } from '../../mixer/playback/playbacks.ts';
import { Sounds } from '../../mixer/playback/sounds.ts';
import type { AudioCodecName, SoundToPlay } from '../../mixer/protocol.ts';
import { levelDb } from '../audio/signals.ts';
import { RecordedRoom } from '../recording/recorded-room.ts';
import { PLAIN_CONTROL, type SimulatedPhone, SimulatedRoom } from './simulated-room.ts';
import { anyFile, folder, g722Tone, WatchedDisk, wavTone } from './sound-files.ts';

const LEVEL_DB = -20;

class Stage {
  readonly room: SimulatedRoom;
  readonly disk = new WatchedDisk();
  readonly ended: string[] = [];
  readonly details: string[] = [];
  readonly playbacks: Playbacks;

  constructor(room = new SimulatedRoom({ automaticGain: 'off' })) {
    this.room = room;
    this.playbacks = new Playbacks((playback, reason, detail) => {
      this.ended.push(`${playback} ${reason}`);
      if (detail) this.details.push(detail);
    }, new Sounds(this.disk.openFile));
  }

  play(
    target: { play(playback: Playback): boolean },
    playback: string,
    files: string[],
    options: Partial<SoundToPlay> = {},
  ): Promise<void> {
    const sound = { playback, to: { room: 'demo' }, files, gainDb: 0, repeat: false, ...options };
    return this.playbacks.play(sound, (made) => target.play(made));
  }

  /** As `room.run`, with a disk that is quick. */
  async run(ms: number): Promise<void> {
    for (let doneMs = 0; doneMs < ms; doneMs += 20) {
      this.room.run(20);
      await this.disk.rest();
    }
  }
}

/** @param withinDb Opus takes liberties with a tone under a louder one */
function hears(
  phone: SimulatedPhone,
  toneHz: number,
  level: number,
  fromMs: number,
  untilMs: number,
  withinDb = 1,
): void {
  const found = phone.levelDb(toneHz, fromMs, untilMs);
  expect(Math.abs(found - level), `${toneHz} Hz at ${found.toFixed(1)} dB, not ${level}`).toBeLessThan(withinDb);
}

function hearsNot(phone: SimulatedPhone, toneHz: number, fromMs: number, untilMs: number): void {
  expect(phone.levelDb(toneHz, fromMs, untilMs), `${toneHz} Hz`).toBeLessThan(LEVEL_DB - 40);
}

/** The largest second difference, which is where a click is. */
function sharpest(pcm: Int16Array): number {
  let most = 0;
  for (let i = 2; i < pcm.length; i++) most = Math.max(most, Math.abs(pcm[i]! - 2 * pcm[i - 1]! + pcm[i - 2]!));
  return most;
}

function isGapless(phone: SimulatedPhone, ticksAPacket: number): void {
  const { sent } = phone;
  for (let i = 1; i < sent.length; i++) {
    expect((sent[i]!.timestamp - sent[i - 1]!.timestamp) >>> 0).toBe(ticksAPacket);
    expect((sent[i]!.sequenceNumber - sent[i - 1]!.sequenceNumber) & 0xffff).toBe(1);
    expect(sent[i]!.ssrc).toBe(sent[0]!.ssrc);
  }
}

describe('a sound that is played to a participant', () => {
  const codecs: [AudioCodecName, number][] = [
    ['L16/16000', 320],
    ['PCMU', 160],
    ['G722', 160],
    ['opus', 960],
  ];

  it.each(codecs)('is heard over the mix, which is turned down by 12 dB meanwhile (%s)', async (codec, ticks) => {
    const stage = new Stage();
    const { room } = stage;
    room.join('talker', { codec, toneHz: 500 });
    const [listener, other] = [room.join('listener', { codec }), room.join('other', { codec })];
    await stage.run(1000);
    await stage.play(listener.leg, 'one', [wavTone(1000, 1000)]);
    await stage.run(2000);
    expect(stage.ended).toEqual(['one finished']);
    hears(listener, 500, LEVEL_DB, 500, 1000);
    hears(listener, 1000, LEVEL_DB, 1100, 1900);
    hears(listener, 500, LEVEL_DB - 12, 1100, 1900, codec === 'opus' ? 2 : 1);
    hears(listener, 500, LEVEL_DB, 2300, 3000);
    hearsNot(listener, 1000, 2300, 3000);
    hears(other, 500, LEVEL_DB, 1100, 1900);
    hearsNot(other, 1000, 1100, 1900);
    isGapless(listener, ticks);
    isGapless(other, ticks);
  });

  it.each(codecs)('makes no click, neither it nor what is turned down and up again (%s)', async (codec) => {
    const stage = new Stage();
    const { room } = stage;
    room.join('talker', { codec, toneHz: 500 });
    const listener = room.join('listener', { codec });
    await stage.run(1000);
    // So soft that it is nearly the mix alone.
    await stage.play(listener.leg, 'one', [wavTone(500, 500)], { gainDb: -50 });
    await stage.run(1500);
    const steady = sharpest(listener.heard(500, 1000).pcm);
    expect(20 * Math.log10(sharpest(listener.heard(1000, 2500).pcm) / steady)).toBeLessThan(codec === 'opus' ? 3 : 1);
  });

  it('costs encodes while it lasts; then its listener is sent what all are sent', async () => {
    const stage = new Stage();
    const { room } = stage;
    room.join('talker', { codec: 'PCMA', toneHz: 500 });
    const listeners = Array.from({ length: 20 }, (_, index) => room.join(`${index}`, { codec: 'PCMA' }));
    const encodesOfSecond = async (): Promise<number> => {
      const before = room.counts.encodes;
      await stage.run(1000);
      return room.counts.encodes - before;
    };
    await stage.run(1000);
    const plain = await encodesOfSecond();
    await stage.play(listeners[0]!.leg, 'one', [g722Tone(900, 900)]);
    expect(await encodesOfSecond()).toBeLessThanOrEqual(plain + 50);
    await stage.run(1000);
    expect(await encodesOfSecond()).toBe(plain);
    expect(listeners[0]!.sent.at(-1)!.payload).toEqual(listeners[1]!.sent.at(-1)!.payload);
    expect(listeners[0]!.leg.privateMix).toBe(null);
  });

  it('is heard by one who is deaf or speaks, who hear no more of the room, and of themselves, than before', async () => {
    const stage = new Stage();
    const deaf = stage.room.join('deaf', { codec: 'PCMA' }, { deaf: true });
    const talker = stage.room.join('talker', { codec: 'PCMA', toneHz: 500 });
    await stage.run(1000);
    await stage.play(deaf.leg, 'one', [wavTone(1000, 1000)], { gainDb: -6 });
    await stage.play(talker.leg, 'two', [wavTone(1300, 1000, 8000)]);
    await stage.run(2000);
    hears(deaf, 1000, LEVEL_DB - 6, 1100, 1900);
    hears(talker, 1300, LEVEL_DB, 1100, 1900);
    for (const phone of [deaf, talker]) hearsNot(phone, 500, 500, 3000);
  });

  it('is made of files that follow one another to the sample, whatever their rates', async () => {
    const stage = new Stage();
    const listener = stage.room.join('listener', { codec: 'L16/48000' });
    await stage.run(500);
    const files = [g722Tone(700, 410), g722Tone(900, 430), wavTone(1100, 415, 8000), wavTone(1500, 400, 48_000)];
    await stage.play(listener.leg, 'one', files);
    await stage.run(2500);
    const { pcm } = listener.heard(0);
    const sounds = Array.from({ length: pcm.length / 480 }, (_, at) => levelDb(pcm, at * 480, at * 480 + 480) > -45);
    const soundMs = (sounds.lastIndexOf(true) - sounds.indexOf(true) + 1) * 10;
    // A file of another rate begins with a tick.
    expect(Math.abs(soundMs - 1655)).toBeLessThanOrEqual(40);
    const starts = [500, 910, 1340, 1760];
    for (const [index, toneHz] of [700, 900, 1100, 1500].entries()) {
      hears(listener, toneHz, LEVEL_DB, starts[index]! + 80, starts[index]! + 340);
    }
    expect(stage.disk.open).toBe(0);
  });

  it('waits for those before it', async () => {
    const stage = new Stage();
    const listener = stage.room.join('listener', { codec: 'PCMA' });
    await stage.run(500);
    const [first, second] = [g722Tone(700, 500), g722Tone(900, 500)];
    await Promise.all([
      stage.play(listener.leg, 'one', [first]),
      stage.play(listener.leg, 'two', [second]),
      stage.play(listener.leg, 'three', [first]),
    ]);
    await stage.run(250);
    stage.playbacks.stop('three');
    await stage.run(1250);
    expect(stage.ended).toEqual(['three stopped', 'one finished', 'two finished']);
    hears(listener, 700, LEVEL_DB, 550, 950);
    hearsNot(listener, 900, 550, 950);
    hears(listener, 900, LEVEL_DB, 1080, 1450);
    hearsNot(listener, 700, 1080, 2000);
  });

  it('again and again makes way for another, goes on after it, and fades out when it is stopped', async () => {
    const stage = new Stage();
    const listener = stage.room.join('listener', { codec: 'L16/16000' });
    await stage.run(500);
    await stage.play(listener.leg, 'music', [wavTone(700, 300)], { repeat: true });
    await stage.run(1100);
    await stage.play(listener.leg, 'prompt', [wavTone(1000, 400)]);
    await stage.run(1000);
    stage.playbacks.stop('music');
    await stage.run(500);
    expect(stage.ended).toEqual(['prompt finished', 'music stopped']);
    expect(listener.levelDb(700, 550, 1550)).toBeGreaterThan(LEVEL_DB - 2);
    hears(listener, 1000, LEVEL_DB, 1680, 1980);
    hearsNot(listener, 700, 1680, 1980);
    expect(listener.levelDb(700, 2100, 2550)).toBeGreaterThan(LEVEL_DB - 2);
    expect(levelDb(listener.heard(2680).pcm)).toBeLessThan(-60);
    // The loudest tone's own is some 770; a cut in the middle of it would be thousands.
    expect(sharpest(listener.heard(0).pcm)).toBeLessThan(1500);
    expect(stage.disk.open).toBe(0);
  });

  it('ends with the leg', async () => {
    const stage = new Stage();
    const listener = stage.room.join('listener', { codec: 'PCMA' });
    await stage.play(listener.leg, 'one', [wavTone(700, 300)]);
    await stage.play(listener.leg, 'two', [wavTone(700, 300)]);
    await stage.run(100);
    listener.leg.close();
    expect(stage.ended).toEqual(['one stopped', 'two stopped']);
    expect(stage.playbacks.count).toBe(0);
  });
});

describe('a sound that is played to a room', () => {
  it('is heard by all, also over voices, but not by the deaf', async () => {
    const stage = new Stage();
    const { room } = stage;
    const one = room.join('one', { codec: 'PCMA', toneHz: 500 });
    const two = room.join('two', { codec: 'opus', toneHz: 600 });
    const listener = room.join('listener', { codec: 'G722' });
    const deaf = room.join('deaf', { codec: 'PCMU' }, { deaf: true });
    const apart = room.join('apart', { codec: 'PCMU' }, { apart: true });
    await stage.run(1000);
    await stage.play(room.room, 'one', [g722Tone(1000, 1000)]);
    await stage.run(1500);
    for (const phone of [one, two, listener]) hears(phone, 1000, LEVEL_DB, 1100, 1900);
    hears(listener, 500, LEVEL_DB, 1100, 1900);
    for (const phone of [deaf, apart]) hearsNot(phone, 1000, 1000, 2500);
    hearsNot(one, 500, 1000, 2500);
    hearsNot(listener, 1000, 2200, 2500);
    expect(stage.ended).toEqual(['one finished']);
  });

  it('is heard by one who speaks alone', async () => {
    const stage = new Stage();
    const talker = stage.room.join('talker', { codec: 'PCMA', toneHz: 500 });
    await stage.run(1000);
    await stage.play(stage.room.room, 'one', [g722Tone(1000, 1000)]);
    await stage.run(1000);
    hears(talker, 1000, LEVEL_DB, 1100, 1900);
    hearsNot(talker, 500, 1100, 1900);
  });

  it('is in the recordings, and costs listeners no encodes', async () => {
    const stage = new Stage();
    const { room } = stage;
    const listeners = Array.from({ length: 10 }, (_, index) => room.join(`${index}`, { codec: 'opus' }));
    const recorded = new RecordedRoom(room);
    const recording = await recorded.record();
    await stage.run(500);
    const before = room.counts.encodes;
    await stage.play(room.room, 'one', [g722Tone(1000, 1000)]);
    await stage.run(1000);
    expect(room.counts.encodes - before).toBe(50);
    await recording.finish();
    const sent = listeners[3]!.sent.map(({ payload }) => Buffer.from(payload));
    expect(recorded.disk.matroska('mix-1.mka').blocks.map(({ packet }) => packet)).toEqual(sent);
    hears(listeners[3]!, 1000, LEVEL_DB, 600, 1400);
  });

  it('goes on when nobody is there to hear it', async () => {
    const stage = new Stage();
    await stage.play(stage.room.room, 'one', [wavTone(700, 300)]);
    await stage.run(400);
    expect(stage.ended).toEqual(['one finished']);
  });

  it('ends with the room', async () => {
    const stage = new Stage();
    await stage.play(stage.room.room, 'one', [wavTone(700, 300)], { repeat: true });
    await stage.run(1000);
    stage.room.room.close();
    expect(stage.ended).toEqual(['one stopped']);
  });
});

describe('a sound that is steered', () => {
  /** 700 Hz, 900 Hz, 1100 Hz: two seconds of each. */
  const three = (): string[] => [wavTone(700, 2000), g722Tone(900, 2000), wavTone(1100, 2000, 48_000)];

  async function playing(files: string[], options: Partial<SoundToPlay> = {}) {
    const stage = new Stage();
    const listener = stage.room.join('listener', { codec: 'L16/48000' });
    await stage.play(listener.leg, 'one', files, options);
    return { stage, listener };
  }

  it('begins where it is asked to, in whichever file that is', async () => {
    const { stage, listener } = await playing(three(), { startMs: 3500 });
    await stage.run(3000);
    hears(listener, 900, LEVEL_DB, 50, 450, 1.5);
    hears(listener, 1100, LEVEL_DB, 600, 2400);
    expect(stage.ended).toEqual(['one finished']);
    hearsNot(listener, 1100, 2600, 3000);
    expect(stage.disk.open).toBe(0);
  });

  it('says where it is, and goes on elsewhere, forward and back', async () => {
    const { stage, listener } = await playing(three());
    await stage.run(1000);
    expect(await stage.playbacks.control({ playback: 'one' })).toEqual({ positionMs: 1000, durationMs: 6000 });
    expect(await stage.playbacks.control({ playback: 'one', positionMs: 4500 })).toMatchObject({ positionMs: 4500 });
    await stage.run(1000);
    expect(await stage.playbacks.control({ playback: 'one' })).toMatchObject({ positionMs: 5480 });
    await stage.playbacks.control({ playback: 'one', positionMs: 0 });
    await stage.run(6500);
    hears(listener, 700, LEVEL_DB, 100, 950);
    hears(listener, 1100, LEVEL_DB, 1100, 1950);
    hears(listener, 700, LEVEL_DB, 2100, 3950);
    hears(listener, 900, LEVEL_DB, 4100, 5950, 1.5);
    hears(listener, 1100, LEVEL_DB, 6100, 7950);
    expect(stage.ended).toEqual(['one finished']);
    expect(stage.disk.open).toBe(0);
  });

  it('ends when it is to go on beyond its end', async () => {
    const { stage } = await playing(three());
    await stage.run(500);
    await stage.playbacks.control({ playback: 'one', positionMs: 3_600_000 });
    await stage.run(100);
    expect(stage.ended).toEqual(['one finished']);
  });

  it('of a long file reads no more than it plays', async () => {
    const { stage, listener } = await playing([wavTone(700, 60_000, 48_000)]);
    await stage.run(500);
    await stage.playbacks.control({ playback: 'one', positionMs: 50_000 });
    await stage.run(11_000);
    hears(listener, 700, LEVEL_DB, 600, 10_400);
    hearsNot(listener, 700, 10_700, 11_500);
    expect(stage.disk.bytesRead).toBeLessThan(2 * 64 * 1024 + (2.5 + 12) * 96_000);
    expect(stage.ended).toEqual(['one finished']);
    expect(stage.disk.open).toBe(0);
  });

  it('goes to the last place that it was asked for', async () => {
    const { stage, listener } = await playing(three());
    await stage.run(500);
    const places = [4500, 1000, 2500].map((positionMs) => stage.playbacks.control({ playback: 'one', positionMs }));
    await Promise.all(places);
    await stage.run(1000);
    hears(listener, 900, LEVEL_DB, 600, 1400, 1.5);
    stage.playbacks.stop('one');
    await stage.run(100);
    expect(stage.disk.open).toBe(0);
  });

  it('changes its volume', async () => {
    const { stage, listener } = await playing([wavTone(700, 5000)]);
    await stage.run(1000);
    await stage.playbacks.control({ playback: 'one', gainDb: -12 });
    await stage.run(1000);
    hears(listener, 700, LEVEL_DB, 100, 950);
    hears(listener, 700, LEVEL_DB - 12, 1100, 1950);
  });

  it('makes no click when it goes on elsewhere, at whatever rate', async () => {
    const { stage, listener } = await playing([wavTone(500, 2005, 16_000), wavTone(500, 2005, 48_000)]);
    await stage.run(1000);
    const steady = sharpest(listener.heard(200, 900).pcm);
    for (const positionMs of [503, 3007, 1001, 2509]) {
      await stage.playbacks.control({ playback: 'one', positionMs });
      await stage.run(200);
    }
    expect(20 * Math.log10(sharpest(listener.heard(900, 1800).pcm) / steady)).toBeLessThan(3);
  });

  it('that is not there cannot be steered', async () => {
    const { stage } = await playing([wavTone(700, 100)]);
    await stage.run(200);
    await expect(stage.playbacks.control({ playback: 'one' })).rejects.toMatchObject({ code: 'no-such-sound' });
  });
});

describe('files', () => {
  it('that are long are read as they are played, with little in memory and nothing left open', async () => {
    const stage = new Stage();
    const listener = stage.room.join('listener', { codec: 'L16/48000' });
    const file = wavTone(700, 60_000, 48_000);
    await stage.play(listener.leg, 'one', [file]);
    await stage.run(2000);
    expect(stage.disk.bytesRead).toBeLessThan(64 * 1024 + 5 * 96_000);
    hears(listener, 700, LEVEL_DB, 200, 2000);
    expect(stage.disk.open).toBe(1);
    stage.playbacks.stop('one');
    await stage.run(100);
    expect(stage.disk.open).toBe(0);
    expect(stage.ended).toEqual(['one stopped']);
  });

  it('that are long are played to their last sample, and again', async () => {
    const stage = new Stage();
    const listener = stage.room.join('listener', { codec: 'L16/16000' });
    const file = wavTone(700, 44_310, 48_000);
    await stage.play(listener.leg, 'one', [file, file]);
    await stage.run(89_000);
    expect(stage.ended).toEqual(['one finished']);
    hears(listener, 700, LEVEL_DB, 40_000, 44_200);
    hears(listener, 700, LEVEL_DB, 44_500, 88_500);
    expect(stage.disk.open).toBe(0);
  });

  it('that are short are read once', async () => {
    const stage = new Stage();
    const file = g722Tone(700, 500);
    for (const id of ['one', 'two', 'three']) {
      const listener = stage.room.join(id, { codec: 'PCMA' });
      await stage.play(listener.leg, id, [file]);
    }
    await stage.run(1000);
    expect(stage.ended).toHaveLength(3);
    expect(stage.disk.bytesRead).toBe(4000);
  });

  it('on a disk that stands still leave the room in peace, and are heard when it goes on', async () => {
    const stage = new Stage();
    const { room } = stage;
    room.join('talker', { codec: 'PCMA', toneHz: 500 });
    const listener = room.join('listener', { codec: 'PCMA' });
    await stage.play(listener.leg, 'one', [wavTone(1000, 60_000, 48_000)]);
    room.run(5000);
    isGapless(listener, 160);
    hearsNot(listener, 1000, 2500, 5000);
    hears(listener, 500, LEVEL_DB - 12, 2500, 5000);
    await stage.run(500);
    hears(listener, 1000, LEVEL_DB, 5100, 5500);
    listener.leg.close();
  });

  const header = (change: (wav: Buffer) => void): Buffer => {
    const wav = Buffer.alloc(2044);
    wav.write('RIFF\0\0\0\0WAVEfmt ', 0, 'latin1');
    wav.writeUInt32LE(16, 16);
    wav.writeUInt16LE(1, 20);
    wav.writeUInt16LE(1, 22);
    wav.writeUInt32LE(8000, 24);
    wav.writeUInt16LE(16, 34);
    wav.write('data', 36, 'latin1');
    wav.writeUInt32LE(2000, 40);
    change(wav);
    return wav;
  };
  const broken: [string, () => string, string][] = [
    ['missing', () => join(folder, 'no-such.g722'), 'is not there'],
    ['empty', () => anyFile('g722', ''), 'has no samples'],
    ['of another kind', () => anyFile('mp3', 'x'), 'is neither .g722 nor .wav'],
    ['not WAV', () => anyFile('wav', 'RIFFRAFF'), 'is not a WAV file'],
    ['cut off in the header', () => anyFile('wav', header(() => undefined).subarray(0, 40)), 'has no samples'],
    [
      'stereo',
      () =>
        anyFile(
          'wav',
          header((wav) => wav.writeUInt16LE(2, 22)),
        ),
      'has 2 channels',
    ],
    [
      'of 44100 Hz',
      () =>
        anyFile(
          'wav',
          header((wav) => wav.writeUInt32LE(44_100, 24)),
        ),
      'of 44100 Hz',
    ],
    [
      'of A-law',
      () =>
        anyFile(
          'wav',
          header((wav) => wav.writeUInt16LE(6, 20)),
        ),
      'format 6',
    ],
  ];

  it.each(broken)('that are %s: are refused by name, and all else goes on', async (_what, file, reason) => {
    const stage = new Stage();
    const listener = stage.room.join('listener', { codec: 'PCMA' });
    const path = file();
    const playing = stage.play(listener.leg, 'bad', [wavTone(700, 200), path]);
    const next = stage.play(listener.leg, 'good', [wavTone(900, 500)]);
    await expect(playing).rejects.toMatchObject({ code: 'cannot-read', message: expect.stringContaining(reason) });
    await expect(playing).rejects.toThrow(path);
    await next;
    await stage.run(800);
    hears(listener, 900, LEVEL_DB, 50, 450);
    expect(stage.ended).toEqual(['good finished']);
    expect(stage.disk.open).toBe(0);
  });

  it('that become shorter or go away while they are played: that is the end of it, and of nothing else', async () => {
    const { truncate, rm } = await import('node:fs/promises');
    const stage = new Stage();
    const listener = stage.room.join('listener', { codec: 'PCMA' });
    const [short, gone] = [wavTone(700, 60_000, 48_000), wavTone(700, 60_000, 48_000)];
    await stage.play(listener.leg, 'short', [short]);
    const word = wavTone(700, 100);
    await stage.play(listener.leg, 'gone', [word, word, gone]);
    await truncate(short, 300_000);
    await rm(gone);
    await stage.play(listener.leg, 'good', [wavTone(900, 300)]);
    await stage.run(5000);
    expect(stage.ended).toEqual(['short failed', 'gone failed', 'good finished']);
    expect(stage.details).toEqual([`${short} has become shorter`, `${gone} is not there`]);
    expect(stage.disk.open).toBe(0);
    isGapless(listener, 160);
  });

  it('may be many, and waiting sounds too, but not without bound; a folder is no file', async () => {
    const stage = new Stage();
    const listener = stage.room.join('listener', { codec: 'PCMA' });
    const file = wavTone(700, 100);
    await expect(stage.play(listener.leg, 'x', [])).rejects.toMatchObject({ code: 'bad-request' });
    await expect(stage.play(listener.leg, 'x', Array(101).fill(file))).rejects.toMatchObject({ code: 'bad-request' });
    for (let index = 0; index < 32; index++) await stage.play(listener.leg, `${index}`, [file]);
    await expect(stage.play(listener.leg, 'x', [file])).rejects.toMatchObject({ code: 'too-many-sounds' });
    await expect(stage.play(listener.leg, '7', [file])).rejects.toMatchObject({ code: 'already-exists' });
    await mkdir(join(folder, 'dir.wav'));
    const other = stage.room.join('other', { codec: 'PCMA' });
    await expect(stage.play(other.leg, 'x', [join(folder, 'dir.wav')])).rejects.toMatchObject({ code: 'cannot-read' });
  });

  it('that are stopped before they are read end so', async () => {
    const stage = new Stage();
    const listener = stage.room.join('listener', { codec: 'PCMA' });
    const playing = stage.play(listener.leg, 'one', [wavTone(700, 60_000, 48_000)]);
    stage.playbacks.stop('one');
    stage.room.run(20);
    await playing;
    await stage.disk.rest();
    expect(stage.ended).toEqual(['one stopped']);
    expect(stage.disk.open).toBe(0);
  });
});

describe('one who is apart', () => {
  it('hears only what is played to them, is not heard, and presses keys all the same', async () => {
    const stage = new Stage();
    const { room } = stage;
    const apart = room.join('apart', { codec: 'PCMA', toneHz: 500 }, { apart: true });
    const other = room.join('other', { codec: 'PCMA', toneHz: 600 });
    await stage.run(1000);
    await stage.play(apart.leg, 'one', [g722Tone(1000, 1000)]);
    await stage.run(1000);
    hears(apart, 1000, LEVEL_DB, 1100, 1900);
    hearsNot(apart, 600, 0, 2000);
    hearsNot(other, 500, 0, 2000);
    hearsNot(other, 1000, 0, 2000);
    for (let packet = 0; packet < 3; packet++) apart.sendKey(5, 1000, true, 800);
    await stage.run(20);
    expect(room.events.filter((event) => event.event === 'legKey')).toHaveLength(1);
    expect(room.events.filter((event) => event.event === 'legTalking').map(({ leg }) => leg)).toEqual(['other']);
  });

  it('is part of the room from when they are let in, and fades out when they are taken out', async () => {
    const stage = new Stage();
    const { room } = stage;
    const guest = room.join('guest', { codec: 'L16/16000', toneHz: 500 }, { apart: true });
    const other = room.join('other', { codec: 'L16/16000', toneHz: 600 });
    await stage.run(500);
    guest.leg.control(PLAIN_CONTROL);
    await stage.run(1000);
    guest.leg.control({ ...PLAIN_CONTROL, apart: true });
    await stage.run(500);
    hears(other, 500, LEVEL_DB, 700, 1450);
    hears(guest, 600, LEVEL_DB, 700, 1450);
    hearsNot(other, 500, 1560, 2000);
    hearsNot(guest, 600, 1560, 2000);
    const steady = sharpest(other.heard(800, 1400).pcm);
    expect(sharpest(other.heard(1400, 1700).pcm)).toBeLessThan(3 * steady);
  });

  it('costs no decodes', () => {
    const room = new SimulatedRoom();
    room.join('apart', { codec: 'opus', toneHz: 500 }, { apart: true });
    room.run(2000);
    expect(room.counts.decodes).toBeLessThan(5);
  });
});

describe('the volume of what one hears', () => {
  it.each(['L16/16000', 'opus'] as const)('is theirs alone, and changes without a click (%s)', (codec) => {
    const room = new SimulatedRoom({ automaticGain: 'off' });
    room.join('talker', { codec, toneHz: 500 });
    const quiet = room.join('quiet', { codec }, { volumeDb: -10 });
    const other = room.join('other', { codec });
    room.run(1000);
    quiet.leg.control({ ...PLAIN_CONTROL, volumeDb: 6 });
    room.run(1000);
    quiet.leg.control(PLAIN_CONTROL);
    room.run(2000);
    hears(quiet, 500, LEVEL_DB - 10, 300, 1000);
    hears(quiet, 500, LEVEL_DB + 6, 1100, 2000);
    hears(quiet, 500, LEVEL_DB, 2200, 4000);
    hears(other, 500, LEVEL_DB, 300, 4000);
    const loud = sharpest(quiet.heard(1500, 1900).pcm);
    expect(sharpest(quiet.heard(500).pcm)).toBeLessThan(1.2 * loud);
    expect(quiet.sent.at(-1)!.payload).toEqual(other.sent.at(-1)!.payload);
  });

  it('goes for what is played to them too', async () => {
    const stage = new Stage();
    const listener = stage.room.join('listener', { codec: 'PCMA' }, { volumeDb: -10 });
    await stage.play(listener.leg, 'one', [wavTone(1000, 1000)]);
    await stage.run(1000);
    hears(listener, 1000, LEVEL_DB - 10, 100, 900);
  });
});
